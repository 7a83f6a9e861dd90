"""A station that nobody ever heard of: a file alone makes it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.build import build_stations
from pipeline.core.regions import Region
from pipeline.core.stations import Stations
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.station_rules import load_station_atlas
from tests.anatomy.stations.made import GRIDS, box, centre, landmarks, patient, steps

FILE = """
version: made up
sources:
  MINE: "I: made up for a test"
options:
  lid:
    meaning: where the tower ends
    default: low
    choices: {low: kidney_top, high: carina}
    source: MINE
figures:
  wall: {mm: 6.5, source: MINE}
  foot: {mm: 4, source: MINE}
  radius: {mm: 7, source: MINE}
  reach: {mm: 30, source: MINE}
  up: {mm: 21, source: MINE}
groups:
  everything: [kidneys, spleen]
  kidneys: [kidney_left, kidney_right]
levels:
  kidney_top:
    meaning: upper end of the kidneys
    attempts:
      - {method: top, organs: [kidney_left, kidney_right], error: 3, how: the kidneys, source: MINE}
points:
  base:
    - {centre: {of: absent, at: carina}}
    - {beside: {of: kidney_left, edge: left, at: kidney_top, leftward: foot}}
  tip:
    - {shifted: {from: base, up: up}}
paths:
  mast:
    - {knots: [{point: base}, {point: tip}], first: reach}
spaces:
  left_half: {side: {keep: left, of: everything, edge: right, move: right, by: wall}}
priority: [tower, mast]
stations:
  mast:
    region: II
    any_of:
      - {near: {path: mast, mm: radius}}
      - {mask: absent}
    borders: {all: "7 mm round the mast [MINE]"}
  tower:
    region: IV
    all_of:
      - {slab: {from: {level: kidney_top, below: up}, to: lid}}
      - {space: left_half}
      - {side: {keep: right, of: everything, edge: left}}
      - {hull: {of: [everything], hold: true}}
    minus: [spleen]
    borders: {all: "made up [MINE]"}
finish: {least_cc: 0.1}
"""
# In voxel steps from the centre. The tower begins 21 mm, 7 steps, below the kidneys' upper end.
LEFT, RIGHT = ((-2, 8), (-10, 10), (-8, 2)), ((-14, -8), (-10, 10), (-8, 2))
SPLEEN = ((3, 8), (-10, 10), (-3, 2))


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("lid, top", [("low", 2.0), ("high", 3.5)])
def test_a_made_up_station_gets_its_mask(tmp_path, grid, lid: str, top: float) -> None:
    du, dv, dw = steps(grid)
    stations = built(tmp_path, grid, lid)
    tower, mast = stations.built["tower"], stations.built["mast"]
    assert (tower.region, mast.region) == (Region.IV, Region.II)
    # From the right kidney to the left one, less the spleen; above them there is no hull.
    height = min(top, 2.0) + 5.0
    expected = (22 * 20 * height - 5 * 20 * 5) * du * dv * dw / 1000.0
    assert tower.solid.volume_cc == pytest.approx(expected, rel=0.02)
    assert set(tower.landmarks) == {"kidney_top"} | ({"carina"} if lid == "high" else set())
    capsule = (math.pi * 49 * 21.0 + 4 / 3 * math.pi * 343) / 1000.0
    assert mast.solid.volume_cc == pytest.approx(capsule - overlap(), rel=0.02)
    assert mast.notes == ("base is inferred (no absent)", "a part of it is left out: no absent")
    assert dict(stations.options) == {"lid": lid}
    assert dict(stations.label_of) == {"mast": 1, "tower": 2}


def overlap() -> float:
    """cc of the half ball below the mast's foot that reaches into the tower, 4 mm to the right."""
    x = np.linspace(-7.0, -4.0, 20_001)
    return float(np.trapezoid(math.pi / 2 * (49.0 - x**2), x)) / 1000.0


def test_its_voxels_are_the_ones_inside(tmp_path) -> None:
    grid = GRIDS["HFS"]
    stations = built(tmp_path, grid, "low")
    tower = stations.labels == stations.label_of["tower"]
    room = box(grid, (-14, 8), (-10, 10), (-5, 2)) & ~box(grid, *SPLEEN)
    # The hull goes by the middles of the pixels' edges: its corners may be lost.
    assert (tower & ~room).sum() == 0
    assert (room & ~tower).sum() <= 4 * 7


def built(folder, grid, lid: str) -> Stations:
    path = folder / "made_up.yaml"
    path.write_text(FILE, encoding="utf-8")
    atlas = load_station_atlas(path)
    masks = {
        "kidney_left": box(grid, *LEFT) & ~box(grid, *SPLEEN),
        "kidney_right": box(grid, *RIGHT),
        "spleen": box(grid, *SPLEEN),
    }
    organs = patient(grid, masks)
    carina = landmarks(grid, {"carina": 3.5 * steps(grid)[2]}).found["carina"].point_mm
    rules = [*load_landmark_rules(), *atlas.levels]
    found = find_landmarks(OrganView(organs), rules, {"carina": carina})
    top = grid.frame.from_patient([found.found["kidney_top"].point_mm])[0, 2]
    assert top == pytest.approx(centre(grid)[2] + 2 * steps(grid)[2])
    return build_stations(organs, found, atlas, options={"lid": lid})
