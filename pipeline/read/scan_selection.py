"""Which CT series is meant where no lesion is asked for, and the structure set that belongs to it, if any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.report import Finding, Severity
from pipeline.read.ct_series import CtSeries, PlacedSeries
from pipeline.read.dicom_index import STRUCTURE_SET, DicomIndex
from pipeline.read.selection import check_unreadable, ct_candidates, place, select, several_series
from pipeline.read.series_findings import series_findings
from pipeline.read.structure_set import StructureSet, read_structure_set


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScanSelection:
    """The series, in order, the structure set drawn on it, and the doubts about both."""

    placed: PlacedSeries
    structure_set: StructureSet | None
    findings: tuple[Finding, ...]


def select_scan(
    index: DicomIndex, *, ct_series: str | None, structures: Path | None, resample: bool = False
) -> ScanSelection:
    """Find the one CT series that the input and the options leave.

    Where a structure set belongs to a series, or one is named, the rules are those of `select`. A structure
    set of another series is left aside, and told.

    Raises:
        SeriesError: no CT, several that could be meant, or one that is not usable.
        StructureError: the named structure set is none, or several belong to the series.
    """
    candidates = ct_candidates(index, ct_series)
    sets = [read_structure_set(file) for file in index.of_class(STRUCTURE_SET)]
    bound = any(one.refers_to(series) for one in sets for series in candidates)
    if bound or structures is not None:
        chosen = select(index, ct_series=ct_series, structures=structures, resample=resample)
        return ScanSelection(
            placed=chosen.placed, structure_set=chosen.structure_set, findings=chosen.findings
        )
    if len(candidates) > 1:
        raise several_series(candidates, expected="one series")
    return _alone(index, candidates[0], sets, resample=resample)


def _alone(index: DicomIndex, series: CtSeries, sets: list[StructureSet], *, resample: bool) -> ScanSelection:
    check_unreadable(index, series)
    placed = place(index, series, resample=resample)
    findings = (*series_findings(series, placed), *_other_findings(sets))
    return ScanSelection(placed=placed, structure_set=None, findings=findings)


def _other_findings(sets: list[StructureSet]) -> Iterator[Finding]:
    for one in sets:
        yield Finding(
            code="STRUCTURE_SET_OF_ANOTHER_SERIES",
            severity=Severity.WARNING,
            where=f"structure set {one.label!r}",
            message="It was drawn on another CT series and not used: its organs and lesions are not known.",
        )
