"""What holds for the growth of any solid, whatever its shape."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.core.expansion import contract, expand, union
from pipeline.core.margin import Margin
from pipeline.core.solid import Solid, solid_from_contours
from tests.closed_forms import IMAGE_AXES
from tests.laws.shapes import PITCH_MM, Stack, even_margins, margins, stacks

Pair = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def _solid(stack: Stack) -> Solid:
    return solid_from_contours(stack.contours(), pitch_mm=PITCH_MM)


def _together(one: Solid, other: Solid) -> Pair:
    """Both fields on one lattice."""
    outer = one.lattice.joined(other.lattice)
    fields = []
    for solid in (one, other):
        field = np.full(outer.shape, -1e6, dtype=np.float32)
        field[solid.lattice.offset_in(outer)] = solid.field
        fields.append(field)
    return fields[0], fields[1]


def _holds(outer: Solid, inner: Solid, tolerance: float = 1e-4) -> bool:
    """Whether every lattice point clearly inside one solid lies inside the other."""
    large, small = _together(outer, inner)
    return not bool(((small > tolerance) & (large <= -tolerance)).any())


@given(stacks, margins)
def test_the_target_lies_inside_its_expansion(stack: Stack, margin: Margin) -> None:
    solid = _solid(stack)
    assert _holds(expand(solid, margin), solid)


@given(stacks, margins, st.integers(0, 5), st.floats(0.5, 6.0))
def test_a_larger_margin_never_gives_less(stack: Stack, margin: Margin, side: int, more: float) -> None:
    values = list(margin.as_tuple())
    values[side] = max(values[side] + more, 1.0)
    larger = Margin(**dict(zip(Margin.__dataclass_fields__, values, strict=True)))
    solid = _solid(stack)
    grown, further = expand(solid, margin), expand(solid, larger)
    assert _holds(further, grown)
    # Beside a margin of 0 the outline is good to one lattice pitch only.
    slack = 0.002 if min(values) > 0 else 0.02
    assert further.contours().volume_cc >= grown.contours().volume_cc * (1 - slack) - 1e-6


@given(stacks, stacks, margins, st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_the_expansion_of_a_union_is_the_union_of_expansions(
    stack: Stack, other: Stack, margin: Margin, shift: tuple[float, float]
) -> None:
    one, two = _solid(stack), _solid(Stack(stack.spacing_mm, other.moved(*shift).sections))
    together, apart = _together(
        expand(union(one, two), margin), union(expand(one, margin), expand(two, margin))
    )
    # Where the two cut across each other the lattice sees corners of the union that it does not see apart.
    different = int(((together > 0) != (apart > 0)).sum())
    assert different <= 0.003 * int((apart > 0).sum()) + 2


@given(stacks, st.sampled_from([2.0, 5.0]))
def test_growing_twice_is_growing_once_by_the_sum(stack: Stack, mm: float) -> None:
    solid = _solid(stack)
    twice = expand(expand(solid, Margin.uniform(mm)), Margin.uniform(mm))
    once = expand(solid, Margin.uniform(2 * mm))
    two, one = _together(twice, once)
    # Near the surface both fields are distances in mm, so their difference is that of the surfaces.
    near = (np.abs(one) < 1.0) | (np.abs(two) < 1.0)
    assert np.abs(one - two)[near].max() < 0.3


@given(stacks, margins)
def test_a_mirrored_patient_gets_the_mirrored_result(stack: Stack, margin: Margin) -> None:
    swapped = Margin(
        left=margin.right,
        right=margin.left,
        anterior=margin.anterior,
        posterior=margin.posterior,
        superior=margin.superior,
        inferior=margin.inferior,
    )
    grown, mirrored = expand(_solid(stack), margin), expand(_solid(stack.mirrored()), swapped)
    low = -(mirrored.lattice.start[0] + mirrored.lattice.size[0] - 1) - grown.lattice.start[0]
    field = np.full((*grown.field.shape[:2], grown.field.shape[2] + 8), -1e6, dtype=np.float32)
    field[..., 4:-4] = grown.field
    flipped = mirrored.field[..., ::-1]
    assert abs(low) <= 4
    same = field[..., 4 + low : 4 + low + flipped.shape[2]]
    assert np.allclose(np.maximum(same, -30), np.maximum(flipped, -30), atol=2e-3)
    assert np.isclose(grown.contours().volume_cc, mirrored.contours().volume_cc, rtol=1e-4)


@given(
    stacks,
    margins,
    st.sampled_from([(position, flip) for position in IMAGE_AXES for flip in (False, True)]),
)
def test_however_a_patient_is_stored_the_solid_is_the_same(
    stack: Stack, margin: Margin, storage: tuple[str, bool]
) -> None:
    position, flip_k = storage
    contours = stack.on(stack.grid(position, flip_k=flip_k))
    stored = expand(solid_from_contours(contours, pitch_mm=PITCH_MM), margin)
    reference = expand(_solid(stack), margin)
    assert np.allclose(stored.lattice.origin_mm, reference.lattice.origin_mm, atol=1e-6)
    assert np.array_equal(stored.field, reference.field)
    heights = [
        {round(float(grown.lattice.grid.plane_positions_mm[k]), 3): s.area for k, s in sections.items()}
        for grown in (stored, reference)
        for sections in [grown.contours().sections]
    ]
    assert heights[0] == heights[1]


@given(stacks, even_margins)
def test_closing_holds_the_solid_and_opening_lies_inside(stack: Stack, margin: Margin) -> None:
    solid = _solid(stack)
    closed = contract(expand(solid, margin), margin)
    assert _holds(closed, solid, tolerance=0.15)
    opened = expand(contract(solid, margin), margin)
    assert _holds(solid, opened, tolerance=0.15)


@given(stacks, margins, st.integers(-3, 3))
def test_moved_by_slices_the_result_moves_along(stack: Stack, margin: Margin, slices: int) -> None:
    here, there = expand(_solid(stack), margin), expand(_solid(stack.moved(slices=slices)), margin)
    assert np.array_equal(here.field, there.field)
    steps = here.lattice.steps_per_slice
    assert there.lattice.start[2] - here.lattice.start[2] == slices * steps


@given(stacks, even_margins, st.floats(-2, 2), st.floats(-2, 2))
def test_moved_within_the_slice_the_result_moves_along(
    stack: Stack, margin: Margin, u: float, v: float
) -> None:
    assume(min(s.area for s in stack.sections.values()) > 8.0)
    here = expand(_solid(stack), margin).contours()
    there = expand(_solid(stack.moved(u, v)), margin).contours()
    assert abs(there.volume_cc / here.volume_cc - 1.0) < 0.02
    for k in stack.sections:
        one, other = here.sections[k].bounds, there.sections[k].bounds
        assert np.allclose(np.subtract(other, one), [u, v, u, v], atol=0.35)
