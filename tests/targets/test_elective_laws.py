"""Switches, overlaps, margins and storage of the elective CTV, on patients made of boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.raster import as_multipolygon, contours_to_mask
from pipeline.core.regions import Region
from pipeline.core.rules import Barrier
from pipeline.core.targets import TargetSet
from pipeline.targets import EniBuilt, build_eni
from pipeline.targets.sections import Sections
from pipeline.targets.smoothing import flecks_removed, slits_closed, slivers_removed
from tests.targets.elective_patients import GRID, Drawn, N, Patient, T, mask_of, rectangle

pytestmark = pytest.mark.slow

I, II, III, IV = Region  # noqa: E741 - the protocol's own names
LESION = ((-4, 4), (-3, 5), (-18, -6))
CONDUIT = ((-2, 12), (-1, 30), (-100, 100))
PER_SLICE_MM2 = 9.0


def at(w: float, targets: TargetSet, name: str = "CTV") -> shapely.Geometry:
    k = int(np.argmin(np.abs(GRID.plane_positions_mm - w)))
    return targets[name].contours.sections.get(k, shapely.MultiPolygon())


def off(patient: Patient, made: EniBuilt, ends: Mapping[str, tuple[float, float]], **changes) -> list[str]:
    plan, found = patient.plan(**changes).elective, []
    for k, w in enumerate(patient.grid.plane_positions_mm):
        truth = patient.truth(float(w), ends, plan)
        got = made.targets["CTV"].contours.sections.get(k, shapely.Polygon())
        differs = got.symmetric_difference(truth).area
        if differs > PER_SLICE_MM2 + 0.01 * truth.area and truth.buffer(-1.0).area + got.area > 3.0:
            found.append(f"w {w:g}: {got.area:.1f} of {truth.area:.1f} mm2, {differs:.1f} differ")
    return found


class TestConduit:
    ENDS: Mapping[str, tuple[float, float]] = {"III": (-30.5, 30)}
    # 23 mm below the flat end of the lesion is its core no more, and its expansion still.
    BEYOND_CORE = -28.5

    @pytest.mark.parametrize("kind", [N, T])
    @pytest.mark.parametrize("in_stations", [False, True])
    @pytest.mark.parametrize("in_tumour", [False, True])
    def test_each_switch(self, kind, in_stations: bool, in_tumour: bool) -> None:
        patient = Patient(lesions=(Drawn(box=LESION, regions=(III,), kind=kind),), conduit=CONDUIT)
        switches = {"conduit_in_stations": in_stations, "conduit_in_tumour_expansion": in_tumour}
        made = patient.built(**switches)
        assert off(patient, made, self.ENDS, **switches) == []
        conduit = rectangle(CONDUIT)
        # Never out of the core: 6 mm around the lesion on its own slices.
        core = rectangle(LESION).buffer(5.9)
        assert core.intersection(conduit).difference(at(-10.5, made.targets)).area < 1.0
        beyond = at(self.BEYOND_CORE, made.targets).intersection(conduit).area
        if in_stations:
            assert beyond > 150.0  # what of 7 and 8M lies in it
        elif kind is T and in_tumour:
            # 11.8 x 11.8 mm of it, a corner rounded with 5.8 mm.
            assert beyond == pytest.approx(132, abs=4)
        else:
            assert beyond < 2.0
        taken = made.built.conduit_cc
        for name in ("CTV", "PTV", "PGTV"):
            truth = sum(
                section.intersection(conduit).area * 3 / 1000
                for section in made.targets[name].contours.sections.values()
            )
            assert taken[name] == pytest.approx(truth, abs=0.02)

    def test_a_hole_over_the_conduit_stays_open_unless_it_is_let_in(self) -> None:
        within = ((-3, 5), (-3, 4), (-100, 100))
        patient = Patient(
            lesions=(Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(II,)),), conduit=within
        )
        area = sum(
            shapely.Polygon(r).area for p in at(-13.5, patient.built().targets).geoms for r in p.interiors
        )
        assert area == pytest.approx(56, abs=1.0)
        let_in = at(-13.5, patient.built(conduit_in_stations=True).targets)
        assert not any(part.interiors for part in let_in.geoms)

    def test_without_a_conduit_nothing_is_told_of_it(self) -> None:
        assert Patient(lesions=(Drawn(box=LESION, regions=(III,)),)).built().built.conduit_cc == {}


class TestOverlap:
    """A half-space to the right of u = -5, and the body's edge there, with overlaps."""

    PATIENT = Patient(lesions=(Drawn(box=((0, 6), (-3, 5), (-18, -6)), regions=(III,)),))

    def built(self, structure: str, overlap: float) -> EniBuilt:
        patient = self.PATIENT
        barrier = Barrier(structure=structure, overlap_mm=overlap, on=True, source="C")
        plan = replace(patient.plan(), barriers=(barrier,))
        wall = (-200, -5) if structure != "body" else (-5, 200)
        organs = {structure: mask_of(GRID, (wall, (-200, 200), (-200, 200)))}
        return build_eni(patient.case(), plan=plan, patient=patient.map(), organs=organs)

    @pytest.mark.parametrize("structure", ["lung", "body"])
    @pytest.mark.parametrize("overlap", [0.0, 1.0, 4.0])
    def test_the_edge_moves_by_the_overlap(self, structure: str, overlap: float) -> None:
        made = self.built(structure, overlap)
        edge = -5.0 - overlap
        for w in (-13.5, -1.5, 4.5):
            assert at(w, made.targets).bounds[0] == pytest.approx(edge, abs=0.1)
        plan, beyond = self.PATIENT.plan().elective, shapely.box(-200, -200, edge, 200)
        whole = [self.PATIENT.truth(float(w), {"III": (-30.5, 30)}, plan) for w in GRID.plane_positions_mm]
        taken = sum(section.intersection(beyond).area for section in whole) * 3 / 1000
        assert made.built.barriers_cc[structure] == pytest.approx(taken, rel=0.01)


class TestMargins:
    def test_the_ptv_of_a_box_is_the_ctv_and_five_millimetres(self) -> None:
        # Stations that are one box, the lesion in its middle: the CTV is the box.
        box = ((-20, 20), (-15, 15), (-60, 60))
        boxes = dict.fromkeys(Patient(lesions=()).boxes, box)
        drawn = Drawn(box=((-4, 4), (-4, 4), (-6, 6)), regions=(III,))
        patient = Patient(lesions=(drawn,), boxes=boxes)
        made = patient.built()
        # From the clavicular head at 30 to 20 mm below the carina: planes at 28.5 to -19.5.
        sections = made.targets["CTV"].contours.sections
        levels = sorted(float(GRID.plane_positions_mm[k]) for k in sections)
        assert (levels[0], levels[-1], len(levels)) == (-19.5, 28.5, 17)
        for section in sections.values():
            assert section.area == pytest.approx(1200, abs=2.0)
        ptv = made.targets["PTV"].contours.sections
        levels = sorted(float(GRID.plane_positions_mm[k]) for k in ptv)
        # Flat ends at -21 and 30, and 5 mm: -26 and 35.
        assert (levels[0], levels[-1]) == (-25.5, 34.5)
        for w in (-19.5, 1.5, 28.5):
            assert at(w, made.targets, "PTV").area == pytest.approx(rounded(5.0), rel=0.002)
        for w, beyond in ((31.5, 1.5), (34.5, 4.5), (-22.5, 1.5)):
            r = (25 - beyond**2) ** 0.5
            assert at(w, made.targets, "PTV").area == pytest.approx(rounded(r), rel=0.005)

    def test_gtv_in_ctv_in_ptv(self) -> None:
        organs = {
            "great_vessels": ((-2, 30), (-20, 2), (-100, 100)),
            "bone": ((-30, -9), (-30, 30), (-90, 90)),
        }
        lesions = (
            Drawn(box=LESION, regions=(III,)),
            Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(II,), kind=T),
        )
        patient = Patient(lesions=lesions, organs=organs)
        targets = patient.built().targets
        for lesion in patient.case().lesions:
            inside(dict(lesion.contours.sections), targets["CTV"].contours.sections)
            inside(dict(lesion.contours.sections), targets["PGTV"].contours.sections)
        inside(targets["CTV"].contours.sections, targets["PTV"].contours.sections)
        # No centre of a barrier's voxel in it but those of the lesions.
        drawn = np.zeros(GRID.shape, dtype=bool)
        for lesion in patient.case().lesions:
            drawn |= contours_to_mask(lesion.contours).voxels
        voxels = contours_to_mask(targets["CTV"].contours).voxels & ~drawn
        for mask in patient.masks().values():
            assert not (voxels & mask.voxels).any()


def rounded(r: float) -> float:
    """Area of 40 x 30 mm grown by r, whose corners were rounded with 1 mm where slivers were taken."""
    return (40 + 2 * r) * (30 + 2 * r) - (4 - np.pi) * (1 + r) ** 2


def inside(one: Sections, other: Sections) -> None:
    for k, section in one.items():
        assert k in other
        assert section.difference(other[k]).area < 1e-3


@lru_cache(maxsize=1)
def supine() -> EniBuilt:
    return stored("HFS")


def stored(position: str) -> EniBuilt:
    """The same patient, not like himself mirrored in any plane."""
    lesions = (
        Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(II,)),
        Drawn(box=((-4, 4), (3, 9), (-75, -66)), regions=(IV,)),
    )
    organs = {"bone": ((-30, -14), (-20, 20), (-12, 90))}
    return Patient(lesions=lesions, position=position, organs=organs).built()


@pytest.mark.parametrize("position", ["HFP", "FFS", "FFP", "HFDR", "HFDL"])
def test_the_same_patient_has_the_same_volumes_however_stored(position: str) -> None:
    made = stored(position)
    for target in supine().targets.targets:
        got = made.targets[target.name].contours
        assert got.volume_cc == pytest.approx(target.contours.volume_cc, rel=0.005)
        # Not the volume alone: left stays left, back stays back, head stays head.
        assert centroid(got) == pytest.approx(centroid(target.contours), abs=0.1)
    for one, other in zip(made.built.rows, supine().built.rows, strict=True):
        assert one.upper.level_mm * up(made) == pytest.approx(other.upper.level_mm, abs=0.01)
        assert dict(one.stations_cc) == pytest.approx(dict(other.stations_cc), rel=0.005)


def up(made: EniBuilt) -> float:
    """Whether heights of the frame go up along the patient."""
    grid = made.targets["CTV"].contours.grid
    return float(np.sign(grid.frame.to_patient([(0.0, 0.0, 1.0)])[0][2]))


def centroid(contours) -> tuple[float, ...]:
    """In the patient, LPS mm."""
    total, weight = np.zeros(3), 0.0
    planes = contours.grid.plane_positions_mm
    for k, section in contours.sections.items():
        middle = section.centroid
        total += section.area * np.array([middle.x, middle.y, planes[k]])
        weight += section.area
    return tuple(contours.grid.frame.to_patient([total / weight])[0].tolist())


numbers = st.floats(0, 40, allow_nan=False).map(lambda x: round(x, 2))
sizes = st.floats(0.2, 15, allow_nan=False).map(lambda x: round(x, 2))


@st.composite
def shapes(draw) -> shapely.MultiPolygon:
    parts = []
    for _ in range(draw(st.integers(1, 6))):
        u, v, a, b = draw(numbers), draw(numbers), draw(sizes), draw(sizes)
        parts.append(
            shapely.box(u, v, u + a, v + b) if draw(st.booleans()) else shapely.Point(u, v).buffer(a)
        )
    return as_multipolygon(shapely.union_all(parts))


class TestSmoothingLaws:
    @given(drawn=shapes())
    def test_nothing_grows_by_more_than_half_a_millimetre(self, drawn: shapely.MultiPolygon) -> None:
        closed = slits_closed({0: drawn}, 1.0)[0]
        assert drawn.difference(closed).area < 1e-6
        assert closed.difference(drawn.buffer(0.5 + 1e-6)).area < 1e-6
        # Into notches only: never out of the convex hull.
        assert closed.difference(drawn.convex_hull.buffer(1e-6)).area < 1e-6

    @given(drawn=shapes(), gtv=shapes())
    def test_slivers_and_flecks_take_no_gtv_and_add_nothing(self, drawn, gtv) -> None:
        whole = as_multipolygon(drawn.union(gtv))
        smooth = slivers_removed({0: whole}, {0: gtv}, 2.0)
        smooth = flecks_removed(smooth, {0: gtv}, 10.0)
        assert gtv.difference(smooth[0]).area < 1e-6
        assert smooth[0].difference(whole).area < 1e-6
        # What is wide stays: the part that a disc of 2 mm and a hair fits in.
        wide = whole.buffer(-1.02, quad_segs=32).buffer(1.0, quad_segs=32)
        lost = as_multipolygon(wide.difference(smooth[0].buffer(0.02)))
        assert all(part.area < 10.0 for part in lost.geoms)
