"""What organs alone tell: begun while the stations, which need longer, are still looked for."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.core.case import Case
from pipeline.core.threads import begun
from pipeline.run.arms import Materials, materials_of
from pipeline.run.known import Known
from pipeline.run.measured import MeasuredLesion, measured_without_map
from pipeline.strategy import PlannedArm


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """Work that threads do; what it raises, its results raise.

    Attributes:
        measured: the lesions without what stations tell.
        materials: of the arms; None where none is sure to be built.
    """

    measured: Future[tuple[MeasuredLesion, ...]]
    materials: Future[Materials] | None


def ahead_of(case: Case, known: Known, planned: Mapping[str, PlannedArm]) -> Ahead:
    """Begin what needs no stations.

    Args:
        case: as read.
        known: organs; a map is not looked at.
        planned: the arms that are sure to be built.
    """
    return Ahead(
        measured=begun(lambda: measured_without_map(case, known.organs)),
        materials=begun(lambda: materials_of(case, known, planned)) if planned else None,
    )
