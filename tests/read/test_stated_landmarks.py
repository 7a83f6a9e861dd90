"""Landmark files of every form, and POINT ROIs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.read.case import ReadOptions
from pipeline.read.dicom_index import index_folder
from pipeline.read.selection import select
from pipeline.read.stated_landmarks import point_rois, read_landmark_file
from tests.closed_forms import make_grid
from tests.dicom_maker import CtSpec, RoiSpec, circles, make_ct, make_structure_set

NAMES = ("carina", "hiatus", "T1_top")
GRID = make_grid(size=(60, 50, 40), spacing_mm=(2.0, 2.0, 3.0))


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def slicer(system: str, *points: dict[str, object]) -> dict[str, object]:
    return {"markups": [{"type": "Fiducial", "coordinateSystem": system, "controlPoints": list(points)}]}


@pytest.mark.parametrize(
    "name, content",
    [
        ("x.yaml", "carina: [1.5, -2, 30]\n"),
        ("x.yml", "landmarks:\n  carina: {point_mm: [1.5, -2.0, 30.0]}\n"),
        ("x.json", {"carina": [1.5, -2, 30]}),
        (
            "report.json",
            {"landmarks": {"carina": {"point_mm": [1.5, -2.0, 30.0], "inferred": True, "how": "x"}}},
        ),
        ("x.mrk.json", slicer("LPS", {"label": "carina", "position": [1.5, -2, 30]})),
        ("x.mrk.json", slicer("RAS", {"label": "carina", "position": [-1.5, 2, 30]})),
        (
            "x.mrk.json",
            slicer(
                "LPS",
                {"label": "carina", "position": [1.5, -2, 30], "positionStatus": "defined"},
                {"label": "hiatus", "position": [0, 0, 0], "positionStatus": "undefined"},
            ),
        ),
    ],
)
def test_every_form(name: str, content: object, tmp_path: Path) -> None:
    assert read_landmark_file(write(tmp_path / name, content), NAMES, GRID) == {"carina": (1.5, -2.0, 30.0)}


@pytest.mark.parametrize(
    "name, content, message",
    [
        (
            "x.yaml",
            "karina: [1, 2, 3]\n",
            "unknown landmark; where: file x.yaml; expected: one of T1_top, carina",
        ),
        ("x.yaml", "carina: [1, 2]\n", "landmark 'carina' without a point.*three numbers in mm"),
        ("x.yaml", "carina: [1, 2, true]\n", "three numbers in mm"),
        ("x.yaml", "carina: [1, 2, .nan]\n", "finite numbers"),
        ("x.yaml", "carina: 30\n", "three numbers in mm"),
        ("x.yaml", "- carina\n", "landmark file of another form"),
        ("x.json", "{", "landmark file cannot be read"),
        ("x.json", "{}", "no landmark in the file"),
        (
            "x.json",
            {"carina": [1, 2, 900]},
            "landmark outside the CT; where: file x.json, carina; expected: a point",
        ),
        (
            "x.mrk.json",
            slicer("RAI", {"label": "carina", "position": [1, 2, 3]}),
            "unknown coordinate system",
        ),
        ("x.mrk.json", {"markups": ["carina"]}, "markups of another form"),
        (
            "x.mrk.json",
            slicer("LPS", *[{"label": "carina", "position": [1, 2, n]} for n in (3, 4)]),
            "landmark stated twice",
        ),
    ],
)
def test_what_cannot_be_used_is_told(name: str, content: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_landmark_file(write(tmp_path / name, content), NAMES, GRID)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("x.yaml", "x.json"):
        with pytest.raises(InputError, match=f"{name}"):
            read_landmark_file(tmp_path / name, NAMES, GRID)


@pytest.mark.parametrize("position", ["HFS", "FFP", "HFDL"])
def test_point_rois_of_the_structure_set(position: str, tmp_path: Path) -> None:
    ct = make_ct(tmp_path / "ct", CtSpec(position=position))
    x, y, z = ct.spec.center_mm
    point = np.array([[x + 3.0, y - 2.0, z + 4.0]])
    make_structure_set(
        tmp_path / "rs.dcm",
        ct,
        [
            RoiSpec("GTV", circles(ct, radius_mm=8.0), "GTV"),
            RoiSpec("Carina", [point], "MARKER", "POINT"),
            RoiSpec("hiatus", circles(ct, radius_mm=8.0), "ORGAN"),
        ],
    )
    chosen = select(index_folder(tmp_path), ct_series=ReadOptions().ct_series, structures=None)
    stated = point_rois(chosen.structure_set, NAMES, chosen.placed.grid)
    assert list(stated) == ["carina"], "an area is no point"
    assert stated["carina"] == pytest.approx(tuple(point[0]), abs=0.001)
