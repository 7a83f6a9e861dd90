"""Organs from several sources: trust, conflicts, sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.core.volume import Mask
from pipeline.read import OrganInput, merge_organs, organ_sets, read_organs
from tests.dicom_maker import RoiSpec, make_ct
from tests.read.organ_scenes import (
    GRID,
    LEFT,
    MIDDLE,
    NAMES,
    RIGHT,
    SPEC,
    ball,
    codes,
    message,
    organ,
    plan,
    ring,
    write,
)


def organs_of(*found: Organ) -> Organs:
    return Organs(grid=GRID, by_name={one.name: one for one in found})


class TestMerging:
    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
    def test_each_organ_from_the_best_source_that_has_it(self, order: tuple[int, ...]) -> None:
        voxels = ball(MIDDLE)
        drawn = organs_of(organ("heart", voxels, OrganSource.STRUCTURE_SET))
        masks = organs_of(organ("heart", voxels), organ("aorta", voxels))
        found = organs_of(
            organ("aorta", voxels, OrganSource.SEGMENTATION), organ("liver", voxels, OrganSource.SEGMENTATION)
        )
        image = organs_of(
            organ("liver", voxels, OrganSource.IMAGE), organ("colon", voxels, OrganSource.IMAGE)
        )
        merged = merge_organs(GRID, [(image, found, masks, drawn)[n] for n in order], NAMES)
        assert {name: one.source for name, one in merged.by_name.items()} == {
            "heart": OrganSource.STRUCTURE_SET,
            "aorta": OrganSource.MASKS,
            "liver": OrganSource.SEGMENTATION,
            "colon": OrganSource.IMAGE,
        }
        assert not merged.findings

    def test_sources_that_hardly_overlap(self) -> None:
        drawn = organ("heart", ball(MIDDLE), OrganSource.STRUCTURE_SET, "ROI 'Heart'")
        near = organ("heart", ball((2.0, 20.0, 0.0)))
        far = organ("heart", ball((20.0, 20.0, 0.0)), detail="file heart.nii.gz")
        assert not merge_organs(GRID, [organs_of(drawn), organs_of(near)], NAMES).findings
        merged = merge_organs(GRID, [organs_of(far), organs_of(drawn)], NAMES)
        assert np.array_equal(merged["heart"].voxels, ball(MIDDLE))
        (finding,) = merged.findings
        both = np.count_nonzero(ball(MIDDLE) & far.mask.voxels)
        dice = 2 * both / (np.count_nonzero(ball(MIDDLE)) + np.count_nonzero(far.mask.voxels))
        assert (finding.code, finding.severity) == ("ORGAN_SOURCES_DIFFER", Severity.WARNING)
        assert f"Dice {dice:.2f}" in finding.message
        assert finding.message.startswith("structure set (ROI 'Heart') and masks (file heart.nii.gz)")

    def test_sources_on_different_slices(self) -> None:
        low, high = (organ("heart", ball((0.0, 0.0, z), 5.0)) for z in (-10.0, 10.0))
        merged = merge_organs(GRID, [organs_of(low), organs_of(high)], NAMES)
        assert "Dice 0.00" in message(merged, "ORGAN_SOURCES_DIFFER")

    @pytest.mark.parametrize("middle", ["vertebrae_T4", "spinal_canal", "body"])
    def test_organs_on_the_wrong_side(self, middle: str) -> None:
        found = organs_of(
            organ(middle, ball(MIDDLE, 40.0 if middle == "body" else 10.0)),
            organ("lung_left", ball(RIGHT)),
            organ("kidney_right", ball(RIGHT)),
            organ("clavicula_right", ball((10.0, 0.0, 0.0))),  # a little over the middle
            organ("heart_atrium_left", ball(RIGHT)),  # a side of the heart, not of the patient
        )
        merged = merge_organs(GRID, [found], NAMES)
        (finding,) = (one for one in merged.findings if one.code == "ORGAN_ON_WRONG_SIDE")
        assert (finding.severity, finding.where) == (Severity.WARNING, "organ lung_left")
        assert "is called left and lies 30 mm to the right of the" in finding.message

    def test_without_a_midline_no_side_is_judged(self) -> None:
        assert not merge_organs(GRID, [organs_of(organ("lung_left", ball(RIGHT)))], NAMES).findings

    def test_without_a_midline_pairs_are_held_against_each_other(self) -> None:
        swapped = merge_organs(
            GRID, [organs_of(organ("lung_left", ball(RIGHT)), organ("lung_right", ball(LEFT)))], NAMES
        )
        (finding,) = swapped.findings
        assert (finding.code, finding.where) == ("ORGAN_SIDES_SWAPPED", "organ lung_left")
        right = organs_of(organ("lung_left", ball(LEFT)), organ("lung_right", ball(RIGHT)))
        assert not merge_organs(GRID, [right], NAMES).findings

    def test_an_organ_between_the_sampled_rows(self) -> None:
        wide = Grid(
            size=(64, 256, 4), spacing_mm=(1.0, 1.0, 3.0), origin_mm=(0, 0, 0), direction=GRID.direction
        )
        cord, rib = np.zeros(wide.shape, dtype=bool), np.zeros(wide.shape, dtype=bool)
        cord[:, 100:120, 40:44] = True
        rib[1, 101, 0:4] = True  # one row, which a sample of every fourth does not meet
        masks = {"spinal_cord": cord, "rib_left_1": rib}
        found = {
            name: Organ(name=name, mask=Mask(grid=wide, voxels=voxels), source=OrganSource.MASKS)
            for name, voxels in masks.items()
        }
        merged = merge_organs(wide, [Organs(grid=wide, by_name=found)], NAMES)
        assert "lies 40 mm to the right of the spinal cord" in message(merged, "ORGAN_ON_WRONG_SIDE")

    def test_an_organ_outside_the_body(self) -> None:
        found = organs_of(
            organ("body", ball(RIGHT, 30.0)), organ("trachea", ball(LEFT)), organ("heart", ball(RIGHT))
        )
        merged = merge_organs(GRID, [found], NAMES)
        (finding,) = merged.findings
        assert (finding.code, finding.severity) == ("ORGAN_OUTSIDE_BODY", Severity.WARNING)
        assert finding.where == "organ trachea"
        assert "only 0 % of it lies inside the body" in finding.message

    def test_drawn_organs_go_before_masks(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        rois = [
            RoiSpec("Heart", ring(made, MIDDLE)),
            RoiSpec("Aorta", ring(made, LEFT)),
            RoiSpec("AORTA", []),
        ]
        on, structure_set = plan(tmp_path, made, rois)
        write(tmp_path / "masks" / "heart.nii.gz", ball(RIGHT, on=on), on=on)
        write(tmp_path / "masks" / "liver.nii.gz", ball(RIGHT, on=on), on=on)
        given = OrganInput(grid=on, structure_set=structure_set, anatomy=tmp_path / "masks")
        organs = read_organs(given, NAMES)
        assert {name: one.source for name, one in organs.by_name.items()} == {
            "heart": OrganSource.STRUCTURE_SET,
            "aorta": OrganSource.STRUCTURE_SET,
            "liver": OrganSource.MASKS,
        }
        assert codes(organs)["ORGAN_SOURCES_DIFFER"] is Severity.WARNING
        assert [len(one) for one in organ_sets(given, NAMES)] == [2, 2]
