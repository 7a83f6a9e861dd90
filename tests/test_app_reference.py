"""Stations by a reference patient's label map, from files to files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from pipeline.app import InputChoice, StationsRequest, find_stations_of_case
from pipeline.core.errors import InputError
from pipeline.core.report import Severity
from pipeline.phantom import Phantom
from pipeline.read import load_landmark_rules, load_station_atlas, load_station_colours
from pipeline.run.anatomy import find_anatomy, find_stations
from pipeline.write import write_masks, write_station_maps
from tests.anatomy.organs_of import organs_of
from tests.phantoms import coarse

LOBES = ("upper_lobe_left", "lower_lobe_left", "upper_lobe_right", "middle_lobe_right", "lower_lobe_right")
ORGANS = (
    *(f"lung_{lobe}" for lobe in LOBES),
    *(f"vertebrae_T{n}" for n in range(1, 13)),
    *("trachea", "aorta", "heart", "sternum"),
)


def ct_file(path: Path, phantom: Phantom) -> Path:
    grid = phantom.volume.grid
    image = sitk.GetImageFromArray(np.asarray(phantom.volume.hu, dtype=np.int16))
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def organ_files(folder: Path, phantom: Phantom) -> Path:
    for name in ORGANS:
        write_masks(folder, {name: phantom.organs[name]})
    return folder


def stations_of(phantom: Phantom):
    atlas = load_station_atlas()
    organs, landmarks = find_anatomy(
        phantom.volume, organs_of(phantom), (*load_landmark_rules(), *atlas.levels), {}
    )
    return find_stations(organs, landmarks, atlas)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    phantom = coarse(seed=2)
    ct_file(folder / "ct.nii.gz", phantom)
    organ_files(folder / "organs", phantom)
    write_station_maps(folder, stations_of(phantom), load_station_colours())
    return folder


@pytest.mark.slow
def test_a_reference_patient_gives_this_patients_stations(reference: Path, tmp_path: Path) -> None:
    phantom = coarse(seed=1)
    truth = stations_of(phantom)
    request = StationsRequest(
        source=InputChoice(
            path=ct_file(tmp_path / "patient" / "ct.nii.gz", phantom),
            anatomy=organ_files(tmp_path / "organs", phantom),
        ),
        out=tmp_path / "out",
        atlas=reference,
        pictures=False,
    )
    outcome = find_stations_of_case(request)
    assert not any(one.severity is Severity.STOP for one in outcome.report.findings)
    (fit,) = (one for one in outcome.report.findings if one.code == "ATLAS_FIT")
    assert "organs" in fit.message
    assert "Dice" in fit.message
    record = json.loads((tmp_path / "out" / "stations.json").read_text())
    image = sitk.ReadImage(str(tmp_path / "out" / "stations.nii.gz"))
    labels = sitk.GetArrayFromImage(image)
    apart = []
    for name in truth.built:
        assert record["stations"][name]["origin"] == "label-map atlas"
        found, wanted = (
            np.argwhere(array == record["labels"][name]).mean(axis=0) for array in (labels, truth.labels)
        )
        apart.append(float(np.linalg.norm((found - wanted) * phantom.volume.grid.spacing_mm[::-1])))
    assert np.mean(apart) < 4.0
    assert np.max(apart) < 15.0  # thin layers on slices of 5 mm


@pytest.mark.slow
def test_a_reference_without_stations_is_told(tmp_path: Path) -> None:
    phantom = coarse(seed=1)
    ct = ct_file(tmp_path / "patient" / "ct.nii.gz", phantom)
    ct_file(tmp_path / "reference" / "ct.nii.gz", phantom)
    request = StationsRequest(
        source=InputChoice(path=ct), out=tmp_path / "out", atlas=tmp_path / "reference", pictures=False
    )
    with pytest.raises(InputError, match="stations"):
        find_stations_of_case(request)
    assert not (tmp_path / "out").exists()
