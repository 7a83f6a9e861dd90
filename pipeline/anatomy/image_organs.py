"""What plain image processing finds on every CT, under the names of the atlas."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.anatomy.airway import find_airway
from pipeline.anatomy.bone import find_bone
from pipeline.anatomy.lungs import find_lungs
from pipeline.anatomy.tissue import find_body
from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask, Volume

_METHOD = "Hounsfield units"
# Gas, lung and the lumen of airway and gut are below this, fat and all that is denser above: half-way [I].
GAS_BELOW_HU = -500


def organs_of_image(volume: Volume, given: Organs | None = None) -> Organs:
    """Body, trachea, main bronchi, lungs, bone and air, as far as they are found; not what is given."""
    known: Mapping[str, Organ] = given.by_name if given is not None else {}
    body = known["body"].mask if "body" in known else find_body(volume)
    found: dict[str, Mask] = {"body": body}
    if not body.is_empty:
        with ThreadPoolExecutor(max_workers=1) as aside:  # bone has nothing to do with what holds air
            bone = None if "bone" in known else aside.submit(find_bone, volume, body)
            found |= _airy(volume, body, known)
            if bone is not None:
                found["bone"] = bone.result()
    added = _present({name: mask for name, mask in found.items() if name not in known})
    return Organs(grid=volume.grid, by_name=added, findings=_not_seen({*added, *known}))


def _airy(volume: Volume, body: Mask, known: Collection[str]) -> dict[str, Mask]:
    """Airway and lungs where they are not given, and all air inside the body."""
    found: dict[str, Mask] = {}
    lungs_known = {"lung_left", "lung_right"} <= set(known)
    airway = None
    if not (lungs_known and {"trachea", "main_bronchi"} <= set(known)):
        airway = find_airway(volume, body)
    if airway is not None:
        found["trachea"] = airway.trachea
        found["main_bronchi"] = airway.bronchi_left | airway.bronchi_right
    if not lungs_known:
        lungs = find_lungs(volume, body, airway)
        if lungs is not None:
            found["lung_left"], found["lung_right"] = lungs.left, lungs.right
    air = np.zeros(volume.grid.shape, dtype=bool)
    air[body.box] = (volume.hu[body.box] < GAS_BELOW_HU) & body.part
    found["air"] = Mask(grid=volume.grid, voxels=air, within=body.box)
    return found


def _not_seen(have: set[str]) -> tuple[Finding, ...]:
    """A remark where the image does not show what it shows of a whole chest."""
    shown = ("body", "trachea", "main_bronchi", "lung_left", "lung_right")
    lacking = [name for name in shown if name not in have]
    if not lacking:
        return ()
    return (
        Finding(
            code="ORGANS_NOT_SEEN",
            severity=Severity.INFO,
            where="organs of the image",
            message=f"Not given, and not told from the Hounsfield units: {', '.join(lacking)}. Is the whole "
            "cross-section of the chest on the CT? What depends on them is not known.",
        ),
    )


def _present(masks: Mapping[str, Mask]) -> dict[str, Organ]:
    return {
        name: Organ(name=name, mask=mask, source=OrganSource.IMAGE, detail=_METHOD)
        for name, mask in masks.items()
        if not mask.is_empty
    }
