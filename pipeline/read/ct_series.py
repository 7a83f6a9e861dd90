"""CT series: grouped, their slices placed by position, and everything wrong with them named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.core.errors import GeometryError, SeriesError
from pipeline.core.grid import Grid
from pipeline.core.planes import ScannedPlanes
from pipeline.core.report import Finding
from pipeline.read.dicom_index import BROKEN, CT_IMAGE, DicomFile, DicomIndex
from pipeline.read.resampled import even_grid, resampled_finding
from pipeline.read.series_checks import RESAMPLE, drift, duplicates, gaps, mixed, problem, too_wide
from pipeline.read.series_identity import identity
from pipeline.read.slices import CtSeries, Slice, along_normal, slice_of

__all__ = (
    "CtSeries",
    "PlacedSeries",
    "SeriesFacts",
    "Slice",
    "describe_series",
    "find_ct_series",
    "place_series",
    "series_facts",
)

# Direction cosines nearer than this to an axis lie along it (0.0005 mm at 500 mm).
SNAP_COSINE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedSeries:
    """A series that can be used: its grid, and its slices in order.

    Attributes:
        grid: of the volume.
        slices: in the order of k; of a series that is brought onto another grid, those that it has.
        scanned: the planes of such a series; None where the slices are those of the grid.
        findings: that it is resampled, and why.
    """

    grid: Grid
    slices: tuple[Slice, ...]
    scanned: ScannedPlanes | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def heights_mm(self) -> dict[str, float]:
        """SOP Instance UID of each slice to its height in the grid's frame."""
        heights = self.grid.frame.from_patient([one.position for one in self.slices])[:, 2]
        return {one.file.sop_uid: float(mm) for one, mm in zip(self.slices, heights, strict=True)}


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


def place_series(series: CtSeries, *, resample: bool = False) -> PlacedSeries:
    """Order the slices along their normal and check that they make one even, untilted stack.

    Args:
        series: as found.
        resample: bring a stack that leans or is uneven onto a grid that does not.

    Raises:
        SeriesError: the first problem; further ones are told with it.
    """
    slices, problems = _examine(series)
    if resample and problems and all(problem.todo == RESAMPLE for problem in problems):
        told = [f"{problem.what} ({problem.got})" for problem in problems]
        problems = too_wide(series, slices)
        if not problems:
            return _resampled(series, slices, told)
    if not problems:
        try:
            return _placed(slices)
        except GeometryError as error:
            problems = [problem(series, error.what, expected=error.expected, got=error.got, todo=error.todo)]
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
            problems = [problem(series, error.what, expected=error.expected, got=error.got)]
    sizes = {s.size for s in slices}
    spacings = {s.spacing_mm for s in slices}
    steps = np.diff(np.sort(along_normal(slices))) if len(slices) > 1 else np.array([])
    return SeriesFacts(
        uid=series.uid,
        slices=len(series.files),
        localizers=series.localizers,
        size=sizes.pop() if len(sizes) == 1 else None,
        pixel_spacing_mm=spacings.pop() if len(spacings) == 1 else None,
        slice_spacing_mm=round(float(np.median(steps)), 3) if len(steps) else None,
        patient_position=series.files[0].text("PatientPosition"),
        problems=tuple(problems),
    )


def _examine(series: CtSeries) -> tuple[list[Slice], list[SeriesError]]:
    """The readable slices, sorted along the normal, and every problem, the gravest first."""
    slices: list[Slice] = []
    for file in series.files:
        try:
            slices.append(slice_of(file))
        except BROKEN as error:
            return slices, [
                problem(
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
            problem(
                series,
                "CT series of a single slice",
                expected="at least 2 slices",
                got="1",
                todo="export the whole series, or choose another one with --ct-series",
            )
        ]
    changes = [*identity(series), *mixed(series, slices)]
    if changes:
        return slices, changes
    order = np.argsort(along_normal(slices), kind="stable")
    slices = [slices[i] for i in order]
    return slices, [*duplicates(series, slices), *drift(series, slices), *gaps(series, slices)]


def _resampled(series: CtSeries, slices: Sequence[Slice], told: Sequence[str]) -> PlacedSeries:
    """On a grid of its own, and told."""
    first = slices[0]
    cosines = np.where(np.abs(first.cosines) < SNAP_COSINE, 0.0, first.cosines)
    row = cosines[:3] / np.linalg.norm(cosines[:3])
    column = cosines[3:] - (cosines[3:] @ row) * row
    planes = ScannedPlanes(
        origins_mm=np.array([one.position for one in slices]),
        row=row,
        column=column / np.linalg.norm(column),
    )
    grid = even_grid(planes, first.size, first.spacing_mm, first.file.text("FrameOfReferenceUID"))
    finding = resampled_finding(series.uid, told, planes, grid)
    return PlacedSeries(grid=grid, slices=tuple(slices), scanned=planes, findings=(finding,))


def _placed(slices: Sequence[Slice]) -> PlacedSeries:
    first, count = slices[0], len(slices)
    cosines = np.where(np.abs(first.cosines) < SNAP_COSINE, 0.0, first.cosines)
    i = cosines[:3] / np.linalg.norm(cosines[:3])
    j = cosines[3:] - (cosines[3:] @ i) * i
    j /= np.linalg.norm(j)
    along = along_normal(slices)
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


def describe_series(series: Iterable[CtSeries]) -> str:
    """The series in words for a message that lists them."""
    return "; ".join(str(series_facts(one)) for one in series)
