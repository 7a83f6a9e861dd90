"""Slabs, sides and broken lines against places worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pipeline.anatomy.stations.fields import voxels_inside
from pipeline.anatomy.stations.lacking import LackingError
from pipeline.core.errors import ConfigError
from pipeline.core.grid import Grid
from tests.anatomy.stations.made import (
    GRIDS,
    HFS,
    PITCH,
    bounds,
    box,
    centre,
    mm,
    scene,
    section,
    solid,
    steps,
    term,
    volume,
)
from tests.closed_forms import make_grid

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)


# ------------------------------------------------------------------------------------------------- slabs


@on_every_grid
@pytest.mark.parametrize("low, high", [(-7.5, 10.5), (-7.31, 10.2), (0.4, 6.13), (-6.0, 6.0)], ids=str)
def test_a_slab_is_exact_between_slices(grid: Grid, low: float, high: float) -> None:
    patient = scene(grid, levels={"low": low, "high": high})
    slab = {"slab": {"from": "low", "to": "high"}}
    sides = [(count - 1) * PITCH for count in patient.lattice.size[:2]]
    assert volume(patient, slab) == pytest.approx(sides[0] * sides[1] * (high - low), rel=1e-3)
    assert bounds(patient, slab)[4:] == pytest.approx([low, high], abs=2e-3)


def test_levels_of_a_slab_by_figures_and_options() -> None:
    patient = scene(
        levels={"carina": 0.0, "notch": 20.0, "apex": 26.0},
        figures={"much": 8.0, "little": 3.0},
        options={"border": {"by_notch": "notch", "by_apex": "apex"}},
        chosen={"border": "by_apex"},
    )
    slab = {"slab": {"from": {"level": "carina", "below": "much", "above": "little"}, "to": "border"}}
    assert bounds(patient, slab)[4:] == pytest.approx([-5.0, 26.0], abs=2e-3)
    assert patient.trace.landmarks == ["carina", "apex"]
    patient.options = {"border": "by_notch"}
    above = {"slab": {"from": "carina", "to": {"level": "border", "above": "little"}}}
    assert bounds(patient, above)[4:] == pytest.approx([0.0, 23.0], abs=2e-3)


def test_a_slab_upside_down_or_off_the_scan_holds_nothing() -> None:
    patient = scene(levels={"low": -5.0, "high": 5.0, "far": 400.0, "further": 500.0, "under": -400.0})
    for low, high in (("high", "low"), ("low", "low"), ("far", "further"), ("under", "under")):
        assert solid(patient, {"slab": {"from": low, "to": high}}).is_empty
    # Beyond the scan it goes on as far as the lattice does: half a slice past the last one.
    assert bounds(patient, {"slab": {"from": "high", "to": "far"}})[5] == pytest.approx(36.0, abs=0.01)


SMALL = make_grid(size=(8, 6, 12), spacing_mm=(2.0, 2.0, 3.0))
LEVELS = st.one_of(
    st.floats(-17.9, 17.9), st.integers(-5, 5).map(lambda n: 3.0 * n + 1.5), st.integers(-11, 11).map(float)
)


@given(st.lists(LEVELS, min_size=3, max_size=5))
def test_stacked_slabs_leave_no_gap_and_share_nothing(levels: list[float]) -> None:
    levels = sorted(levels)
    names = [f"level {n}" for n in range(len(levels))]
    patient = scene(SMALL, levels=dict(zip(names, levels, strict=True)), pitch=2.0)
    slabs = [{"slab": {"from": low, "to": high}} for low, high in pairwise(names)]
    # A slab that no plane of the lattice meets is lost: each loses less than a step.
    lost = len(slabs) * patient.lattice.plane_pitch_mm
    whole = {"slab": {"from": names[0], "to": names[-1]}}
    if levels[-1] - levels[0] > lost:
        one_mm = volume(patient, whole) / (levels[-1] - levels[0])
        assert sum(volume(patient, slab) for slab in slabs) == pytest.approx(
            volume(patient, whole), abs=one_mm * lost
        )
    counts = np.zeros(12, dtype=int)
    for slab in slabs:
        counts += planes_of(patient, slab)
    assert counts.tolist() == planes_of(patient, whole).tolist()
    inside = [levels[0] <= w < levels[-1] for w in 3.0 * np.arange(12) - 16.5]
    assert counts.tolist() == inside


def planes_of(patient, raw) -> np.ndarray:
    """For every slice of the view whether its middle voxel lies inside."""
    crop = patient.structures.crop
    planes = np.zeros(len(crop.w), dtype=bool)
    made = solid(patient, raw)
    if not made.is_empty:
        (w, v, u), inside = voxels_inside(made, crop)
        planes[w] = inside[:, len(crop.v) // 2 - v.start, len(crop.u) // 2 - u.start]
    return planes


@pytest.mark.parametrize("levels", [(-6.0, 1.3, 8.8), (-4.5, 1.5, 7.5), (-7.5, 0.0, 9.0)], ids=str)
def test_volumes_of_stacked_slabs_add_up(levels: tuple[float, float, float]) -> None:
    patient = scene(levels=dict(zip("abc", levels, strict=True)))
    below, above, both = (
        volume(patient, {"slab": {"from": low, "to": high}}) for low, high in ("ab", "bc", "ac")
    )
    assert below + above == pytest.approx(both, rel=3e-4)


# ------------------------------------------------------------------------------------------------- sides

FACES = {"left": (0, 9), "right": (0, -6), "posterior": (1, 7), "anterior": (1, -12)}
MIDDLE = (1.5, -2.5)


def block(grid: Grid):
    return {"block": box(grid, (-6, 9), (-12, 7), (-4, 5))}


@on_every_grid
@pytest.mark.parametrize(
    "keep, edge, moved",
    [
        ("left", "left", None), ("left", "right", "left"), ("left", "centre", "right"), ("left", None, None),
        ("right", "left", "right"), ("right", "right", None), ("right", None, "left"),
        ("posterior", "posterior", None), ("posterior", "anterior", "anterior"),
        ("posterior", "centre", "posterior"), ("anterior", "anterior", None),
        ("anterior", "posterior", "posterior"), ("anterior", None, "anterior"),
    ],
)  # fmt: skip
def test_a_side_of_an_edge(grid: Grid, keep: str, edge: str | None, moved: str | None) -> None:
    axis = FACES[keep][0]
    patient = scene(grid, block(grid), figures={"some": 2.3})
    rule = {"keep": keep, "of": "block"} | ({"edge": edge} if edge else {})
    rule |= {"move": moved, "by": "some"} if moved else {}
    at = FACES[edge][1] if edge in FACES else MIDDLE[axis]
    expected = at * steps(grid)[axis]
    expected += {None: 0.0, "left": 2.3, "posterior": 2.3}.get(moved, -2.3)
    extents = bounds(patient, {"side": rule})
    upper = keep in ("right", "anterior")
    assert extents[2 * axis + upper] == pytest.approx(expected, abs=3e-3)
    # To all other sides it goes as far as the lattice.
    others = [n for n in range(6) if n != 2 * axis + upper]
    lattice = patient.lattice
    ends = [
        (origin, origin + (count - 1) * pitch)
        for origin, count, pitch in zip(lattice.origin_mm, lattice.size, lattice.pitches_mm, strict=True)
    ]
    whole = np.ravel(ends) - np.repeat(centre(grid), 2)
    assert extents[others] == pytest.approx(whole[others], abs=1e-3)


@on_every_grid
def test_an_edge_is_linear_between_planes_and_holds_beyond(grid: Grid) -> None:
    low, high = box(grid, (-3, 4), (-5, 5), (-7, -3)), box(grid, (-3, 10), (-5, 5), (3, 6))
    patient = scene(grid, {"vein": low | high})
    rule = {"side": {"keep": "right", "of": "vein", "edge": "left"}}
    du, dw = steps(grid)[[0, 2]]
    for w, at in ((-11 * dw, 4), (-3.5 * dw, 4), (-2 * dw, 5.28571), (0, 7), (3.5 * dw, 10), (11 * dw, 10)):
        edge = section(patient, rule, w).bounds[2] - centre(grid)[0]
        assert edge == pytest.approx(at * du, abs=3e-3)


def test_two_sides_of_one_edge_share_nothing_and_leave_nothing() -> None:
    # Its middle is the middle of a voxel; that voxel counts to the left and to the back.
    patient = scene(masks={"vein": box(HFS, (-3, 4), (-5, 2), (-3, 3))})
    crop = patient.structures.crop
    for keeps in (("left", "right"), ("posterior", "anterior")):
        counts = np.zeros((len(crop.w), len(crop.v), len(crop.u)), dtype=int)
        for keep in keeps:
            where, inside = voxels_inside(solid(patient, {"side": {"keep": keep, "of": "vein"}}), crop)
            counts[where] += inside
        assert (counts[:, 1:-1, 1:-1] == 1).all()


@pytest.mark.parametrize(
    "rule, message",
    [
        (
            {"keep": "up", "of": "block"},
            "unknown direction at keep; .*one of left, right, posterior, anterior",
        ),
        ({"of": "block"}, "no name at keep"),
        ({"keep": "left"}, "no name at of"),
        ({"keep": "left", "of": "block", "edge": "anterior"}, "edge lies across .*edge along left; got: ant"),
        ({"keep": "left", "of": "block", "edge": "top"}, "unknown direction at edge"),
        ({"keep": "left", "of": "block", "move": "anterior", "by": "some"}, "edge is moved along itself"),
        ({"keep": "left", "of": "block", "move": "left", "by": "more"}, "unknown figure at by; .*got: more"),
    ],
)
def test_a_side_that_cannot_be_carried_out(rule, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        solid(scene(masks=block(HFS), figures={"some": 1.0}), {"side": rule})
    assert "made, key side" in str(caught.value)


@pytest.mark.parametrize(
    "rule, message",
    [
        ({"from": "carina"}, "no level at to; .*got: None"),
        ({"from": "carina", "to": {"above": "some"}}, "no level at level.*"),
        ({"from": "carina", "to": {"level": "carina", "above": "more"}}, "unknown figure at above"),
    ],
)
def test_a_slab_that_cannot_be_carried_out(rule, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        solid(scene(levels={"carina": 0.0}, figures={"some": 1.0}), {"slab": rule})


def test_what_is_not_known_is_told() -> None:
    patient = scene(levels={"carina": 0.0})
    with pytest.raises(LackingError, match="landmark hiatus is not known"):
        solid(patient, {"slab": {"from": "hiatus", "to": "carina"}})
    with pytest.raises(LackingError, match="no heart"):
        solid(patient, {"side": {"keep": "left", "of": "heart"}})
    with pytest.raises(LackingError, match="no vertebra and no body to tell the midline from"):
        solid(patient, {"side": {"keep": "left", "of": "midline"}})


def test_the_midline_is_that_of_the_spine_else_of_the_body() -> None:
    body = box(HFS, (-20, 30), (-20, 20), (-12, 12))
    spine = {
        "vertebrae_T4": box(HFS, (2, 12), (5, 15), (-4, 4)),
        "vertebrae_body": box(HFS, (2, 12), (5, 12), (-4, 4)),
    }
    rule = {"side": {"keep": "left", "of": "midline"}}
    by_body, by_spine = scene(masks={"body": body}), scene(masks={"body": body} | spine)
    assert bounds(by_body, rule)[0] == pytest.approx(5 * 1.3, abs=3e-3)
    assert by_body.trace.notes == ["the midline was taken from the body, as no vertebra is known"]
    assert bounds(by_spine, rule)[0] == pytest.approx(7 * 1.3, abs=3e-3)
    assert by_spine.trace.notes == []


# ------------------------------------------------------------------------------------------ broken lines

# What is cut, in mm2, at the corners of a line between lattice points.
CORNERS = 2.0
POSTS = {"a": (-20, -3), "b": (2, 8), "c": (15, -9)}  # right-lower corner (u, v) in voxel steps


def posts(grid: Grid, names: str = "abc", w=(-4, 4)):
    return {
        name: box(grid, (POSTS[name][0], POSTS[name][0] + 1), (POSTS[name][1], POSTS[name][1] + 1), w)
        for name in names
    }


def middle(grid: Grid, name: str) -> tuple[float, float]:
    u, v = POSTS[name]
    return mm(grid, 0, u + 0.5), mm(grid, 1, v + 0.5)


def apart(patient, rule, w: float, line: list[tuple[float, float]], keep: str) -> float:
    """The area in mm2 by which a section differs from one side of a line, the lattice's rim left out."""
    expected = beyond(patient, line, keep)
    assert expected.area > 300
    return section(patient, rule, w).symmetric_difference(expected).intersection(inner(patient)).area


def inner(patient) -> shapely.Polygon:
    u0, v0, _ = patient.lattice.origin_mm
    u1, v1 = (o + (n - 1) * PITCH for o, n in zip((u0, v0), patient.lattice.size[:2], strict=True))
    return shapely.box(u0 + 1, v0 + 1, u1 - 1, v1 - 1)


def uncut(patient, rule, w: float) -> bool:
    return section(patient, rule, w).contains(inner(patient))


def beyond(patient, line: list[tuple[float, float]], keep: str) -> shapely.Polygon:
    """The part of the lattice on one side of a line given from end to end; straight on beyond its ends."""
    u0, v0, _ = patient.lattice.origin_mm
    u1, v1 = (o + (n - 1) * PITCH for o, n in zip((u0, v0), patient.lattice.size[:2], strict=True))
    if keep in ("posterior", "anterior"):
        line = [(u0, line[0][1]), *line, (u1, line[-1][1])]
        far = v1 if keep == "posterior" else v0
        return shapely.Polygon([*line, (u1, far), (u0, far)])
    line = [(line[0][0], v0), *line, (line[-1][0], v1)]
    far = u1 if keep == "left" else u0
    return shapely.Polygon([*line, (far, v1), (far, v0)])


@on_every_grid
@pytest.mark.parametrize("keep", ["left", "right", "posterior", "anterior"])
@pytest.mark.parametrize("names", ["b", "ab", "abc"])
def test_a_side_of_a_broken_line(grid: Grid, keep: str, names: str) -> None:
    patient = scene(grid, posts(grid, names))
    line = [middle(grid, name) for name in names]
    line.sort(key=lambda place: place[0 if keep in ("posterior", "anterior") else 1])
    rule = {"line_side": {"keep": keep, "through": list(names[::-1])}}
    assert apart(patient, rule, 0.0, line, keep) < CORNERS


@on_every_grid
def test_a_moved_line_and_planes_without_structures(grid: Grid) -> None:
    patient = scene(grid, posts(grid, "ab") | posts(grid, "c", (0, 4)), figures={"some": 3.1})
    rule = {"line_side": {"keep": "posterior", "through": ["a", "b", "c"], "move": "anterior", "by": "some"}}
    dw = steps(grid)[2]
    line = [(u, v - 3.1) for u, v in (middle(grid, name) for name in "abc")]
    assert apart(patient, rule, 2 * dw, line, "posterior") < CORNERS
    # Below the end of c the line goes straight on from b.
    assert apart(patient, rule, -2 * dw, line[:2], "posterior") < CORNERS
    assert uncut(patient, rule, 8 * dw)


@on_every_grid
def test_the_nearest_points_of_two_structures(grid: Grid) -> None:
    # Two blocks whose nearest voxels are single ones: a nose on each.
    front = box(grid, (-20, -5), (-20, -10), (-4, 4)) | box(grid, (-8, -7), (-10, -6), (-4, 4))
    back = box(grid, (-2, 14), (14, 20), (-2, 6)) | box(grid, (3, 4), (5, 14), (-2, 6))
    patient = scene(grid, {"front": front, "back": back})
    pair = [{"along": "front", "nearest_to": "back"}, {"along": "back", "nearest_to": "front"}]
    rule = {"line_side": {"keep": "right", "through": pair}}
    line = [(mm(grid, 0, -7.5), mm(grid, 1, -6.5)), (mm(grid, 0, 3.5), mm(grid, 1, 5.5))]
    dw = steps(grid)[2]
    assert apart(patient, rule, 0.0, line, "right") < CORNERS
    assert uncut(patient, rule, -3.5 * dw), "only one of them is there"


def test_a_line_does_without_what_is_not_known_and_says_so() -> None:
    patient = scene(masks=posts(HFS, "ab"))
    rule = {"line_side": {"keep": "posterior", "through": ["a", "heart", "b"]}}
    assert apart(patient, rule, 0.0, [middle(HFS, name) for name in "ab"], "posterior") < CORNERS
    assert patient.trace.notes == [
        "the line of line_side of a, heart, b does without some of its structures: no heart"
    ]
    with pytest.raises(LackingError, match="no heart; no liver"):
        solid(patient, {"line_side": {"keep": "posterior", "through": ["heart", "liver"]}})


def test_a_shortest_line_needs_both_its_ends() -> None:
    patient = scene(masks=posts(HFS, "a", (-4, 0)) | posts(HFS, "b", (0, 4)))
    pair = [{"along": "a", "nearest_to": "b"}, {"along": "b", "nearest_to": "a"}]
    with pytest.raises(LackingError, match="a and b share no plane"):
        solid(patient, {"line_side": {"keep": "left", "through": pair}})
    with pytest.raises(LackingError, match="no heart"):
        solid(
            patient, {"line_side": {"keep": "left", "through": ["a", {"along": "a", "nearest_to": "heart"}]}}
        )


def test_a_line_whose_structures_end_elsewhere_is_lacking() -> None:
    patient = scene(masks=posts(HFS, "ab", (-10, -8)), levels={"low": 0.0, "high": 20.0})
    with pytest.raises(LackingError, match="none of the structures of the line of line_side of a, b is met"):
        solid(
            patient,
            {
                "all_of": [
                    {"slab": {"from": "low", "to": "high"}},
                    {"line_side": {"keep": "left", "through": ["a", "b"]}},
                ]
            },
        )


@pytest.mark.parametrize(
    "rule, message",
    [
        ({"keep": "left"}, "no line; .*a list at through"),
        ({"keep": "left", "through": "a"}, "no line; .*got: a"),
        ({"keep": "left", "through": [True]}, "unknown point of a line; .*got: True"),
        ({"keep": "left", "through": [{"along": "a"}]}, "no name at nearest_to"),
        ({"through": ["a"]}, "no name at keep"),
    ],
)
def test_a_line_that_cannot_be_carried_out(rule, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        solid(scene(masks=posts(HFS, "a")), {"line_side": rule})
    assert term({"line_side": rule}).place == "made, key line_side"
