"""Organs from structure sets and masks: which are taken, from where, and what is told or refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK as sitk

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.errors import InputError, StructureError, UsageError
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.core.volume import Mask
from pipeline.read import OrganInput, load_organ_names, merge_organs, organ_sets, read_organs
from pipeline.read.dicom_index import index_folder
from pipeline.read.selection import select
from pipeline.read.structure_set import StructureSet
from tests.dicom_maker import COSINES, CtSpec, MadeCt, RoiSpec, circles, make_ct, make_structure_set
from tests.phantoms import coarse

NAMES = load_organ_names()
Voxels = npt.NDArray[np.bool_]

STORAGES = ("LPS", "RAS", "LPI", "RPI", "PLS", "SLP", "ASR", "IRA")
SPEC = CtSpec(size=(40, 36, 8), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0.0, 0.0, 0.0))


def grid(direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)) -> Grid:
    """32 x 28 x 10 voxels about the origin of the patient."""
    half = np.array([31 * 4.0, 27 * 4.0, 9 * 3.0]) / 2
    corner = -np.array(direction).reshape(3, 3) @ half
    return Grid(
        size=(32, 28, 10),
        spacing_mm=(4.0, 4.0, 3.0),
        origin_mm=(float(corner[0]), float(corner[1]), float(corner[2])),
        direction=direction,  # type: ignore[arg-type]
    )


GRID = grid()


def ball(centre: tuple[float, float, float], radius: float = 14.0, on: Grid = GRID) -> Voxels:
    k, j, i = np.indices(on.shape)
    points = on.to_patient(np.column_stack([i.ravel(), j.ravel(), k.ravel()]))
    return (np.linalg.norm(points - centre, axis=1) <= radius).reshape(on.shape)


LEFT, RIGHT, MIDDLE = (30.0, 0.0, 0.0), (-30.0, 0.0, 0.0), (0.0, 20.0, 0.0)
UP = np.array([0.0, 0.0, 1.4])  # off the slices
NOTHING = np.zeros(GRID.shape, dtype=bool)


def write(path: Path, voxels: npt.NDArray[np.generic], *, on: Grid = GRID, storage: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing(on.spacing_mm)
    image.SetOrigin(on.origin_mm)
    image.SetDirection(on.direction)
    sitk.WriteImage(sitk.DICOMOrient(image, storage) if storage else image, path)
    return path


def read(anatomy: Path, wanted: Sequence[str] | None = None, *, on: Grid = GRID) -> Organs:
    return read_organs(OrganInput(grid=on, anatomy=anatomy), NAMES, wanted=wanted)


def codes(organs: Organs) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in organs.findings}


def message(organs: Organs, code: str) -> str:
    return " | ".join(f"{one.where}: {one.message}" for one in organs.findings if one.code == code)


class TestMaskFolder:
    def test_files_are_organs_by_name(self, tmp_path: Path) -> None:
        write(tmp_path / "Lung_L.nii.gz", ball(LEFT))
        write(tmp_path / "heart.nrrd", ball(MIDDLE))
        write(tmp_path / "spleen.nii.gz", NOTHING)
        write(tmp_path / "pancreas.nii.gz", NOTHING)
        write(tmp_path / "bed.nii.gz", ball(MIDDLE))
        (tmp_path / "notes.txt").write_text("not an image")
        organs = read(tmp_path)
        assert set(organs) == {"lung_left", "heart"}
        assert np.array_equal(organs["lung_left"].voxels, ball(LEFT))
        told = organs.by_name["lung_left"]
        assert (told.source, told.detail) == (OrganSource.MASKS, "file Lung_L.nii.gz")
        assert codes(organs) == {"ORGAN_EMPTY": Severity.INFO, "ORGAN_NAMES_UNKNOWN": Severity.INFO}
        assert "not there: pancreas, spleen." in message(organs, "ORGAN_EMPTY")
        assert "knows: bed." in message(organs, "ORGAN_NAMES_UNKNOWN")

    def test_only_wanted_files_are_opened(self, tmp_path: Path) -> None:
        write(tmp_path / "heart.nii.gz", ball(MIDDLE))
        (tmp_path / "liver.nii.gz").write_bytes(b"no image at all")
        assert set(read(tmp_path, ["Heart"])) == {"heart"}
        with pytest.raises(InputError, match=r"image cannot be read; where: file liver.nii.gz"):
            read(tmp_path)
        with pytest.raises(UsageError, match="no organ of this name"):
            read(tmp_path, ["hart attack"])

    @pytest.mark.parametrize("storage", STORAGES)
    def test_every_storage_is_the_same_patient(self, storage: str, tmp_path: Path) -> None:
        voxels = ball((21.0, -9.0, 5.0)) | ball((-30.0, 20.0, -8.0), 8.0)
        write(tmp_path / "heart.nii.gz", voxels, storage=storage)
        found = read(tmp_path)["heart"].voxels
        assert np.array_equal(found, voxels)
        assert found.flags.c_contiguous

    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_every_patient_position(self, position: str, tmp_path: Path) -> None:
        i, j = np.array(COSINES[position][:3]), np.array(COSINES[position][3:])
        on = grid(tuple(np.column_stack([i, j, np.cross(i, j)]).ravel()))
        write(tmp_path / "lung_left.nii.gz", ball(LEFT, on=on), on=on, storage="RAS")
        write(tmp_path / "kidney_left.nii.gz", ball(RIGHT, on=on), on=on, storage="LPS")
        write(tmp_path / "vertebrae_T4.nii.gz", ball(MIDDLE, on=on), on=on)
        organs = read(tmp_path, on=on)
        assert np.array_equal(organs["lung_left"].voxels, ball(LEFT, on=on))
        assert "organ kidney_left: " in message(organs, "ORGAN_ON_WRONG_SIDE")
        assert codes(organs).keys() == {"ORGAN_ON_WRONG_SIDE"}

    def test_two_files_of_one_organ(self, tmp_path: Path) -> None:
        write(tmp_path / "body.nii.gz", ball(MIDDLE, 30))
        write(tmp_path / "skin.nii.gz", ball(LEFT))
        write(tmp_path / "heart.nii.gz", ball(MIDDLE))
        write(tmp_path / "Heart.nrrd", ball(LEFT))
        organs = read(tmp_path)
        assert set(organs) == {"body"}
        assert "body: 'body', 'skin'. 'body' was used" in message(organs, "ORGAN_SEVERAL_NAMES")
        assert "None was used" in message(organs, "ORGAN_NAME_AMBIGUOUS")
        assert codes(organs)["ORGAN_NAME_AMBIGUOUS"] is Severity.WARNING

    def test_lobes_make_the_lung(self, tmp_path: Path) -> None:
        upper, lower = ball(LEFT, 8.0), ball((40.0, 0.0, -9.0), 8.0)
        write(tmp_path / "lung_upper_lobe_left.nii.gz", upper)
        write(tmp_path / "lung_lower_lobe_left.nii.gz", lower)
        write(tmp_path / "lung_upper_lobe_right.nii.gz", ball(RIGHT))
        write(tmp_path / "lung_lower_lobe_right.nii.gz", NOTHING)
        organs = read(tmp_path, ["lung_left", "lung_right"])
        assert np.array_equal(organs["lung_left"].voxels, upper | lower)
        assert organs.by_name["lung_left"].detail == "union of lung_upper_lobe_left, lung_lower_lobe_left"
        assert "lung_right" not in organs  # nothing is said about its middle lobe
        write(tmp_path / "lung_middle_lobe_right.nii.gz", NOTHING)
        organs = read(tmp_path, ["lungs"])
        assert np.array_equal(organs["lungs"].voxels, upper | lower | ball(RIGHT))
        assert organs.by_name["lung_right"].detail == "union of lung_upper_lobe_right"

    def test_a_lung_that_was_given_is_not_made(self, tmp_path: Path) -> None:
        write(tmp_path / "lung_left.nii.gz", ball(LEFT))
        (tmp_path / "lung_upper_lobe_left.nii.gz").write_bytes(b"is not opened")
        (tmp_path / "lung_lower_lobe_left.nii.gz").write_bytes(b"is not opened")
        assert read(tmp_path, ["lung_left"]).by_name["lung_left"].detail == "file lung_left.nii.gz"

    def test_a_rind_is_no_body(self, tmp_path: Path) -> None:
        write(tmp_path / "Skin.nii.gz", ball(MIDDLE, 30) & ~ball(MIDDLE, 26))
        organs = read(tmp_path)
        assert not len(organs)
        assert "was not used as the body" in message(organs, "BODY_IS_A_RIND")

    def test_the_phantom(self, tmp_path: Path) -> None:
        made = coarse()
        for name in ("lung_upper_lobe_left", "trachea", "vertebrae_T4", "aorta", "rib_right_3"):
            write(tmp_path / f"{name}.nii.gz", made.organs[name].voxels, on=made.volume.grid, storage="RAS")
        organs = read(tmp_path, on=made.volume.grid)
        assert len(organs) == 5
        assert not organs.findings
        assert all(np.array_equal(organs[name].voxels, made.organs[name].voxels) for name in organs)


class TestLabelMap:
    LABELS = np.where(ball(LEFT), 3, np.where(ball(RIGHT), 7, np.where(ball(MIDDLE), 9, 0)))

    def write(self, folder: Path, name: str = "seg.nii.gz", storage: str = "") -> Path:
        return write(folder / name, self.LABELS, storage=storage)

    @pytest.mark.parametrize("storage", ["LPS", "RAS", "SLP"])
    def test_labels_by_their_names(self, storage: str, tmp_path: Path) -> None:
        path = self.write(tmp_path, storage=storage)
        table = {"3": "lung_left", "7": "Lung_R", "9": "couch", "11": "spleen"}
        (tmp_path / "seg.json").write_text(json.dumps(table))
        organs = read(path)
        assert set(organs) == {"lung_left", "lung_right", "lungs"}
        assert np.array_equal(organs["lung_right"].voxels, ball(RIGHT) & ~ball(LEFT))
        assert organs.by_name["lung_right"].detail == "file seg.nii.gz, label 7 'Lung_R'"
        assert codes(organs) == {"ORGAN_EMPTY": Severity.INFO, "ORGAN_NAMES_UNKNOWN": Severity.INFO}

    def test_beside_other_masks_in_a_folder(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        (tmp_path / "seg.json").write_text('{"9": "esophagus"}')
        write(tmp_path / "heart.nii.gz", ball(LEFT))
        assert set(read(tmp_path)) == {"esophagus", "heart"}

    def test_a_label_map_without_names(self, tmp_path: Path) -> None:
        path = self.write(tmp_path)
        with pytest.raises(
            StructureError, match=r"label map without names; where: file seg.nii.gz.*seg.json"
        ):
            read(path)

    def test_a_label_map_under_an_organs_name(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, "lungs.nii.gz")
        with pytest.raises(StructureError, match=r"label map without names.*values from 3 to 9"):
            read(path)
        (tmp_path / "lungs.json").write_text('{"3": "lung_left"}')
        assert set(read(path)) == {"lung_left"}
        with pytest.raises(StructureError, match=r"label map named as one organ.*got: labels lung_left"):
            read(tmp_path)

    def test_one_organ_in_one_file(self, tmp_path: Path) -> None:
        assert set(read(write(tmp_path / "Oesophagus.nrrd", ball(MIDDLE) * 255))) == {"esophagus"}


class TestRefusals:
    def test_another_grid(self, tmp_path: Path) -> None:
        write(tmp_path / "heart.nii.gz", ball(MIDDLE)[:, :, 1:])
        with pytest.raises(StructureError, match=r"mask lies on another grid.*heart.nii.gz.*resample"):
            read(tmp_path)

    def test_no_such_path(self, tmp_path: Path) -> None:
        with pytest.raises(StructureError, match=r"no such file or folder; where: --anatomy absent"):
            read(tmp_path / "absent")

    def test_a_folder_without_masks(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nothing here that could be read")
        with pytest.raises(StructureError, match=r"no organ masks; .*got: neither"):
            read(tmp_path)

    def test_a_folder_without_organs(self, tmp_path: Path) -> None:
        write(tmp_path / "GTV.nii.gz", ball(MIDDLE))
        with pytest.raises(
            StructureError, match=r"no organ that rt-targets knows.*got: GTV.*atlas/organs.yaml"
        ):
            read(tmp_path)

    def test_a_file_of_another_kind(self, tmp_path: Path) -> None:
        file = tmp_path / "notes.txt"
        file.write_text("nothing that could be read as anatomy")
        with pytest.raises(
            StructureError, match=r"anatomy cannot be read.*masks.*RTSTRUCT.*got: another file"
        ):
            read(file)

    def test_a_ct_slice(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path, SPEC)
        with pytest.raises(StructureError, match=r"anatomy cannot be read.*got: a DICOM file of modality CT"):
            read(ct.files[0])

    def test_a_broken_dicom_file(self, tmp_path: Path) -> None:
        (tmp_path / "rs.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\x08\0\x16\0UI" + b"\xff" * 40)
        with pytest.raises(StructureError, match="anatomy cannot be read"):
            read(tmp_path / "rs.dcm")


# ------------------------------------------------------------------------------------------- structure sets


def plan(folder: Path, ct: MadeCt, rois: Sequence[RoiSpec]) -> tuple[Grid, StructureSet]:
    """The grid of a CT in a folder, and its structure set with a GTV and these ROIs."""
    gtv = RoiSpec("GTV", circles(ct, radius_mm=8.0, slices=[3]))
    make_structure_set(folder / "rs.dcm", ct, [gtv, *rois])
    chosen = select(index_folder(folder), ct_series=None, structures=None)
    return chosen.placed.grid, chosen.structure_set


def ring(ct: MadeCt, centre: tuple[float, ...], radius: float = 14.0, **more: object) -> list[np.ndarray]:
    return circles(ct, radius_mm=radius, center_mm=(centre[0], centre[1]), **more)  # type: ignore[arg-type]


def of_plan(
    folder: Path, *rois: tuple[str, str, tuple[float, ...]], wanted: Sequence[str] | None = None
) -> Organs:
    """The organs of a structure set of circles: name, type and centre of each ROI."""
    ct = make_ct(folder / "ct", SPEC)
    specs = [RoiSpec(name, ring(ct, centre), kind) for name, kind, centre in rois]
    on, structure_set = plan(folder, ct, specs)
    given = OrganInput(grid=on, structure_set=structure_set, lesions=frozenset({"GTV"}))
    return read_organs(given, NAMES, wanted=wanted)


class TestStructureSet:
    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_the_patients_left_in_every_position(self, position: str, tmp_path: Path) -> None:
        spec = CtSpec(size=(40, 40, 8), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0, 0, 0), position=position)
        made = make_ct(tmp_path / "ct", spec)
        rois = [
            RoiSpec("Lung L", ring(made, LEFT)),
            RoiSpec("Lung-Right", ring(made, RIGHT)),
            RoiSpec("Kidney_R", ring(made, LEFT)),
            RoiSpec("Spinal cord", ring(made, MIDDLE)),
        ]
        on, structure_set = plan(tmp_path, made, rois)
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(organs) == {"lung_left", "lung_right", "lungs", "kidney_right", "spinal_cord"}
        mask = organs["lung_left"]
        k, j, i = np.nonzero(mask.voxels)
        centre = on.to_patient(np.column_stack([i, j, k])).mean(axis=0)
        assert centre == pytest.approx((30, 0, 0), abs=0.5)
        assert mask.volume_cc == pytest.approx(np.pi * 14**2 * 24 / 1000, rel=0.04)
        wrong = message(organs, "ORGAN_ON_WRONG_SIDE")
        assert wrong.startswith(
            "organ kidney_right: structure set (ROI 'Kidney_R' of file rs.dcm) is called right"
        )
        assert "lies 30 mm to the left of the spinal cord" in wrong

    def test_what_is_no_organ(self, tmp_path: Path) -> None:
        organs = of_plan(
            tmp_path,
            ("Heart", "ORGAN", MIDDLE),
            ("heart_old", "ORGAN", LEFT),
            ("Trachea", "MARKER", LEFT),
            ("PTV-1", "ORGAN", LEFT),
            ("Liver", "PTV", LEFT),
        )
        assert set(organs) == {"heart"}
        assert organs.by_name["heart"].source is OrganSource.STRUCTURE_SET
        assert organs.by_name["heart"].detail == "ROI 'Heart' of file rs.dcm"
        assert message(organs, "ORGAN_NAMES_UNKNOWN") == (
            "structure set 'plan': Not the name of an organ that rt-targets knows: heart_old."
        )

    def test_a_lesion_is_no_organ(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, made, [RoiSpec("anastomosis", ring(made, LEFT))])
        given = OrganInput(grid=on, structure_set=structure_set, lesions=frozenset({"GTV", "anastomosis"}))
        assert not len(read_organs(given, NAMES))

    def test_two_names_of_one_organ(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Herz", "ORGAN", LEFT), ("Heart", "ORGAN", MIDDLE))
        assert organs.by_name["heart"].detail == "ROI 'Heart' of file rs.dcm"
        assert codes(organs) == {"ORGAN_SEVERAL_NAMES": Severity.INFO}

    def test_one_name_given_twice_is_ambiguous(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Heart", "ORGAN", LEFT), ("HEART", "ORGAN", MIDDLE))
        assert not len(organs)
        assert codes(organs) == {"ORGAN_NAME_AMBIGUOUS": Severity.WARNING}

    def test_the_external_contour_is_the_body_whatever_its_name(self, tmp_path: Path) -> None:
        organs = of_plan(tmp_path, ("Rand", "EXTERNAL", MIDDLE), ("BODY", "ORGAN", LEFT))
        assert organs.by_name["body"].detail == "ROI 'Rand' of file rs.dcm"

    def test_only_wanted_rois_are_read(self, tmp_path: Path) -> None:
        organs = of_plan(
            tmp_path, ("Heart", "", MIDDLE), ("Lung L", "", LEFT), ("Lung R", "", RIGHT), wanted=["heart"]
        )
        assert set(organs) == {"heart"}

    def test_rois_that_cannot_be_used(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        loops = ring(made, LEFT)
        on, structure_set = plan(
            tmp_path,
            made,
            [
                RoiSpec("Trachea", [[[0, 0, loops[3][0, 2]]]], kinds="POINT"),
                RoiSpec("Liver", ring(made, LEFT), frame_uid="1.2.3"),
                RoiSpec("Spleen", ring(made, LEFT), number=77),
                RoiSpec("Stomach", ring(made, LEFT), number=77),
                RoiSpec("Heart", [loop + UP for loop in loops]),
                RoiSpec("Aorta", [*ring(made, LEFT, slices=[1, 2, 5]), loops[3] + UP]),
            ],
        )
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(organs) == {"aorta"}
        reasons = message(organs, "ORGAN_ROI_NOT_USED")
        assert "ROI Trachea: The ROI was not used as an organ: it has no closed contour" in reasons
        assert "ROI Liver: The ROI was not used as an organ: it is drawn in another frame" in reasons
        assert "its number 77 is given to several ROIs" in reasons
        assert "lie off the CT's slices" in message(organs, "ORGAN_OFF_SLICES")
        assert message(organs, "ORGAN_INCOMPLETE").endswith("left out of the organ: 1.")
        assert "No contour on 2 slices" in message(organs, "ORGAN_SLICE_MISSING")

    def test_broken_contours_are_told(self, tmp_path: Path) -> None:
        made = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, made, [RoiSpec("Heart", ring(made, LEFT))])
        item = structure_set.file.header.ROIContourSequence[1].ContourSequence[0]
        item.ContourData = item.ContourData[:-1]
        organs = read_organs(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert "contour data cannot be read" in message(organs, "ORGAN_ROI_NOT_USED")


class TestStructureSetAsAnatomy:
    def test_a_file_and_a_folder(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, ct, [])
        rois = [RoiSpec("BODY", ring(ct, MIDDLE, 60)), RoiSpec("Oesophagus", ring(ct, MIDDLE))]
        make_structure_set(tmp_path / "more" / "organs.dcm", ct, rois)
        for path in (tmp_path / "more", tmp_path / "more" / "organs.dcm"):
            given = OrganInput(grid=on, structure_set=structure_set, anatomy=path)
            organs = read_organs(given, NAMES)
            assert set(organs) == {"body", "esophagus"}
            assert organs.by_name["esophagus"].source is OrganSource.MASKS
            assert organs.by_name["esophagus"].detail == "ROI 'Oesophagus' of file organs.dcm"
        make_structure_set(tmp_path / "more" / "again.dcm", ct, rois)
        with pytest.raises(StructureError, match=r"several structure sets.*got: 2 DICOM files"):
            read(tmp_path / "more", on=on)

    def test_one_of_another_ct(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, _ = plan(tmp_path, ct, [])
        path = tmp_path / "organs.dcm"
        make_structure_set(
            path, ct, [RoiSpec("Heart", ring(ct, LEFT))], frame_uid="1.2.3", series_uid="1.2.4"
        )
        with pytest.raises(StructureError, match=r"structure set belongs to another CT.*got: 1.2.3"):
            read(path, on=on)
        # The series named, or no frame to compare with (a CT from NIfTI): used.
        make_structure_set(path, ct, [RoiSpec("Heart", ring(ct, LEFT))], frame_uid="1.2.3")
        series = OrganInput(grid=on, anatomy=path, ct_series=ct.spec.series_uid)
        assert set(read_organs(series, NAMES)) == {"heart"}

    def test_one_that_does_not_fit(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, _ = plan(tmp_path, ct, [])
        loops = [loop + UP for loop in ring(ct, LEFT)]
        make_structure_set(tmp_path / "organs.dcm", ct, [RoiSpec("Heart", loops)])
        with pytest.raises(
            StructureError, match=r"structure set does not fit the CT.*got: .*off the CT's slices"
        ):
            read(tmp_path / "organs.dcm", on=on)


# ---------------------------------------------------------------------------------------- trust and conflicts


def organ(name: str, voxels: Voxels, source: OrganSource = OrganSource.MASKS, detail: str = "made") -> Organ:
    return Organ(name=name, mask=Mask(grid=GRID, voxels=voxels), source=source, detail=detail)


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
