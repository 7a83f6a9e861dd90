"""The figures of the README's validation section."""

from __future__ import annotations

import numpy as np
import pytest

from tests.real.planning_system import ARCHIVE, compare

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def comparisons(unpacked):
    return compare(unpacked(ARCHIVE))


def test_volumes_lie_between_the_two_readings_of_a_contour_stack(comparisons) -> None:
    for one in comparisons:
        assert -2.0 < one.percent < 0 < one.filled_percent < 2.5, one.what


def test_the_same_slices_and_extents(comparisons) -> None:
    for one in comparisons:
        assert one.ours.slices == one.theirs.slices
        ours, theirs = (
            np.array([section.bounds for section in contours.sections.values()])
            for contours in (one.ours, one.theirs)
        )
        low, high = (ours[:, :2].min(axis=0), ours[:, 2:].max(axis=0))
        assert low == pytest.approx(theirs[:, :2].min(axis=0), abs=1.0)
        assert high == pytest.approx(theirs[:, 2:].max(axis=0), abs=1.0)


def test_surfaces_lie_close(comparisons) -> None:
    for one in comparisons:
        assert one.distance_mm.mean() < 0.7
        assert np.percentile(one.distance_mm, 95) < 1.6
        assert one.distance_mm.max() < 6.0  # where the planning system's volume was edited by hand
