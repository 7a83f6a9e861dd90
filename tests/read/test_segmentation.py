"""Organs from DICOM segmentations: where frames lie, what segments are called, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.dataset import Dataset

from pipeline.core.anatomy import Organs, OrganSource
from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.read import OrganInput, load_organ_names, read_organs
from tests import seg_maker
from tests.dicom_maker import COSINES, CtSpec, MadeCt, RoiSpec, circles, make_ct, make_structure_set
from tests.seg_maker import Lattice, SegmentSpec, frames_shuffled, grid_of, make_seg, moved

NAMES = load_organ_names()
Voxels = npt.NDArray[np.bool_]

SPEC = CtSpec(size=(30, 22, 8), spacing_mm=(4.0, 5.0, 3.0), center_mm=(0.0, 0.0, 0.0))
LEFT, RIGHT, MIDDLE = (30.0, 0.0, -5.0), (-30.0, 0.0, 5.0), (0.0, 20.0, 0.0)


def ball(on: Grid, centre: tuple[float, float, float], radius: float = 14.0) -> Voxels:
    k, j, i = np.indices(on.shape)
    points = on.to_patient(np.column_stack([i.ravel(), j.ravel(), k.ravel()]))
    return (np.linalg.norm(points - centre, axis=1) <= radius).reshape(on.shape)


def read(path: Path, on: Grid, wanted: Sequence[str] | None = None) -> Organs:
    return read_organs(OrganInput(grid=on, anatomy=path), NAMES, wanted=wanted)


def message(organs: Organs, code: str) -> str:
    return " | ".join(f"{one.where}: {one.message}" for one in organs.findings if one.code == code)


def codes(organs: Organs) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in organs.findings}


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> MadeCt:
    return make_ct(tmp_path_factory.mktemp("ct"), SPEC)


@pytest.fixture(scope="module")
def on(ct: MadeCt) -> Grid:
    return grid_of(ct)


class TestPlaces:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_left_is_left_in_every_position(self, position: str, kind: str, tmp_path: Path) -> None:
        spec = CtSpec(size=(34, 28, 9), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0, 0, 0), position=position)
        made = make_ct(tmp_path / "ct", spec)
        grid = grid_of(made)
        left, right = ball(grid, LEFT), ball(grid, RIGHT)
        segments = [SegmentSpec("lung_left", left), SegmentSpec("lung_right", right)]
        organs = read(make_seg(tmp_path / "seg.dcm", made, segments, kind=kind), grid)
        assert np.array_equal(organs["lung_left"].voxels, left)
        assert np.array_equal(organs["lung_right"].voxels, right)
        k, j, i = np.nonzero(organs["lung_left"].voxels)
        assert grid.to_patient(np.column_stack([i, j, k])).mean(axis=0) == pytest.approx(LEFT, abs=1.5)
        assert codes(organs).keys() <= {"SEGMENTATION_THRESHOLD"}

    def test_an_oblique_series(self, tmp_path: Path) -> None:
        c, s = np.cos(0.2), np.sin(0.2)
        made = make_ct(tmp_path / "ct", CtSpec(size=(20, 24, 6), cosines=(c, s, 0.0, -s, c, 0.0)))
        grid = grid_of(made)
        voxels = ball(grid, (9.0, -12.0, 41.0), 9.0)
        organs = read(make_seg(tmp_path / "seg.dcm", made, [SegmentSpec("heart", voxels)]), grid)
        assert np.array_equal(organs["heart"].voxels, voxels)

    def test_the_order_of_frames_means_nothing(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        segments = [SegmentSpec("heart", ball(on, LEFT)), SegmentSpec("aorta", ball(on, MIDDLE))]
        organs = read(make_seg(tmp_path / "seg.dcm", ct, segments, bend=frames_shuffled), on)
        assert np.array_equal(organs["heart"].voxels, ball(on, LEFT))
        assert np.array_equal(organs["aorta"].voxels, ball(on, MIDDLE))
        assert pydicom.dcmread(tmp_path / "seg.dcm").NumberOfFrames < 2 * len(
            ct.files
        )  # empty ones are left out

    def test_a_single_frame(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        """One frame, its position among what all frames share."""

        def share(header: Dataset) -> None:
            (frame,) = header.PerFrameFunctionalGroupsSequence
            shared = header.SharedFunctionalGroupsSequence[0]
            shared.PlanePositionSequence = frame.PlanePositionSequence
            del frame.PlanePositionSequence

        voxels = np.zeros(on.shape, dtype=bool)
        voxels[5, 3:9, 4:20] = True
        path = make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("heart", voxels)], bend=share)
        assert np.array_equal(read(path, on)["heart"].voxels, voxels)

    @pytest.mark.parametrize("along", [0, 1])
    def test_frames_across_the_slices(self, along: int, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        """Sagittal and coronal frames of the CT's own voxels, counted from its last one back."""
        voxels = ball(on, LEFT) | ball(on, MIDDLE, 8.0)
        steps, other = on.axes * np.array(on.spacing_mm), 1 - along
        last = on.to_patient([np.array(on.size) - 1])[0]
        lattice = Lattice(last, row=-steps[:, other], down=-steps[:, 2], onward=-steps[:, along])
        segment = SegmentSpec("heart", voxels.transpose(2 - along, 0, 2 - other)[::-1, ::-1, ::-1])
        organs = read(make_seg(tmp_path / "seg.dcm", ct, [segment], lattice=lattice), on)
        assert np.array_equal(organs["heart"].voxels, voxels)

    @pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
    @pytest.mark.parametrize("cut", [-2, 0, 2])
    def test_frames_smaller_and_larger_than_the_ct(
        self, cut: int, kind: str, ct: MadeCt, on: Grid, tmp_path: Path
    ) -> None:
        """Voxels of the CT's lattice: a part of the image, or past its edges on every side."""
        wide = np.zeros(np.array(on.shape) + 4, dtype=bool)  # two voxels more on each side
        wide[0:4, 0:5, 0:6] = wide[5:8, 10:15, 12:18] = wide[9:, 24:, 30:] = True
        own = wide[2:-2, 2:-2, 2:-2]
        part = wide[tuple(slice(2 + cut, size - 2 - cut) for size in wide.shape)]
        steps = on.axes * np.array(on.spacing_mm)
        lattice = Lattice(on.to_patient([(cut, cut, cut)])[0], *steps.T)
        path = make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("heart", part)], lattice=lattice, kind=kind)
        organs = read(path, on)
        inner = np.zeros_like(own)
        at = slice(max(cut, 0), -cut if cut > 0 else None)
        inner[at, at, at] = own[at, at, at]
        assert np.array_equal(organs["heart"].voxels, inner)
        lost = int(part.sum() - inner.sum())
        told = f"segment heart: Voxels beyond the CT were left out of the organ: {lost}." if lost else ""
        assert message(organs, "ORGAN_INCOMPLETE") == told
        assert (lost > 0) is (cut < 0)


class TestKinds:
    def test_fractions_count_from_half_of_their_maximum(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        fractions = np.zeros(on.shape)
        fractions[4, 4, 4:8] = (0.2, 0.49, 0.5, 1.0)
        path = make_seg(
            tmp_path / "seg.dcm",
            ct,
            [SegmentSpec("heart", fractions)],
            kind="FRACTIONAL",
            max_fractional_value=100,
        )
        organs = read(path, on)
        assert np.argwhere(organs["heart"].voxels).tolist() == [[4, 4, 6], [4, 4, 7]]
        assert codes(organs) == {"SEGMENTATION_THRESHOLD": Severity.INFO}
        assert "from half of the maximum on (50 of 100)" in message(organs, "SEGMENTATION_THRESHOLD")

    def test_segments_that_overlap_and_one_that_is_empty(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        heart, aorta = ball(on, MIDDLE, 20.0), ball(on, MIDDLE, 9.0)
        segments = [
            SegmentSpec("heart", heart),
            SegmentSpec("spleen", np.zeros(on.shape, dtype=bool)),
            SegmentSpec("aorta", aorta),
        ]
        organs = read(make_seg(tmp_path / "seg.dcm", ct, segments), on)
        assert set(organs) == {"heart", "aorta"}
        assert np.array_equal(organs["heart"].voxels, heart)
        assert np.array_equal(organs["aorta"].voxels, aorta)
        assert "not there: spleen." in message(organs, "ORGAN_EMPTY")

    def test_a_label_map_of_16_bits(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def widen(header: Dataset) -> None:
            header.BitsAllocated = header.BitsStored = 16
            header.HighBit = 15
            header.add_new(
                "PixelData", "OW", (np.frombuffer(header.PixelData, np.uint8).astype("<u2")).tobytes()
            )

        segments = [SegmentSpec("heart", ball(on, LEFT)), SegmentSpec("aorta", ball(on, RIGHT))]
        organs = read(make_seg(tmp_path / "seg.dcm", ct, segments, kind="LABELMAP", bend=widen), on)
        assert np.array_equal(organs["aorta"].voxels, ball(on, RIGHT))

    def test_compressed_frames(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        segments = [SegmentSpec("heart", ball(on, LEFT))]
        path = make_seg(
            tmp_path / "seg.dcm", ct, segments, kind="LABELMAP", transfer_syntax_uid="1.2.840.10008.1.2.5"
        )
        assert np.array_equal(read(path, on)["heart"].voxels, ball(on, LEFT))


class TestNames:
    def names(self, ct: MadeCt, on: Grid, folder: Path, *segments: tuple[Any, ...]) -> Organs:
        specs = [SegmentSpec(label, ball(on, LEFT), *more) for label, *more in segments]
        return read(make_seg(folder / "seg.dcm", ct, specs), on)

    def test_the_label_goes_before_the_code(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        organs = self.names(
            ct,
            on,
            tmp_path,
            ("Oesophagus", "Stomach"),
            ("Segment_2", "Kidney", seg_maker.LEFT),
            ("Lung", "Lung", seg_maker.RIGHT),
            ("Segment_4", "Aorta", seg_maker.BOTH),
            ("something", "nothing known"),
            ("GTV in the liver", "Liver"),
        )
        assert set(organs) == {"esophagus", "kidney_left", "lung_right", "aorta"}
        details = {name: one.detail for name, one in organs.by_name.items()}
        assert details == {
            "esophagus": "segment 1 'Oesophagus' of file seg.dcm",
            "kidney_left": "segment 2 'Segment_2', coded 'Kidney' of file seg.dcm",
            "lung_right": "segment 3 'Lung' of file seg.dcm",
            "aorta": "segment 4 'Segment_4', coded 'Aorta' of file seg.dcm",
        }
        assert {one.source for one in organs.by_name.values()} == {OrganSource.MASKS}
        assert message(organs, "ORGAN_NAMES_UNKNOWN").endswith("rt-targets knows: something.")

    def test_sides_that_contradict_each_other(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        organs = self.names(ct, on, tmp_path, ("lung_left", "Lung", seg_maker.RIGHT), ("heart", "Heart"))
        assert set(organs) == {"heart"}
        assert codes(organs) == {"ORGAN_SIDES_CONTRADICT": Severity.WARNING}
        assert "'lung_left', its code 'Lung' with the modifier right" in message(
            organs, "ORGAN_SIDES_CONTRADICT"
        )

    def test_two_segments_of_one_name(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        organs = self.names(ct, on, tmp_path, ("heart",), ("Heart",), ("aorta",))
        assert set(organs) == {"aorta"}
        assert codes(organs)["ORGAN_NAME_AMBIGUOUS"] is Severity.WARNING

    def test_only_wanted_segments_are_decoded(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        segments = [SegmentSpec("heart", ball(on, LEFT)), SegmentSpec("aorta", ball(on, RIGHT))]
        assert set(read(make_seg(tmp_path / "seg.dcm", ct, segments), on, ["aorta"])) == {"aorta"}

    def test_the_patient_is_not_named(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        organs = self.names(ct, on, tmp_path, ("heart",), ("Secret's thing",))
        assert "***'s thing" in message(organs, "ORGAN_NAMES_UNKNOWN")


class TestRefusals:
    def refused(self, on: Grid, ct: MadeCt, path: Path, bend: Any = None, **options: Any) -> str:
        bends = {} if bend is None else {"bend": bend}
        make_seg(path, ct, [SegmentSpec("heart", ball(on, LEFT))], **bends, **options)
        with pytest.raises(StructureError) as caught:
            read(path, on)
        assert path.name in str(caught.value)
        assert str(path.parent) not in str(caught.value)
        assert not any(secret in str(caught.value) for secret in ("Secret", "Person", "4711"))
        return str(caught.value)

    def test_another_frame_of_reference(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def rename(header: Dataset) -> None:
            header.FrameOfReferenceUID = "1.2.3"

        told = self.refused(on, ct, tmp_path / "seg.dcm", rename)
        assert "segmentation belongs to another CT; where: file seg.dcm" in told
        assert f"expected: frame of reference {on.frame_of_reference}" in told
        assert "got: 1.2.3" in told

    def test_no_frame_of_reference_to_compare_with(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        """A CT from NIfTI: the positions tell."""
        path = make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("heart", ball(on, LEFT))])
        bare = Grid(size=on.size, spacing_mm=on.spacing_mm, origin_mm=on.origin_mm, direction=on.direction)
        assert np.array_equal(read(path, bare)["heart"].voxels, ball(on, LEFT))

    @pytest.mark.parametrize("shift", [(0.0, 0.0, 1.5), (1.0, 0.0, 0.0), (0.0, 2.5, 0.0)])
    def test_frames_beside_the_voxels(
        self, shift: Sequence[float], ct: MadeCt, on: Grid, tmp_path: Path
    ) -> None:
        told = self.refused(on, ct, tmp_path / "seg.dcm", lambda header: moved(header, shift))
        assert "segmentation lies on another grid than the CT" in told
        assert "frames beside its voxels, the first with 30 x 22 pixels of [4.0, 5.0] mm" in told
        assert "resample the segmentation" in told

    def test_rounded_positions_are_the_ct_s(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        path = make_seg(
            tmp_path / "seg.dcm",
            ct,
            [SegmentSpec("heart", ball(on, LEFT))],
            bend=lambda header: moved(header, (0.1, -0.1, 0.1)),
        )
        assert np.array_equal(read(path, on)["heart"].voxels, ball(on, LEFT))

    @pytest.mark.parametrize(
        "row, down", [((2, 0, 0), (0, 5, 0)), ((4, 0, 0), (0, 5.1, 0)), ((4, 0, 0), (0, 4.33, 2.5))]
    )
    def test_another_spacing_or_direction(
        self, row: Sequence[float], down: Sequence[float], ct: MadeCt, on: Grid, tmp_path: Path
    ) -> None:
        across, along = np.array(row, dtype=float), np.array(down, dtype=float)
        lattice = Lattice(
            on.origin_mm,
            across,
            along,
            3.0 * np.cross(across, along) / np.linalg.norm(np.cross(across, along)),
        )
        told = self.refused(on, ct, tmp_path / "seg.dcm", lattice=lattice)
        assert "segmentation lies on another grid than the CT" in told

    def test_a_frame_without_its_place(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def forget(header: Dataset) -> None:
            del header.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence

        told = self.refused(on, ct, tmp_path / "seg.dcm", forget)
        assert "segmentation cannot be read" in told

    def test_positions_that_are_none(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def spoil(header: Dataset) -> None:
            for frame in header.PerFrameFunctionalGroupsSequence:
                frame.PlanePositionSequence[0].ImagePositionPatient = [1, 2]

        assert "segmentation cannot be read" in self.refused(on, ct, tmp_path / "seg.dcm", spoil)

    def test_frames_and_their_description_that_differ_in_number(
        self, ct: MadeCt, on: Grid, tmp_path: Path
    ) -> None:
        def drop(header: Dataset) -> None:
            del header.PerFrameFunctionalGroupsSequence[-1]

        assert "segmentation cannot be read" in self.refused(on, ct, tmp_path / "seg.dcm", drop)

    def test_a_file_that_breaks_off_in_its_pixels(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        path = make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("heart", ball(on, LEFT))])
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(StructureError, match=r"segmentation cannot be read; where: file seg.dcm"):
            read(path, on)

    def test_one_number_for_two_segments(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def renumber(header: Dataset) -> None:
            header.SegmentSequence = [*header.SegmentSequence, header.SegmentSequence[0]]

        assert "given to several segments" in self.refused(on, ct, tmp_path / "seg.dcm", renumber)

    def test_fractions_without_a_maximum(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        def spoil(header: Dataset) -> None:
            header.MaximumFractionalValue = 0

        told = self.refused(on, ct, tmp_path / "seg.dcm", spoil, kind="FRACTIONAL")
        assert "MaximumFractionalValue is 0" in told

    def test_no_segment_that_is_an_organ(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        make_seg(tmp_path / "seg.dcm", ct, [SegmentSpec("GTV", ball(on, LEFT), "Tumor")])
        with pytest.raises(StructureError, match=r"no organ that rt-targets knows.*segments.*got: GTV"):
            read(tmp_path / "seg.dcm", on)


class TestFolder:
    def test_a_segmentation_in_a_dicom_folder(self, ct: MadeCt, on: Grid, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "export", SPEC)
        for kind in ("BINARY", "LABELMAP"):
            path = make_seg(
                tmp_path / "export" / "seg", ct, [SegmentSpec("heart", ball(on, LEFT))], kind=kind
            )
            assert np.array_equal(read(tmp_path / "export", on)["heart"].voxels, ball(on, LEFT))
        make_structure_set(
            tmp_path / "export" / "rs.dcm", made, [RoiSpec("Heart", circles(made, radius_mm=9.0))]
        )
        with pytest.raises(StructureError, match="several structure sets or segmentations"):
            read(tmp_path / "export", on)
        assert set(read(path, on)) == {"heart"}


@pytest.mark.slow
def test_highdicom_is_loaded_with_the_first_segmentation_only() -> None:
    script = "import sys, pipeline.app, pipeline.read.organs; print('highdicom' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout.strip() == "False", ran.stderr
