"""The elective CTV of the synthetic patient: regions, pairs, three at once, against landmarks that he knows.

Boundaries, cores and expansions are told here by the phantom's own landmarks and by polygons, not by the code
that is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon

from pipeline.anatomy.barrier_masks import barrier_masks
from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Landmarks
from pipeline.core.case import Case, LesionKind, Source
from pipeline.core.raster import contours_to_mask
from pipeline.core.regions import Region
from pipeline.core.rules import Settings
from pipeline.core.stations import Stations
from pipeline.core.volume import Mask
from pipeline.phantom import LesionChoice, Phantom, Reconstruction
from pipeline.read.protocols import load_protocol
from pipeline.strategy import plan_eni
from pipeline.targets import EniBuilt, PatientMap, build_eni, what_lacks
from tests.anatomy.organs_of import organs_of
from tests.anatomy.stations.patients import RULES, built
from tests.known import barriers
from tests.phantoms import coarse

I, II, III, IV = Region  # noqa: E741 - the protocol's own names
SITES = {I: "1R", II: "2R", III: "7", IV: "20"}
PLAN = plan_eni(load_protocol(), Settings()).plan
ROWS = {row.name: row for row in PLAN.elective.rows}

# Region sets: each alone, every pair, three.
SETS = ((I,), (II,), (III,), (IV,), (I, II), (II, III), (III, IV), (I, III), (I, IV), (II, IV), (I, III, IV))


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    phantom: Phantom
    stations: Stations
    landmarks: Landmarks
    masks: dict[str, Mask]


@cache
def scene(route: Reconstruction) -> Scene:
    lesions = tuple(
        LesionChoice(site=site, kind=LesionKind.NODE, half_axes_mm=(7.0, 6.0, 8.0)) for site in SITES.values()
    )
    phantom = coarse(reconstruction=route, lesions=lesions)
    organs = organs_of(phantom)
    return Scene(
        phantom=phantom,
        stations=built(phantom),
        landmarks=find_landmarks(OrganView(organs), RULES, {}),
        masks=barrier_masks(organs, barriers(), [b.structure for b in PLAN.barriers]),
    )


def case_of_regions(made: Scene, regions: tuple[Region, ...]) -> tuple[Case, dict[str, tuple[Region, ...]]]:
    order = list(SITES)
    chosen = {made.phantom.gtvs[order.index(region)].name: (region,) for region in regions}
    lesions = tuple(one for one in made.phantom.gtvs if one.name in chosen)
    case = Case(volume=made.phantom.volume, lesions=lesions, structures=(), source=Source(kind="dicom"))
    return case, chosen


def level(made: Scene, name: str) -> float:
    """Of a landmark as the phantom knows it."""
    grid = made.phantom.volume.grid
    return float(grid.frame.from_patient([made.phantom.landmarks[name]])[0, 2])


def band(made: Scene, case: Case, region: Region) -> tuple[float, float]:
    """Lower and upper boundary by the protocol's table, defaults in the middle of its ranges."""
    grid, spacing = case.volume.grid, case.volume.grid.slice_spacing_mm
    site = list(SITES).index(region)
    drawn = [grid.plane_positions_mm[k] for k in made.phantom.gtvs[site].contours.slices]
    top, bottom = max(drawn) + spacing / 2, min(drawn) - spacing / 2
    if region in {I, II}:
        return level(made, "carina") - 25.0, max(level(made, "T1_top"), top + 12.5)
    if region is III:
        return min(level(made, "carina") - 20.0, bottom - 12.5), level(made, "clavicular_head_top")
    ends = {name: made.stations.built[name].solid.bounds_mm() for name in ("16", "20")}
    return min(ends["20"][4], bottom - 15.0), max(ends["16"][5], top + 12.5)


def eni(made: Scene, case: Case, regions: dict[str, tuple[Region, ...]]) -> EniBuilt:
    patient = PatientMap(stations=made.stations, landmarks=made.landmarks, regions=regions)
    assert what_lacks(PLAN.elective.rows, patient) == ()
    return build_eni(case, plan=PLAN, patient=patient, organs=made.masks)


def near(case: Case, w: float, horizontal: float, craniocaudal: float) -> shapely.Geometry:
    """All that a lesion's expansion could hold at a height, generously: its shadow, grown in the plane."""
    grid = case.volume.grid
    parts = []
    for lesion in case.lesions:
        levels = [grid.plane_positions_mm[k] for k in lesion.contours.slices]
        reach = craniocaudal + grid.slice_spacing_mm / 2
        if min(levels) - reach <= w <= max(levels) + reach:
            shadow = shapely.union_all(list(lesion.contours.sections.values()))
            parts.append(shadow.buffer(horizontal + 0.3))
    return shapely.union_all(parts) if parts else MultiPolygon()


# In `make test` the patient with the gullet in place and a few sets; all of them in `make cohort`.
FEW = ((I,), (II, III), (I, III, IV))
CASES = [
    pytest.param(
        route,
        regions,
        marks=() if route is Reconstruction.NATIVE and regions in FEW else pytest.mark.cohort,
        id=f"{route}-{'+'.join(regions)}",
    )
    for route in Reconstruction
    for regions in SETS
]


@pytest.mark.slow
@pytest.mark.parametrize("route, regions", CASES)
def test_the_volume_of_regions_is_that_of_the_table(
    route: Reconstruction, regions: tuple[Region, ...]
) -> None:
    made = scene(route)
    case, by_lesion = case_of_regions(made, regions)
    result = eni(made, case, by_lesion)
    bands = [band(made, case, region) for region in regions]
    _ends_at_boundaries(case, result, bands)
    _tells_what_ends_it(case, result)
    _holds_listed_stations_only(made, case, result, regions, bands)
    _keeps_out_of_barriers(made, case, result)
    ctv, ptv = (result.targets[name].contours.sections for name in ("CTV", "PTV"))
    for lesion in case.lesions:
        for k, section in lesion.contours.sections.items():
            assert section.difference(ctv[k]).area < 0.1
    for k, section in ctv.items():
        assert section.difference(ptv[k]).area < 0.1


def _ends_at_boundaries(case: Case, result: EniBuilt, bands: list[tuple[float, float]]) -> None:
    """One slice beyond the boundaries there is nothing but the core."""
    grid = case.volume.grid
    for k, section in result.targets["CTV"].contours.sections.items():
        w = grid.plane_positions_mm[k]
        if any(low - grid.slice_spacing_mm <= w <= high + grid.slice_spacing_mm for low, high in bands):
            continue
        assert section.difference(near(case, w, 6.0, 10.0)).area < 1.0, f"at {w}"


def _tells_what_ends_it(case: Case, result: EniBuilt) -> None:
    """A boundary is reached to one slice, or a part of the row is named."""
    grid = case.volume.grid
    levels = [grid.plane_positions_mm[k] for k in result.targets["CTV"].contours.slices]
    for row in result.built.rows:
        low, high = row.lower.level_mm, row.upper.level_mm
        inside = [w for w in levels if low - 1e-6 <= w <= high + 1e-6]
        for boundary, end in ((row.upper, max(inside)), (row.lower, min(inside))):
            assert boundary.reached == (abs(boundary.level_mm - end) <= grid.slice_spacing_mm + 1e-6)
            if not boundary.reached:
                named = [f"station {name} " for name in row.row.stations]
                named += [f"expansion of {name} " for name in row.lesions]
                assert any(name in f"{boundary.ended_by} " for name in named), boundary.ended_by


def _holds_listed_stations_only(
    made: Scene, case: Case, result: EniBuilt, regions: tuple[Region, ...], bands: list[tuple[float, float]]
) -> None:
    """Voxels of listed stations are inside but for slivers, others only where an expansion is."""
    ctv = contours_to_mask(result.targets["CTV"].contours).voxels
    planes = case.volume.grid.plane_positions_mm
    row_of = {region: row for row in ROWS.values() for region in row.regions}
    for name, number in made.stations.label_of.items():
        held = made.stations.labels == number
        within = np.zeros(len(planes), dtype=bool)
        for region, (low, high) in zip(regions, bands, strict=True):
            if name in row_of[region].stations:
                # A slice on either side is left out: found levels are that good.
                spacing = case.volume.grid.slice_spacing_mm
                within |= (planes > low + spacing) & (planes < high - spacing)
        listed = held & within[:, None, None]
        if listed.any():
            assert np.count_nonzero(listed & ~ctv) <= LEFT_OUT * np.count_nonzero(listed), name
        if any(name in row_of[region].stations for region in regions):
            continue
        for k in np.flatnonzero((held & ctv).any(axis=(1, 2))):
            around = near(case, planes[k], 6.0, 40.0)
            section = result.targets["CTV"].contours.sections[int(k)]
            solid = made.stations.built[name].solid
            own = solid.section(solid.lattice.plane_of_slice(int(k)))
            # Slits of 1 mm between parts are closed.
            assert section.intersection(own).difference(around).area < 10.0, f"{name} on slice {k}"


# Of a listed station's voxels: slivers of 2 mm, flecks, and a lattice of 1.6 mm beside voxels of 2.5 mm.
LEFT_OUT = 0.06


def _keeps_out_of_barriers(made: Scene, case: Case, result: EniBuilt) -> None:
    """No voxel centre of a barrier lies in the CTV outside the GTV."""
    ctv = contours_to_mask(result.targets["CTV"].contours).voxels.copy()
    for lesion in case.lesions:
        ctv &= ~contours_to_mask(lesion.contours).voxels
    for name, mask in made.masks.items():
        barred = ~mask.voxels if name == "body" else mask.voxels
        assert np.count_nonzero(ctv & barred) == 0, name
