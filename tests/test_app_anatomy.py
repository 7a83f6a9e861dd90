"""Organ masks and stated landmarks, files in, landmarks in the report out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.app import InputChoice, RunRequest, load_protocol, run_case
from pipeline.app.demo import write_patient
from pipeline.core.case import LesionKind
from pipeline.core.errors import InputError, OutputError
from pipeline.core.rules import ArmChoice, Settings
from pipeline.phantom import PhantomOptions
from tests import made_case
from tests.phantoms import phantom

IFI = Settings(arm=ArmChoice.IFI)
PATIENT = PhantomOptions(seed=4, spacing_mm=(1.8, 1.8, 3.0))


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A small made-up case: no organ is known but what the image shows."""
    return made_case.write_dicom(tmp_path_factory.mktemp("made"))


def run(source: InputChoice, out: Path) -> dict:
    run_case(RunRequest(source=source, out=out, settings=IFI, pictures=False))
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic patient in files, written once."""
    folder = tmp_path_factory.mktemp("patient")
    write_patient(phantom(PATIENT), load_protocol(), folder)
    return folder


@pytest.mark.slow
def test_the_synthetic_patient_with_its_masks(patient: Path, tmp_path: Path) -> None:
    truth = phantom(PATIENT).landmarks
    report = run(InputChoice(path=patient / "dicom", anatomy=patient / "masks"), tmp_path / "out")
    assert set(report["landmarks"]) >= set(truth)
    for name in truth:
        landmark = report["landmarks"][name]
        assert landmark["point_mm"][2] == pytest.approx(truth[name][2], abs=3.0), name
        assert landmark["inferred"] is False, name


@pytest.mark.slow
def test_with_no_masks_at_all_the_image_gives_the_airway(patient: Path, tmp_path: Path) -> None:
    (tmp_path / "stated.yaml").write_text("SMA_origin: [0, 40, -400]\n")
    choice = InputChoice(path=patient / "dicom", landmarks=tmp_path / "stated.yaml")
    report = run(choice, tmp_path / "out")
    truth = phantom(PATIENT).landmarks
    carina = report["landmarks"]["carina"]
    assert carina["inferred"] is False
    assert carina["point_mm"] == pytest.approx(truth["carina"], abs=3.0)
    assert report["landmarks"]["SMA_origin"]["how"] == "stated by the user"
    assert "sternal_notch" not in report["landmarks"]
    assert {f["where"] for f in report["findings"] if f["code"] == "LANDMARK_NOT_FOUND"} >= {
        "landmark sternal_notch",
        "landmark T1_top",
    }


def test_stated_landmarks_stand_in_the_report(made: Path, tmp_path: Path) -> None:
    (tmp_path / "points.json").write_text(json.dumps({"carina": [1.0, 2.0, 30.0]}))
    report = run(InputChoice(path=made, landmarks=tmp_path / "points.json"), tmp_path / "out")
    assert report["landmarks"]["carina"] == {
        "point_mm": [1.0, 2.0, 30.0],
        "inferred": False,
        "how": "stated by the user",
        "expected_error_mm": 0.0,
        "notes": [],
    }
    # What starts from it is found as well, and says so.
    assert report["landmarks"]["hiatus"]["how"] == "121 mm below the carina"
    assert report["landmarks"]["hiatus"]["inferred"] is True


@pytest.mark.parametrize("arm, severity", [(ArmChoice.IFI, "warning"), (ArmChoice.AUTO, "stop")])
def test_doubts_about_levels_stop_no_involved_field(
    arm: ArmChoice, severity: str, made: Path, tmp_path: Path
) -> None:
    (tmp_path / "points.json").write_text(json.dumps({"carina": [1, 2, 30], "sternal_notch": [1, 2, 10]}))
    source = InputChoice(path=made, landmarks=tmp_path / "points.json")
    request = RunRequest(source=source, out=tmp_path / "out", settings=Settings(arm=arm), pictures=False)
    found = {one.code: one.severity.value for one in run_case(request).report.findings}
    assert found["LANDMARKS_OUT_OF_ORDER"] == severity


@pytest.mark.slow
def test_without_being_asked_nothing_is_looked_for(made: Path, tmp_path: Path) -> None:
    report = run(InputChoice(path=made), tmp_path / "out")
    assert report["landmarks"] == {}
    assert not any(f["code"] == "LANDMARK_NOT_FOUND" for f in report["findings"])


@pytest.mark.slow
def test_image_files_have_landmarks_too(tmp_path: Path) -> None:
    ct, masks = made_case.write_nifti(tmp_path / "in")
    (tmp_path / "points.yaml").write_text("carina: [1, 2, 30]\n")
    choice = InputChoice(path=ct, masks=masks, landmarks=tmp_path / "points.yaml")
    assert run(choice, tmp_path / "out")["landmarks"]["carina"]["point_mm"] == [1.0, 2.0, 30.0]


def test_broken_anatomy_and_landmarks_leave_nothing(made: Path, tmp_path: Path) -> None:
    (tmp_path / "points.yaml").write_text("carina: [1, 2, 3000]\n")
    with pytest.raises(InputError, match="landmark outside the CT"):
        run(InputChoice(path=made, landmarks=tmp_path / "points.yaml"), tmp_path / "out")
    with pytest.raises(InputError, match="nowhere"):
        run(InputChoice(path=made, anatomy=tmp_path / "nowhere"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_anatomy_inside_the_output_folder_is_refused(made: Path, tmp_path: Path) -> None:
    gtv = (("GTV-T", LesionKind.TUMOUR),)
    with pytest.raises(OutputError, match="an input lies inside the output folder"):
        run(InputChoice(path=made, gtv=gtv, anatomy=tmp_path / "out" / "masks"), tmp_path / "out")
