"""The figures of a case's lesions that the choice of arm and the report need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.anatomy.places.gut import distance_to_gut_mm, gut_masks, stomach_known
from pipeline.core.anatomy import Organs
from pipeline.core.case import Case, Lesion
from pipeline.core.stations import LesionPlace
from pipeline.core.volume import Mask
from pipeline.run.known import Known
from pipeline.targets import LesionMeasures, lesion_measures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredLesion:
    """A lesion with its figures.

    Attributes:
        lesion: as drawn.
        measures: diameters.
        place: stations and regions; None where no stations were looked for.
        gut_mm: distance to the thoracic stomach or intestine; None where none of them is known.
    """

    lesion: Lesion
    measures: LesionMeasures
    place: LesionPlace | None
    gut_mm: float | None


def conduit_of(known: Known) -> Mask | None:
    """What was drawn up into the chest, given or told from the stomach."""
    return None if known.map is None else known.map.stations.conduit


def is_stomach_known(known: Known) -> bool:
    """Whether stomach or conduit is known, so that a lesion can be told to be far from it."""
    return stomach_known(known.organs, conduit_of(known))


def measured_without_map(case: Case, organs: Organs) -> tuple[MeasuredLesion, ...]:
    """Every lesion of a case with the figures for which no stations are needed."""
    gut = gut_masks(organs, None)
    return tuple(
        MeasuredLesion(
            lesion=lesion,
            measures=lesion_measures(lesion),
            place=None,
            gut_mm=distance_to_gut_mm(lesion, gut),
        )
        for lesion in case.lesions
    )


def measured_lesions(
    case: Case, known: Known, before: Sequence[MeasuredLesion] | None = None
) -> tuple[MeasuredLesion, ...]:
    """Every lesion of a case with its figures; `before`: of `measured_without_map`, where made already."""
    conduit = conduit_of(known)
    places = {} if known.map is None else {place.roi: place for place in known.map.places}
    return tuple(
        replace(one, place=places.get(one.lesion.name), gut_mm=_nearer(one, conduit))
        for one in before or measured_without_map(case, known.organs)
    )


def _nearer(measured: MeasuredLesion, conduit: Mask | None) -> float | None:
    """Distance to the gut, what was drawn up into the chest included."""
    if conduit is None:
        return measured.gut_mm
    told = (measured.gut_mm, distance_to_gut_mm(measured.lesion, (conduit,)))
    return min((mm for mm in told if mm is not None), default=None)
