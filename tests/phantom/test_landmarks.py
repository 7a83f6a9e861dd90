"""The landmarks that the phantom states against what its masks show, over a cohort."""

import numpy as np
import pytest

from pipeline.phantom import PhantomOptions, Reconstruction
from tests.phantom.finders import FINDERS, bottom, top, voxels
from tests.phantoms import COARSE, coarse
from tests.phantoms import phantom as phantom_of

ROUTES = tuple(Reconstruction)
COHORT = [
    pytest.param(seed, marks=() if seed < 3 else pytest.mark.slow if seed < 6 else pytest.mark.cohort)
    for seed in range(30)
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", COHORT)
def test_landmarks_agree_with_the_masks_and_keep_the_gates(seed):
    phantom = coarse(seed=seed, reconstruction=ROUTES[seed % 3], lesions=())
    z = {name: point[2] for name, point in phantom.landmarks.items()}
    assert set(z) == set(FINDERS)
    for name, find in FINDERS.items():
        assert find(phantom) == pytest.approx(z[name], abs=COARSE[2]), name
    _check_order(z)
    _check_gates(phantom, z)


def _check_order(z):
    rising = [
        "SMA_origin", "celiac_axis_origin", "hiatus", "inferior_pulmonary_vein_lowest", "carina",
        "left_brachiocephalic_vein_trachea", "brachiocephalic_artery_trachea", "aortic_arch_top",
        "sternal_notch", "clavicular_head_top", "lung_apex", "T1_top", "C7_top",
    ]  # fmt: skip
    values = [z[name] for name in rising]
    assert values == sorted(values)


def _check_gates(phantom, z):
    assert 40 <= z["sternal_notch"] - z["carina"] <= 90
    assert 30 <= z["carina"] - z["inferior_pulmonary_vein_lowest"] <= 80
    assert 85 <= z["carina"] - z["hiatus"] <= 160
    assert 5 <= z["celiac_axis_origin"] - z["SMA_origin"] <= 35
    assert 12 <= z["sternal_notch"] - z["aortic_arch_top"] <= 28
    body = {
        level: voxels(phantom.organs[f"vertebrae_{level}"]) & voxels(phantom.parts["vertebrae_body"])
        for level in ("T2", "T3", "T4", "T5", "T11", "L2")
    }
    assert bottom(phantom, body["T3"]) < z["sternal_notch"] < top(phantom, body["T2"])
    assert bottom(phantom, body["T5"]) < z["carina"] < top(phantom, body["T4"])
    assert top(phantom, body["L2"]) < z["celiac_axis_origin"] < bottom(phantom, body["T11"])


@pytest.mark.slow
def test_on_fine_slices_too():
    spacing = (1.5, 1.5, 2.0)
    phantom = phantom_of(PhantomOptions(seed=11, spacing_mm=spacing, lesions=()))
    for name, find in FINDERS.items():
        assert find(phantom) == pytest.approx(phantom.landmarks[name][2], abs=spacing[2]), name


@pytest.mark.slow
def test_whole_upper_vertebrae_reach_above_their_bodies():
    # As on real scans: the arch of a tilted vertebra is higher than its body.
    phantom = phantom_of(PhantomOptions(spacing_mm=(1.5, 1.5, 2.0), lesions=()))
    whole = top(phantom, voxels(phantom.organs["vertebrae_T1"]))
    assert whole - phantom.landmarks["T1_top"][2] > 3


@pytest.mark.parametrize(
    "name, organ",
    [
        ("carina", "trachea"),
        ("sternal_notch", "sternum"),
        ("hiatus", "esophagus"),
        ("aortic_arch_top", "aorta"),
        ("clavicular_head_top", "clavicula_left"),
        ("celiac_axis_origin", "celiac_trunk"),
    ],
)
def test_points_lie_at_their_structures_across_the_body_too(name, organ):
    phantom = coarse(reconstruction=Reconstruction.NATIVE)
    mask = phantom.organs[organ]
    k, j, i = np.nonzero(mask.voxels)
    points = mask.grid.to_patient(np.stack([i, j, k], axis=1))
    distance = np.linalg.norm(points - np.array(phantom.landmarks[name]), axis=1)
    assert distance.min() < 5
