"""Boundaries of the elective CTV that hang on levels far from sure."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.core.anatomy import MOST_ERROR_MM, Landmark
from pipeline.core.elective import Boundary, BoundaryTerm, ElectiveBuilt, End, RowBuilt, Sense
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ENI
from pipeline.targets import PatientMap


def uncertain_boundaries(built: ElectiveBuilt, patient: PatientMap) -> list[Finding]:
    """`BOUNDARY_UNCERTAIN` (stop) where a landmark far from sure sets a boundary of the CTV, or may set it.

    A boundary is set by the term that includes more: another one whose level may lie beyond it by its
    expected error may decide as well.
    """
    found: dict[tuple[str, End], Finding] = {}
    for row in built.rows:
        for boundary in (row.upper, row.lower):
            for term in row.row.terms(boundary.end):
                for landmark in _uncertain_landmarks(term, patient):
                    if _may_set(boundary, term, landmark):
                        told = _finding(row, boundary, term, landmark)
                        found.setdefault((landmark.name, boundary.end), told)
    return list(found.values())


def _uncertain_landmarks(term: BoundaryTerm, patient: PatientMap) -> Iterator[Landmark]:
    names: tuple[str, ...] = (term.name,) if term.sense is Sense.LANDMARK else ()
    if term.sense is Sense.STATION:
        names = patient.stations.levels.get(term.name, ())
    for name in names:
        landmark = patient.landmark(name)
        if landmark is not None and landmark.is_uncertain:
            yield landmark


def _may_set(boundary: Boundary, term: BoundaryTerm, landmark: Landmark) -> bool:
    if term.key == boundary.term.key:
        return True
    sign = 1.0 if boundary.end is End.UPPER else -1.0
    return sign * boundary.others[term.key] + landmark.error_mm > sign * boundary.level_mm


def _finding(row: RowBuilt, boundary: Boundary, term: BoundaryTerm, landmark: Landmark) -> Finding:
    decides = term.key == boundary.term.key
    of_station = f", by which station {term.name} is told," if term.sense is Sense.STATION else ""
    return Finding(
        code="BOUNDARY_UNCERTAIN",
        severity=Severity.STOP,
        where=f"{ENI}.CTV, region {row.row.name}, {boundary.end} boundary",
        message=f"{landmark.name}{of_station} {'sets' if decides else 'may set'} it and was only inferred "
        f"({landmark.how}), with an expected error of {landmark.error_mm:.0f} mm, more than "
        f"{MOST_ERROR_MM:g}: look at it, and state it in a file with --landmarks",
    )
