"""Label maps as NIfTI files that carry the names of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.rules import Colour
from pipeline.write.atomic import whole_file
from pipeline.write.nifti import nifti_image, read_back

_UNKNOWN_CODE = 0  # as TotalSegmentator has it, whose readers look at the first extension whatever its code


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOut:
    """One value of a label map: 1 to 255, its name, and the colour to show it in."""

    value: int
    name: str
    colour: Colour


def write_label_map(
    path: Path, grid: Grid, voxels: npt.NDArray[np.uint8], labels: tuple[LabelOut, ...]
) -> None:
    """Write a label map to a `.nii.gz` and compare what reads back.

    The names stand in a header extension: a Caret label table in XML, as TotalSegmentator writes it and
    connectome tools, Nora and MITK read it. Readers that do not know it still read the voxels.

    Args:
        path: the file.
        grid: of the CT.
        voxels: shape (slices, rows, columns); 0 is no label.
        labels: every value that may occur.

    Raises:
        OutputError: a value without a name, a file that reads back wrong, or the file system refused.
    """
    import nibabel

    labelled = voxels[voxels != 0]  # few of all: looking through these is ten times as fast
    nameless = np.setdiff1d(labelled, [label.value for label in labels])
    if nameless.size:
        raise OutputError(
            "label without a name", where=path.name, got=", ".join(map(str, nameless.tolist()[:10]))
        )
    image = nifti_image(grid, voxels)
    extension: Any = nibabel.nifti1.Nifti1Extension
    image.header.extensions.append(extension(_UNKNOWN_CODE, _label_table(labels)))
    with whole_file(path) as scratch:
        nibabel.save(image, scratch)
        _check(path.name, scratch, grid, voxels, {label.value: label.name for label in labels})


def _label_table(labels: tuple[LabelOut, ...]) -> bytes:
    root = ET.Element("CaretExtension")
    volume = ET.SubElement(root, "VolumeInformation", Index="0")
    table = ET.SubElement(volume, "LabelTable")
    for label in labels:
        red, green, blue = (f"{part / 255:.4f}" for part in label.colour)
        item = ET.SubElement(table, "Label", Key=str(label.value), Red=red, Green=green, Blue=blue, Alpha="1")
        item.text = label.name
    ET.SubElement(volume, "StudyMetaDataLinkSet")
    ET.SubElement(volume, "VolumeType").text = "Label"
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _check(
    name: str, path: Path, grid: Grid, wanted: npt.NDArray[np.uint8], names: Mapping[int, str]
) -> None:
    import nibabel

    voxels, same_place = read_back(path, grid)
    header: Any = nibabel.load(path).header
    content = header.extensions[0].get_content()
    table = ET.fromstring(content.rstrip(b"\0") if isinstance(content, bytes) else content)
    found = {int(label.get("Key", "")): label.text for label in table.iter("Label")}
    if not same_place or not np.array_equal(voxels, wanted) or found != names:
        raise OutputError(
            "the label map reads back wrong and was not kept",
            where=name,
            expected=f"{np.count_nonzero(wanted)} voxels, {len(names)} names",
            got=f"{np.count_nonzero(voxels)} voxels, {len(found)} names"
            if same_place
            else "another position",
        )
