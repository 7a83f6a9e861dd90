"""Airway, lungs and bone of one coarse phantom: the short form of `test_organs`."""

from __future__ import annotations

import numpy as np

from pipeline.phantom import PhantomOptions
from tests.anatomy.overlap import dice, found
from tests.phantoms import COARSE, phantom

OPTIONS = PhantomOptions(spacing_mm=COARSE)


def test_what_the_hounsfield_units_show() -> None:
    patient, (airway, lungs, bone) = phantom(OPTIONS), found(OPTIONS)
    assert airway is not None
    assert lungs is not None
    error = np.array(airway.carina_mm) - np.array(patient.landmarks["carina"])
    assert np.abs(error).max() <= OPTIONS.spacing_mm[2] / 2 + 1.0
    assert dice(airway.trachea.voxels, patient.organs["trachea"].voxels) > 0.92
    assert dice(lungs.left.voxels, patient.parts["lung_left"].voxels) > 0.97
    assert dice(lungs.right.voxels, patient.parts["lung_right"].voxels) > 0.97
    cortex = patient.organs["vertebrae_T6"].voxels & (patient.volume.hu > 200)
    assert np.count_nonzero(bone.voxels & cortex) > 0.85 * np.count_nonzero(cortex) > 0
