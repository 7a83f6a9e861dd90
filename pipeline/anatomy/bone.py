"""Bone from Hounsfield units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.anatomy.views import (
    AnatomicalView,
    Bools,
    body_box,
    coarse_steps,
    grown,
    mean_of_nine,
    refined,
    shrunk,
)
from pipeline.core.grid import Vector
from pipeline.core.volume import Mask, Volume

# Cortex is above, marrow often below, blood of a usual venous phase (100 to 180 HU) below [I].
BONE_ABOVE_HU = 200
# A part of the skeleton is so large, and this share of it is cortex; kidneys and enhanced blood have none.
LEAST_PART_CC = 0.3
CORTEX_HU = 300
CORTEX_SHARE = 0.12
# Blood brighter than that: large, thick and with no cortex round it, which would outshine the inside.
POOL_ABOVE_HU = 190
POOL_CC = 15.0
POOL_EROSION = 3
POOL_PERCENTILE = 95.0
POOL_SHELL_HU = 50
POOL_SHELL_SHARE = 0.08
# Things outside the skin that touch it: this share of a part lies within two coarse pixels of the surface.
SURFACE_SHARE = 0.3
# The same for what is left of a pool of blood when that is taken away.
BLOOD_SHARE = 0.1
# Marrow is what cortex encloses on a slice, up to a vertebral body's size; the canal has the HU of water.
MARROW_MM2 = 1400.0
CANAL_HU = (-20.0, 75.0)
# Soft tissue tells the noise: the median step from pixel to pixel (0.95 standard deviations of white noise).
SOFT_HU = (-20, 130)
NOISE_STEP_HU = 30.0
NOISE_EVERY = 8
NOISE_PIXEL_MM = 1.5
# Gaps in cortex and trabeculae are closed over within so many coarse pixels where it is as dense as this;
# smaller holes than a spinal canal are filled anyway.
CLOSING_PIXELS = 2
MARROW_ABOVE_HU = 110
PORE_MM2 = 60.0
# Air between bones is no marrow.
AIR_OUT_HU = -200


def find_bone(volume: Volume, body: Mask) -> Mask:
    """Bone with the marrow that its cortex encloses slice by slice; no spinal canal, no couch.

    What is denser than enhanced blood in connected parts that hold cortex. A large pool of bright
    blood (heart, aorta) is told by its size and by the want of cortex round it. Marrow whose mean is
    that of water (osteoporosis) is left out like the canal; cartilage is no bone.

    These cannot be told from bone by HU: veins with undiluted contrast and, in CT angiography, vessels
    too thin to have a core or parted from the heart's blood (above 200 HU throughout, 300 in places),
    calcified cartilage, plaques and nodes, metal, bright oral contrast, excreted contrast in kidneys.

    Args:
        volume: the CT.
        body: see `find_body`, on the same grid.

    Returns:
        Mask on the volume's grid; empty when there is no bone.
    """
    view = AnatomicalView(grid=volume.grid)
    voxels = np.zeros(volume.grid.shape, dtype=bool)
    steps = coarse_steps(view.spacing_mm)
    box = body_box(view.of(body.voxels), steps)
    if box is None:
        return Mask(grid=volume.grid, voxels=voxels)
    hu, inside, found = (view.of(array)[:, box[0], box[1]] for array in (volume.hu, body.voxels, voxels))
    hu = _quiet(hu, view.spacing_mm)
    dense = (hu > BONE_ABOVE_HU) & inside
    any_dense = _pooled(dense, steps)
    if not any_dense.any():
        return Mask(grid=volume.grid, voxels=voxels)
    pixel_mm2 = view.spacing_mm[1] * steps[0] * view.spacing_mm[2] * steps[1]
    voxel_cc = pixel_mm2 * view.spacing_mm[0] / 1000.0
    coarse_hu = np.ascontiguousarray(hu[:, :: steps[0], :: steps[1]])
    blood = _bright_blood(coarse_hu, any_dense, voxel_cc)
    any_dense &= ~blood
    outside = ~inside[:, :: steps[0], :: steps[1]]
    cortex = _pooled((hu > CORTEX_HU) & dense, steps)
    skeleton = _skeleton(any_dense, cortex & any_dense, (outside, blood), voxel_cc)
    for k, part in enumerate(skeleton):
        if part.any():
            marrow = _marrow(part, coarse_hu[k], pixel_mm2)
            shape = found[k].shape
            found[k] = (refined(part, steps, shape) & dense[k]) | refined(marrow, steps, shape)
    return Mask(grid=volume.grid, voxels=voxels)


def _quiet(hu: npt.NDArray[Any], spacing_mm: Vector) -> npt.NDArray[Any]:
    """The CT, smoothed in-plane where noise would join enhanced blood to bone."""
    some = hu[::NOISE_EVERY].astype(np.float32)
    soft = (some[:, :, :-1] > SOFT_HU[0]) & (some[:, :, :-1] < SOFT_HU[1])
    steps = np.abs(np.diff(some, axis=2)[soft])
    if max(spacing_mm[1:]) > NOISE_PIXEL_MM or not len(steps) or float(np.median(steps)) < NOISE_STEP_HU:
        return hu
    smooth = np.empty(hu.shape, dtype=np.int16)
    for k, plane in enumerate(hu):
        smooth[k] = mean_of_nine(plane)
    return smooth


def _pooled(mask: Bools, steps: tuple[int, int]) -> Bools:
    """Coarse pixels that hold any pixel of a mask: thin cortex stays whole."""
    rows, columns = (-(-count // step) for count, step in zip(mask.shape[1:], steps, strict=True))
    pooled = np.zeros((len(mask), rows, columns), dtype=bool)
    for row in range(steps[0]):
        for column in range(steps[1]):
            part = mask[:, row :: steps[0], column :: steps[1]]
            pooled[:, : part.shape[1], : part.shape[2]] |= part
    return pooled


def _bright_blood(hu: npt.NDArray[Any], dense: Bools, voxel_cc: float) -> Bools:
    """Heart and great vessels where contrast makes them as dense as bone."""
    import cc3d

    thick = shrunk(hu > POOL_ABOVE_HU, POOL_EROSION)
    labels = cc3d.connected_components(thick, connectivity=6)
    sizes = np.bincount(labels.ravel()) * voxel_cc
    blood = np.zeros_like(dense)
    for label in np.flatnonzero(sizes >= POOL_CC):
        if label == 0:
            continue
        core = labels == label
        pool = grown(core, POOL_EROSION + 1)
        shell = pool & ~core
        cortex_hu = np.percentile(hu[core], POOL_PERCENTILE) + POOL_SHELL_HU
        if float((hu[shell] > cortex_hu).mean()) < POOL_SHELL_SHARE:
            blood |= pool & dense
    return blood


def _skeleton(dense: Bools, cortex: Bools, without: tuple[Bools, Bools], voxel_cc: float) -> Bools:
    """Connected parts that hold cortex, do not lie on the skin and are no rest of a pool of blood."""
    import cc3d

    labels = cc3d.connected_components(dense, connectivity=6)
    count = int(labels.max()) + 1
    sizes = np.maximum(1, np.bincount(labels.ravel(), minlength=count))
    of_cortex = np.bincount(labels[cortex], minlength=count)
    at_skin, at_blood = (np.bincount(labels[grown(near, 2) & dense], minlength=count) for near in without)
    chosen = (sizes * voxel_cc >= LEAST_PART_CC) & (of_cortex >= CORTEX_SHARE * sizes)
    chosen &= (at_skin < SURFACE_SHARE * sizes) & (at_blood < BLOOD_SHARE * sizes)
    chosen[0] = False
    return np.asarray(chosen[labels])


def _marrow(bone: Bools, hu: npt.NDArray[Any], pixel_mm2: float) -> Bools:
    """What bone encloses on a coarse slice, but for the spinal canal."""
    import cc3d

    smooth = mean_of_nine(hu)
    padded = np.pad(bone, CLOSING_PIXELS)
    around = slice(CLOSING_PIXELS, -CLOSING_PIXELS)
    closed = bone | shrunk(grown(padded, CLOSING_PIXELS), CLOSING_PIXELS)[around, around] & (
        smooth > MARROW_ABOVE_HU
    )
    labels = cc3d.connected_components(~closed, connectivity=4)
    sizes = np.maximum(1, np.bincount(labels.ravel()))
    means = np.bincount(labels.ravel(), weights=hu.ravel()) / sizes
    areas = sizes * pixel_mm2
    of_water = (means > CANAL_HU[0]) & (means < CANAL_HU[1])
    enclosed = (areas <= PORE_MM2) | ((areas <= MARROW_MM2) & ~of_water)
    enclosed[0] = False
    whole = enclosed[labels] | closed
    # Of coarse pixels at the rim only the dense part is bone.
    return np.asarray(((whole & ~bone) | shrunk(whole, 1)) & (hu > AIR_OUT_HU))
