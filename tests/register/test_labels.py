"""Labels of one phantom brought to another, whose truth is known.

Measured on voxels of 5 mm, as told by the tests when they fail: patients 2 and 4 of other size and build than
1 and 3, twenty stations each.
"""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.errors import GeometryError, InputError
from pipeline.core.reference import RegistrationMethod
from pipeline.core.report import Severity
from pipeline.core.volume import Volume
from pipeline.register import register_labels
from tests.register.atlases import (
    STATIONS,
    balls,
    dice,
    errors_mm,
    mirrored,
    no_organs,
    patient,
    reference,
    slab,
    used_organs,
)

pytestmark = pytest.mark.slow


def codes(result, severity: Severity) -> set[str]:
    return {one.code for one in result.findings if one.severity is severity}


@pytest.fixture(scope="module")
def by_organs():
    return register_labels(reference(patient(seed=2)), patient(seed=1).volume, used_organs(patient(seed=1)))


@pytest.fixture(scope="module")
def by_hu():
    one = patient(seed=3)
    return register_labels(
        reference(patient(seed=4), with_organs=False), one.volume, no_organs(one.volume.grid)
    )


def test_stations_by_organs_lie_where_they_should(by_organs):
    errors = errors_mm(by_organs.labels, patient(seed=1))
    assert by_organs.method is RegistrationMethod.ORGANS
    assert list(by_organs.labels) == list(STATIONS)
    assert np.mean(list(errors.values())) < 3.0, errors
    assert max(errors.values()) < 8.0, errors


def test_stations_by_hounsfield_units_lie_where_they_should(by_hu):
    errors = errors_mm(by_hu.labels, patient(seed=3))
    assert by_hu.method is RegistrationMethod.HU
    assert list(by_hu.labels) == list(STATIONS)
    assert np.mean(list(errors.values())) < 3.0, errors
    assert max(errors.values()) < 8.0, errors


def test_balls_of_9_mm_overlap_with_the_truth(by_organs):
    """The reference's ball is as large as the patient's, who is larger: a perfect match has no Dice of 1."""
    true = balls(patient(seed=1))
    assert np.mean([dice(mask, true[name]) for name, mask in by_organs.labels.items()]) > 0.6


def test_a_good_fit_has_no_findings(by_organs, by_hu):
    assert by_organs.findings == ()
    assert by_hu.findings == ()
    assert by_organs.quality.organ_dice > 0.8
    assert by_organs.quality.organ_distance_mm < 2.0
    assert by_organs.quality.mirrored_gain < -0.03
    assert by_hu.quality.organ_dice is None
    assert by_hu.quality.correlation > 0.9


def test_no_voxel_has_two_labels(by_organs):
    total = sum(mask.voxels.astype(int) for mask in by_organs.labels.values())
    assert total.max() == 1


def test_a_shorter_scan_of_the_reference_and_the_same_again():
    """The abdomen only: what it shows is moved, the same to the last voxel each time."""
    one, full = patient(seed=1), reference(patient(seed=2))
    here, short = slab(reference(one), slice(0, 28)), slab(full, slice(0, 20))
    first, second = (register_labels(short, here.volume, here.organs) for _ in range(2))
    assert set(first.labels) == set(short.labels)
    whole = [name for name in first.labels if not short.labels[name].voxels[-1].any()]
    errors = errors_mm({name: first.labels[name] for name in whole}, one)
    assert max(errors.values()) < 8.0, errors
    for name, mask in first.labels.items():
        assert np.array_equal(mask.voxels, second.labels[name].voxels)
    assert first.quality == second.quality


@pytest.mark.parametrize("with_organs", [True, False])
def test_another_part_of_the_body_is_stopped(with_organs):
    abdomen = slab(reference(patient(seed=2), with_organs=with_organs), slice(0, 22))
    neck = slab(reference(patient(seed=1), with_organs=with_organs), slice(52, 75))
    result = register_labels(abdomen, neck.volume, neck.organs)
    assert "ATLAS_FIT_FAILED" in codes(result, Severity.STOP)
    assert codes(result, Severity.WARNING) & {"ATLAS_LABELS_LOST", "ATLAS_LABELS_CUT"}
    assert set(result.labels) | set(result.not_moved) == set(abdomen.labels)


def test_a_mirrored_reference_whose_names_were_put_right_is_stopped():
    """Nothing but the images tells: lungs and stations of either side lie on their side."""
    here = slab(reference(patient(seed=1), with_organs=False), slice(8, 40))
    turned = mirrored(slab(reference(patient(seed=2), with_organs=False), slice(12, 36)), swap_names=True)
    result = register_labels(turned, here.volume, here.organs)
    assert "ATLAS_SIDES_FLIPPED" in codes(result, Severity.STOP)


def test_organs_on_another_grid_are_refused():
    other = no_organs(slab(reference(patient(seed=2)), slice(0, 20)).volume.grid)
    with pytest.raises(GeometryError, match="organs lie on another grid than the CT"):
        register_labels(reference(patient(seed=2)), patient(seed=1).volume, other)


def test_a_ct_of_air_is_refused():
    grid = patient(seed=1).volume.grid
    air = Volume(grid=grid, hu=np.full(grid.shape, -1000, dtype=np.int16))
    with pytest.raises(InputError, match="no body on the CT; where: CT"):
        register_labels(reference(patient(seed=2)), air, no_organs(grid))
