"""CT series: grouped, their slices placed by position, and everything wrong with them named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import GeometryError, SeriesError
from pipeline.core.grid import Grid
from pipeline.read.dicom_index import BROKEN, CT_IMAGE, DicomFile, DicomIndex

Vectors = npt.NDArray[np.float64]

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
# Direction cosines nearer than this to an axis lie along it (0.0005 mm at 500 mm).
SNAP_COSINE = 1e-6

_RESAMPLE = "export the series, or resample it, to evenly spaced untilted slices"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """One CT slice with its geometry read.

    Attributes:
        file: where it comes from.
        position: LPS of the first pixel's centre, shape (3,).
        cosines: direction of increasing column, then of increasing row, shape (6,).
        size: columns, rows.
        spacing_mm: between columns, between rows.
    """

    file: DicomFile
    position: Vectors
    cosines: Vectors
    size: tuple[int, int]
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CtSeries:
    """One CT series as found.

    Attributes:
        uid: Series Instance UID.
        files: its slices in order of path, localizers set aside.
        localizers: how many were set aside.
    """

    uid: str
    files: tuple[DicomFile, ...]
    localizers: int

    @property
    def frames_of_reference(self) -> tuple[str, ...]:
        """The frames of reference that its slices name."""
        return tuple(sorted({file.text("FrameOfReferenceUID") for file in self.files}))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedSeries:
    """A series that passed every check: its grid, and its slices in the order of k."""

    grid: Grid
    slices: tuple[Slice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """What can be said of a series without reading pixels; None where slices disagree or do not say."""

    uid: str
    slices: int
    localizers: int
    size: tuple[int, int] | None
    pixel_spacing_mm: tuple[float, float] | None
    slice_spacing_mm: float | None
    patient_position: str
    problems: tuple[SeriesError, ...]

    def __str__(self) -> str:
        size = "sizes differ" if self.size is None else f"{self.size[0]} x {self.size[1]}"
        step = "spacing unknown" if self.slice_spacing_mm is None else f"every {self.slice_spacing_mm:g} mm"
        return f"{self.uid} ({self.slices} slices of {size}, {step})"


def find_ct_series(index: DicomIndex) -> tuple[CtSeries, ...]:
    """All CT series of an index, by UID, localizers set aside; series of nothing else are left out."""
    groups: dict[str, list[DicomFile]] = {}
    for file in index.of_class(CT_IMAGE):
        groups.setdefault(file.series_uid, []).append(file)
    found = []
    for uid, files in sorted(groups.items()):
        slices = tuple(file for file in files if "LOCALIZER" not in file.text("ImageType").upper())
        if slices:
            found.append(CtSeries(uid=uid, files=slices, localizers=len(files) - len(slices)))
    return tuple(found)


def place_series(series: CtSeries) -> PlacedSeries:
    """Order the slices along their normal and check that they make one even, untilted stack.

    Raises:
        SeriesError: the first problem; further ones are told with it.
    """
    slices, problems = _examine(series)
    if not problems:
        try:
            return _placed(slices)
        except GeometryError as error:
            problems = [_problem(series, error.what, expected=error.expected, got=error.got, todo=error.todo)]
    first, *more = problems
    also = "".join(f"; also: {problem.what}" for problem in more)
    raise SeriesError(
        first.what, where=first.where, expected=first.expected, got=first.got + also, todo=first.todo
    )


def series_facts(series: CtSeries) -> SeriesFacts:
    """Describe a series and all its problems; raises nothing."""
    slices, problems = _examine(series)
    if not problems:
        try:
            _placed(slices)
        except GeometryError as error:
            problems = [_problem(series, error.what, expected=error.expected, got=error.got)]
    sizes = {s.size for s in slices}
    spacings = {s.spacing_mm for s in slices}
    gaps = np.diff(np.sort(_along_normal(slices))) if len(slices) > 1 else np.array([])
    return SeriesFacts(
        uid=series.uid,
        slices=len(series.files),
        localizers=series.localizers,
        size=sizes.pop() if len(sizes) == 1 else None,
        pixel_spacing_mm=spacings.pop() if len(spacings) == 1 else None,
        slice_spacing_mm=round(float(np.median(gaps)), 3) if len(gaps) else None,
        patient_position=series.files[0].text("PatientPosition"),
        problems=tuple(problems),
    )


def _examine(series: CtSeries) -> tuple[list[Slice], list[SeriesError]]:
    """The readable slices, sorted along the normal, and every problem, the gravest first."""
    slices: list[Slice] = []
    for file in series.files:
        try:
            slices.append(_slice_of(file))
        except BROKEN as error:
            return slices, [
                _problem(
                    series,
                    "CT slice without a readable geometry",
                    file=file,
                    expected="Rows, Columns, PixelSpacing, ImagePositionPatient and ImageOrientationPatient",
                    got=str(error) or type(error).__name__,
                    todo="export the series again",
                )
            ]
    if len(slices) == 1:
        return slices, [
            _problem(
                series,
                "CT series of a single slice",
                expected="at least 2 slices",
                got="1",
                todo="export the whole series, or choose another one with --ct-series",
            )
        ]
    mixed = _mixed(series, slices)
    if mixed:
        return slices, mixed
    order = np.argsort(_along_normal(slices), kind="stable")
    slices = [slices[i] for i in order]
    return slices, [*_duplicates(series, slices), *_drift(series, slices), *_gaps(series, slices)]


def _slice_of(file: DicomFile) -> Slice:
    header = file.header
    position = np.array([float(value) for value in header.ImagePositionPatient])
    cosines = np.array([float(value) for value in header.ImageOrientationPatient])
    row_step, column_step = (float(value) for value in header.PixelSpacing)
    if position.shape != (3,) or cosines.shape != (6,) or min(row_step, column_step) <= 0:
        raise ValueError("a value of the wrong length or sign")
    if not (np.isfinite(position).all() and np.isfinite(cosines).all()):
        raise ValueError("a value that is not finite")
    i, j = cosines[:3], cosines[3:]
    lengths = np.array([np.linalg.norm(i), np.linalg.norm(j)])
    if np.abs(lengths - 1).max() > 1e-3 or abs(float(i @ j)) > 1e-3:
        raise ValueError(
            f"ImageOrientationPatient {cosines.tolist()} is not two unit vectors at right angles"
        )
    return Slice(
        file=file,
        position=position,
        cosines=cosines,
        size=(int(header.Columns), int(header.Rows)),
        spacing_mm=(column_step, row_step),
    )


def _normal(slices: Sequence[Slice]) -> Vectors:
    axes = np.cross(slices[0].cosines[:3], slices[0].cosines[3:])
    return np.asarray(axes / np.linalg.norm(axes))


def _along_normal(slices: Sequence[Slice]) -> Vectors:
    return np.array([s.position for s in slices]) @ _normal(slices)


def _mixed(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
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
        _problem(
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
            _problem(
                series,
                "frame of reference changes within the CT series",
                expected="one frame of reference",
                got=f"{len(frames)}",
                todo="export the planning CT as a series of its own",
            )
        )
    return problems


def _duplicates(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    along = _along_normal(slices)
    same = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if not len(same):
        return []
    k = int(same[0])
    return [
        _problem(
            series,
            "several CT slices at one position",
            expected="one slice a position",
            got=f"{len(same)} repeated, the first at {along[k]:.2f} mm: files {slices[k].file.label} "
            f"and {slices[k + 1].file.label}",
            todo="export one phase or reconstruction as a series of its own",
        )
    ]


def _drift(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """Gantry tilt, where the stack leans evenly; shifted slices otherwise."""
    positions = np.array([s.position for s in slices])
    along = _along_normal(slices)
    sideways = positions - np.outer(along, _normal(slices))
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
            _problem(
                series,
                "CT series with a tilted gantry",
                expected="slices stacked along their normal",
                got=f"a stack that leans by {angle:.1f} degrees",
                todo=_RESAMPLE,
            )
        ]
    worst = int(np.argmax(off))
    return [
        _problem(
            series,
            "CT slices shifted sideways",
            file=slices[worst].file,
            expected=f"all slices within {MAX_DRIFT_MM:g} mm of one line along the normal",
            got=f"up to {off.max():.1f} mm beside it",
            todo=_RESAMPLE,
        )
    ]


def _gaps(series: CtSeries, slices: Sequence[Slice]) -> list[SeriesError]:
    """Missing slices, where the gaps are multiples of the usual one; uneven spacing otherwise."""
    along = np.unique(_along_normal(slices))
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
    if whole and len(wide):
        places = [f"{along[k]:.2f} and {along[k + 1]:.2f} mm" for k in wide[:3]]
        return [
            _problem(
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
        _problem(
            series,
            "CT slices are unevenly spaced",
            expected="one distance between all slices",
            got=", ".join(f"{gap:g} mm ({count} times)" for gap, count in sorted(common)),
            todo=_RESAMPLE,
        )
    ]


def _placed(slices: Sequence[Slice]) -> PlacedSeries:
    first, count = slices[0], len(slices)
    cosines = np.where(np.abs(first.cosines) < SNAP_COSINE, 0.0, first.cosines)
    i = cosines[:3] / np.linalg.norm(cosines[:3])
    j = cosines[3:] - (cosines[3:] @ i) * i
    j /= np.linalg.norm(j)
    along = _along_normal(slices)
    # Rounding at the ninth decimal leaves 3.0 as 3.0 after the division.
    step = round(float(along[-1] - along[0]) / (count - 1), 9)
    x, y, z = (float(value) for value in first.position)
    axes = np.column_stack([i, j, np.cross(i, j)]) + 0.0
    a, b, c, d, e, f, g, h, o = (float(value) for value in axes.ravel())
    grid = Grid(
        size=(*first.size, count),
        spacing_mm=(*first.spacing_mm, step),
        origin_mm=(x, y, z),
        direction=(a, b, c, d, e, f, g, h, o),
        frame_of_reference=first.file.text("FrameOfReferenceUID"),
    )
    return PlacedSeries(grid=grid, slices=tuple(slices))


def _problem(
    series: CtSeries,
    what: str,
    *,
    expected: str,
    got: str,
    todo: str = "",
    file: DicomFile | None = None,
) -> SeriesError:
    where = f"CT series {series.uid}" + (f", file {file.label}" if file else "")
    return SeriesError(what, where=where, expected=expected, got=got, todo=todo)


def describe_series(series: Iterable[CtSeries]) -> str:
    """The series in words for a message that lists them."""
    return "; ".join(str(series_facts(one)) for one in series)
