"""Margins: patient directions and what is refused."""

from __future__ import annotations

import math

import pytest

from pipeline.core.errors import GeometryError
from pipeline.core.margin import Margin

SIX = Margin(left=1.0, right=2.0, anterior=3.0, posterior=4.0, superior=5.0, inferior=6.0)


def test_directions_keep_their_order_and_name() -> None:
    assert SIX.as_tuple() == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    assert SIX.largest == 6.0
    assert str(SIX) == "L 1 R 2 A 3 P 4 S 5 I 6 mm"


def test_named_constructors() -> None:
    assert Margin.uniform(5.0).as_tuple() == (5.0,) * 6
    assert Margin.axial(horizontal=7.0, craniocaudal=12.5).as_tuple() == (7.0, 7.0, 7.0, 7.0, 12.5, 12.5)


def test_mirrored_swaps_opposites() -> None:
    assert SIX.mirrored().as_tuple() == (2.0, 1.0, 4.0, 3.0, 6.0, 5.0)
    assert SIX.mirrored().mirrored() == SIX


@pytest.mark.parametrize("value", [-0.1, 100.1, math.nan, math.inf])
def test_values_that_cannot_be_used_are_refused(value: float) -> None:
    with pytest.raises(
        GeometryError, match=r"margin anterior cannot be used; expected: 0 to 100 mm; got: .* mm; what"
    ):
        Margin(left=0.0, right=0.0, anterior=value, posterior=0.0, superior=0.0, inferior=100.0)
