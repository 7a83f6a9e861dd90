"""Points and paths against places worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.stations.lacking import LackingError
from pipeline.anatomy.stations.points import NEARLY_MM, path_named, point_named
from pipeline.core.errors import ConfigError
from pipeline.core.grid import Grid
from tests.anatomy.stations.made import GRIDS, box, centre, scene, steps, term

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
ASKED = term({"near": {"of": "anything"}})
LEVELS = {"carina": -1.5, "hiatus": -13.5, "notch": 100.0}
FIGURES = {"two": 2.0, "five": 5.0, "eleven": 11.0}


def masks(grid: Grid):
    """An aorta of two widths, an artery of voxels in a row to the left, a vein on both sides, a spine."""
    return {
        "aorta": box(grid, (-4, 2), (-2, 6), (-8, 0)) | box(grid, (-4, 8), (-2, 6), (0, 8)),
        "artery": box(grid, (3, 15), (0, 1), (-3, -2)),
        "vein": box(grid, (-16, -8), (1, 2), (-3, -2)) | box(grid, (5, 20), (1, 2), (-3, -2)),
        "vertebrae_T5": box(grid, (-6, 6), (10, 18), (-12, 12)),
        "vertebrae_body": box(grid, (-6, 6), (10, 14), (-12, 12)),
    }


def patient(grid: Grid, *, points=None, paths=None):
    return scene(grid, masks(grid), LEVELS, figures=FIGURES, points=points, paths=paths)


def point(grid: Grid, *ways) -> np.ndarray:
    """In mm from the grid's centre."""
    return point_named(patient(grid, points={"it": list(ways)}), "it", ASKED) - centre(grid)


def path(grid: Grid, *ways, points=None) -> np.ndarray:
    return path_named(patient(grid, points=points, paths={"it": list(ways)}), "it", ASKED) - centre(grid)


# ------------------------------------------------------------------------------------------------- points


@on_every_grid
def test_the_middle_of_a_structure_at_a_level(grid: Grid) -> None:
    du, dv, _ = steps(grid)
    assert point(grid, {"centre": {"of": "aorta", "at": "hiatus"}}) == pytest.approx([-du, 2 * dv, -13.5])
    # -1.5 is the middle of the last narrow plane; above the aorta its upper end holds.
    assert point(grid, {"centre": {"of": "aorta", "at": "carina"}}) == pytest.approx([-du, 2 * dv, -1.5])
    assert point(grid, {"centre": {"of": "aorta", "at": "notch"}}) == pytest.approx([2 * du, 2 * dv, 100.0])
    shifted = {"centre": {"of": "aorta", "at": {"level": "carina", "above": "two"}, "leftward": "five"}}
    # 2 mm higher, between two planes 3 mm apart: 2/3 of the way from -1 to 2 voxel steps.
    assert point(grid, shifted) == pytest.approx([du + 5.0, 2 * dv, 0.5])


@on_every_grid
@pytest.mark.parametrize(
    "edge, u, v", [("left", 2, 2), ("right", -4, 2), ("anterior", -1, -2), ("posterior", -1, 6)]
)
def test_beside_an_edge(grid: Grid, edge: str, u: int, v: int) -> None:
    du, dv, _ = steps(grid)
    got = point(grid, {"beside": {"of": "aorta", "edge": edge, "at": "hiatus"}})
    assert got == pytest.approx([u * du, v * dv, -13.5])


@on_every_grid
def test_shifts_in_all_directions(grid: Grid) -> None:
    start = {"centre": {"of": "aorta", "at": "hiatus"}}
    keys = {
        "leftward": (5, 0, 0), "rightward": (-5, 0, 0), "backward": (0, 5, 0), "forward": (0, -5, 0),
        "up": (0, 0, 5), "down": (0, 0, -5),
    }  # fmt: skip
    for key, by in keys.items():
        both = patient(grid, points={"a": [start], "b": [{"shifted": {"from": "a", key: "five"}}]})
        moved = point_named(both, "b", ASKED) - point_named(both, "a", ASKED)
        assert moved == pytest.approx(by), key


@on_every_grid
def test_the_farthest_and_the_nearest(grid: Grid) -> None:
    du, dv, dw = steps(grid)
    tip = {"farthest": {"along": "artery", "from": "aorta", "up": "two"}}
    # The middle of all voxels that are nearly as far, or as near.
    along = np.arange(3.5, 15.0)
    # From the aorta's lower part beside it, or from the wider one three slices further up.
    away = np.minimum((along - 1.5) * du, np.hypot(np.maximum(along - 7.5, 0.0) * du, 3 * dw))
    far = along[away >= away.max() - NEARLY_MM].mean()
    assert point(grid, tip) == pytest.approx([far * du, 0.5 * dv, -2.5 * dw + 2.0])
    start = {"centre": {"of": "aorta", "at": "hiatus"}}  # at -1, 2 steps

    def nearest(side: str, least: str) -> np.ndarray:
        way = {"nearest": {"along": "vein", "to": "a", "side": side, "least": least}}
        return point_named(patient(grid, points={"a": [start], "b": [way]}), "b", ASKED) - centre(grid)

    for side, along in (("left", np.arange(5.5, 20.0)), ("right", np.arange(-15.5, -8.0))):
        places = np.array([[step * du, 1.5 * dv, -2.5 * dw] for step in along])
        away = np.linalg.norm(places - np.array([-du, 2 * dv, -13.5]), axis=1)
        assert nearest(side, "two") == pytest.approx(places[away <= away.min() + NEARLY_MM].mean(axis=0))
    apart = np.linalg.norm(nearest("left", "eleven") - np.array([-du, 2 * dv, -13.5]))
    assert 11.0 <= apart < 11.0 + NEARLY_MM


def test_a_point_by_its_second_way_is_inferred() -> None:
    grid = GRIDS["HFS"]
    heart, aorta = ({"centre": {"of": name, "at": "carina"}} for name in ("heart", "aorta"))
    of = patient(grid, points={"it": [heart, aorta], "none": [heart]})
    assert point_named(of, "it", ASKED) == pytest.approx(point_named(of, "it", ASKED))
    assert of.trace.notes == ["it is inferred (no heart)"]
    assert of.trace.landmarks == ["carina"]
    with pytest.raises(LackingError, match="none: no heart"):
        point_named(of, "none", ASKED)


@pytest.mark.parametrize("side, least", [("posterior", "eleven"), ("left", "huge")])
def test_nothing_to_that_side(side: str, least: str) -> None:
    points = {
        "a": [{"centre": {"of": "aorta", "at": "hiatus"}}],
        "b": [{"nearest": {"along": "vein", "to": "a", "side": side, "least": least}}],
    }
    of = scene(
        GRIDS["HFS"], masks(GRIDS["HFS"]), LEVELS, figures={"eleven": 11.0, "huge": 99.0}, points=points
    )
    with pytest.raises(LackingError, match=f"b: no vein to the {side}"):
        point_named(of, "b", ASKED)


@pytest.mark.parametrize(
    "way, message",
    [
        (
            {"middle": {"of": "aorta"}},
            "unknown way to a point; .*one of centre, beside, farthest, nearest, sh",
        ),
        ({"beside": {"of": "aorta", "edge": "top", "at": "carina"}}, "unknown direction at edge; .*got: top"),
        ({"beside": {"of": "aorta", "at": "carina"}}, "no name at edge"),
        ({"centre": {"of": "aorta"}}, "no level at at"),
        ({"centre": {"of": "aorta", "at": "carina", "up": "more"}}, "unknown figure at up"),
        ({"shifted": {"from": "there"}}, "unknown point; .*one of it; got: there"),
        ({"shifted": {"from": "it"}}, "point or space starts from itself; .*got: point it"),
        ({"nearest": {"along": "vein", "to": "it", "side": "up"}}, "unknown direction at side; .*got: up"),
    ],
)
def test_a_point_that_cannot_be_made(way, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        point(GRIDS["HFS"], way)


# -------------------------------------------------------------------------------------------------- paths


@on_every_grid
def test_the_middle_line_of_a_structure(grid: Grid) -> None:
    du, dv, dw = steps(grid)
    got = path(grid, {"centreline": {"of": "aorta"}})
    assert got[:, 2] == pytest.approx((np.arange(-8, 8) + 0.5) * dw)
    assert got[:, 0] == pytest.approx([-du] * 8 + [2 * du] * 8)
    assert got[:, 1] == pytest.approx([2 * dv] * 16)
    # A running mean over 5 mm: a plane and its neighbour on either side are too far at 3 mm, over 11 mm not.
    smooth = path(grid, {"centreline": {"of": "aorta", "smooth": "eleven"}})
    assert smooth[7:9, 0] == pytest.approx([0.0, du])


@on_every_grid
def test_knots_behind_and_before_structures(grid: Grid) -> None:
    du, dv, _ = steps(grid)
    knots = [
        {"behind": "aorta", "by": "two", "at": "carina", "rightward": "five"},
        {"before": "spine_body", "by": "five", "at": "hiatus", "leftward": "two"},
        {"point": "a"},
    ]
    got = path(grid, {"knots": knots}, points={"a": [{"centre": {"of": "aorta", "at": "hiatus"}}]})
    expected = [[-du - 5.0, 6 * dv + 2.0, -1.5], [2.0, 10 * dv - 5.0, -13.5], [-du, 2 * dv, -13.5]]
    assert got == pytest.approx(np.array(expected))


def test_knots_that_are_not_known_are_left_out_with_a_note() -> None:
    grid = GRIDS["HFS"]
    lost = {"behind": "heart", "by": "two", "at": "carina"}
    knots = [{"before": "spine_body", "at": "carina"}, lost, {"before": "spine_body", "at": "hiatus"}]
    of = patient(grid, paths={"it": [{"knots": knots}], "short": [{"knots": [lost, knots[0]]}]})
    assert len(path_named(of, "it", ASKED)) == 2
    notes = ["a path goes straight past a knot that is not known: no heart"]
    assert of.trace.notes == notes
    with of.tracing() as again:
        path_named(of, "it", ASKED)
    assert (again.notes, again.landmarks) == (notes, ["carina", "hiatus"]), "kept, and told each time"
    for _ in range(2):
        with pytest.raises(LackingError, match="short: fewer than two of its points are known"):
            path_named(of, "short", ASKED)


def test_a_path_by_its_second_way_is_inferred() -> None:
    of = patient(
        GRIDS["HFS"], paths={"it": [{"centreline": {"of": "heart"}}, {"centreline": {"of": "aorta"}}]}
    )
    path_named(of, "it", ASKED)
    assert of.trace.notes == ["it is inferred (no heart)"]


@on_every_grid
def test_the_first_part_of_a_path(grid: Grid) -> None:
    points = {
        "a": [{"centre": {"of": "aorta", "at": "hiatus"}}],
        "b": [{"shifted": {"from": "a", "leftward": "five"}}],
        "c": [{"shifted": {"from": "b", "forward": "eleven"}}],
    }
    knots = [{"point": name} for name in "abc"]
    whole = path(grid, {"knots": knots}, points=points)
    for first, expected in (
        ("eleven", [whole[0], whole[1], whole[1] + [0, -6, 0]]),
        ("two", [whole[0], whole[0] + [2, 0, 0]]),
        ("five", [whole[0], whole[1]]),
    ):
        got = path(grid, {"knots": knots, "first": first}, points=points)
        assert got == pytest.approx(np.array(expected)), first
    assert path(grid, {"knots": knots[:2], "first": "eleven"}, points=points) == pytest.approx(whole[:2])


@pytest.mark.parametrize(
    "way, message",
    [
        ({"line": [{"point": "a"}]}, "unknown way to a path; .*one of centreline, knots; got: line"),
        ({"knots": "a"}, "no knots; .*got: a"),
        ({"knots": ["a"]}, "knot without keys; .*got: a"),
        (
            {"knots": [{"above": "aorta", "at": "carina"}]},
            "unknown knot; where: made.0; .*point, behind or before",
        ),
        ({"knots": [{"behind": "aorta", "by": "two"}]}, "no level at at"),
        ({"centreline": {"of": "aorta", "smooth": "more"}}, "unknown figure at smooth"),
        ({"centreline": {"of": "aorta", "first": "more"}}, "unknown figure at first"),
    ],
)
def test_a_path_that_cannot_be_made(way, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        path(GRIDS["HFS"], way)
