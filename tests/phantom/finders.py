"""Landmark levels read from masks alone, by the definitions of the station rules.

Kept apart from the phantom's own construction, so that the two can disagree. Levels are LPS z of
slice planes; every function takes the phantom and looks only at its masks.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from pipeline.core.volume import Mask
from pipeline.phantom import Phantom


def voxels(mask: Mask) -> np.ndarray:
    """The mask as (z, y, x) of ascending LPS; the phantom must be stored head first supine."""
    assert mask.grid.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    return mask.voxels


def levels(phantom: Phantom) -> np.ndarray:
    return phantom.volume.grid.plane_positions_mm


def columns(phantom: Phantom) -> np.ndarray:
    grid = phantom.volume.grid
    return grid.origin_mm[0] + np.arange(grid.size[0]) * grid.spacing_mm[0]


def top(phantom: Phantom, mask: np.ndarray) -> float:
    return float(levels(phantom)[np.flatnonzero(mask.any(axis=(1, 2)))[-1]])


def bottom(phantom: Phantom, mask: np.ndarray) -> float:
    return float(levels(phantom)[np.flatnonzero(mask.any(axis=(1, 2)))[0]])


def body_top(phantom: Phantom, name: str) -> float:
    return top(phantom, voxels(phantom.organs[name]) & voxels(phantom.parts["vertebrae_body"]))


def notch(phantom: Phantom) -> float:
    spine = np.zeros(phantom.volume.grid.shape, dtype=bool)
    for name in ("vertebrae_T1", "vertebrae_T2", "vertebrae_T3"):
        spine |= voxels(phantom.organs[name])
    x = columns(phantom)
    middle = (spine.sum(axis=(0, 1)) @ x) / spine.sum()
    near = np.abs(x - middle) <= 10
    return top(phantom, voxels(phantom.organs["sternum"]) & near)


def clavicular_head(phantom: Phantom) -> float:
    found = []
    x = columns(phantom)
    for side, sense in (("left", 1), ("right", -1)):
        mask = voxels(phantom.organs[f"clavicula_{side}"])
        lateral = sense * x
        medial = lateral[mask.any(axis=(0, 1))].min()
        found.append(top(phantom, mask & (lateral < medial + 25)))
    return max(found)


def lung_apex(phantom: Phantom) -> float:
    return min(top(phantom, voxels(phantom.parts[f"lung_{side}"])) for side in ("left", "right"))


def arch_top(phantom: Phantom) -> float:
    grid = phantom.volume.grid
    area = voxels(phantom.organs["aorta"]).sum(axis=(1, 2)) * grid.spacing_mm[0] * grid.spacing_mm[1]
    return float(levels(phantom)[np.flatnonzero(area >= 150)[-1]])


def lowest_over_trachea(phantom: Phantom, name: str) -> float:
    vessel, trachea = voxels(phantom.organs[name]), voxels(phantom.organs["trachea"])
    x = columns(phantom)
    for k in np.flatnonzero(vessel.any(axis=(1, 2))):
        span = x[trachea[k].any(axis=0)]
        if len(span) and vessel[k][:, (x >= span.min() - 5) & (x <= span.max() + 5)].any():
            return float(levels(phantom)[k])
    raise AssertionError(f"{name} never lies in front of the trachea")


def carina(phantom: Phantom) -> float:
    """The lowest plane, from the head, that still has one lumen."""
    airway = voxels(phantom.organs["trachea"])
    pixel = phantom.volume.grid.spacing_mm[0] * phantom.volume.grid.spacing_mm[1]
    for k in np.flatnonzero(airway.any(axis=(1, 2)))[::-1]:
        parts, count = ndimage.label(airway[k])
        areas = np.bincount(parts.ravel())[1:] * pixel
        if count >= 2 and np.count_nonzero(areas >= 20) >= 2:
            return float(levels(phantom)[k + 1])
    raise AssertionError("the trachea never divides")


def hiatus(phantom: Phantom) -> float:
    """The lowest plane on which most of the esophageal bed lies in the chest."""
    grid = phantom.volume.grid
    chest = voxels(phantom.parts["thoracic_cavity"])
    point = phantom.landmarks["hiatus"]
    i, j, _ = np.rint(grid.to_index([point])[0]).astype(int)
    open_ = chest[:, j - 1 : j + 2, i - 1 : i + 2].mean(axis=(1, 2)) > 0.5
    return float(levels(phantom)[np.flatnonzero(open_)[0]])


def artery_root(phantom: Phantom, name: str) -> float:
    """Mean level of the voxels within 2 mm of the aorta."""
    spacing = phantom.volume.grid.spacing_mm[::-1]
    artery, aorta = voxels(phantom.organs[name]), voxels(phantom.organs["aorta"])
    low, high = np.flatnonzero(artery.any(axis=(1, 2)))[[0, -1]]
    part = slice(max(low - 2, 0), high + 3)
    distance = ndimage.distance_transform_edt(~aorta[part], sampling=spacing)
    near = artery[part] & (distance <= max(2.0, spacing[1] * 1.01))
    return float(np.mean(levels(phantom)[part][np.nonzero(near)[0]]))


FINDERS = {
    "C7_top": lambda p: body_top(p, "vertebrae_C7"),
    "T1_top": lambda p: body_top(p, "vertebrae_T1"),
    "sternal_notch": notch,
    "clavicular_head_top": clavicular_head,
    "lung_apex": lung_apex,
    "aortic_arch_top": arch_top,
    "brachiocephalic_artery_trachea": lambda p: lowest_over_trachea(p, "brachiocephalic_trunk"),
    "left_brachiocephalic_vein_trachea": lambda p: lowest_over_trachea(p, "brachiocephalic_vein_left"),
    "carina": carina,
    "inferior_pulmonary_vein_lowest": lambda p: bottom(p, voxels(p.organs["pulmonary_vein"])),
    "hiatus": hiatus,
    "celiac_axis_origin": lambda p: artery_root(p, "celiac_trunk"),
    "SMA_origin": lambda p: artery_root(p, "superior_mesenteric_artery"),
}
