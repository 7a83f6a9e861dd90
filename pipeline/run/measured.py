"""The figures of a case's lesions that the choice of arm and the report need."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.anatomy.places.gut import distance_to_gut_mm, gut_masks, stomach_known
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


def measured_lesions(case: Case, known: Known) -> tuple[MeasuredLesion, ...]:
    """Every lesion of a case with its figures."""
    gut = gut_masks(known.organs, conduit_of(known))
    places = {} if known.map is None else {place.roi: place for place in known.map.places}
    return tuple(
        MeasuredLesion(
            lesion=lesion,
            measures=lesion_measures(lesion),
            place=places.get(lesion.name),
            gut_mm=distance_to_gut_mm(lesion, gut),
        )
        for lesion in case.lesions
    )
