"""How other tools grow a mask by a margin in mm. Arrays are (slices, rows, columns)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

Voxels = npt.NDArray[np.bool_]
Axes = tuple[float, float, float]  # along columns, rows, slices
Grow = Callable[[Voxels, Axes, Axes], Voxels]


def scipy_distance(voxels: Voxels, spacing: Axes, margin: Axes) -> Voxels:
    """The Euclidean distance transform, each axis divided by its margin: distance <= 1."""
    sampling = [s / m for s, m in zip(spacing[::-1], margin[::-1], strict=True)]
    return np.asarray(ndimage.distance_transform_edt(~voxels, sampling=sampling) <= 1.0 + 1e-9)


def edt_distance(voxels: Voxels, spacing: Axes, margin: Axes) -> Voxels:
    """The same with the edt package."""
    import edt

    scaled = tuple(s / m for s, m in zip(spacing[::-1], margin[::-1], strict=True))
    return np.asarray(edt.edt(~voxels, anisotropy=scaled) <= 1.0 + 1e-6)


def itk_maurer(voxels: Voxels, spacing: Axes, margin: Axes) -> Voxels:
    """SimpleITK's signed Maurer map on a spacing divided by the margin."""
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing([s / m for s, m in zip(spacing, margin, strict=True)])
    far = sitk.SignedMaurerDistanceMap(
        image, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
    )
    return np.asarray(sitk.GetArrayViewFromImage(far) <= 1.0 + 1e-6)


def itk_ball_floor(voxels: Voxels, spacing: Axes, margin: Axes) -> Voxels:
    """SimpleITK's ball dilation, radius in whole voxels rounded down."""
    return _itk_ball(voxels, [int(m / s + 1e-9) for s, m in zip(spacing, margin, strict=True)])


def itk_ball_round(voxels: Voxels, spacing: Axes, margin: Axes) -> Voxels:
    """The same, rounded to the nearest whole voxel."""
    return _itk_ball(voxels, [int(m / s + 0.5) for s, m in zip(spacing, margin, strict=True)])


def _itk_ball(voxels: Voxels, radius: list[int]) -> Voxels:
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    grown = sitk.BinaryDilate(image, radius, sitk.sitkBall, 0.0, 1.0)
    return np.asarray(sitk.GetArrayViewFromImage(grown) > 0)


def peers() -> Mapping[str, Grow]:
    """Those that run here, by the name to print."""
    found: dict[str, Grow] = {
        "SciPy distance transform": scipy_distance,
        "SimpleITK Maurer map": itk_maurer,
        "SimpleITK ball, floor": itk_ball_floor,
        "SimpleITK ball, round": itk_ball_round,
    }
    if importlib.util.find_spec("edt"):
        found["edt"] = edt_distance
    return found
