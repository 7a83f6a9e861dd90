"""The transform from the patient's points to the reference's: shift and turn, then size, then bend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.core.grid import Vector
from pipeline.register.coarse import Bools, vector
from pipeline.register.images import sitk
from pipeline.register.match import Match, Metric, Pair

# The metric's sums are split by this number whatever the machine has, so that they round alike everywhere.
_WORK_UNITS = 4
_LINEAR_STEPS = 60
# Distance between the knots of each bend, from the widest mesh to the closest, and steps to go.
_BENDS = ((80.0, 15), (40.0, 15))
_BEND_SHRINK = 2
_MI_BINS = 32


def fit_rigid(pair: Pair, start: Vector, *, levels: Sequence[int] = (2, 1)) -> Any:
    """Shift and turn, from a shift to begin with."""
    middle = np.argwhere(sitk.GetArrayViewFromImage(pair.mask)).mean(axis=0)[::-1]
    transform = sitk.Euler3DTransform()
    transform.SetCenter(vector(pair.fixed.TransformContinuousIndexToPhysicalPoint(vector(middle))))
    transform.SetTranslation(start)
    return _descend(pair, transform, levels=levels, first_mm=4.0)


def fit_affine(pair: Pair, rigid: Any) -> Any:
    """The same with size: patients differ by more than a bend of short range makes good."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(rigid.GetCenter())
    transform.SetMatrix(rigid.GetMatrix())
    transform.SetTranslation(rigid.GetTranslation())
    return _descend(pair, transform, levels=(2,), first_mm=2.0)


def fit_bends(match: Match, linear: Any, region: Bools) -> Any:
    """B-splines before the linear transform, each of a closer mesh than the one before; all as one."""
    transforms = [linear]
    for number, (knots_mm, steps) in enumerate(_BENDS, start=1):
        # Each bend starts from the warped reference: SimpleITK cannot go on from a bent transform.
        pair = match.after(sitk.CompositeTransform(transforms), region, last=number == len(_BENDS))
        if not np.any(sitk.GetArrayViewFromImage(pair.mask)):
            break
        spline = _bend(_cropped(pair), knots_mm=knots_mm, steps=steps)
        if spline is None:
            break
        transforms.append(spline)
    return sitk.CompositeTransform(transforms)


def _bend(pair: Pair, *, knots_mm: float, steps: int) -> Any:
    sizes = zip(pair.fixed.GetSize(), pair.fixed.GetSpacing(), strict=True)
    mesh = [max(1, round(count * step / knots_mm)) for count, step in sizes]
    spline = sitk.BSplineTransformInitializer(pair.fixed, mesh, 3)
    method = _method(pair)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetShrinkFactorsPerLevel([_BEND_SHRINK])
    method.SetSmoothingSigmasPerLevel([0])
    method.SetOptimizerAsLBFGSB(
        gradientConvergenceTolerance=1e-6,
        numberOfIterations=steps,
        maximumNumberOfCorrections=8,
        maximumNumberOfFunctionEvaluations=2 * steps,
        costFunctionConvergenceFactor=1e7,
    )
    return spline if _found(method, pair) else None


def _cropped(pair: Pair) -> Pair:
    """The pair on the box of its mask: every knot of a mesh costs time at every voxel."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(pair.mask)
    i, j, k, di, dj, dk = shape.GetBoundingBox(1)
    fixed, mask = (sitk.RegionOfInterest(one, (di, dj, dk), (i, j, k)) for one in (pair.fixed, pair.mask))
    return Pair(fixed=fixed, mask=mask, moving=pair.moving, metric=pair.metric)


def _descend(pair: Pair, transform: Any, *, levels: Sequence[int], first_mm: float) -> Any:
    method = _method(pair)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetShrinkFactorsPerLevel(list(levels))
    method.SetSmoothingSigmasPerLevel([0] * len(levels))
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=first_mm, minStep=0.02, numberOfIterations=_LINEAR_STEPS, relaxationFactor=0.6
    )
    start = type(transform)(transform)
    return transform if _meet(pair, start) and _found(method, pair) else start


def _found(method: Any, pair: Pair) -> bool:
    """Whether the search came to an end, and did not lose the images from each other on its way.

    What it leaves is no match then, which the figures of the fit will tell.
    """
    try:
        method.Execute(pair.fixed, pair.moving)
    except RuntimeError:
        return False
    return True


def _meet(pair: Pair, transform: Any) -> bool:
    """Whether any voxel that counts falls on the reference's image."""
    everywhere = sitk.Cast(pair.moving * 0 + 1, sitk.sitkUInt8)
    there = sitk.Resample(everywhere, pair.mask, transform, sitk.sitkNearestNeighbor)
    return bool(np.any(sitk.GetArrayViewFromImage(there * pair.mask)))


def _method(pair: Pair) -> Any:
    method = sitk.ImageRegistrationMethod()
    match pair.metric:
        case Metric.MEAN_SQUARES:
            method.SetMetricAsMeanSquares()
        case Metric.MUTUAL_INFORMATION:
            method.SetMetricAsMattesMutualInformation(_MI_BINS)
    method.SetMetricSamplingStrategy(method.NONE)  # every voxel: nothing is drawn by chance
    method.SetMetricFixedMask(pair.mask)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetNumberOfThreads(_WORK_UNITS)
    return method
