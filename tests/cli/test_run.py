"""`rt-targets run`: what it prints, its exit codes, and wrong use."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from typer.testing import CliRunner

import pipeline.run.arms
from pipeline.cli import app
from pipeline.cli.summary import findings_text, margin_text
from pipeline.core.errors import OutputError
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Holes
from pipeline.read.protocols import DEFAULT_PROTOCOL, protocol_file
from tests import made_case


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    return made_case.write_dicom(tmp_path_factory.mktemp("dicom"))


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def run(source: Path, out: Path, *words: object):
    return call("run", source, "--out", out, "--arm", "ifi", "--no-pictures", *words)


def report(out: Path):
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


# --------------------------------------------------------------------------------------------- what it prints


@pytest.mark.slow
def test_the_summary_has_volumes_margins_findings_and_the_place(dicom, tmp_path):
    result = run(dicom, tmp_path / "out")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "Arm ifi, dose plan -"
    assert "nothing without resection" in lines[2]
    head = lines.index("IFI, protocol esophagus-salvage-2020")
    assert lines[head + 1].split()[:3] == ["ROI", "cc", "slices"]
    names = [line.split()[0] for line in lines[head + 2 : head + 6]]
    assert names == ["GTV-T", "PGTV", "CTV", "PTV"]
    assert "7 horizontal, 12.5 craniocaudal" in lines[head + 4]
    assert sum("BARRIER_NOT_APPLIED" in line for line in lines) == 1
    assert lines[-1] == f"DRAFT for review, not approved: {tmp_path / 'out'}"
    assert result.stderr == ""


def test_json_prints_the_report_and_nothing_else(dicom, tmp_path):
    result = run(dicom, tmp_path / "out", "--json")
    assert json.loads(result.stdout) == report(tmp_path / "out")
    assert result.stderr == ""


def test_quiet_prints_nothing(dicom, tmp_path):
    result = run(dicom, tmp_path / "out", "--quiet")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.slow
def test_v_tells_the_seconds(dicom, tmp_path):
    assert "\nstage " not in run(dicom, tmp_path / "a").stdout
    assert "\nstage " in run(dicom, tmp_path / "b", "-v").stdout


@pytest.mark.slow
def test_a_stop_finding_has_its_exit_code_and_the_output_is_there(dicom, tmp_path, monkeypatch):
    stop = Finding(code="PLANTED", severity=Severity.STOP, where="ifi.CTV", message="decide first")
    monkeypatch.setattr(pipeline.run.arms, "check_targets", lambda *_: (stop,))
    result = run(dicom, tmp_path / "out")
    assert result.exit_code == 3
    assert "stop     ifi.CTV: decide first [PLANTED]" in result.stdout
    assert report(tmp_path / "out")["status"] == "stopped"
    assert (tmp_path / "out" / "ifi" / "rtstruct.dcm").is_file()


def test_findings_come_with_the_gravest_first():
    made = [Finding(code=s.upper(), severity=Severity(s), where="w", message="m") for s in ("info", "stop")]
    assert [line.split()[0] for line in findings_text(tuple(made)).splitlines()] == ["stop", "info"]


def test_a_measured_margin_is_rounded_to_what_matters():
    measured = Margin(left=5, right=5.0004, anterior=4.9996, posterior=5, superior=5.001, inferior=5)
    assert margin_text(measured) == "5"
    assert margin_text(None) == "-"


def test_pictures_are_drawn_unless_left_out(dicom, tmp_path):
    assert call("run", dicom, "--out", tmp_path / "out", "--arm", "ifi").exit_code == 0
    assert (tmp_path / "out" / "pictures" / "ifi_GTV-T.png").is_file()


# ------------------------------------------------------------------------------------------------ its options


def test_margins_and_settings_reach_the_volumes(dicom, tmp_path):
    words = ["--margin", "ifi.horizontal=8", "--margin", "superior=15", "--margin", "left=6"]
    result = run(dicom, tmp_path / "out", *words, "--set", "barriers.body=off", "--set", "ends=tapered")
    assert result.exit_code == 0, result.stderr
    made = report(tmp_path / "out")
    asked = made["targets"]["ifi"]["CTV"]["margin_mm"]["requested"]
    assert asked == {"left": 6, "right": 8, "anterior": 8, "posterior": 8, "superior": 15, "inferior": 12.5}
    codes = {finding["code"] for finding in made["findings"]}
    assert {"BARRIER_SWITCHED", "SETTING_CHANGED"} <= codes
    assert "ends" not in made["assumptions"]


@pytest.mark.slow
def test_a_protocol_file_of_the_user_is_carried_out(dicom, tmp_path):
    path = tmp_path / "mine.yaml"
    text = protocol_file(DEFAULT_PROTOCOL).read_text(encoding="utf-8")
    path.write_text(text.replace("default: 7\n", "default: 6\n"), encoding="utf-8")
    assert run(dicom, tmp_path / "out", "--protocol", path).exit_code == 0
    assert report(tmp_path / "out")["targets"]["ifi"]["CTV"]["margin_mm"]["requested"]["left"] == 6


@pytest.mark.slow
def test_gtv_and_formats_are_taken(tmp_path):
    dicom = made_case.write_dicom(tmp_path / "in", roi_name="mass = 1")
    refused = run(dicom, tmp_path / "out")
    assert refused.exit_code == 1
    assert "mass = 1" in refused.stderr
    assert "--gtv" in refused.stderr
    result = run(dicom, tmp_path / "out", "--gtv", "mass = 1=GTV-N", "--formats", "rtstruct,nifti")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "out" / "ifi" / "masks" / "GTV-N.nii.gz").is_file()


@pytest.mark.slow
def test_a_ct_file_with_masks_is_taken(tmp_path):
    ct, masks = made_case.write_nifti(tmp_path / "in")
    result = run(ct, tmp_path / "out", "--masks", masks)
    assert result.exit_code == 0, result.stderr
    assert "CT_WRITTEN_AS_DICOM" in result.stdout


# ------------------------------------------------------------------------------------------------- wrong use


@pytest.mark.parametrize("words", [[], ["--arm", "auto"]])
def test_without_facts_no_arm_is_chosen_and_the_report_says_what_is_missing(dicom, tmp_path, words):
    result = call("run", dicom, "--out", tmp_path / "out", "--no-pictures", *words)
    assert result.exit_code == 3, result.stderr
    assert result.stdout.startswith("Arm undecided, dose plan -")
    written = report(tmp_path / "out")
    assert (written["targets"], written["decision"]["arm"]) == ({}, "undecided")
    missing = {f["where"] for f in written["findings"] if f["code"] == "FACT_MISSING"}
    assert {"fact resection", "fact months_to_recurrence", "fact regions"} <= missing
    assert not (tmp_path / "out" / "ifi").exists()
    assert not (tmp_path / "out" / "eni").exists()


@pytest.mark.slow
def test_a_fact_that_decides_is_enough_for_its_arm(dicom, tmp_path):
    facts = tmp_path / "facts.yaml"
    facts.write_text("resection: R0\nlargest_diameter_mm: 55\nclose_to_stomach: false\n", encoding="utf-8")
    result = call("run", dicom, "--out", tmp_path / "out", "--no-pictures", "--facts", facts)
    assert result.exit_code == 0, result.stderr + result.stdout
    written = report(tmp_path / "out")
    assert "LESION_REGION_NOT_KNOWN" in {f["code"] for f in written["findings"]}
    assert "LANDMARK_NOT_FOUND" not in result.stdout
    assert " landmarks were not found" in result.stdout
    assert (written["decision"]["arm"], written["decision"]["plan"]) == ("ifi", "3")
    assert list(written["targets"]) == ["ifi"]
    assert written["prescriptions"]["ifi"]["levels"][0]["total_gy"] == 60.0
    assert len(written["provenance"]["input_hashes"]["facts"]) == 64


@pytest.mark.slow
@pytest.mark.parametrize("arm, built", [("eni", []), ("both", ["ifi"])])
def test_an_arm_that_lacks_what_it_needs_stops_alone(dicom, tmp_path, arm, built):
    """The made-up block has no organs, so no station can be built."""
    facts = tmp_path / "facts.yaml"
    facts.write_text("resection: R1\nregions: [II]\nclose_to_stomach: true\n", encoding="utf-8")
    words = ["--arm", arm, "--facts", facts, "--no-pictures"]
    result = call("run", dicom, "--out", tmp_path / "out", *words)
    assert result.exit_code == 3, result.stderr
    written = report(tmp_path / "out")
    assert list(written["targets"]) == built
    needs = [f for f in written["findings"] if f["code"] == "ENI_NEEDS"]
    assert "eni, landmark T1_top" in {f["where"] for f in needs}
    assert all("--landmarks" in f["message"] or "--anatomy" in f["message"] for f in needs)


def test_the_policy_of_holes_reaches_the_structure_set(dicom, tmp_path, monkeypatch):
    asked = []

    def fake(request, **_):
        asked.append(request.holes)
        raise OutputError("enough")

    monkeypatch.setattr("pipeline.app.run_case", fake)
    for words in ([], ["--holes", "keyhole"], ["--holes", "xor"]):
        call("run", dicom, "--out", tmp_path / "out", "--arm", "ifi", *words)
    assert asked == [Holes.EVEN_ODD, Holes.KEYHOLE, Holes.XOR]


@pytest.mark.slow
def test_names_of_tg_263_carry_the_dose(dicom, tmp_path):
    facts = tmp_path / "facts.json"
    facts.write_text('{"close_to_stomach": true}', encoding="utf-8")
    words = ["--arm", "ifi", "--facts", facts, "--naming", "tg263", "--set", "plan4.PTV.fractions=34"]
    result = call("run", dicom, "--out", tmp_path / "out", "--no-pictures", *words)
    assert result.exit_code == 0, result.stderr + result.stdout
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    names = [roi.ROIName for roi in written.StructureSetROISequence]
    assert names == ["GTVp", "PTV_GTV", "CTV_6120", "PTV_6120"]
    assert "draft dose 61.20 Gy" in written.StructureSetROISequence[3].ROIDescription
    assert "draft dose plan 4" in written.StructureSetDescription
    sheet = json.loads((tmp_path / "out" / "ifi" / "prescription.json").read_text(encoding="utf-8"))
    assert (sheet["plan"], sheet["levels"][0]["fractions"]) == (4, 34)
    assert "DRAFT" in sheet["draft"]


def test_a_margin_outside_the_range_is_wrong_use_that_names_the_range(dicom, tmp_path):
    result = run(dicom, tmp_path / "out", "--margin", "horizontal=9")
    assert result.exit_code == 2
    assert "margin outside the protocol's range" in result.stderr
    assert "6 to 8 mm" in result.stderr
    assert "--off-protocol" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_off_protocol_takes_it_and_the_report_says_so(dicom, tmp_path):
    result = run(dicom, tmp_path / "out", "--margin", "horizontal=9", "--off-protocol")
    assert result.exit_code == 0, result.stderr
    (finding,) = [f for f in report(tmp_path / "out")["findings"] if f["code"] == "MARGIN_OFF_PROTOCOL"]
    assert finding["severity"] == "warning"
    assert "9 mm" in finding["message"]


@pytest.mark.parametrize("mm", ["-3", "nan", "inf", "101"])
def test_a_negative_or_impossible_margin_is_wrong_use_off_protocol_too(dicom, tmp_path, mm):
    result = run(dicom, tmp_path / "out", "--margin", f"craniocaudal={mm}", "--off-protocol")
    assert result.exit_code == 2
    assert "margin cannot be used" in result.stderr
    assert "0 to 100 mm" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words, told",
    [
        (["--protocol", "no-such"], "unknown protocol"),
        (["--margin", "pgtv=6"], "fixed by the protocol"),
        (["--set", "barriers.skin=on"], "unknown barrier"),
        (["--formats", "stl"], "unknown output format"),
        (["--gtv", "GTV-T=CTV"], "unknown kind of lesion"),
        (["--arm", "some"], "'auto', 'ifi', 'eni', 'both'"),
        (["--set", "eni.I-II.lower.carena=20"], "unknown figure"),
        (["--set", "eni.conduit=on"], "unknown switch"),
        (["--set", "boundary_1_2=somewhere"], "unknown choice for an option"),
        (["--set", "boundary=apex"], "unknown option of the atlas"),
        (["--set", "plan2.PGTV.fractions=7"], "what fits: 5 x 2 Gy, 6 x 1.8 to 2 Gy"),
        (["--set", "close_to_stomach=60"], "distance outside the protocol's range"),
        (["--margin", "eni.craniocaudal=40"], "margin of an arm that is not asked for"),
        (["--naming", "icd"], "'protocol', 'tg263'"),
        (["--holes", "filled"], "'even-odd', 'keyhole', 'xor'"),
        (["--no-such-thing"], "No such option"),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(dicom, tmp_path, words, told):
    result = run(dicom, tmp_path / "out", *words)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_appending_to_a_source_that_is_no_structure_set_is_wrong_use(tmp_path):
    ct, masks = made_case.write_nifti(tmp_path / "in")
    result = run(ct, tmp_path / "out", "--masks", masks, "--append-to-source")
    assert result.exit_code == 2
    assert "there is no structure set to append to" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_new_rois_are_appended_to_a_copy_of_the_source(dicom, tmp_path):
    import pydicom

    result = run(dicom, tmp_path / "out", "--append-to-source", "--holes", "xor")
    assert result.exit_code == 0, result.stderr
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct_appended.dcm")
    names = [item.ROIName for item in written.StructureSetROISequence]
    assert names == ["Cord", "GTV-T", "PGTV", "CTV", "PTV"]


@pytest.mark.parametrize("command", ["compare", "batch", "review"])
def test_commands_that_are_not_built_yet_are_not_offered(command):
    result = call(command)
    assert result.exit_code == 2
    assert "No such command" in result.stderr


# ---------------------------------------------------------------------------------------------------- errors


def test_a_broken_protocol_file_is_an_error_with_its_place(dicom, tmp_path):
    path = tmp_path / "clinic.yaml"
    text = protocol_file(DEFAULT_PROTOCOL).read_text(encoding="utf-8")
    path.write_text(text.replace("unit: mm", "unit: cm", 1), encoding="utf-8")
    result = run(dicom, tmp_path / "out", "--protocol", path)
    assert result.exit_code == 1
    assert "clinic.yaml, line " in result.stderr
    assert "margins.pgtv.unit" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_holds_something_is_an_error(dicom, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine", encoding="utf-8")
    for words in ([], ["--overwrite"]):
        result = run(dicom, tmp_path / "out", *words)
        assert result.exit_code == 1
        assert "output folder" in result.stderr
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_overwrite_replaces_an_earlier_run(dicom, tmp_path):
    assert run(dicom, tmp_path / "out").exit_code == 0
    refused = run(dicom, tmp_path / "out")
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert run(dicom, tmp_path / "out", "--overwrite").exit_code == 0


@pytest.mark.parametrize("below", ["file", "file/out"])
def test_an_output_folder_that_cannot_be_made_is_an_error(dicom, tmp_path, below):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    result = run(dicom, tmp_path / below)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert str(tmp_path) in result.stderr.replace("\n", "")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "no folder"


def test_input_that_is_not_there_is_an_error(tmp_path):
    result = run(tmp_path / "nowhere", tmp_path / "out")
    assert result.exit_code == 1
    assert "no such file or folder" in result.stderr
    assert not (tmp_path / "out").exists()


# ------------------------------------------------------------------------------------------- a real process


@pytest.mark.slow
def test_a_real_process_is_silent_on_stderr_and_gives_its_exit_codes(dicom, tmp_path):
    program = [sys.executable, "-c", "from pipeline.cli import main; main()", "run", str(dicom)]
    out = ["--out", str(tmp_path / "out"), "--no-pictures"]
    root = Path(__file__).resolve().parents[2]
    good = subprocess.run([*program, *out, "--arm", "ifi"], capture_output=True, text=True, cwd=root)
    assert (good.returncode, good.stderr) == (0, "")
    assert "PTV" in good.stdout
    again = subprocess.run([*program, *out, "--arm", "ifi"], capture_output=True, text=True, cwd=root)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("error: the output folder is not empty\n")
    wrong = subprocess.run([*program, *out, "--set", "a=1"], capture_output=True, text=True, cwd=root)
    assert wrong.returncode == 2
    assert "unknown figure" in wrong.stderr


def test_choices_are_taken_whatever_their_case(tmp_path):
    result = call("run", tmp_path / "none", "--out", tmp_path / "out", "--arm", "IFI", "--naming", "TG263")
    assert result.exit_code == 1
    assert "no such file or folder" in result.output
