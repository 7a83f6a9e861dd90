"""A patient's stations do not depend on how it was stored, sliced or mirrored, nor on the lattice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.fields import PITCH_MM
from pipeline.core.volume import Mask
from pipeline.phantom import PatientPosition, PhantomOptions, Reconstruction
from tests.anatomy.organs_of import mirrored_name, organs, organs_of
from tests.anatomy.stations.patients import ATLAS, RULES, built, changes, volumes
from tests.phantoms import coarse
from tests.phantoms import phantom as phantom_of

pytestmark = pytest.mark.slow

# ------------------------------------------------------------------------------------------------- storage

# HFP is what other tools call RAS; feet first, slices are reversed; on the side, rows are columns.
SMALL = {"matrix": (80, 80), "lesions": ()}
STORED = [position for position in PatientPosition if position is not PatientPosition.HFS]


@pytest.mark.parametrize("position", STORED)
def test_storage_changes_no_station(position: PatientPosition) -> None:
    stored = built(coarse(position=position, **SMALL))
    assert not stored.not_built
    assert volumes(stored) == pytest.approx(_supine(), rel=1e-3)


@cache
def _supine() -> dict[str, float]:
    return volumes(built(coarse(**SMALL)))


# -------------------------------------------------------------------------------------------------- mirror


def test_the_mirrored_patient_has_the_mirrored_neck() -> None:
    """1 and SCV only: in 2 and 4 the left edge of the trachea divides left from right, on purpose."""
    phantom = organs_of(coarse(reconstruction=Reconstruction.NATIVE, lesions=()))
    # The image's middle on the frame's origin: the mirror image then meets the lattice as the patient does.
    x = -(phantom.grid.size[0] - 1) / 2.0 * phantom.grid.spacing_mm[0]
    grid = replace(phantom.grid, origin_mm=(x, *phantom.grid.origin_mm[1:]))
    patient, flipped = (
        organs(
            grid,
            {name_of(name): Mask(grid=grid, voxels=phantom[name].voxels[:, :, ::step]) for name in phantom},
        )
        for name_of, step in ((str, 1), (mirrored_name, -1))
    )
    own = {name: one.point_mm for name, one in find_landmarks(OrganView(patient), RULES, {}).found.items()}
    stated = {name: (-x, y, z) for name, (x, y, z) in own.items()}
    # The neck first: the lowest 5 mm of SCV lie below the notch, and 2R would take more of them than 2L.
    neck = ("1R", "1L", "SCV_R", "SCV_L")
    atlas = replace(ATLAS, priority=(*neck, *(name for name in ATLAS.priority if name not in neck)))
    one, other = (
        volumes(built(who, stated=points, atlas=atlas)) for who, points in ((patient, own), (flipped, stated))
    )
    for right, left in (("1R", "1L"), ("SCV_R", "SCV_L")):
        assert other[left] == pytest.approx(one[right], rel=0.01), right
        assert other[right] == pytest.approx(one[left], rel=0.01), left


# ------------------------------------------------------------------------------------ slices, and the lattice


ALL_THREE = (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    "route, seed, pixel_mm, slices_mm",
    [
        (Reconstruction.NATIVE, 0, 1.5, (1.5, 3.0)),
        pytest.param(Reconstruction.NATIVE, 0, 1.0, ALL_THREE, marks=pytest.mark.cohort),
        pytest.param(Reconstruction.POSTERIOR, 1, 1.0, ALL_THREE, marks=pytest.mark.cohort),
        pytest.param(Reconstruction.RETROSTERNAL, 2, 1.0, ALL_THREE, marks=pytest.mark.cohort),
    ],
)
def test_slices_of_one_to_three_millimetres_agree(
    route: Reconstruction, seed: int, pixel_mm: float, slices_mm: tuple[float, ...]
) -> None:
    found = {}
    for slice_mm in slices_mm:
        phantom = phantom_of(
            PhantomOptions(
                seed=seed,
                reconstruction=route,
                spacing_mm=(pixel_mm, pixel_mm, slice_mm),
                matrix=(round(190 / pixel_mm), round(210 / pixel_mm)),
                couch=False,
                lesions=(),
            )
        )
        found[slice_mm] = volumes(built(phantom, pitch_mm=PITCH_MM, stated=phantom.landmarks))
        phantom_of.cache_clear()  # 13 million voxels
    for slice_mm in slices_mm[1:]:
        assert changes(found[slices_mm[0]], found[slice_mm]) == [], slice_mm


@pytest.mark.cohort
@pytest.mark.parametrize(
    "route",
    [Reconstruction.POSTERIOR, Reconstruction.NATIVE, Reconstruction.RETROSTERNAL],
)
def test_half_the_pitch_changes_no_station(route: Reconstruction) -> None:
    patient = organs_of(coarse(reconstruction=route, lesions=()))
    whole, half = (volumes(built(patient, pitch_mm=pitch)) for pitch in (PITCH_MM, PITCH_MM / 2))
    assert changes(whole, half) == []


def test_a_field_of_view_no_wider_than_the_mediastinum_is_enough() -> None:
    narrow = phantom_of(PhantomOptions(spacing_mm=(2.0, 2.0, 4.0), matrix=(80, 80), lesions=()))
    stations = built(narrow)
    assert "4L" in stations.built
