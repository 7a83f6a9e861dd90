"""What is known of a made-up case beside its lesions."""

from __future__ import annotations

from functools import cache

from pipeline.core.anatomy import Organs
from pipeline.core.barriers import BarrierOrgans
from pipeline.core.case import Case
from pipeline.core.regions import Region
from pipeline.core.stations import LesionPlace
from pipeline.read.barrier_organs import load_barrier_organs
from pipeline.read.organ_names import load_organ_names
from pipeline.run.anatomy import known_organs
from pipeline.run.known import FoundMap, Known


@cache
def barriers() -> dict[str, BarrierOrgans]:
    return load_barrier_organs(load_organ_names())


def known(case: Case, *, given: Organs | None = None, found: FoundMap | None = None) -> Known:
    """The organs that image processing finds, and those that are given."""
    organs = known_organs(case.volume, given or Organs(grid=case.volume.grid, by_name={}))
    return Known(organs=organs, barriers=barriers(), map=found)


def place_in(roi: str, *regions: Region) -> LesionPlace:
    """A lesion in regions of which nothing else is known."""
    return LesionPlace(
        roi=roi,
        level=None,
        shares=(),
        nearest=None,
        nearest_mm=None,
        second=None,
        second_mm=None,
        regions=regions,
    )
