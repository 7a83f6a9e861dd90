"""What plain image processing finds on every CT, under the names of the atlas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.anatomy.airway import find_airway
from pipeline.anatomy.bone import find_bone
from pipeline.anatomy.lungs import find_lungs
from pipeline.anatomy.tissue import find_body
from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.volume import Mask, Volume

_METHOD = "Hounsfield units"


def organs_of_image(volume: Volume) -> Organs:
    """Body, trachea, main bronchi, lungs and bone, as far as they are found."""
    body = find_body(volume)
    found: dict[str, Mask] = {"body": body}
    if body.voxels.any():
        airway = find_airway(volume, body)
        lungs = find_lungs(volume, body, airway)
        found["bone"] = find_bone(volume, body)
        if airway is not None:
            found["trachea"] = airway.trachea
            found["main_bronchi"] = airway.bronchi_left | airway.bronchi_right
        if lungs is not None:
            found["lung_left"], found["lung_right"] = lungs.left, lungs.right
    return Organs(grid=volume.grid, by_name=_present(found))


def _present(masks: Mapping[str, Mask]) -> dict[str, Organ]:
    return {
        name: Organ(name=name, mask=mask, source=OrganSource.IMAGE, detail=_METHOD)
        for name, mask in masks.items()
        if np.any(mask.voxels)
    }
