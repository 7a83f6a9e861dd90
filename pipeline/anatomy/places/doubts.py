"""Doubts about where lesions lie, as findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.anatomy.places.cells import LesionCells
from pipeline.anatomy.places.levels import HIATUS, NOTCH, Level, Levels
from pipeline.anatomy.places.shares import SMALL_SHARE, LesionShares
from pipeline.anatomy.places.space import Near
from pipeline.core.anatomy import Landmarks
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity

# Two distances that differ by less are the same.
_SAME_MM = 0.5
_STATE = "State its region, or check stations and contours"


def levels_not_known(landmarks: Landmarks) -> Iterator[Finding]:
    """Levels that were not found, so that stations alone tell the region there."""
    for name, region in ((NOTCH, "above it as region I"), (HIATUS, "below it as region IV")):
        if name not in landmarks.found:
            yield Finding(
                code="LEVEL_NOT_KNOWN",
                severity=Severity.WARNING,
                where=f"landmark {name}",
                message=f"Not found: no lesion is told to lie {region}, its stations alone tell. State it in "
                "a file with --landmarks.",
            )


def levels_contradict(levels: Levels) -> Iterator[Finding]:
    """A notch that does not lie above the hiatus: none of the two can be followed."""
    if levels.contradict:
        yield Finding(
            code="LEVELS_CONTRADICT",
            severity=Severity.STOP,
            where=f"landmarks {NOTCH} and {HIATUS}",
            message="The sternal notch does not lie above the hiatus: regions were told without them. Look "
            "at both, and state them in a file with --landmarks.",
        )


def near_levels(cells: LesionCells, levels: Levels) -> Iterator[Finding]:
    """Levels whose expected error changes what they tell of a lesion."""
    for level in (levels.notch, levels.hiatus):
        if level is None:
            continue
        parts = [cells.part(cells.above(level.mm + by)) for by in (level.error_mm, 0.0, -level.error_mm)]
        if len({(part >= SMALL_SHARE, part > 1.0 - SMALL_SHARE) for part in parts}) > 1:
            yield Finding(
                code="LESION_NEAR_LEVEL",
                severity=Severity.WARNING if level.inferred else Severity.INFO,
                where=f"lesion {cells.name}",
                message=f"{_percent(parts[1])} of it lies above the {level}; within the expected error of "
                f"that level, {_error(level)}, it may be {_percent(parts[0])} to {_percent(parts[2])}. "
                "Check the level on the CT.",
            )


def strayed_stations(roi: str, shares: LesionShares) -> Iterator[Finding]:
    """Stations that hold a part of a lesion on the wrong side of a level."""
    for station, part in shares.strayed.items():
        if part >= SMALL_SHARE:
            yield Finding(
                code="STATION_ACROSS_LEVEL",
                severity=Severity.WARNING,
                where=f"lesion {roi}",
                message=f"{_percent(part)} of it lies in station {station}, but above the sternal notch or "
                "below the hiatus, where another region begins. The level was followed; check the station.",
            )


def in_no_region(roi: str, nearest: Near | None, limit_mm: float) -> Finding:
    """A lesion that neither a level nor a station near it tells the region of.

    Without any station nothing says that it is not regional: whoever needs the region then asks for it.
    """
    if nearest is None:
        return Finding(
            code="LESION_REGION_NOT_KNOWN",
            severity=Severity.WARNING,
            where=f"lesion {roi}",
            message=f"Its region is not known: {_away(nearest, limit_mm)}. {_STATE}.",
        )
    return Finding(
        code="LESION_IN_NO_REGION",
        severity=Severity.STOP,
        where=f"lesion {roi}",
        message=f"It lies in no region: {_away(nearest, limit_mm)}. {_STATE}.",
    )


def far_from_stations(roi: str, regions: Sequence[Region], nearest: Near | None) -> Iterator[Finding]:
    """A lesion whose level alone tells its region, far from all stations of it: it may not be regional."""
    if regions:
        away = f"{nearest.mm:.0f} mm from {nearest.station}, the nearest" if nearest else "far"
        yield Finding(
            code="LESION_FAR_FROM_STATIONS",
            severity=Severity.STOP,
            where=f"lesion {roi}",
            message=f"Its level says region {' and '.join(regions)}, but it lies {away} station there. It "
            "may be no regional node (axillary, hepatic): look at it",
        )


def part_in_no_region(roi: str, part: float, nearest: Near | None, limit_mm: float) -> Finding:
    """A lesion across a level, whose other part no station is near."""
    return Finding(
        code="LESION_PARTLY_IN_NO_REGION",
        severity=Severity.WARNING,
        where=f"lesion {roi}",
        message=f"{_percent(part)} of it lies in no region: {_away(nearest, limit_mm)}. {_STATE}.",
    )


def between_regions(roi: str, nearest: Near, region: Region, second: Near, its: Region) -> Finding:
    """The nearest station tells the region, and one of another region is about as near."""
    return Finding(
        code="LESION_BETWEEN_REGIONS",
        severity=Severity.STOP if abs(second.mm - nearest.mm) < _SAME_MM else Severity.WARNING,
        where=f"lesion {roi}",
        message=f"Its nearest station, {nearest.station} of region {region}, is {nearest.mm:.1f} mm away, "
        f"and {second.station} of region {its} {second.mm:.1f} mm. The nearest was taken; look at the CT, "
        f"and state the region in the file of --facts (regions: {{{roi}: {region}}}).",
    )


def stated_otherwise(roi: str, stated: Region, told: Sequence[Region]) -> Finding:
    """The user states another region than the rules give."""
    return Finding(
        code="REGION_STATED_OTHERWISE",
        severity=Severity.WARNING,
        where=f"lesion {roi}",
        message=f"Region {stated} was stated and used; levels and stations give {' and '.join(told)}.",
    )


def _away(nearest: Near | None, limit_mm: float) -> str:
    if nearest is None:
        return "no station was built that could tell"
    return (
        f"the nearest station, {nearest.station}, is {nearest.mm:.1f} mm away, further than {limit_mm:g} mm"
    )


def _error(level: Level) -> str:
    return f"{level.error_mm:.1f} mm" + (" (inferred)" if level.inferred else "")


def _percent(part: float) -> str:
    return f"{100.0 * part:.0f} %"
