"""From painted labels to the patient's CT, however it is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Grid
from pipeline.phantom.build import Build
from pipeline.phantom.labels import CODES, DETAIL_CODES, codes, detail_hounsfield, hounsfield
from pipeline.phantom.lesions import REPLACED, Mass
from pipeline.phantom.options import FIELD_OF_VIEW_MM, PatientPosition, PhantomOptions

Array = npt.NDArray[Any]
TOP_Z, BOTTOM_Z = 127.0, -244.0  # template heights of the scan's ends: C5/C6 and L2/L3
BODY_MIDDLE_Y = 10.0
_SLAB = 16

# Patient axis (0 left, 1 posterior, 2 superior) and sense of the image's i, j, k.
_STORED: dict[PatientPosition, tuple[tuple[int, int], tuple[int, int], tuple[int, int]]] = {
    PatientPosition.HFS: ((0, 1), (1, 1), (2, 1)),
    PatientPosition.HFP: ((0, -1), (1, -1), (2, 1)),
    PatientPosition.FFS: ((0, -1), (1, 1), (2, -1)),
    PatientPosition.FFP: ((0, 1), (1, -1), (2, -1)),
    PatientPosition.HFDL: ((1, -1), (0, 1), (2, 1)),
    PatientPosition.HFDR: ((1, 1), (0, -1), (2, 1)),
    PatientPosition.FFDL: ((1, 1), (0, 1), (2, -1)),
    PatientPosition.FFDR: ((1, -1), (0, -1), (2, -1)),
}


def sample_points(options: PhantomOptions, build: Build) -> tuple[Array, Array, Array]:
    """Ascending LPS coordinates of columns, rows and planes."""
    matrix = options.matrix or tuple(
        int(np.ceil(extent / spacing / 2)) * 2
        for extent, spacing in zip(FIELD_OF_VIEW_MM, options.spacing_mm[:2], strict=True)
    )
    ends = build.to_patient([(0, BODY_MIDDLE_Y, BOTTOM_Z), (0, BODY_MIDDLE_Y, TOP_Z)])
    middle = ends.mean(axis=0)
    planes = int((ends[1, 2] - ends[0, 2]) / options.spacing_mm[2]) + 1
    axes = []
    for axis, count in enumerate((matrix[0], matrix[1], planes)):
        steps = (np.arange(count) - (count - 1) / 2) * options.spacing_mm[axis]
        # To a tenth of a millimetre, as scanners write positions; the shift is kept exactly.
        axes.append(steps + round(float(middle[axis]), 1) + options.grid_shift_mm[axis])
    return axes[0], axes[1], axes[2]


def stored_grid(options: PhantomOptions, points: tuple[Array, Array, Array]) -> Grid:
    """The grid of the same samples in the patient position's order."""
    order = _STORED[options.position]
    axes = np.zeros((3, 3))
    origin = [0.0, 0.0, 0.0]
    for image_axis, (patient_axis, sense) in enumerate(order):
        axes[patient_axis, image_axis] = sense
        origin[patient_axis] = float(points[patient_axis][0 if sense > 0 else -1])
    sizes = [len(points[patient_axis]) for patient_axis, _ in order]
    spacings = [options.spacing_mm[patient_axis] for patient_axis, _ in order]
    d = [float(value) for value in axes.ravel()]
    return Grid(
        size=(sizes[0], sizes[1], sizes[2]),
        spacing_mm=(spacings[0], spacings[1], spacings[2]),
        origin_mm=(origin[0], origin[1], origin[2]),
        direction=(d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8]),
    )


def stored(array: Array, position: PatientPosition) -> Array:
    """An array (z, y, x) of ascending samples in the order (k, j, i) of the patient position."""
    (i_axis, i_sense), (j_axis, j_sense), (_, k_sense) = _STORED[position]
    turned = np.transpose(array, (0, 2 - j_axis, 2 - i_axis))
    return np.ascontiguousarray(turned[::k_sense, ::j_sense, ::i_sense])


def paint_mass(labels: Array, details: Array, points: tuple[Array, Array, Array], mass: Mass) -> None:
    """Give a mass the HU of soft tissue where soft tissue, lung or gut was."""
    table = np.zeros(256, dtype=bool)
    table[codes(*REPLACED)] = True
    box = []
    for axis in (2, 1, 0):
        reach = 1.2 * mass.half_axes_mm[axis]
        low, high = np.searchsorted(
            points[axis], [mass.centre_mm[axis] - reach, mass.centre_mm[axis] + reach]
        )
        box.append(slice(int(low), int(high)))
    z, y, x = (points[axis][part] for axis, part in zip((2, 1, 0), box, strict=True))
    hit = mass.inside(x[None, None, :], y[None, :, None], z[:, None, None])
    where = (box[0], box[1], box[2])
    details[where][hit & table[labels[where]]] = DETAIL_CODES["lesion"]


def paint_couch(labels: Array, points: tuple[Array, Array, Array], build: Build) -> None:
    """A curved plate of foam in a shell, behind the back, through the whole scan."""
    x, y, _ = points
    back = build.to_patient([(0, 127.0, -80.0)])[0]
    depth = y[:, None] - (back[1] + 3.0 - 0.00022 * (x[None, :] - back[0]) ** 2)
    wide = np.abs(x[None, :] - back[0]) < 205
    shell, foam = wide & (depth > 0) & (depth < 26), wide & (depth > 2.4) & (depth < 23.6)
    for plane in labels:
        empty = plane == CODES["air"]
        plane[empty & shell] = CODES["couch_shell"]
        plane[empty & foam] = CODES["couch_foam"]


def render_hu(labels: Array, details: Array, options: PhantomOptions, rng: np.random.Generator) -> Array:
    """HU with soft edges and noise, int16, shape of the labels."""
    from scipy.ndimage import correlate1d

    base, special = hounsfield(), detail_hounsfield()
    if not options.contrast:
        base = np.where((base >= 100) & (base <= 165), np.float32(45), base)
    hu = base[labels]
    np.copyto(hu, special[details], where=details > 0)
    sharp = 1.0 if max(options.spacing_mm[:2]) < 2 else 0.5
    for axis, share in ((2, 0.2), (1, 0.2), (0, 0.08)):
        part = share * sharp
        kernel = np.array([part, 1 - 2 * part, part], dtype=np.float32)
        correlate1d(hu, kernel, axis=axis, output=hu, mode="nearest")
    grain = np.array([0.25, 0.5, 0.25], dtype=np.float32)
    made = np.empty(hu.shape, dtype=np.int16)
    for start in range(0, len(hu), _SLAB):
        part_of = slice(start, start + _SLAB)
        noise = rng.standard_normal(hu[part_of].shape, dtype=np.float32)
        for axis in (1, 2):
            correlate1d(noise, grain, axis=axis, output=noise, mode="wrap")
        noise *= np.float32(options.noise_hu / 0.375)  # what the smoothing took is given back
        made[part_of] = np.clip(np.rint(hu[part_of] + noise), -1024, 3071)
    return made
