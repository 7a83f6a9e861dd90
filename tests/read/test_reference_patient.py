from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.core.anatomy import OrganSource
from pipeline.core.errors import InputError, SeriesError, StructureError
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask, Volume
from pipeline.read import load_organ_names, read_reference_patient

SHAPE = (12, 20, 24)
GRID_OF = {"spacing": (2.0, 2.0, 3.0), "origin": (-20.0, -30.0, 100.0)}
NAMES = load_organ_names()


def image(array: np.ndarray, *, origin: tuple[float, float, float] = GRID_OF["origin"]) -> sitk.Image:
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(GRID_OF["spacing"])
    made.SetOrigin(origin)
    return made


def label_map() -> np.ndarray:
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[2:4, 5:9, 3:6] = 1
    array[6:9, 5:9, 12:20] = 9
    return array


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole reference, its names as `rt-targets stations` writes them: more of them than are on the map."""
    made = tmp_path / "someone"
    made.mkdir()
    sitk.WriteImage(image(np.full(SHAPE, 40, dtype=np.int16)), made / "ct.nii.gz")
    sitk.WriteImage(image(label_map()), made / "stations.nii.gz")
    told = {"schema_version": 1, "labels": {"1R": 1, "2R": 3, "7": 9}, "not_built": {"2R": "no notch"}}
    (made / "stations.json").write_text(json.dumps(told))
    return made


def add_organs(folder: Path, name: str, origin: tuple[float, float, float] = GRID_OF["origin"]) -> None:
    (folder / "organs").mkdir()
    organ = np.zeros(SHAPE, dtype=np.uint8)
    organ[:, 10:12, 10:12] = 1
    sitk.WriteImage(image(organ, origin=origin), folder / "organs" / f"{name}.nii.gz")


def test_a_whole_folder(folder):
    add_organs(folder, "aorta")
    found = read_reference_patient(folder, NAMES)
    assert found.name == "someone"
    assert isinstance(found.volume, Volume)
    assert found.volume.grid.size == (24, 20, 12)
    assert list(found.labels) == ["1R", "7"]  # a name may be a number
    assert all(isinstance(mask, Mask) for mask in found.labels.values())
    assert np.array_equal(found.labels["7"].voxels, label_map() == 9)
    assert list(found.organs) == ["aorta"]
    assert found.organs.by_name["aorta"].source is OrganSource.MASKS


def test_organs_may_lack(folder):
    found = read_reference_patient(folder, NAMES)
    assert len(found.organs) == 0
    assert isinstance(found.organs.grid, Grid)


@pytest.mark.parametrize(
    "name, text",
    [
        ("stations.json", json.dumps({"1": "1R", "9": "7"})),
        ("stations.json", json.dumps({"labels": {"background": 0, "1R": 1, "7": 9}})),
        ("stations.yaml", 'labels: {"1R": 1, "7": 9}'),
        ("stations.csv", "value,name\n1,1R\n9,7\n"),
    ],
)
def test_other_tables_of_names(folder, name, text):
    (folder / "stations.json").unlink()
    (folder / name).write_text(text)
    assert list(read_reference_patient(folder, NAMES).labels) == ["1R", "7"]


def test_any_one_image_is_the_ct_and_any_format_will_do(folder):
    (folder / "ct.nii.gz").rename(folder / "planning scan.nii.gz")
    for one in ("stations", "planning scan"):
        sitk.WriteImage(sitk.ReadImage(folder / f"{one}.nii.gz"), folder / f"{one}.nrrd")
        (folder / f"{one}.nii.gz").unlink()
    assert list(read_reference_patient(folder, NAMES).labels) == ["1R", "7"]


def test_an_image_named_ct_goes_before_others(folder):
    sitk.WriteImage(image(np.zeros(SHAPE, dtype=np.int16)), folder / "dose.nii.gz")
    assert read_reference_patient(folder, NAMES).volume.hu.max() == 40


def test_voxels_stored_in_another_order_are_the_same(folder):
    turned = sitk.Flip(image(label_map()), [True, False, True])
    sitk.WriteImage(turned, folder / "stations.nii.gz")
    found = read_reference_patient(folder, NAMES)
    assert np.array_equal(found.labels["1R"].voxels, label_map() == 1)


# -------------------------------------------------------------------------------------------------- refusals


def refused(error: type[InputError], match: str, folder: Path) -> None:
    with pytest.raises(error, match=match) as caught:
        read_reference_patient(folder, NAMES)
    assert str(folder.parent) not in str(caught.value)


def test_no_folder(tmp_path):
    refused(InputError, "no such folder; where: --atlas none; .*got: nothing", tmp_path / "none")


def test_a_file_is_no_folder(folder):
    refused(InputError, "no such folder; .*got: a file", folder / "ct.nii.gz")


def test_no_stations(folder):
    (folder / "stations.nii.gz").unlink()
    refused(StructureError, r"no label map of stations; where: --atlas someone; .*got: ct.nii.gz", folder)


def test_two_maps_of_stations(folder):
    sitk.WriteImage(image(label_map()), folder / "stations.nrrd")
    refused(StructureError, r"several label maps.*got: stations.nii.gz, stations.nrrd", folder)


def test_no_ct(folder):
    (folder / "ct.nii.gz").unlink()
    refused(SeriesError, "no CT; where: --atlas someone; .*got: no other image", folder)


def test_several_cts(folder):
    for name in ("a", "b"):
        sitk.WriteImage(image(np.zeros(SHAPE, dtype=np.int16)), folder / f"{name}.nii.gz")
    (folder / "ct.nii.gz").unlink()
    refused(SeriesError, "several images that may be the CT.*got: a.nii.gz, b.nii.gz", folder)


def test_no_names(folder):
    (folder / "stations.json").unlink()
    refused(StructureError, "label values without names; .*got: 1, 9 without one; named: none", folder)


def test_a_value_without_a_name(folder):
    (folder / "stations.json").write_text(json.dumps({"labels": {"1R": 1}}))
    refused(StructureError, "label values without names; .*got: 9 without one; named: 1R", folder)


def test_one_name_for_two_values(folder):
    (folder / "stations.json").write_text(json.dumps({"1": "7", "9": "7"}))
    refused(StructureError, "one name for several values; .*got: 7", folder)


def test_an_empty_map(folder):
    sitk.WriteImage(image(np.zeros(SHAPE, dtype=np.uint8)), folder / "stations.nii.gz")
    refused(StructureError, "label map without labels", folder)


def test_a_map_on_another_grid(folder):
    sitk.WriteImage(image(label_map(), origin=(0.0, 0.0, 0.0)), folder / "stations.nii.gz")
    refused(StructureError, "mask lies on another grid than the CT; where: file stations.nii.gz", folder)


def test_organs_on_another_grid(folder):
    add_organs(folder, "aorta", origin=(0.0, 0.0, 0.0))
    refused(StructureError, "another grid than the CT; where: --atlas someone, file aorta.nii.gz", folder)


def test_organs_that_nobody_knows(folder):
    add_organs(folder, "something")
    refused(StructureError, "no organ that rt-targets knows; where: --atlas someone, organs", folder)
