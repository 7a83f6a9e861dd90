"""Barriers as masks, and what they take from sections, in closed form."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, box

from pipeline.anatomy.barrier_masks import barrier_masks, holes_in_barriers
from pipeline.core.anatomy import Organs, OrganSource
from pipeline.core.barriers import BarrierOrgans
from pipeline.core.rules import Barrier
from pipeline.core.volume import Mask, Volume
from pipeline.read.barrier_organs import load_barrier_organs
from pipeline.read.organ_names import load_organ_names
from pipeline.targets.barriers import barred_sections
from tests.anatomy.organs_of import organs
from tests.cases import grid_of

GRID = grid_of(size=(100, 80, 12), spacing=(2.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))  # pixels of 2 mm2
LUNG = BarrierOrgans(
    organs=("lungs", "lung_left", "lung_right"),
    needs=("lung_left", "lung_right"),
    whole=("lungs",),
    filled=True,
    with_air_below_hu=-500,
    air_apart_from=("airway",),
)
AIRWAY = BarrierOrgans(
    organs=("trachea",),
    with_air_below_hu=-500,
    air_apart_from=("lung",),
    air_needs=("lung_left", "lung_right"),
    along=True,
)
BONE = BarrierOrgans(organs=("bone", "sternum"))
TABLE = {"lung": LUNG, "airway": AIRWAY, "bone": BONE}


# The barriers of a protocol by the organs that they are made of, written out.
ORGANS = {
    "body": {"body"},
    "lung": {
        "lungs", "lung_left", "lung_right", "lung_upper_lobe_left", "lung_lower_lobe_left",
        "lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right",
    },
    "airway": {"trachea", "main_bronchi", "bronchus_intermedius", "lung_airways"},
    "bone": {
        "bone", "skull", "sternum", "sacrum", "scapula_left", "scapula_right", "clavicula_left",
        "clavicula_right", "costal_cartilages", "spinal_cord", "vertebrae_C1", "vertebrae_C2", "vertebrae_C3",
        "vertebrae_C4", "vertebrae_C5", "vertebrae_C6", "vertebrae_C7", "vertebrae_T1", "vertebrae_T2",
        "vertebrae_T3", "vertebrae_T4", "vertebrae_T5", "vertebrae_T6", "vertebrae_T7", "vertebrae_T8",
        "vertebrae_T9", "vertebrae_T10", "vertebrae_T11", "vertebrae_T12", "vertebrae_L1", "vertebrae_L2",
        "vertebrae_L3",
    },
    "heart": {"heart"},
    "great_vessels": {
        "aorta", "brachiocephalic_trunk", "common_carotid_artery_left", "common_carotid_artery_right",
        "subclavian_artery_left", "subclavian_artery_right", "brachiocephalic_vein_left",
        "brachiocephalic_vein_right", "superior_vena_cava", "inferior_vena_cava", "pulmonary_artery",
        "pulmonary_vein", "internal_jugular_vein_left", "internal_jugular_vein_right", "subclavian_vein_left",
        "subclavian_vein_right", "portal_vein_and_splenic_vein",
    },
}  # fmt: skip
# Organs without which a barrier has holes, and those that stand for all of it.
NEEDS = {
    "lung": {"lung_left", "lung_right"},
    "airway": {"trachea", "main_bronchi"},
    "great_vessels": {"aorta", "superior_vena_cava", "pulmonary_artery"},
}
WHOLE = {"lung": {"lungs"}}
# Barriers that take the air that hangs together with them, and whose air they leave.
AIR_APART_FROM = {"lung": ("airway",), "airway": ("lung",)}


@pytest.mark.parametrize("barrier", ORGANS)
def test_what_a_barrier_of_the_protocol_is_made_of(barrier: str) -> None:
    table = load_barrier_organs(load_organ_names())
    assert set(table) == set(ORGANS)
    found = table[barrier]
    assert set(found.organs) == ORGANS[barrier]
    assert set(found.needs) == NEEDS.get(barrier, set())
    assert set(found.whole) == WHOLE.get(barrier, set())
    assert found.filled is (barrier == "lung")
    assert found.with_air_below_hu == (-500 if barrier in AIR_APART_FROM else None)
    assert found.air_apart_from == AIR_APART_FROM.get(barrier, ())
    assert set(found.air_needs) == ({"lung_left", "lung_right"} if barrier == "airway" else set())
    assert found.along is (barrier == "airway")


@pytest.mark.parametrize("organ", sorted(ORGANS["great_vessels"]))
def test_each_great_vessel_is_a_barrier_by_itself(organ: str) -> None:
    known = organs(GRID, {organ: Mask(grid=GRID, voxels=block(slice(10, 20), slice(30, 40)))})
    found = barrier_masks(known, load_barrier_organs(load_organ_names()), list(ORGANS))
    assert found["great_vessels"].voxels.sum() == 100 * len(found["great_vessels"].voxels)


def block(rows: slice, columns: slice, slices: slice = slice(None)) -> np.ndarray:
    voxels = np.zeros(GRID.shape, dtype=bool)
    voxels[slices, rows, columns] = True
    return voxels


def lung(**voxels: np.ndarray) -> np.ndarray:
    found = barrier_masks(
        organs(GRID, {name: Mask(grid=GRID, voxels=one) for name, one in voxels.items()}), TABLE, ["lung"]
    )
    return found["lung"].voxels


def aired(
    masks: dict[str, np.ndarray],
    *,
    air: np.ndarray,
    source: OrganSource = OrganSource.MASKS,
    barrier: str = "lung",
) -> np.ndarray:
    """A barrier on a CT of soft tissue that holds some air."""
    known = organs(GRID, {name: Mask(grid=GRID, voxels=one) for name, one in masks.items()})
    given = Organs(grid=GRID, by_name={n: replace(o, source=source) for n, o in known.by_name.items()})
    volume = Volume(grid=GRID, hu=np.where(air, -800, 40).astype(np.int16))
    return barrier_masks(given, TABLE, [barrier], volume=volume)[barrier].voxels


LUNGS = {
    "lung_left": block(slice(20, 60), slice(57, 95)),
    "lung_right": block(slice(20, 60), slice(5, 30)),
}


class TestAirway:
    """A tube of 20 x 10 mm through all slices, whose mask ends half-way up and leaves out its left half."""

    TUBE = block(slice(30, 40), slice(40, 50))
    DRAWN = block(slice(30, 40), slice(40, 45), slice(0, 6))
    AIR = TUBE | LUNGS["lung_left"] | LUNGS["lung_right"]

    def found(self, source: OrganSource = OrganSource.MASKS, *, air: np.ndarray = AIR, **more: np.ndarray):
        masks = {"trachea": self.DRAWN, **LUNGS, **more}
        return aired(masks, air=air, source=source, barrier="airway")

    def test_open_lumen_above_and_beside_the_mask_is_airway(self) -> None:
        np.testing.assert_array_equal(self.found(), self.TUBE)

    def test_lungs_that_hang_together_with_it_are_not(self) -> None:
        bridge = block(slice(33, 36), slice(50, 57))
        found = self.found(air=self.AIR | bridge)
        np.testing.assert_array_equal(found, self.TUBE | bridge)

    def test_without_lungs_nothing_is_joined(self) -> None:
        found = aired({"trachea": self.DRAWN}, air=self.AIR, barrier="airway")
        np.testing.assert_array_equal(found, self.DRAWN)

    def test_what_the_image_showed_is_left_as_it_is(self) -> None:
        np.testing.assert_array_equal(self.found(OrganSource.IMAGE), self.DRAWN)

    def test_gas_of_the_gullet_that_touches_it_is_not(self) -> None:
        gullet = block(slice(40, 46), slice(40, 50))
        np.testing.assert_array_equal(self.found(air=self.AIR | gullet, esophagus=gullet), self.TUBE)


class TestMasks:
    @pytest.mark.parametrize("rows, columns, filled", [(20, 10, True), (20, 11, False), (1, 1, True)])
    def test_holes_in_a_lung_are_filled_up_to_four_square_centimetres(
        self, rows: int, columns: int, filled: bool
    ) -> None:
        hole = block(slice(20, 20 + rows), slice(30, 30 + columns))
        whole = block(slice(10, 60), slice(20, 60))
        assert 2.0 * rows * columns in (400.0, 440.0, 2.0)
        np.testing.assert_array_equal(lung(lung_left=whole & ~hole), whole if filled else whole & ~hole)

    def test_each_hole_counts_for_itself_and_each_slice_too(self) -> None:
        small = block(slice(20, 30), slice(30, 35), slice(3, 5))
        large = block(slice(35, 58), slice(30, 50))
        whole = block(slice(10, 60), slice(20, 60))
        np.testing.assert_array_equal(lung(lung_left=whole & ~small & ~large), whole & ~large)

    def test_a_bay_is_no_hole(self) -> None:
        bay = block(slice(10, 20), slice(30, 35))
        whole = block(slice(10, 60), slice(20, 60))
        np.testing.assert_array_equal(lung(lung_left=whole & ~bay), whole & ~bay)

    def test_pixels_that_touch_by_a_corner_close_a_hole(self) -> None:
        whole = block(slice(10, 60), slice(20, 60))
        hole = block(slice(20, 24), slice(30, 34))
        out = block(slice(10, 20), slice(29, 30))  # touches the hole by a corner only
        np.testing.assert_array_equal(lung(lung_left=whole & ~hole & ~out), whole & ~out)

    def test_what_two_lungs_enclose_only_together_is_measured_like_any_hole(self) -> None:
        left, right = block(slice(10, 60), slice(50, 80)), block(slice(10, 60), slice(10, 40))
        bridges = block(slice(10, 12), slice(40, 50)) | block(slice(58, 60), slice(40, 50))
        voxels = lung(lung_left=left | bridges, lung_right=right)
        assert not voxels[:, 20:50, 42:48].any(), "a mediastinum of 46 x 20 mm is no lung"

    def test_other_barriers_keep_their_holes(self) -> None:
        ring = block(slice(10, 30), slice(10, 30)) & ~block(slice(15, 20), slice(15, 20))
        found = barrier_masks(
            organs(GRID, {"sternum": Mask(grid=GRID, voxels=ring)}), TABLE, ["lung", "bone"]
        )
        assert list(found) == ["bone"], "a barrier of which nothing is known is left out"
        np.testing.assert_array_equal(found["bone"].voxels, ring)

    def test_all_that_is_known_is_taken_together_and_only_where_asked(self) -> None:
        left, right = block(slice(10, 20), slice(50, 80)), block(slice(10, 20), slice(10, 40))
        known = organs(
            GRID, {"lung_left": Mask(grid=GRID, voxels=left), "lungs": Mask(grid=GRID, voxels=left | right)}
        )
        found = barrier_masks(known, TABLE, ["lung"], slices=range(4, 7))["lung"].voxels
        np.testing.assert_array_equal(found[4:7], (left | right)[4:7])
        assert not found[:4].any()
        assert not found[7:].any()
        assert left.sum() * 2 == (left | right).sum(), "the organs themselves are as they were"

    def test_a_lung_that_was_drawn_short_is_lung_where_it_is_aerated(self) -> None:
        drawn, rim = block(slice(10, 30), slice(20, 60)), block(slice(30, 36), slice(20, 60))
        found = aired({"lung_left": drawn}, air=drawn | rim)
        np.testing.assert_array_equal(found, drawn | rim)
        np.testing.assert_array_equal(aired({"lung_left": drawn}, air=drawn), drawn)

    def test_air_that_does_not_hang_together_with_a_lung_is_none(self) -> None:
        drawn, apart = block(slice(10, 30), slice(20, 60)), block(slice(31, 36), slice(20, 60))
        corner = block(slice(30, 34), slice(60, 64))
        np.testing.assert_array_equal(aired({"lung_left": drawn}, air=drawn | apart | corner), drawn)

    @pytest.mark.parametrize("hollow", ["esophagus", "gastric_conduit", "trachea"])
    def test_gas_of_the_gut_and_the_airway_is_no_lung(self, hollow: str) -> None:
        drawn, gas = block(slice(10, 30), slice(20, 60)), block(slice(30, 36), slice(20, 40))
        found = aired({"lung_left": drawn, hollow: gas}, air=drawn | gas)
        np.testing.assert_array_equal(found, drawn)

    def test_air_outside_the_body_is_no_lung(self) -> None:
        drawn, out = block(slice(10, 30), slice(20, 60)), block(slice(30, 36), slice(20, 40))
        found = aired({"lung_left": drawn, "body": block(slice(5, 30), slice(10, 70))}, air=drawn | out)
        np.testing.assert_array_equal(found, drawn)

    def test_lungs_of_the_image_are_left_as_they_were_found(self) -> None:
        drawn, rim = block(slice(10, 30), slice(20, 60)), block(slice(30, 36), slice(20, 60))
        found = aired({"lung_left": drawn}, air=drawn | rim, source=OrganSource.IMAGE)
        np.testing.assert_array_equal(found, drawn)

    def test_what_is_not_known_of_a_barrier_is_told(self) -> None:
        left = {"lung_left": Mask(grid=GRID, voxels=block(slice(10, 20), slice(50, 80)))}
        (told,) = holes_in_barriers(organs(GRID, left), TABLE, ["lung", "bone"])
        assert told.code == "BARRIER_PARTLY_KNOWN"
        assert "not known: lung_right" in told.message
        both = {"lungs": Mask(grid=GRID, voxels=block(slice(10, 20), slice(50, 80)))}
        assert holes_in_barriers(organs(GRID, both), TABLE, ["lung", "bone"]) == ()
        assert holes_in_barriers(organs(GRID, {}), TABLE, ["lung"]) == ()


class TestTaken:
    """A box of 30 x 24 mm in the middle of a section of 60 x 60 mm, and the body as that box."""

    GRID = grid_of(size=(90, 90, 12), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))
    SECTIONS = dict.fromkeys(range(3, 9), MultiPolygon([box(-30, -30, 30, 30)]))

    def mask(self, slices: slice = slice(None)) -> Mask:
        voxels = np.zeros(self.GRID.shape, dtype=bool)
        voxels[slices, 33:57, 30:60] = True
        return Mask(grid=self.GRID, voxels=voxels)

    def barrier(self, structure: str, overlap: float) -> Barrier:
        return Barrier(structure=structure, overlap_mm=overlap, on=True, source="C")

    @pytest.mark.parametrize("structure", ["heart", "body"])
    def test_without_overlap_it_is_the_structure_itself(self, structure: str) -> None:
        found = barred_sections(self.barrier(structure, 0.0), self.mask(), self.SECTIONS)
        assert list(found) == list(self.SECTIONS)
        for section in found.values():
            assert section.area == pytest.approx(30 * 24, rel=0.002)
            assert section.bounds == pytest.approx((-15, -12, 15, 12), abs=0.02)

    @pytest.mark.parametrize("overlap", [1.0, 2.0, 5.0])
    def test_an_organ_takes_less_by_the_overlap(self, overlap: float) -> None:
        found = barred_sections(self.barrier("heart", overlap), self.mask(), self.SECTIONS)
        assert list(found) == list(self.SECTIONS)
        for section in found.values():
            # A corner that is drawn in stays sharp, but for the lattice of 0.8 mm.
            assert section.area == pytest.approx((30 - 2 * overlap) * (24 - 2 * overlap), abs=3.0)
            assert section.bounds == pytest.approx(
                (overlap - 15, overlap - 12, 15 - overlap, 12 - overlap), abs=0.15
            )

    @pytest.mark.parametrize("overlap", [1.0, 2.0, 5.0])
    def test_the_body_keeps_more_by_the_overlap(self, overlap: float) -> None:
        found = barred_sections(self.barrier("body", overlap), self.mask(), self.SECTIONS)
        grown = 30 * 24 + 2 * overlap * (30 + 24) + math.pi * overlap**2
        for section in found.values():
            assert section.area == pytest.approx(grown, rel=0.008)  # a lattice of 0.8 mm cuts corners
            assert section.bounds == pytest.approx(
                (-15 - overlap, -12 - overlap, 15 + overlap, 12 + overlap), abs=0.15
            )

    def test_an_overlap_wider_than_the_structure_leaves_nothing_to_take(self) -> None:
        assert barred_sections(self.barrier("heart", 12.5), self.mask(), self.SECTIONS) == {}

    def test_the_overlap_counts_along_the_patient_too(self) -> None:
        # The structure ends on slices 2 and 6: with 4 mm, no plane within 4 mm of an end is taken.
        found = barred_sections(self.barrier("heart", 4.0), self.mask(slice(2, 7)), self.SECTIONS)
        assert list(found) == [4]
        without = barred_sections(self.barrier("heart", 0.0), self.mask(slice(2, 7)), self.SECTIONS)
        assert list(without) == [3, 4, 5, 6]

    @pytest.mark.parametrize("overlap", [0.0, 2.0])
    def test_beyond_the_scan_the_last_slice_is_held(self, overlap: float) -> None:
        beyond = dict.fromkeys(range(-3, 15), MultiPolygon([box(-30, -30, 30, 30)]))
        found = barred_sections(self.barrier("heart", overlap), self.mask(), beyond)
        assert list(found) == list(beyond)
        only_first = barred_sections(self.barrier("heart", overlap), self.mask(slice(0, 3)), beyond)
        assert {-3, -2, -1, 0} <= set(only_first)
        assert not set(only_first) & {3, 11, 12, 14}

    @pytest.mark.parametrize("overlap", [0.0, 2.0])
    def test_what_lies_away_from_the_sections_takes_nothing(self, overlap: float) -> None:
        away = dict.fromkeys(range(3, 6), MultiPolygon([box(-40, -40, -30, -30)]))
        found = barred_sections(self.barrier("heart", overlap), self.mask(), away)
        assert all(section.intersection(away[3]).area == 0 for section in found.values())
