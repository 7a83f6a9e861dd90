"""`rt-targets stations`: what it prints, its exit codes, and wrong use. The stations are made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from typer.testing import CliRunner

import pipeline.app.stations
from pipeline.app import FoundStations
from pipeline.cli import app
from pipeline.core.case import LesionKind
from pipeline.core.stations import LesionPlaces
from pipeline.core.threads import known
from pipeline.write import CtIdentity, write_ct_series, write_masks
from tests import made_case
from tests.made_stations import of_phantom
from tests.phantoms import coarse
from tests.test_app_stations import STOP, finder


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    folder = made_case.write_dicom(tmp_path_factory.mktemp("dicom"))
    (folder / "rs.dcm").unlink()
    return folder


@pytest.fixture
def asked(monkeypatch):
    """Requests that reach the finder."""
    requests = []

    def spy(task):
        requests.append(task.request)
        return finder(task)

    monkeypatch.setattr(pipeline.app.stations, "stations_by_rules", spy)
    return requests


def stations(source: Path, out: Path, *words: object):
    command = ["stations", source, "--out", out, "--no-pictures", *words]
    return CliRunner().invoke(app, [str(word) for word in command])


def test_the_tables_have_stations_landmarks_findings_and_the_place(dicom, tmp_path, asked):
    (tmp_path / "points.yaml").write_text("carina: [1, 2, 60]\n")
    result = stations(dicom, tmp_path / "out", "--landmarks", tmp_path / "points.yaml")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["station", "region", "cc", "state", "notes"]
    assert [line.split()[0] for line in lines[1:6]] == ["1R", "1L", "7", "8Lo", "20"]
    assert lines[3].split()[1:2] == ["III"]
    assert lines[3].endswith("built      no azygos vein was given")
    assert lines[5].split()[:5] == ["20", "IV", "-", "not", "built"]
    assert lines[5].endswith("no aorta")
    inferred = [line for line in lines if line.startswith("hiatus")]
    assert inferred[0].endswith("(inferred)")
    assert any("STATION_DOUBT" in line for line in lines)
    assert lines[-1] == f"DRAFT for review, not approved: {tmp_path / 'out'}"
    assert result.stderr == ""


@pytest.mark.slow
def test_json_prints_the_report_and_nothing_else(dicom, tmp_path, asked):
    result = stations(dicom, tmp_path / "out", "--json")
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert json.loads(result.stdout) == report
    assert stations(dicom, tmp_path / "other", "--quiet").stdout == ""


@pytest.mark.slow
def test_options_reach_the_request(tmp_path, asked):
    dicom = made_case.write_dicom(tmp_path / "in", roi_name="mass")
    words = ["--set", "boundary_1_2=apex", "--set", "caudal_4L=lpa_top"]
    words += ["--gtv", "mass=GTV-N", "--structures", dicom / "rs.dcm"]
    result = stations(dicom, tmp_path / "out", *words)
    assert result.exit_code == 0, result.stderr
    (request,) = asked
    assert request.options == {"boundary_1_2": "apex", "caudal_4L": "lpa_top"}
    assert (request.atlas, request.source.segment, request.pictures) == (None, False, False)
    assert request.source.gtv == (("mass", LesionKind.NODE),)


def test_pictures_are_drawn_unless_left_out(dicom, tmp_path, asked):
    command = ["stations", str(dicom), "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert (tmp_path / "out" / "pictures" / "stations_coronal.png").is_file()


def test_a_stop_finding_has_its_exit_code_and_the_output_is_there(dicom, tmp_path, monkeypatch):
    def doubtful(task):
        found = finder(task)
        return replace(found, stations=replace(found.stations, findings=(STOP,)))

    monkeypatch.setattr(pipeline.app.stations, "stations_by_rules", doubtful)
    result = stations(dicom, tmp_path / "out")
    assert result.exit_code == 3
    assert "stop     station 7: decide first [PLANTED]" in result.stdout
    assert (tmp_path / "out" / "stations" / "rtstruct.dcm").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "boundary_1_2"],
        ["--set", "a=1", "--set", "a=2"],
        ["--set nose", "--set", "nose=long"],
        ["--masks", "x"],
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(dicom, tmp_path, asked, words):
    told = words[0]
    result = stations(dicom, tmp_path / "out", *(words[1:] if " " in told else words))
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_folder_that_is_not_free_needs_overwrite(dicom, tmp_path, asked):
    assert stations(dicom, tmp_path / "out").exit_code == 0
    assert stations(dicom, tmp_path / "out").exit_code == 1
    assert stations(dicom, tmp_path / "out", "--overwrite").exit_code == 0


def test_a_long_note_is_cut_in_the_table(dicom, tmp_path, monkeypatch):
    def wordy(task):
        found = finder(task)
        reason = "no celiac trunk, no aorta, no vertebra; " * 4
        return replace(
            found, stations=replace(found.stations, not_built={**found.stations.not_built, "20": reason})
        )

    monkeypatch.setattr(pipeline.app.stations, "stations_by_rules", wordy)
    lines = stations(dicom, tmp_path / "out").stdout.splitlines()
    assert lines[5].endswith("...")


@pytest.mark.slow
@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_the_synthetic_patient_with_a_few_organ_masks(tmp_path, monkeypatch, position):
    """A CT without a structure set, and masks: the landmarks are its own, and left is left in every file."""
    phantom = coarse(position=position)
    write_ct_series(tmp_path / "ct", phantom.volume, CtIdentity(seed="p", patient_name="P", patient_id="1"))
    for name in ("trachea", "aorta", "sternum", "pulmonary_vein"):
        write_masks(tmp_path / "masks", {name: phantom.organs[name]})

    def by_hand(task):
        assert np.array_equal(task.scan.volume.hu, phantom.volume.hu)
        stations = of_phantom(replace(phantom, volume=task.scan.volume))
        return FoundStations(stations=stations, placing=known(LesionPlaces(places=())))

    monkeypatch.setattr(pipeline.app.stations, "stations_by_rules", by_hand)
    command = ["stations", tmp_path / "ct", "--out", tmp_path / "out", "--anatomy", tmp_path / "masks"]
    result = CliRunner().invoke(app, [str(word) for word in command])
    assert result.exit_code == 0, result.output
    record = json.loads((tmp_path / "out" / "stations.json").read_text(encoding="utf-8"))
    for name in ("carina", "sternal_notch", "aortic_arch_top"):
        z = record["landmarks"][name]["point_mm"][2]
        assert z == pytest.approx(phantom.landmarks[name][2], abs=6.0), name
    assert {"trachea", "lung_left"} <= set(record["organs"])
    assert record["organs"]["aorta"]["source"] == "masks"
    written = pydicom.dcmread(tmp_path / "out" / "stations" / "rtstruct.dcm")
    carina = phantom.landmarks["carina"]
    image = nibabel.load(tmp_path / "out" / "stations.nii.gz")
    voxels = np.asarray(image.dataobj)
    for named, item in zip(written.StructureSetROISequence, written.ROIContourSequence, strict=True):
        if named.ROIName not in {"SCV_R", "SCV_L", "9R", "9L"}:
            continue
        points = np.concatenate([np.reshape(one.ContourData, (-1, 3)) for one in item.ContourSequence])
        label = record["labels"][named.ROIName]
        ras = image.affine @ [*np.mean(np.nonzero(voxels == label), axis=1), 1.0]
        left = named.ROIName.endswith("L")
        assert (points[:, 0].mean() > carina[0]) == left
        assert (-ras[0] > carina[0]) == left
    pictures = {path.name for path in (tmp_path / "out" / "pictures").iterdir()}
    assert {"stations_axial_1.png", "stations_coronal.png", "stations_sagittal.png"} <= pictures
