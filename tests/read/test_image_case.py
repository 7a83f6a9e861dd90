"""CT and masks from NIfTI, NRRD and MetaImage: the same patient however the voxels are stored."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.core.case import Case, LesionKind
from pipeline.core.errors import SeriesError, StructureError, TargetsError, UsageError
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case, take_inventory
from tests.dicom_maker import make_ct

SIZE, SPACING = (40, 32, 14), (2.0, 2.5, 3.0)
ORIGIN = (-41.3, -60.7, 211.9)
SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
# How each stored axis lies in the patient: L, P, S are the senses of LPS.
STORAGES = ("LPS", "RAS", "LPI", "RPI", "PLS", "SLP", "ASR", "IRA")


def _points() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """LPS of every voxel of the LPS storage, shape (k, j, i)."""
    k, j, i = np.indices(SIZE[::-1])
    x, y, z = (start + index * step for start, index, step in zip(ORIGIN, (i, j, k), SPACING, strict=True))
    return x, y, z


def _image(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    return image


def ct() -> sitk.Image:
    """Every voxel tells where it lies, so that a swapped axis cannot hide."""
    x, y, z = _points()
    return _image(np.round(x + 2 * y + 3 * z).astype(np.int16))


def mass(radius: float = 9.0, centre: tuple[float, float, float] = (-11.0, -33.0, 230.0)) -> np.ndarray:
    x, y, z = _points()
    return (np.hypot(x - centre[0], y - centre[1]) <= radius) & (np.abs(z - centre[2]) < 8)


def mask(array: np.ndarray) -> sitk.Image:
    return _image(array.astype(np.uint8))


def stored(image: sitk.Image, storage: str) -> sitk.Image:
    return sitk.DICOMOrient(image, storage)


def write(path: Path, image: sitk.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, path)
    return path


def load(path: Path, masks: Path | None, gtv: tuple[GtvChoice, ...] = ()) -> Case:
    return read_case(path, ReadOptions(masks=masks, gtv=gtv), load_roles()).case


def centre_of(case: Case) -> np.ndarray:
    """LPS centre of the first lesion's contours."""
    contours = case.lesions[0].contours
    frame = contours.grid.frame
    points = [
        (*section.centroid.coords[0], contours.grid.plane_positions_mm[k])
        for k, section in contours.sections.items()
    ]
    return frame.to_patient(np.array(points)).mean(axis=0)


# ------------------------------------------------------------------------------------ formats, orientations


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"ct{suffix}", ct())
    write(tmp_path / "masks" / f"GTV-T{suffix}", mask(mass()))
    case = load(path, tmp_path / "masks")
    assert [lesion.name for lesion in case.lesions] == ["GTV-T"]
    assert case.lesions[0].contours.volume_cc == pytest.approx(mass().sum() * 0.015, rel=0.01)
    assert centre_of(case) == pytest.approx((-11, -33, 230), abs=0.6)


@pytest.mark.parametrize("of_mask", ["LPS", "RAS", "SLP"])
@pytest.mark.parametrize("of_ct", STORAGES)
def test_every_orientation_is_the_same_patient(of_ct: str, of_mask: str, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", stored(ct(), of_ct))
    write(tmp_path / "masks" / "GTV-T.nrrd", stored(mask(mass()), of_mask))
    case = load(path, tmp_path / "masks")
    assert centre_of(case) == pytest.approx((-11, -33, 230), abs=0.6)
    grid = case.volume.grid
    corners = np.array([[0, 0, 0], [3, 5, 7], [grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1]])
    told = grid.to_patient(corners) @ np.array([1.0, 2.0, 3.0])
    assert [case.volume.hu[k, j, i] for i, j, k in corners] == pytest.approx(told, abs=0.51)


def test_a_folder_with_one_image_is_enough(tmp_path: Path) -> None:
    write(tmp_path / "in" / "planning.nii.gz", ct())
    write(tmp_path / "masks" / "gtv.nii.gz", mask(mass()))
    assert load(tmp_path / "in", tmp_path / "masks").lesions[0].source_roi == "gtv"


def test_values_with_a_fraction_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", sitk.Cast(ct(), sitk.sitkFloat32) + 0.5)
    write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    volume = load(path, tmp_path / "masks").volume
    assert volume.hu.dtype == np.float32
    assert volume.hu[0, 0, 0] % 1 == 0.5


def test_other_masks_are_structures(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    write(tmp_path / "masks" / "heart.nii.gz", mask(mass(6.0, (20.0, -20.0, 225.0))))
    write(tmp_path / "masks" / "spleen.nii.gz", mask(np.zeros(SIZE[::-1])))
    assert [one.name for one in load(path, tmp_path / "masks").structures] == ["heart"]


# ------------------------------------------------------------------------------------------------ label maps


def label_map() -> sitk.Image:
    labels = np.zeros(SIZE[::-1], dtype=np.uint8)
    labels[mass()] = 3
    labels[mass(6.0, (20.0, -20.0, 225.0))] = 7
    return _image(labels)


def _beside_json(path: Path) -> None:
    path.with_name("plan.json").write_text(json.dumps({"0": "background", "3": "GTV-T", "7": "GTV-N"}))


def _beside_nnunet(path: Path) -> None:
    path.with_name("plan.json").write_text(json.dumps({"labels": {"background": 0, "GTV-T": 3, "GTV-N": 7}}))


def _beside_yaml(path: Path) -> None:
    path.with_name("plan.yaml").write_text("3: GTV-T\n7: GTV-N\n")


def _beside_csv(path: Path) -> None:
    with path.with_name("plan.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["name", "label"], ["GTV-T", 3], ["GTV-N", 7]])


def _beside_tsv(path: Path) -> None:
    path.with_name("plan.tsv").write_text("3\tGTV-T\n\n7\tGTV-N\n")


def _in_the_header(path: Path) -> None:
    image = nibabel.load(path)
    text = '<?xml version="1.0"?><LabelTable><Label Key="0">none</Label><Label Key="3">GTV-T</Label>'
    text += '<Label Key="7">GTV-N</Label></LabelTable>'
    new = nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header)
    new.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, b"no table"))
    new.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, text.encode()))
    nibabel.save(new, path)


@pytest.mark.parametrize(
    "name_them", [_beside_json, _beside_nnunet, _beside_yaml, _beside_csv, _beside_tsv, _in_the_header]
)
def test_a_label_map_with_names(name_them: Callable[[Path], None], tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    plan = write(tmp_path / "plan.nii.gz", label_map())
    name_them(plan)
    case = load(path, plan)
    assert [(one.name, one.source_roi) for one in case.lesions] == [("GTV-T", "GTV-T"), ("GTV-N", "GTV-N")]
    assert centre_of(case) == pytest.approx((-11, -33, 230), abs=0.6)


def test_the_segments_of_3d_slicer(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    image = label_map()
    for number, (value, name) in enumerate(((3, "GTV-T"), (7, "GTV-N"))):
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Name", name)
    plan = write(tmp_path / "plan.nrrd", image)
    assert [one.name for one in load(path, plan).lesions] == ["GTV-T", "GTV-N"]


def test_a_json_beside_the_image_that_is_no_table_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    gtv = write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    gtv.with_name("GTV.json").write_text(json.dumps({"Modality": "CT", "Manufacturer": "x"}))
    assert load(path, tmp_path / "masks").lesions[0].source_roi == "GTV"


# -------------------------------------------------------------------------------------------------- bad input


def refused(error: type[TargetsError], match: str, path: Path, masks: Path | None) -> None:
    with pytest.raises(error, match=match):
        load(path, masks)
    # What a run refuses, `inspect` tells in the same words and raises nothing.
    inventory = take_inventory(path, ReadOptions(masks=masks))
    assert inventory.refusal is not None
    assert inventory.use is None


def test_a_ct_without_masks(tmp_path: Path) -> None:
    refused(UsageError, "no masks for the CT image", write(tmp_path / "ct.nii.gz", ct()), None)


def test_a_mask_on_another_grid(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    moved = mask(mass())
    moved.SetOrigin((ORIGIN[0] + 1.0, ORIGIN[1], ORIGIN[2]))
    write(tmp_path / "masks" / "GTV.nii.gz", moved)
    refused(StructureError, "mask lies on another grid.*resample", path, tmp_path / "masks")


def test_a_label_map_without_names(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    write(tmp_path / "masks" / "GTV.nii.gz", label_map())
    refused(StructureError, "mask is not binary.*values from 3 to 7", path, tmp_path / "masks")


def test_an_empty_mask(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    write(tmp_path / "masks" / "GTV.nii.gz", mask(np.zeros(SIZE[::-1])))
    refused(StructureError, "GTV mask is empty", path, tmp_path / "masks")


def test_no_masks_in_the_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    (tmp_path / "masks").mkdir()
    refused(StructureError, "no masks.*an empty folder", path, tmp_path / "masks")
    refused(StructureError, "no masks.*no such file or folder", path, tmp_path / "absent")


def test_several_images_in_the_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "in" / f"{name}.nii.gz", ct())
    refused(SeriesError, "several images in the folder.*got: a.nii.gz, b.nii.gz", tmp_path / "in", None)


def test_a_single_slice(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct()[:, :, 3:4])
    refused(SeriesError, "CT of a single slice", path, tmp_path)


def test_a_ct_that_is_not_axial(tmp_path: Path) -> None:
    image = ct()
    turn = sitk.VersorTransform((1.0, 0.0, 0.0), np.radians(40))
    image.SetDirection(turn.GetMatrix())
    refused(SeriesError, "series is not axial", write(tmp_path / "ct.nrrd", image), tmp_path)


@pytest.mark.parametrize("share", [0.005, 0.3, 0.98])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_file_that_is_cut_short(suffix: str, share: float, tmp_path: Path) -> None:
    # SimpleITK reads what is left of a NIfTI and makes the rest zeros, without a word.
    write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    path = write(tmp_path / f"ct{suffix}", ct())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    refused(
        SeriesError, f"image (cannot be read|breaks off); where: file ct{suffix}", path, tmp_path / "masks"
    )


def test_a_mask_that_is_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    gtv = write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    gtv.write_bytes(gtv.read_bytes()[:-20])
    refused(TargetsError, "image cannot be read; where: file GTV.nii.gz", path, tmp_path / "masks")


@pytest.mark.parametrize("name", ["GTV.nii.gz", "GTV.nii", "GTV.nrrd", "GTV.mha"])
def test_a_mask_of_nonsense(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / name).write_bytes(b"nothing that is an image, at some length" * 20)
    refused(TargetsError, f"image cannot be read; where: file {name}", path, tmp_path / "masks")


def test_a_compressed_file_of_several_members_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii", ct())
    whole = path.read_bytes()
    packed = tmp_path / "packed.nii.gz"
    packed.write_bytes(gzip.compress(whole[:5000]) + gzip.compress(whole[5000:]))
    write(tmp_path / "masks" / "GTV.nii.gz", mask(mass()))
    assert (
        load(packed, tmp_path / "masks").volume.hu[0, 0, 0]
        == load(path, tmp_path / "masks").volume.hu[0, 0, 0]
    )


def test_a_colour_image(tmp_path: Path) -> None:
    image = sitk.Compose(ct(), ct(), ct())
    refused(
        SeriesError, "image of the wrong form.*got: 3 dimensions and 3 values",
        write(tmp_path / "ct.nrrd", image), tmp_path,
    )  # fmt: skip


def test_another_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    refused(SeriesError, "not a CT that can be read.*got: another file", tmp_path / "notes.txt", None)


@pytest.mark.parametrize("name", ["10.dcm", "10"])
def test_one_slice_in_place_of_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes(128) + b"DICM")
    refused(SeriesError, "got: a DICOM file.*give the folder that holds all slices", tmp_path / name, None)


@pytest.mark.parametrize(
    "name, text",
    [
        ("plan.csv", "3\n7\n"),
        ("plan.csv", "GTV,node\n3,GTV\nnode,GTV\n"),
        ("plan.csv", "3,GTV-T\n3,GTV-N\n"),
        ("plan.json", "{not json"),
        ("plan.json", '{"GTV-T": 3, "GTV-N": 3}'),
        ("plan.json", '{"3": "GTV-T", "3": "GTV-N"}'),
    ],
)
def test_a_table_that_cannot_be_read(name: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    plan = write(tmp_path / "plan.nii.gz", label_map())
    plan.with_name(name).write_text(text)
    refused(TargetsError, f"label table cannot be read; where: file {name}", path, plan)


def test_a_lesion_may_be_named_by_hand(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    write(tmp_path / "masks" / "mass.nii.gz", mask(mass()))
    refused(StructureError, "mass", path, tmp_path / "masks")
    choice = (GtvChoice(roi_name="mass", kind=LesionKind.NODE),)
    assert load(path, tmp_path / "masks", choice).lesions[0].name == "GTV-N"


@pytest.mark.parametrize("value", [0.4, -1.0, 1.5])
def test_a_mask_of_other_values_is_refused(value: float, tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    array = np.where(mass(), np.float32(value), np.float32(0))
    write(tmp_path / "masks" / "GTV.nii.gz", _image(array))
    refused(StructureError, "mask is not binary.*whole number above it", path, tmp_path / "masks")


def test_a_mask_of_another_label_is_a_mask(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    write(tmp_path / "masks" / "GTV.nii.gz", _image(np.where(mass(), np.float32(255), np.float32(0))))
    assert load(path, tmp_path / "masks").lesions[0].contours.volume_cc > 1


def test_options_of_the_other_kind_of_input_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "ct.nii.gz", ct())
    for options in (ReadOptions(structures=tmp_path / "rs.dcm"), ReadOptions(ct_series="1.2.3")):
        with pytest.raises(UsageError, match="option does not apply to this input; where: --"):
            read_case(path, options, load_roles())
        with pytest.raises(UsageError, match="does not apply"):
            take_inventory(path, options)
    make_ct(tmp_path / "dicom")
    with pytest.raises(UsageError, match="--masks; expected: a CT image file as input"):
        read_case(tmp_path / "dicom", ReadOptions(masks=tmp_path), load_roles())
