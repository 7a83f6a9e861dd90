"""What can be wrong with a CT series: each kind named, with its figures and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import SeriesError
from pipeline.read.dicom_index import DicomFile
from pipeline.read.resampled import MOST_GAPS
from pipeline.read.slices import CtSeries, Slice, along_normal, normal

# Positions are often rounded to 0.1 mm when written. A slice that lies within this distance (or
# a tenth of a thin spacing) of where an even series has it shifts no contour that anybody sees.
MAX_POSITION_ERROR_MM = 0.1
MAX_POSITION_ERROR_SHARE = 0.1
# Sideways drift over the whole stack that rounded direction cosines explain; more is gantry tilt.
MAX_DRIFT_MM = 0.2
# Two slices nearer than this are at one position.
SAME_POSITION_MM = 0.01
MAX_COSINE_DIFFERENCE = 1e-4
MAX_PIXEL_SPACING_DIFFERENCE_MM = 1e-4

# A gap of whole steps, to a tenth of one, between gaps below one and a half of the usual one.
_USUAL_TIMES, _OFF_STEP = 1.5, 0.1

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

RESAMPLE = "export evenly spaced, untilted slices, or say --resample to have the series brought onto such"
SHIFTED = "export the series again"


def problem(
    series: CtSeries,
    what: str,
    *,
    expected: str,
    got: str,
    todo: str = "",
    file: DicomFile | None = None,
) -> SeriesError:
    """The error for what is wrong with a series, or with one file of it."""
    where = f"CT series {series.uid}" + (f", file {file.label}" if file else "")
    return SeriesError(what, where=where, expected=expected, got=got, todo=todo)


def mixed(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """What changes within the series: orientation, size, pixel spacing, frame of reference."""
    first = slices[0]
    turned = [s for s in slices if np.abs(s.cosines - first.cosines).max() > MAX_COSINE_DIFFERENCE]
    resized = [s for s in slices if s.size != first.size]
    rescaled = [
        s
        for s in slices
        if max(abs(a - b) for a, b in zip(s.spacing_mm, first.spacing_mm, strict=True))
        > MAX_PIXEL_SPACING_DIFFERENCE_MM
    ]
    frames = series.frames_of_reference
    found: tuple[tuple[str, list[Slice], Callable[[Slice], str]], ...] = (
        ("orientation", turned, lambda s: ", ".join(f"{c:g}" for c in s.cosines)),
        ("image size", resized, lambda s: f"{s.size[0]} x {s.size[1]}"),
        ("pixel spacing", rescaled, lambda s: f"{s.spacing_mm[0]:g} x {s.spacing_mm[1]:g} mm"),
    )
    problems = [
        problem(
            series,
            f"{name} changes within the CT series",
            file=others[0].file,
            expected=f"one {name}",
            got=f"{describe(first)} and {describe(others[0])}",
            todo="export the planning CT as a series of its own",
        )
        for name, others, describe in found
        if others
    ]
    if len(frames) > 1:
        problems.append(
            problem(
                series,
                "frame of reference changes within the CT series",
                expected="one frame of reference",
                got=f"{len(frames)}",
                todo="export the planning CT as a series of its own",
            )
        )
    return problems


def duplicates(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """Several slices at one position."""
    along = along_normal(slices)
    same = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if not len(same):
        return []
    k = int(same[0])
    return [
        problem(
            series,
            "several CT slices at one position",
            expected="one slice a position",
            got=f"{len(same)} repeated, the first at {along[k]:.2f} mm: files {slices[k].file.label} "
            f"and {slices[k + 1].file.label}",
            todo="export one phase or reconstruction as a series of its own",
        )
    ]


def drift(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """Gantry tilt, where the stack leans evenly; shifted slices otherwise."""
    positions = np.array([s.position for s in slices])
    along = along_normal(slices)
    sideways = positions - np.outer(along, normal(slices))
    sideways -= sideways[0]
    off = np.linalg.norm(sideways, axis=1)
    if off.max() <= MAX_DRIFT_MM:
        return []
    rise = along - along[0]
    lean = sideways.T @ rise / float(rise @ rise)
    uneven = np.linalg.norm(sideways - np.outer(rise, lean), axis=1).max()
    if uneven <= MAX_DRIFT_MM:
        angle = float(np.degrees(np.arctan(np.linalg.norm(lean))))
        return [
            problem(
                series,
                "CT series with a tilted gantry",
                expected="slices stacked along their normal",
                got=f"a stack that leans by {angle:.1f} degrees",
                todo=RESAMPLE,
            )
        ]
    worst = int(np.argmax(off))
    return [
        problem(
            series,
            "CT slices shifted sideways",
            file=slices[worst].file,
            expected=f"all slices within {MAX_DRIFT_MM:g} mm of one line along the normal",
            got=f"up to {off.max():.1f} mm beside it",
            todo=SHIFTED,
        )
    ]


def gaps(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """Missing slices, where the gaps are multiples of the usual one; uneven spacing otherwise."""
    along = np.unique(along_normal(slices))
    along = along[np.concatenate([[True], np.diff(along) >= SAME_POSITION_MM])]
    gaps = np.diff(along)
    if len(gaps) < 2:
        return []
    usual = float(np.median(gaps))
    allowed = min(MAX_POSITION_ERROR_MM, MAX_POSITION_ERROR_SHARE * usual)
    even = along[0] + np.arange(len(along)) * (along[-1] - along[0]) / (len(along) - 1)
    if np.abs(along - even).max() <= allowed:
        return []
    steps = np.round(gaps / usual)
    whole = bool((steps >= 1).all() and np.abs(gaps - steps * usual).max() <= 2 * allowed)
    wide = np.flatnonzero(steps > 1)
    if not whole:  # a hole among slices that are a little uneven is a hole all the same
        wide = wide[_is_hole(gaps, steps, usual, wide)]
    if len(wide):
        places = [f"{along[k]:.2f} and {along[k + 1]:.2f} mm" for k in wide[:3]]
        return [
            problem(
                series,
                "slices are missing in the CT series",
                expected=f"a slice every {usual:g} mm",
                got=f"{int((steps[wide] - 1).sum())} missing, between {', '.join(places)}"
                + (f" and at {len(wide) - 3} more places" if len(wide) > 3 else ""),
                todo="export the whole series again",
            )
        ]
    common = Counter(np.round(gaps, 2).tolist()).most_common(4)
    return [
        problem(
            series,
            "CT slices are unevenly spaced",
            expected="one distance between all slices",
            got=", ".join(f"{gap:g} mm ({count} times)" for gap, count in sorted(common)),
            todo=RESAMPLE,
        )
    ]


def _is_hole(gaps: Floats, steps: Floats, usual: float, wide: Indices) -> npt.NDArray[np.bool_]:
    """Which wide gaps are whole steps between usual ones; side by side they are another spacing."""
    beside = np.concatenate([[usual], gaps, [usual]])
    near = np.maximum(beside[wide], beside[wide + 2]) < _USUAL_TIMES * usual
    return np.asarray(near & (np.abs(gaps[wide] - steps[wide] * usual) <= _OFF_STEP * usual))


def too_wide(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """A gap over which anatomy would have to be made up."""
    along = along_normal(slices)
    gaps = np.diff(along)
    usual, k = float(np.median(gaps)), int(gaps.argmax())
    if gaps[k] <= MOST_GAPS * usual + MAX_POSITION_ERROR_MM:
        return []
    return [
        problem(
            series,
            "gap in the CT series too wide to resample over",
            expected=f"at most {MOST_GAPS:g} times the usual {usual:g} mm",
            got=f"{gaps[k]:g} mm between {along[k]:.2f} and {along[k + 1]:.2f} mm",
            todo="export the whole series again",
        )
    ]
