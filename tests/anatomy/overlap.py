"""What the tests of organs measure, and the anatomy they ask for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from pipeline.anatomy.airway import Airway, find_airway
from pipeline.anatomy.bone import find_bone
from pipeline.anatomy.lungs import Lungs, find_lungs
from pipeline.anatomy.tissue import find_body
from pipeline.core.volume import Mask, Volume
from pipeline.phantom import PhantomOptions
from tests.phantoms import phantom


def dice(one: np.ndarray, other: np.ndarray) -> float:
    both = np.count_nonzero(one & other)
    return 2 * both / max(1, np.count_nonzero(one) + np.count_nonzero(other))


def share_in(mask: Mask, organ: Mask) -> float:
    """How much of an organ lies in a mask."""
    return np.count_nonzero(mask.voxels & organ.voxels) / np.count_nonzero(organ.voxels)


def found_in(volume: Volume) -> tuple[Airway | None, Lungs | None, Mask]:
    body = find_body(volume)
    airway = find_airway(volume, body)
    return airway, find_lungs(volume, body, airway), find_bone(volume, body)


@lru_cache(maxsize=4)
def found(options: PhantomOptions) -> tuple[Airway | None, Lungs | None, Mask]:
    return found_in(phantom(options).volume)


def mean_x_mm(mask: Mask) -> float:
    """LPS x of a mask's middle: larger is further to the patient's left."""
    return float(mask.grid.to_patient(np.argwhere(mask.voxels)[:, ::-1])[:, 0].mean())
