"""Landmarks that the user states: in a file, or as POINT ROIs of the structure set."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.errors import InputError
from pipeline.core.grid import Grid, Vector
from pipeline.read.lenient import lenient
from pipeline.read.structure_set import StructureSet, raw_contours
from pipeline.read.yaml_file import read_yaml

Points = dict[str, Vector]

_FORMS = 'a name with x, y, z in mm (LPS), such as "carina: [-1.5, 3.9, 49.6]", or 3D Slicer markups'
_TODO = "correct the file"


def read_landmark_file(path: Path, names: Collection[str], grid: Grid) -> Points:
    """Landmarks of a YAML or JSON file, or of 3D Slicer markups (`.mrk.json`).

    A mapping of names to x, y, z in mm (LPS), by itself or under the key `landmarks`; in place of the three
    numbers a mapping with `point_mm`, as our own reports have it. Of markups, every defined control point
    whose label is a landmark's name; RAS is turned into LPS.

    Args:
        path: the file.
        names: of the atlas's landmarks.
        grid: of the CT, in which the points must lie.

    Raises:
        InputError: it cannot be read, names a landmark that the atlas does not have or one twice, or a point
            lies outside the CT.
    """
    content = _content(path)
    stated: Points = {}
    for name, point in _markups(content, path) if _is_markups(content) else _mapping(content, path):
        if name not in names:
            raise _problem(path, "unknown landmark", expected=f"one of {', '.join(sorted(names))}", got=name)
        if name in stated:
            raise _problem(path, "landmark stated twice", expected="each name once", got=name)
        stated[name] = point
    if not stated:
        raise _problem(path, "no landmark in the file", expected=_FORMS, got="none")
    for name, point in stated.items():
        check_inside(name, point, grid, where=f"file {path.name}")
    return stated


def point_rois(structure_set: StructureSet, names: Collection[str], grid: Grid) -> Points:
    """The POINT ROIs whose name is a landmark's, ignoring case.

    Raises:
        InputError: a point outside the CT, or contour data that cannot be read.
    """
    by_case = {name.casefold(): name for name in names}
    stated: Points = {}
    for roi in structure_set.rois:
        name = by_case.get(roi.name.casefold())
        if name is None:
            continue
        with lenient():
            points = [one.points for one in raw_contours(structure_set, roi) if one.kind == "POINT"]
        if len(points) == 1 and len(points[0]) == 1:
            x, y, z = (float(value) for value in points[0][0])
            check_inside(name, (x, y, z), grid, where=f"ROI {roi.name}")
            stated[name] = (x, y, z)
    return stated


def check_inside(name: str, point_mm: Vector, grid: Grid, *, where: str) -> None:
    """Refuse a landmark that lies outside the CT: the file is of another patient or in another frame.

    Raises:
        InputError: it does.
    """
    index = grid.to_index(np.array([point_mm]))[0]
    if (index < -1.0).any() or (index > np.array(grid.size)).any():
        ends = grid.to_patient([[0, 0, 0], [n - 1 for n in grid.size]])
        low, high = ends.min(axis=0).round(1).tolist(), ends.max(axis=0).round(1).tolist()
        raise InputError(
            "landmark outside the CT",
            where=f"{where}, {name}",
            expected=f"a point between {low} and {high} mm (LPS)",
            got=f"{list(point_mm)}",
            todo="state x, y, z in mm, x to the patient's left, y to the back, z to the head",
        )


def _content(path: Path) -> Any:
    if path.suffix.lower() != ".json":
        return read_yaml(path).content
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _problem(path, "landmark file cannot be read", expected="JSON", got=str(error)) from error


def _is_markups(content: Any) -> bool:
    return isinstance(content, dict) and isinstance(content.get("markups"), list)


def _mapping(content: Any, path: Path) -> Iterator[tuple[str, Vector]]:
    if isinstance(content, dict) and isinstance(content.get("landmarks"), dict):
        content = content["landmarks"]
    if not isinstance(content, dict):
        raise _problem(path, "landmark file of another form", expected=_FORMS, got=_in_words(content))
    for name, value in content.items():
        point = value.get("point_mm") if isinstance(value, dict) else value
        yield str(name), _vector(point, path, str(name))


def _in_words(content: Any) -> str:
    """What a file holds instead of landmarks."""
    if content is None:
        return "nothing"
    if isinstance(content, list):
        return "a list"
    return "plain text: is a colon missing?" if isinstance(content, str) else "a single value"


def _markups(content: Any, path: Path) -> Iterator[tuple[str, Vector]]:
    for markup in content["markups"]:
        if not isinstance(markup, dict):
            raise _problem(path, "markups of another form", expected="a list of objects", got=str(markup))
        system = str(markup.get("coordinateSystem", "LPS"))
        if system not in {"LPS", "RAS"}:
            raise _problem(path, "unknown coordinate system", expected="LPS or RAS", got=system)
        for point in markup.get("controlPoints") or []:
            if point.get("positionStatus", "defined") != "defined":
                continue
            name = str(point.get("label", "")).strip()
            x, y, z = _vector(point.get("position"), path, name)
            yield name, ((-x, -y, z) if system == "RAS" else (x, y, z))


def _vector(value: Any, path: Path, name: str) -> Vector:
    numbers = isinstance(value, list) and len(value) == 3
    if not numbers or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        raise _problem(
            path, f"landmark {name!r} without a point", expected="three numbers in mm", got=str(value)
        )
    x, y, z = (float(v) for v in value)
    if not all(math.isfinite(v) for v in (x, y, z)):
        raise _problem(path, f"landmark {name!r} without a point", expected="finite numbers", got=str(value))
    return (x, y, z)


def _problem(path: Path, what: str, *, expected: str, got: str) -> InputError:
    return InputError(what, where=f"file {path.name}", expected=expected, got=got[:200], todo=_TODO)
