"""Structures, hulls, distances and combinations against closed forms."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pipeline.anatomy.stations.lacking import LackingError
from pipeline.anatomy.stations.primitives import PRIMITIVES, evaluate
from pipeline.core.errors import ConfigError
from pipeline.core.grid import Grid
from tests.anatomy.stations.made import (
    GRIDS,
    HFS,
    area,
    bounds,
    box,
    centre,
    scene,
    section,
    solid,
    steps,
    term,
    volume,
    where,
)
from tests.closed_forms import make_grid

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
BLOCK = ((-10, 14), (-12, 9), (-5, 4))
EXTENTS = np.array(BLOCK, dtype=float)


def block(grid: Grid):
    return {"block": box(grid, *BLOCK)}


def sides(grid: Grid) -> np.ndarray:
    return (EXTENTS[:, 1] - EXTENTS[:, 0]) * steps(grid)


def disc(grid: Grid, radius: float, w: tuple[float, float]):
    """A cylinder with an axis through the grid's centre."""
    return where(grid, lambda u, v, z: (np.hypot(u, v) < radius) & (z > w[0]) & (z < w[1]))


# ----------------------------------------------------------------------------------------- masks and spaces


@on_every_grid
def test_a_mask_has_the_volume_of_its_voxels_and_their_faces(grid: Grid) -> None:
    ball = where(grid, lambda u, v, w: u**2 + v**2 + w**2 < 21.0**2)
    patient = scene(grid, block(grid) | {"ball": ball})
    assert volume(patient, {"mask": "block"}) == pytest.approx(np.prod(sides(grid)), rel=0.01)
    assert volume(patient, {"mask": "ball"}) == pytest.approx(ball.sum() * 1.3 * 0.9 * 3.0, rel=0.01)
    expected = (EXTENTS * steps(grid)[:, None]).ravel()
    assert bounds(patient, {"mask": "block"}) == pytest.approx(expected, abs=0.06)


def test_a_mask_on_a_lattice_coarser_than_its_voxels() -> None:
    patient = scene(masks=block(HFS), pitch=2.5)
    assert volume(patient, {"mask": "block"}) == pytest.approx(np.prod(sides(HFS)), rel=0.02)


def test_a_mask_that_the_scan_cuts_off_ends_with_the_scan() -> None:
    patient = scene(masks={"block": box(HFS, (-10, 14), (-12, 9), (-12, 12))})
    assert bounds(patient, {"mask": "block"})[4:] == pytest.approx([-36.0, 36.0], abs=0.01)


def test_masks_of_groups_and_named_spaces() -> None:
    parts = {"one": box(HFS, (-10, 2), *BLOCK[1:]), "other": box(HFS, (2, 14), *BLOCK[1:])}
    patient = scene(
        masks=parts,
        groups={"inner": ["other", "absent"], "both": ["one", "inner"]},
        spaces={"both": {"mask": "both"}, "again": {"space": "both"}},
    )
    for raw in ({"mask": {"name": "both"}}, {"space": "again"}):
        assert volume(patient, raw) == pytest.approx(np.prod(sides(HFS)), rel=0.01)
    assert patient.structures.members("both") == ("one", "other", "absent")


# -------------------------------------------------------------------------------------------------- hulls


def faces_hull(grid: Grid, mask, k: int) -> shapely.Polygon:
    """The convex hull of the middles of the pixels' edges on a stored slice, in frame mm."""
    j, i = np.nonzero(mask[k])
    offsets = ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))
    points = np.concatenate([np.column_stack([i + a, j + b, np.full(len(i), k)]) for a, b in offsets])
    frame = grid.frame.from_patient(grid.to_patient(points))
    return shapely.convex_hull(shapely.MultiPoint(frame[:, :2]))


@on_every_grid
def test_the_hull_of_two_structures(grid: Grid) -> None:
    one = where(grid, lambda u, v, w: np.hypot(u + 12, v + 6) < 6) & box(grid, (-40, 40), (-40, 40), (-4, 4))
    other = where(grid, lambda u, v, w: np.hypot(u - 10, v - 4) < 8) & box(
        grid, (-40, 40), (-40, 40), (-4, 4)
    )
    patient = scene(grid, {"one": one, "other": other})
    expected = faces_hull(grid, one | other, grid.size[2] // 2)
    got = section(patient, {"hull": {"of": ["one", "other"]}}, 0.0)
    assert got.area == pytest.approx(expected.area, rel=3e-3)
    assert got.symmetric_difference(expected).area < 0.005 * expected.area
    assert bounds(patient, {"hull": {"of": ["one", "other"]}})[4:] == pytest.approx([-12.0, 12.0], abs=1e-3)
    # One that is not known is done without.
    alone = section(patient, {"hull": {"of": ["other", "absent"]}}, 0.0)
    assert alone.area == pytest.approx(math.pi * 64, rel=0.02)


@on_every_grid
def test_a_hull_goes_on_below_when_held_and_is_linear_between(grid: Grid) -> None:
    # Squares of 10 and 20 voxel steps, with four empty slices between them.
    patient = scene(
        grid, {"bronchi": box(grid, (-5, 5), (-5, 5), (-4, -2)) | box(grid, (-10, 10), (-10, 10), (2, 4))}
    )
    free, held = {"hull": {"of": "bronchi"}}, {"hull": {"of": "bronchi", "hold": True}}
    small, large = (faces_hull_area(grid, side) for side in (10, 20))
    dw = steps(grid)[2]
    assert area(patient, free, -3 * dw) == pytest.approx(small, rel=5e-3)
    assert area(patient, free, 3 * dw) == pytest.approx(large, rel=5e-3)
    assert small < area(patient, free, 0.0) < large
    assert bounds(patient, {"hull": {"of": "bronchi"}})[4:] == pytest.approx([-4 * dw, 4 * dw], abs=1e-3)
    assert area(patient, held, -11 * dw) == pytest.approx(small, rel=5e-3)
    assert area(patient, held, 5 * dw) == 0.0, "not upwards"


def faces_hull_area(grid: Grid, side: int) -> float:
    """A square of pixels without its corners, each a triangle of half by half a pixel."""
    du, dv, _ = steps(grid)
    return (side**2 - 0.5) * du * dv


def test_the_hull_of_a_single_voxel() -> None:
    patient = scene(masks={"dot": box(HFS, (2, 3), (1, 2), (-1, 0))}, pitch=0.2)
    assert area(patient, {"hull": {"of": "dot"}}, -1.5) == pytest.approx(0.5 * 1.3 * 0.9, rel=0.08)


# ---------------------------------------------------------------------------------------------- distances


def ring(half_u: float, half_v: float, mm: float) -> float:
    """Area of a rectangle grown by a distance."""
    return 4 * half_u * half_v + 4 * (half_u + half_v) * mm + math.pi * mm**2


@on_every_grid
def test_near_a_structure_in_the_plane(grid: Grid) -> None:
    patient = scene(grid, {"tube": disc(grid, 9.0, (-12, 12))} | block(grid), figures={"depth": 6.0})
    near = {"near": {"of": ["tube"], "mm": "depth", "axial": True}}
    # Of round voxels the outermost count: a little more than a disc of 15 mm.
    own, got = section(patient, {"mask": "tube"}, 0.0), area(patient, near, 0.0)
    assert got == pytest.approx(own.buffer(6.0, quad_segs=64).area, rel=3e-3)
    assert got == pytest.approx(math.pi * 15.0**2, rel=0.025)
    assert bounds(patient, near)[4:] == pytest.approx([-12.0, 12.0], abs=0.02)
    half_u, half_v, _ = sides(grid) / 2
    around = {"near": {"of": "block", "mm": "depth", "axial": True}}
    assert area(patient, around, 0.0) == pytest.approx(ring(half_u, half_v, 6.0), rel=0.01)


@on_every_grid
def test_near_a_structure_in_space(grid: Grid) -> None:
    # A box grown: volume, faces, edges, corners (Steiner). Its own edges are cut by up to a lattice step.
    patient = scene(grid, block(grid), figures={"depth": 5.0})
    a, b, c = sides(grid)
    steiner = a * b * c + 10 * (a * b + b * c + c * a) + 25 * math.pi * (a + b + c) + 4 / 3 * math.pi * 125
    assert volume(patient, {"near": {"of": "block", "mm": "depth"}}) == pytest.approx(steiner, rel=0.03)


def test_near_a_ball() -> None:
    grid = make_grid(size=(52, 46, 40), spacing_mm=(0.8, 0.9, 1.0))
    ball = where(grid, lambda u, v, w: u**2 + v**2 + w**2 < 12.0**2)
    patient = scene(grid, {"ball": ball}, figures={"depth": 5.0})
    got = volume(patient, {"near": {"of": "ball", "mm": "depth"}})
    assert got == pytest.approx(4 / 3 * math.pi * 17.0**3, rel=0.03)
    assert got > 4 / 3 * math.pi * 17.0**3, "of round voxels the outermost count"


@on_every_grid
def test_near_a_point(grid: Grid) -> None:
    patient = scene(
        grid,
        block(grid),
        {"carina": -1.7},
        figures={"far": 11.0},
        points={"root": [{"centre": {"of": "block", "at": "carina"}}]},
    )
    near = {"near": {"point": "root", "mm": "far"}}
    assert volume(patient, near) == pytest.approx(4 / 3 * math.pi * 11.0**3, rel=0.01)
    middle = np.append(EXTENTS[:2].mean(axis=1) * steps(grid)[:2], -1.7)
    expected = np.column_stack([middle - 11.0, middle + 11.0]).ravel()
    assert bounds(patient, near) == pytest.approx(expected, abs=0.15)


PATH = {
    "points": {
        "low": [{"centre": {"of": "block", "at": "foot"}}],
        "high": [{"shifted": {"from": "low", "up": "rise", "leftward": "run", "forward": "run"}}],
    },
    "paths": {"way": [{"knots": [{"point": "low"}, {"point": "high"}]}]},
    "figures": {"rise": 20.0, "run": 7.0, "far": 8.0},
}
LENGTH = math.sqrt(20.0**2 + 2 * 7.0**2)


@on_every_grid
def test_near_a_path_in_space_is_a_capsule(grid: Grid) -> None:
    patient = scene(grid, block(grid), {"foot": -11.3}, **PATH)
    got = volume(patient, {"near": {"path": "way", "mm": "far"}})
    assert got == pytest.approx(math.pi * 64 * LENGTH + 4 / 3 * math.pi * 512, rel=0.01)


@on_every_grid
@pytest.mark.parametrize("hold", [False, True])
def test_near_a_path_in_the_plane(grid: Grid, hold: bool) -> None:
    patient = scene(grid, block(grid), {"foot": -11.3}, **PATH)
    near = {"near": {"path": "way", "mm": "far", "axial": True} | ({"hold": True} if hold else {})}
    assert area(patient, near, 0.0) == pytest.approx(math.pi * 64, rel=3e-3)
    at = centre(grid)[:2] + EXTENTS[:2].mean(axis=1) * steps(grid)[:2] + np.array([7.0, -7.0]) * 11.3 / 20.0
    middle = section(patient, near, 0.0).centroid
    assert (middle.x, middle.y) == pytest.approx(tuple(at), abs=0.02)
    ends = bounds(patient, near)[4:]
    assert ends == pytest.approx([-36.0, 36.0] if hold else [-11.3, 8.7], abs=0.01)
    assert patient.trace.landmarks == [], "it tells where in the plane, and sets no level"


def test_near_a_space() -> None:
    patient = scene(masks=block(HFS), figures={"depth": 4.0}, spaces={"room": {"mask": "block"}})
    of_space = volume(patient, {"near": {"space": "room", "mm": "depth"}})
    assert of_space == pytest.approx(volume(patient, {"near": {"of": "block", "mm": "depth"}}), rel=1e-6)


def test_near_by_nothing_is_the_structure_and_near_nothing_is_nothing() -> None:
    patient = scene(
        masks=block(HFS), figures={"none": 0.0, "depth": 4.0}, spaces={"nowhere": {"not": {"not": NOWHERE}}}
    )
    near = {"near": {"of": "block", "mm": "none"}}
    assert volume(patient, near) == pytest.approx(volume(patient, {"mask": "block"}), rel=1e-6)
    patient.structures.landmarks = scene(levels={"a": 0.0}).structures.landmarks
    assert solid(patient, {"near": {"space": "nowhere", "mm": "depth"}}).is_empty


NOWHERE = {"slab": {"from": "a", "to": "a"}}


def test_a_figure_too_large_for_a_distance_is_told() -> None:
    patient = scene(masks=block(HFS), figures={"huge": 101.0})
    with pytest.raises(
        ConfigError, match=r"distance too large; where: made, key near; expected: at most 100 mm"
    ):
        solid(patient, {"near": {"of": "block", "mm": "huge"}})


# ------------------------------------------------------------------------------------------- combinations

U, V, W = (14, -10), (9, -12), (4, -5)
LEFT = {"side": {"keep": "left", "of": "block", "edge": "right"}}
RIGHT = {"side": {"keep": "right", "of": "block", "edge": "left"}}
FRONT = {"side": {"keep": "anterior", "of": "block", "edge": "posterior"}}
BACK = {"side": {"keep": "posterior", "of": "block", "edge": "anterior"}}
SLAB = {"slab": {"from": "low", "to": "high"}}
LOWER = {"slab": {"from": "low", "to": "mid"}}
UPPER = {"slab": {"from": "mid", "to": "high"}}


@pytest.fixture(scope="module")
def patient():
    return scene(masks=block(HFS), levels={"low": -15.2, "mid": -3.3, "high": 12.4})


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_borders_on_all_sides_make_a_box(grid: Grid) -> None:
    patient = scene(grid, block(grid), {"low": -15.2, "high": 12.4})
    raw = {"all_of": [SLAB, LEFT, RIGHT, FRONT, BACK]}
    width, depth, _ = sides(grid)
    assert volume(patient, raw) == pytest.approx(width * depth * 27.6, rel=5e-3)
    expected = [*(EXTENTS[:2] * steps(grid)[:2, None]).ravel(), -15.2, 12.4]
    assert bounds(patient, raw) == pytest.approx(expected, abs=3e-3)


def inside(patient, raw) -> np.ndarray:
    return evaluate(patient, term(raw), patient.lattice) > 0


def test_the_order_of_terms_does_not_matter(patient) -> None:
    terms = [SLAB, LEFT, FRONT, {"mask": "block"}]
    for word, together in (("all_of", np.logical_and), ("any_of", np.logical_or)):
        expected = together.reduce([inside(patient, one) for one in terms])
        assert expected.any()
        for order in list(permutations(terms))[::5]:
            assert (inside(patient, {word: list(order)}) == expected).all()


TINY = scene(
    make_grid(size=(12, 10, 6), spacing_mm=(2.0, 2.5, 3.0)),
    {"vein": box(make_grid(size=(12, 10, 6), spacing_mm=(2.0, 2.5, 3.0)), (-3, 2), (-2, 3), (-2, 2))},
    {"low": -4.0, "mid": 1.0, "high": 6.0},
    pitch=1.0,
    figures={"some": 2.0},
)
LEAVES = [SLAB, LOWER, UPPER, {"mask": "vein"}, {"near": {"of": "vein", "mm": "some", "axial": True}}] + [
    {"side": {"keep": keep, "of": "vein"}} for keep in ("left", "right", "anterior", "posterior")
]
# On a surface itself nothing is inside, neither of a term nor of its opposite.
CLEAR = np.logical_and.reduce([evaluate(TINY, term(leaf), TINY.lattice) != 0 for leaf in LEAVES])
TERMS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda one: {"not": one}),
        st.tuples(st.sampled_from(["all_of", "any_of"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda pair: {pair[0]: pair[1]}
        ),
    ),
    max_leaves=5,
)


def by_sets(raw) -> np.ndarray:
    """A rule by plain sets of lattice points."""
    ((name, content),) = raw.items()
    if name == "not":
        return ~by_sets(content)
    if name in ("all_of", "any_of"):
        together = np.logical_and if name == "all_of" else np.logical_or
        return together.reduce([by_sets(one) for one in content])
    return inside(TINY, raw)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one == other)[CLEAR].all())


@given(TERMS)
def test_rules_are_the_sets_that_they_say(raw) -> None:
    assert same(inside(TINY, raw), by_sets(raw))
    assert same(inside(TINY, {"not": {"not": raw}}), inside(TINY, raw))


@given(TERMS, TERMS)
def test_not_both_is_not_one_or_not_the_other(one, other) -> None:
    without = inside(TINY, {"not": {"all_of": [one, other]}})
    assert same(without, inside(TINY, {"any_of": [{"not": one}, {"not": other}]}))
    assert CLEAR.mean() > 0.5


def test_the_first_term_that_is_known_counts_and_any_but_it_is_noted(patient) -> None:
    heart, absent = {"mask": "heart"}, {"side": {"keep": "left", "of": "liver"}}
    with patient.tracing() as trace:
        assert (inside(patient, {"first_of": [LEFT, heart]}) == inside(patient, LEFT)).all()
    assert [note for note in trace.notes if "goes straight on" not in note] == []
    with patient.tracing() as trace:
        assert (inside(patient, {"first_of": [heart, absent, LEFT]}) == inside(patient, LEFT)).all()
    assert "a border is inferred from the side of block, for there is no heart; no liver" in trace.notes
    with pytest.raises(LackingError, match="no heart; no liver"):
        inside(patient, {"first_of": [heart, absent]})


def test_what_a_term_used_before_it_failed_is_forgotten(patient) -> None:
    failing = {"all_of": [SLAB, {"mask": "heart"}]}
    for word in ("first_of", "any_of"):
        with patient.tracing() as trace:
            inside(patient, {word: [failing, {"all_of": [LEFT]}]})
        assert trace.landmarks == []
    with patient.tracing() as trace:
        inside(patient, {"first_of": [UPPER]})
    assert trace.landmarks == ["mid", "high"]


def test_any_of_does_without_what_is_not_known_and_says_so(patient) -> None:
    with patient.tracing() as trace:
        got = inside(patient, {"any_of": [{"mask": "heart"}, UPPER]})
    assert (got == inside(patient, UPPER)).all()
    assert trace.notes == ["a part of it is left out: no heart"]
    with pytest.raises(LackingError, match="no heart; no liver"):
        inside(patient, {"any_of": [{"mask": "heart"}, {"mask": "liver"}]})
    with pytest.raises(LackingError, match="no heart"):
        inside(patient, {"not": {"mask": "heart"}})


@pytest.mark.parametrize(
    "raw, message",
    [
        (
            {"slap": {"from": "low"}},
            "unknown term; where: made, key slap; expected: one of all_of, any_of, not",
        ),
        ({"space": "room"}, "unknown space"),
        ({"space": "circle"}, "point or space starts from itself; .*got: space circle"),
        ({"mask": {"of": "block"}}, "no name at name"),
        ({"hull": {"hold": True}}, "no names at of; .*a list of structures"),
        ({"hull": {"of": ["block", True]}}, "no names at of"),
        ({"near": {"of": "block", "mm": "some"}}, "unknown figure at mm"),
        ({"near": {"mm": "far"}}, "no names at of"),
        ({"near": {"point": "root", "mm": "far"}}, "unknown point"),
        ({"near": {"path": "way", "mm": "far"}}, "unknown path"),
        ({"near": {"space": "room", "mm": "far"}}, "unknown space"),
        ({"all_of": [{"near": {"path": "way", "mm": "far"}}]}, "unknown path"),
    ],
)
def test_a_term_that_cannot_be_carried_out(raw, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        solid(
            scene(masks=block(HFS), figures={"far": 3.0}, spaces={"circle": {"not": {"space": "circle"}}}),
            raw,
        )


def test_a_new_primitive_is_one_function_and_one_line(monkeypatch: pytest.MonkeyPatch, patient) -> None:
    def above(scene, term, window):
        w = window.origin_mm[2] + np.arange(window.shape[0]) * window.plane_pitch_mm
        return np.broadcast_to(
            (w - scene.level(term, "level")).astype(np.float32)[:, None, None], window.shape
        )

    monkeypatch.setitem(PRIMITIVES, "above", above)  # type: ignore[arg-type]
    got = volume(patient, {"all_of": [{"above": {"level": "low"}}, {"slab": {"from": "low", "to": "high"}}]})
    assert got == pytest.approx(volume(patient, SLAB), rel=1e-3)
