"""Lung that was left out where the lungs were drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import HOLLOW, Organs
from pipeline.core.box import Box, shared
from pipeline.core.middle import BODY
from pipeline.core.volume import Volume

Bools = npt.NDArray[np.bool_]

# No lung is left out further beside all that was drawn of both [A].
BESIDE_MM = 30.0


def join_air(
    lung: Bools, box: Box, volume: Volume, organs: Organs, below_hu: float, *, airway: Sequence[str]
) -> None:
    """Add to a lung, in place, what is aerated and hangs together with it, face to face.

    Not the airway, nor gas of gullet, stomach and bowel, as far as these are known, nor air outside the body.

    Args:
        lung: shape of `box`.
        box: where it is looked; nothing is joined beyond.
        volume: the CT.
        organs: of the patient.
        below_hu: what is aerated.
        airway: its organs.
    """
    import cc3d

    air = volume.hu[box] < below_hu
    for name in (*HOLLOW, *airway):
        if name in organs:
            air &= ~organs[name].voxels[box]
    if BODY in organs:
        air &= organs[BODY].voxels[box]
    labels = cc3d.connected_components(air | lung, connectivity=6)
    joined = np.zeros(int(labels.max()) + 1, dtype=bool)
    joined[labels[lung]] = True
    joined[0] = False
    lung |= air & joined[labels]


def beside(box: Box, reach: Box, spacing_mm: tuple[float, float, float]) -> Box:
    """A box of lungs and what may have been left out beside them in-plane, within another one."""
    planes, rows, columns = box
    i, j = (math.ceil(BESIDE_MM / pitch) for pitch in spacing_mm[:2])
    wide = (planes, slice(rows.start - j, rows.stop + j), slice(columns.start - i, columns.stop + i))
    return shared(wide, reach)
