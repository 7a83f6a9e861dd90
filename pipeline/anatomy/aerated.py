"""Lung and airway that were left out where they were drawn."""

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

# Nothing is left out further beside all that was drawn [A].
BESIDE_MM = 30.0


def join_air(
    drawn: Bools, box: Box, volume: Volume, organs: Organs, below_hu: float, *, others: Sequence[str]
) -> None:
    """Add to lungs or airway, in place, what is aerated and hangs together with them, face to face.

    Not the other of the two, nor gas of gullet, stomach and bowel, as far as these are known, nor air outside
    the body.

    Args:
        drawn: shape of `box`.
        box: where it is looked; nothing is joined beyond.
        volume: the CT.
        organs: of the patient.
        below_hu: what is aerated.
        others: organs that hold air of their own, besides gullet, stomach and bowel.
    """
    import cc3d

    air = volume.hu[box] < below_hu
    for name in (*HOLLOW, *others):
        if name in organs:
            air &= ~organs[name].voxels[box]
    if BODY in organs:
        air &= organs[BODY].voxels[box]
    labels = cc3d.connected_components(air | drawn, connectivity=6)
    joined = np.zeros(int(labels.max()) + 1, dtype=bool)
    joined[labels[drawn]] = True
    joined[0] = False
    drawn |= air & joined[labels]


def beside(box: Box, reach: Box, spacing_mm: tuple[float, float, float]) -> Box:
    """A box of what was drawn and what may have been left out beside it in-plane, within another one."""
    planes, rows, columns = box
    i, j = (math.ceil(BESIDE_MM / pitch) for pitch in spacing_mm[:2])
    wide = (planes, slice(rows.start - j, rows.stop + j), slice(columns.start - i, columns.stop + i))
    return shared(wide, reach)
