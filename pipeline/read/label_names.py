"""Names of the values of a label map: from the NIfTI's own header, or from a table beside it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

from pipeline.core.errors import InputError
from pipeline.read.image_grid import stem
from pipeline.read.yaml_file import read_yaml

TABLES = (".json", ".yaml", ".yml", ".csv", ".tsv")


def label_names(path: Path) -> dict[int, str]:
    """Value to name; empty where neither the file nor a table beside it gives names.

    In this order: a table with the map's own stem (`plan.json` beside `plan.nii.gz`), the label table
    in a NIfTI's header extension (as TotalSegmentator writes it), the segment names of a 3D Slicer file.
    A table maps values to names or names to values (`{"1": "GTV-T"}`, `{"GTV-T": 1}`, nnU-Net's
    `labels` as well, whose whole numbers are values, whatever the names); in CSV each row has a value and a
    name. Value 0 is the background. A JSON or YAML file that pairs anything else is no table, but tells about
    the image (BIDS), and is left alone.

    Raises:
        InputError: a table that cannot be read.
    """
    for suffix in TABLES:
        table = path.with_name(stem(path.name) + suffix)
        if table.is_file():
            found = _from_table(table)
            if found:
                return found
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _from_nifti_header(path)
    return _from_slicer(path) if name.endswith((".nrrd", ".nhdr")) else {}


def _from_table(path: Path) -> dict[int, str]:
    try:
        pairs = _csv_pairs(path) if path.suffix in {".csv", ".tsv"} else _mapping_pairs(path)
        names = _distinct(_value_and_name(one, other) for one, other in pairs)
    except (ValueError, OSError, csv.Error) as error:
        raise InputError(
            "label table cannot be read",
            where=f"file {path.name}",
            expected='values and names, such as {"1": "GTV-T"}',
            got=str(error),
        ) from error
    names.pop(0, None)
    return names


def _mapping_pairs(path: Path) -> list[tuple[str, str]]:
    if path.suffix == ".json":
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_each_once)
    else:
        content = read_yaml(path).content
    if isinstance(content, dict) and isinstance(content.get("labels"), dict):
        content = content["labels"]
        if all(type(value) is int for value in content.values()):  # a name may be a number: station "7"
            return [(str(value), str(name).strip()) for name, value in content.items()]
    if not isinstance(content, dict):
        return []
    pairs = [(str(key).strip(), str(value).strip()) for key, value in content.items()]
    if all(key.isdigit() for key, _ in pairs) and all(isinstance(one, str) for one in content.values()):
        return pairs  # here too
    return pairs if all(one.isdigit() != other.isdigit() for one, other in pairs) else []


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key that stands twice")
    return content


def _csv_pairs(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        delimiter = "\t" if path.suffix == ".tsv" else ","
        rows = [row for row in csv.reader(stream, delimiter=delimiter) if any(cell.strip() for cell in row)]
    if rows and not any(cell.strip().isdigit() for cell in rows[0]):
        rows = rows[1:]  # a line of headings
    if any(len(row) < 2 for row in rows):
        raise ValueError("a row without a value and a name")
    return [(row[0], row[1]) for row in rows]


def _distinct(named: Iterable[tuple[int, str]]) -> dict[int, str]:
    names: dict[int, str] = {}
    for value, name in named:
        if value in names:
            raise ValueError(f"value {value} stands for {names[value]!r} and for {name!r}")
        names[value] = name
    return names


def _value_and_name(one: str, other: str) -> tuple[int, str]:
    one, other = one.strip(), other.strip()
    if one.isdigit():
        return int(one), other
    if other.isdigit():
        return int(other), one
    raise ValueError(f"neither {one!r} nor {other!r} is a value")


def _from_nifti_header(path: Path) -> dict[int, str]:
    import nibabel

    try:
        header = nibabel.load(path).header
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError):
        return {}  # told when the voxels are read
    for extension in getattr(header, "extensions", ()):
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        try:
            root = ET.fromstring(text.strip().strip("\0"))
        except ET.ParseError:
            continue
        found = {
            int(key): (label.text or "").strip()
            for label in root.iter("Label")
            if (key := label.get("Key", "")).isdigit()
        }
        found.pop(0, None)
        if found:
            return found
    return {}


def _from_slicer(path: Path) -> dict[int, str]:
    """The segments of a 3D Slicer segmentation (`Segment0_LabelValue`, `Segment0_Name`)."""
    import SimpleITK

    reader: Any = cast(Any, SimpleITK).ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return {}  # told when the voxels are read
    said = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    segments = [key.removesuffix("_LabelValue") for key in said if key.endswith("_LabelValue")]
    return {
        int(said[f"{segment}_LabelValue"]): said[f"{segment}_Name"].strip()
        for segment in segments
        if f"{segment}_Name" in said and said[f"{segment}_LabelValue"].isdigit()
    }
