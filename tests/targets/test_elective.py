"""The elective CTV of patients made of boxes, against polygons reckoned apart from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import shapely

from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.core.rules import Settings
from pipeline.core.targets import TargetSet
from pipeline.targets import build_eni
from tests.targets.elective_patients import (
    BOXES,
    GRID,
    LEVELS,
    ROWS,
    Drawn,
    Patient,
    T,
    grown,
    levels_of,
    mask_of,
)

I, II, III, IV = Region  # noqa: E741 - the protocol's own names
NODE_2R = Drawn(box=((-18, -10), (-4, 4), (18, 30)), regions=(II,))
NODE_7 = Drawn(box=((-4, 4), (-3, 5), (-18, -6)), regions=(III,))
NODE_20 = Drawn(box=((-4, 4), (3, 9), (-75, -66)), regions=(IV,))
NODE_1R = Drawn(box=((-26, -19), (-3, 3), (63, 72)), regions=(I,))

# What corners lose: outlines on a lattice of 0.5 mm, and 1 mm where slivers are taken.
PER_SLICE_MM2 = 9.0


def off(
    patient: Patient, targets: TargetSet, ends: Mapping[str, tuple[float, float]], **changes
) -> list[str]:
    """Slices on which the CTV is not the truth."""
    plan = patient.plan(**changes).elective
    grid, sections = patient.grid, targets["CTV"].contours.sections
    found = []
    for k, w in enumerate(grid.plane_positions_mm):
        truth = patient.truth(float(w), ends, plan)
        got = sections.get(k, shapely.Polygon())
        differs = got.symmetric_difference(truth)
        # A lattice does not hold the last hair of an ellipsoid's pole.
        if differs.area > PER_SLICE_MM2 + 0.01 * truth.area and truth.buffer(-1.0).area + got.area > 3.0:
            found.append(f"w {w:g}: {got.area:.1f} of {truth.area:.1f} mm2, {differs.area:.1f} differ")
    return found


class TestBoundaries:
    @pytest.mark.slow
    def test_one_row_by_hand(self) -> None:
        patient = Patient(lesions=(NODE_2R,))
        made = patient.built()
        (row,) = made.built.rows
        # T1 top at 60; 12.5 mm above the node's flat end at 30 is lower. Carina at 0 and 25 mm down.
        assert row.row.name == "I-II"
        assert (row.upper.level_mm, row.upper.term.name) == (60.0, "T1_top")
        assert row.upper.others == {"eni.I-II.upper.lesions": pytest.approx(42.5, abs=0.01)}
        assert row.lower.level_mm == -25.0
        assert levels_of(GRID, made.targets["CTV"].contours.sections) == [-22.5 + 3 * n for n in range(28)]
        # 1R: 15 x 12 mm on seven planes from 40.5 to 58.5; 7: 24 x 14 on eleven, from -22.5 to 7.5.
        assert row.stations_cc["1R"] == pytest.approx(7 * 3 * 15 * 12 / 1000, rel=0.005)
        assert row.stations_cc["1L"] == pytest.approx(7 * 3 * 22 * 12 / 1000, rel=0.005)
        assert row.stations_cc["2R"] == pytest.approx(10 * 3 * 20 * 12 / 1000, rel=0.005)
        assert row.stations_cc["7"] == pytest.approx(11 * 3 * 24 * 14 / 1000, rel=0.005)
        assert row.stations_cc["8M"] == pytest.approx(11 * 3 * 16 * 14 / 1000, rel=0.005)
        assert off(patient, made.targets, {"I-II": (-25, 60)}) == []
        # Of 12, 10, 13 and 17 planes.
        (cut,) = [f.message for f in made.targets.findings if f.code == "STATIONS_CUT"]
        assert cut.endswith(": 1R 58 %, 1L 70 %, 7 85 %, 8M 65 %")
        assert row.upper.reached
        assert row.lower.reached

    @pytest.mark.parametrize(
        "lesions, key, level",
        [
            ((NODE_2R,), "T1_top", 60.0),
            ((NODE_1R,), "lesions", 84.5),
            ((NODE_1R, NODE_2R), "lesions", 84.5),
            # A lesion of another region does not move the boundary.
            ((NODE_2R, replace(NODE_1R, regions=(III,))), "T1_top", 60.0),
            # One that counts for both does.
            ((NODE_2R, replace(NODE_1R, regions=(I, III))), "lesions", 84.5),
            # A tumour counts as a node does.
            ((replace(NODE_1R, kind=T),), "lesions", 84.5),
        ],
    )
    def test_whichever_includes_more_is_the_upper_one(
        self, lesions: tuple[Drawn, ...], key: str, level: float
    ) -> None:
        row = Patient(lesions=lesions).boundaries()["I-II"]
        assert row.upper.term.key == f"eni.I-II.upper.{key}"
        assert row.upper.level_mm == pytest.approx(level, abs=0.01)

    @pytest.mark.parametrize(
        "low, key, level",
        [(-6, "carina", -20.0), (-9, "lesions", -21.5), (-21, "lesions", -33.5)],
    )
    def test_whichever_includes_more_is_the_lower_one(self, low: int, key: str, level: float) -> None:
        patient = Patient(lesions=(replace(NODE_7, box=((-4, 4), (-3, 5), (low, 3))),))
        (row,) = patient.boundaries().values()
        assert row.row.name == "III"
        assert row.lower.term.key == f"eni.III.lower.{key}"
        assert row.lower.level_mm == pytest.approx(level, abs=0.01)
        assert (row.upper.term.name, row.upper.level_mm) == ("clavicular_head_top", 30.0)

    @pytest.mark.parametrize(
        "box, upper, lower",
        [
            # Top of 16 at -42, bottom of 20 at -81.
            (((-4, 4), (3, 9), (-75, -66)), ("16", -42.0), ("lesions", -90.0)),
            (((-4, 4), (3, 9), (-66, -51)), ("lesions", -38.5), ("20", -81.0)),
            (((-4, 4), (3, 9), (-72, -57)), ("16", -42.0), ("lesions", -87.0)),
        ],
    )
    def test_region_four_ends_at_stations_or_beyond_the_lesion(
        self, box, upper: tuple[str, float], lower: tuple[str, float]
    ) -> None:
        row = Patient(lesions=(replace(NODE_20, box=box),)).boundaries()["IV"]
        for boundary, (name, level) in ((row.upper, upper), (row.lower, lower)):
            assert (boundary.term.name or "lesions") == name
            assert boundary.level_mm == pytest.approx(level, abs=0.01)

    @pytest.mark.slow
    def test_a_boundary_beyond_a_lesion_that_is_not_reached_is_a_warning(self) -> None:
        """15 mm above the lesion: its core ends at 10, and the region's stations below it."""
        patient = Patient(lesions=(replace(NODE_20, box=((28, 36), (-4, 4), (-54, -36))),))
        made = patient.built(settings=Settings(figures={"eni.IV.upper.lesions": 15.0}))
        (row,) = made.built.rows
        assert (row.upper.level_mm, row.upper.reached) == (pytest.approx(-21.0, abs=0.01), False)
        told = {f.where: f.severity for f in made.targets.findings if f.code == "BOUNDARY_NOT_REACHED"}
        assert told["eni.CTV, region IV, upper boundary"] is Severity.WARNING

    @pytest.mark.slow
    def test_an_empty_station_with_known_borders_still_tells_its_level(self) -> None:
        taken = {"great_vessels": ((-1, 17), (-9, 7), (-61, -41))}
        patient = Patient(lesions=(NODE_20,), organs=taken)
        assert "16" not in patient.stations().built
        made = patient.built()
        assert made.built.rows[0].upper.level_mm == pytest.approx(-42.0, abs=0.01)
        (told,) = [f for f in made.targets.findings if f.code == "STATION_EMPTY"]
        assert "station 16" in told.where
        assert made.built.rows[0].stations_cc["16"] == 0.0

    @pytest.mark.slow
    @pytest.mark.parametrize("mm, lowest", [(20.0, -19.5), (30.0, -28.5)])
    def test_another_distance_is_taken(self, mm: float, lowest: float) -> None:
        patient = Patient(lesions=(NODE_2R,))
        made = patient.built(settings=Settings(figures={"eni.I-II.lower.carina": mm}))
        assert made.built.rows[0].lower.level_mm == -mm
        assert levels_of(GRID, made.targets["CTV"].contours.sections)[0] == lowest

    @pytest.mark.slow
    @pytest.mark.parametrize("mm, highest", [(10.0, 58.5), (15.0, 61.5)])
    def test_an_upward_distance_too(self, mm: float, highest: float) -> None:
        patient = Patient(lesions=(replace(NODE_1R, box=((-26, -19), (-3, 3), (39, 48))),))
        made = patient.built(settings=Settings(figures={"eni.I-II.upper.lesions": mm}))
        assert made.built.rows[0].upper.level_mm == pytest.approx(max(60.0, 48 + mm), abs=0.01)
        assert levels_of(GRID, made.targets["CTV"].contours.sections)[-1] == highest


class TestPieces:
    @pytest.mark.slow
    def test_rows_are_united_each_with_its_own_boundaries(self) -> None:
        patient = Patient(lesions=(NODE_2R, NODE_20))
        made = patient.built()
        assert [row.row.name for row in made.built.rows] == ["I-II", "IV"]
        assert [row.lesions for row in made.built.rows] == [("GTV-N1",), ("GTV-N2",)]
        assert off(patient, made.targets, {"I-II": (-25, 60), "IV": (-90, -42)}) == []
        # Nothing between the rows.
        levels = levels_of(GRID, made.targets["CTV"].contours.sections)
        assert not [w for w in levels if -42 < w < -25]

    @pytest.mark.slow
    def test_three_rows(self) -> None:
        patient = Patient(lesions=(NODE_2R, NODE_7, NODE_20))
        made = patient.built()
        ends = {"I-II": (-25, 60), "III": (-30.5, 30), "IV": (-90, -42)}
        assert off(patient, made.targets, ends) == []

    @pytest.mark.slow
    def test_a_lesion_of_two_regions_counts_in_both_rows(self) -> None:
        patient = Patient(lesions=(replace(NODE_2R, box=((-18, -10), (-4, 4), (6, 30)), regions=(II, III)),))
        made = patient.built()
        assert [row.lesions for row in made.built.rows] == [("GTV-N1",)] * 2
        assert off(patient, made.targets, {"I-II": (-25, 60), "III": (-20, 30)}) == []

    @pytest.mark.slow
    def test_boundaries_do_not_cut_the_core(self) -> None:
        # In region III above the clavicular head: the row ends at 30, the lesion at 54, its core at 64.
        patient = Patient(lesions=(replace(NODE_1R, box=((-26, -19), (-3, 3), (39, 54)), regions=(III,)),))
        made = patient.built()
        assert off(patient, made.targets, {"III": (-20, 30)}) == []
        # 6 mm around the lesion on its own planes, and at 64 the pole of the ellipsoid; at 61.5 still
        # 6 sqrt(1 - 0.75^2). The lattice and the removal of slivers cut corners: 0.1 mm of outline in all.
        lesion = (26 - 19) * 6
        section = made.targets["CTV"].contours.sections
        level = dict(zip(GRID.plane_positions_mm.round(3).tolist(), range(60), strict=True))
        length = 26 + 12 * math.pi
        assert section[level[46.5]].area == pytest.approx(lesion + 26 * 6 + 36 * math.pi, abs=0.1 * length)
        r = 6 * math.sqrt(1 - 0.75**2)
        length = 26 + 2 * math.pi * r
        assert section[level[61.5]].area == pytest.approx(lesion + 26 * r + math.pi * r * r, abs=0.1 * length)
        assert level[64.5] not in section
        (told,) = [f for f in made.targets.findings if f.code == "BOUNDARY_NOT_REACHED"] or [None]
        assert told is None, "the core reaches past the upper boundary, and 8M to the lower one"

    @pytest.mark.slow
    def test_the_expansion_may_pass_the_boundaries_if_asked(self) -> None:
        patient = Patient(lesions=(NODE_7,))
        beyond = patient.built(expansion_beyond_boundaries=True)
        within = patient.built()
        ends = {"III": (-30.5, 30)}
        assert off(patient, within.targets, ends) == []
        assert off(patient, beyond.targets, ends, expansion_beyond_boundaries=True) == []
        levels = levels_of(GRID, beyond.targets["CTV"].contours.sections)
        # 40 mm below -18, but the envelope ends at -60 between 16 and 20, and the lesion's axis lies in 16.
        assert levels[0] == -55.5
        assert levels_of(GRID, within.targets["CTV"].contours.sections)[0] == -28.5

    @pytest.mark.slow
    def test_the_expansion_keeps_to_the_envelope(self) -> None:
        # Near the right edge of 7 nothing neighbours: the expansion is cut there but for the core.
        patient = Patient(lesions=(replace(NODE_7, box=((-11, -4), (-3, 5), (-15, -6))),))
        made = patient.built()
        assert off(patient, made.targets, {"III": (-27.5, 30)}) == []
        k = next(k for k, w in enumerate(GRID.plane_positions_mm) if w == -25.5)
        whole = grown(patient.lesions[0], -25.5, 6, 40)
        assert whole.bounds[0] < -16
        assert made.targets["CTV"].contours.sections[k].bounds[0] == pytest.approx(-12, abs=0.1)

    @pytest.mark.slow
    def test_a_boundary_beyond_the_scan_is_told_as_such(self) -> None:
        levels = {**LEVELS, "T1_top": 120.0}
        far = {
            name: ((u, v, (w[0], 120.0)) if w[1] >= 60 else (u, v, w)) for name, (u, v, w) in BOXES.items()
        }
        made = Patient(lesions=(NODE_2R,), levels=levels, boxes=far).built()
        upper = made.built.rows[0].upper
        assert upper.level_mm == pytest.approx(120.0)
        assert (upper.reached, upper.ended_by) == (False, "the scan ends before it")

    @pytest.mark.slow
    def test_figures_of_the_volume_without_barriers(self) -> None:
        made = Patient(lesions=(NODE_2R,)).built()
        cc = made.targets["CTV"].contours.volume_cc
        assert made.built.barriers_cc == {}
        assert made.built.uncropped_cc == pytest.approx(cc + made.built.smoothing_cc, abs=0.01)
        # Only convex corners are taken: 1 - pi / 4 mm2 each, four of at most six parts on 28 slices.
        assert 0.0 < made.built.smoothing_cc < 28 * 24 * 0.215 * 3 / 1000
        core = sum(grown(NODE_2R, w, 6, 10).area for w in GRID.plane_positions_mm) * 3 / 1000
        assert made.built.core_cc == pytest.approx(core, rel=0.015)


class TestBarriers:
    # A bone at the right edge of 7, across the lesion's expansion; a vessel wholly within 7.
    VESSEL = ((2, 9), (-3, 4), (-100, 100))
    BONE = ((-30, -8), (-20, 20), (-12, 100))

    @pytest.mark.slow
    def test_what_each_took_adds_up_and_the_volume_is_the_truth(self) -> None:
        organs = {"bone": self.BONE, "heart": ((6, 40), (4, 40), (-100, -3)), "great_vessels": self.VESSEL}
        # The stations are as drawn: the barriers alone cut them.
        patient = Patient(lesions=(NODE_7,), organs=organs)
        whole = replace(patient, organs={})
        plan = patient.plan()
        made = build_eni(whole.case(), plan=plan, patient=whole.map(), organs=patient.masks())
        assert off(patient, made.targets, {"III": (-30.5, 30)}) == []
        built = made.built
        assert list(built.barriers_cc) == ["bone", "heart", "great_vessels"]
        assert all(cc > 0.5 for cc in built.barriers_cc.values())
        left = built.uncropped_cc - sum(built.barriers_cc.values()) - built.smoothing_cc
        assert made.targets["CTV"].contours.volume_cc == pytest.approx(left, abs=0.01)
        (told,) = [f.message for f in made.targets.findings if f.code == "ENI_CLIPPED"]
        assert f"bone {built.barriers_cc['bone']:.1f} cc" in told
        assert f"of {built.uncropped_cc:.1f} cc" in told

    def test_a_gtv_is_never_cut(self) -> None:
        everywhere = ((-100, 100), (-100, 100), (-100, 100))
        patient = Patient(lesions=(NODE_7,))
        plan = replace(patient, organs={"lung": everywhere}).plan()
        organs = {"lung": mask_of(GRID, everywhere)}
        made = build_eni(patient.case(), plan=plan, patient=patient.map(), organs=organs)
        ctv = made.targets["CTV"].contours.sections
        drawn = patient.case().lesions[0].contours.sections
        assert list(ctv) == list(drawn)
        for k, section in ctv.items():
            assert section.symmetric_difference(drawn[k]).area < 0.1
        assert made.targets["CTV"].contours.volume_cc == pytest.approx(8 * 8 * 12 / 1000, rel=0.001)

    def test_the_body_keeps_what_is_inside(self) -> None:
        body = {"body": ((-9, 50), (-50, 50), (-100, 100))}
        patient = Patient(lesions=(replace(NODE_7, box=((-11, -4), (-3, 5), (-15, -6))),), organs=body)
        whole = replace(patient, organs={})
        made = build_eni(whole.case(), plan=patient.plan(), patient=whole.map(), organs=patient.masks())
        assert off(patient, made.targets, {"III": (-27.5, 30)}) == []
        bounds = [section.bounds[0] for section in made.targets["CTV"].contours.sections.values()]
        # 9 mm to the right, but for the lesion's own 11.
        assert min(bounds) == pytest.approx(-11, abs=0.1)
        assert sum(low < -9.1 for low in bounds) == 3

    @pytest.mark.slow
    @pytest.mark.parametrize("by_stations", [True, False])
    def test_a_hole_of_a_barrier_stays_whoever_made_it(self, by_stations: bool) -> None:
        vessel = {"great_vessels": self.VESSEL}
        patient = Patient(lesions=(NODE_2R,), organs=vessel)
        # The stations have vessels taken out before any barrier is asked; or the barrier alone takes it.
        map_of = patient if by_stations else replace(patient, organs={})
        made = build_eni(patient.case(), plan=patient.plan(), patient=map_of.map(), organs=patient.masks())
        assert off(patient, made.targets, {"I-II": (-25, 60)}) == []
        holes = {
            round(float(GRID.plane_positions_mm[k]), 1): sum(
                shapely.Polygon(ring).area for ring in part.interiors
            )
            for k, section in made.targets["CTV"].contours.sections.items()
            for part in section.geoms
            if part.interiors
        }
        assert sorted(holes) == [-22.5 + 3 * n for n in range(11)]
        for area in holes.values():
            assert area == pytest.approx(49, abs=1.0)

    @pytest.mark.slow
    def test_holes_of_nothing_are_filled(self) -> None:
        # Four stations around a square of 6 x 6 mm that no barrier has; the core ends at their right edge.
        boxes = dict(BOXES)
        boxes |= {
            "1R": ((-15, -3), (-15, 15), (39, 75)),
            "1L": ((3, 15), (-15, 15), (39, 75)),
            "2R": ((-3, 3), (-15, -3), (39, 75)),
            "2L": ((-3, 3), (3, 15), (39, 75)),
        }
        patient = Patient(lesions=(replace(NODE_1R, box=((-9, -4), (-3, 3), (45, 54))),), boxes=boxes)
        made = patient.built()
        level = int(np.argmin(np.abs(GRID.plane_positions_mm - 43.5)))
        section = made.targets["CTV"].contours.sections[level]
        assert not section.geoms[0].interiors
        assert section.area == pytest.approx(900, rel=0.01)
        assert made.targets["CTV"].changes.filled_cc > 0.1

    @pytest.mark.slow
    def test_a_barrier_that_is_not_known_is_told(self) -> None:
        patient = Patient(lesions=(NODE_2R,))
        plan = replace(patient, organs={"heart": self.VESSEL, "lung": self.BONE}).plan()
        made = build_eni(patient.case(), plan=plan, patient=patient.map(), organs={})
        (told,) = [f for f in made.targets.findings if f.code == "BARRIER_NOT_APPLIED"]
        assert "heart, lung" in told.message
        assert made.built.barriers_cc == {}

    @pytest.mark.slow
    def test_the_volume_before_barriers_is_kept_if_asked(self) -> None:
        patient = Patient(lesions=(NODE_2R,), organs={"bone": self.BONE})
        whole = replace(patient, organs={})
        plain = Patient(lesions=(NODE_2R,)).built()
        made = build_eni(
            whole.case(),
            plan=patient.plan(settings=Settings(keep_uncropped=True)),
            patient=whole.map(),
            organs=patient.masks(),
        )
        kept = made.targets["CTV_uncropped"].contours
        assert kept.volume_cc == pytest.approx(made.built.uncropped_cc, rel=1e-6)
        assert kept.volume_cc == pytest.approx(plain.built.uncropped_cc, rel=1e-6)
        for k, section in made.targets["CTV"].contours.sections.items():
            assert section.difference(kept.sections[k]).area < 0.05
        assert "CTV_uncropped" not in {target.name for target in plain.targets.targets}


def test_levels_of_the_patient_are_those_that_the_cases_rely_on() -> None:
    assert LEVELS == {"T1_top": 60.0, "clavicular_head_top": 30.0, "carina": 0.0}
    assert [term.outward.default for row in ROWS.values() for term in (*row.upper, *row.lower)] == [
        0.0, 12.5, 25.0, 0.0, 20.0, 12.5, 12.5, 0.0, 0.0, 15.0
    ]  # fmt: skip
