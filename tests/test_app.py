"""Files in, files out: what a run leaves, and that a run that fails leaves nothing."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

import pipeline.run.arms
import pipeline.write
from pipeline.app import DemoRequest, InputChoice, RunRequest, run_case, run_demo
from pipeline.app.values import Stopwatch
from pipeline.core.case import LesionKind
from pipeline.core.errors import ConfigError, GeometryError, OutputError, StructureError, UsageError
from pipeline.core.rules import ArmChoice, MarginName, Settings
from pipeline.write import folder
from tests import made_case
from tests.leaning_ct import made, spec

IFI = Settings(arm=ArmChoice.IFI)


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    return made_case.write_dicom(tmp_path_factory.mktemp("dicom"))


@pytest.fixture(scope="module")
def nifti(tmp_path_factory):
    return made_case.write_nifti(tmp_path_factory.mktemp("nifti"))


def request(source: Path, out: Path, **changes) -> RunRequest:
    return RunRequest(
        source=InputChoice(path=source), out=out, settings=IFI, **{"pictures": False, **changes}
    )


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def hashes(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in tree(folder)}


# ------------------------------------------------------------------------------------------------- DICOM


@pytest.mark.slow
def test_a_run_leaves_the_structure_set_the_report_and_the_pictures_and_changes_no_input(dicom, tmp_path):
    before = hashes(dicom)
    outcome = run_case(request(dicom, tmp_path / "out", pictures=True))
    assert tree(tmp_path / "out") == {
        "report.json",
        "ifi/rtstruct.dcm",
        "pictures/ifi_GTV-T.png",
        "pictures/decision.png",
    }
    assert hashes(dicom) == before
    assert outcome.record == (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
    assert not outcome.has_stop


@pytest.mark.slow
def test_the_structure_set_is_a_draft_with_names_types_colours_and_recipes(dicom, tmp_path):
    run_case(request(dicom, tmp_path / "out"))
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    source = pydicom.dcmread(dicom / "rs.dcm")
    assert written.StructureSetLabel == "DRAFT IFI"
    assert written.ApprovalStatus == "UNAPPROVED"
    assert "esophagus-salvage-2020" in written.StructureSetDescription
    assert "DRAFT" in written.StructureSetDescription
    assert written.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert written.FrameOfReferenceUID == source.FrameOfReferenceUID
    names = [roi.ROIName for roi in written.StructureSetROISequence]
    kinds = [item.RTROIInterpretedType for item in written.RTROIObservationsSequence]
    colours = [[int(part) for part in item.ROIDisplayColor] for item in written.ROIContourSequence]
    ways = [roi.ROIGenerationAlgorithm for roi in written.StructureSetROISequence]
    assert names == ["GTV-T", "PGTV", "CTV", "PTV"]
    assert kinds == ["GTV", "PTV", "CTV", "PTV"]
    assert colours == [[255, 0, 0], [135, 206, 235], [0, 0, 255], [0, 200, 0]]
    assert ways == ["MANUAL", "AUTOMATIC", "AUTOMATIC", "AUTOMATIC"]
    assert "12.5" in written.StructureSetROISequence[2].ROIDescription


@pytest.mark.slow
def test_masks_are_written_when_asked_for_and_agree_with_the_report(dicom, tmp_path):
    import nibabel

    outcome = run_case(request(dicom, tmp_path / "out", formats=frozenset({"nifti"})))
    names = ["GTV-T", "PGTV", "CTV", "PTV"]
    masks = {f"ifi/masks/{name}.nii.gz" for name in names}
    assert tree(tmp_path / "out") == {"report.json", "ifi/rtstruct.dcm", *masks}
    for target in outcome.report.targets["ifi"]:
        image = nibabel.load(tmp_path / "out" / "ifi" / "masks" / f"{target.name}.nii.gz")
        cc = np.count_nonzero(np.asarray(image.dataobj)) * 2 * 2 * 3 / 1000
        assert cc == pytest.approx(target.volume_cc, rel=0.03)


@pytest.mark.slow
def test_the_new_rois_stand_behind_those_of_the_source_when_asked_for(dicom, tmp_path):
    before = hashes(dicom)
    run_case(request(dicom, tmp_path / "out", append_to_source=True))
    assert tree(tmp_path / "out") == {"report.json", "ifi/rtstruct.dcm", "ifi/rtstruct_appended.dcm"}
    assert hashes(dicom) == before
    source = pydicom.dcmread(dicom / "rs.dcm")
    alone = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    both = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct_appended.dcm")
    names = [item.ROIName for item in both.StructureSetROISequence]
    assert names == ["Cord", "GTV-T", "PGTV", "CTV", "PTV"]
    assert [item.ROINumber for item in both.StructureSetROISequence] == [1, 2, 3, 4, 5]
    assert (both.StructureSetLabel, both.ApprovalStatus) == ("DRAFT IFI+SOURCE", "UNAPPROVED")
    assert both.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert len({one.SOPInstanceUID for one in (source, alone, both)}) == 3
    assert len({one.SeriesInstanceUID for one in (source, alone, both)}) == 3
    assert list(both.ROIContourSequence[:2]) == list(source.ROIContourSequence)
    new, own = both.ROIContourSequence[2:], alone.ROIContourSequence[1:]
    assert [item.ContourSequence for item in new] == [item.ContourSequence for item in own]


@pytest.mark.slow
def test_an_earlier_draft_as_source_makes_the_new_names_other_ones(dicom, tmp_path):
    run_case(request(dicom, tmp_path / "first", append_to_source=True))
    draft = tmp_path / "first" / "ifi" / "rtstruct_appended.dcm"
    source = InputChoice(path=dicom, structures=draft)
    outcome = run_case(
        RunRequest(source=source, out=tmp_path / "out", settings=IFI, pictures=False, append_to_source=True)
    )
    both = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct_appended.dcm")
    names = [item.ROIName for item in both.StructureSetROISequence]
    assert names == ["Cord", "GTV-T", "PGTV", "CTV", "PTV", "PGTV_2", "CTV_2", "PTV_2"]
    told = [one.where for one in outcome.report.findings if one.code == "ROI_NAME_TAKEN"]
    assert told == ["DRAFT IFI+SOURCE, PGTV", "DRAFT IFI+SOURCE, CTV", "DRAFT IFI+SOURCE, PTV"]


def test_names_of_the_source_are_held_against_the_new_ones(dicom, tmp_path):
    drafted = tmp_path / "drafted"
    shutil.copytree(dicom, drafted)
    source = next(path for path in sorted(drafted.rglob("*.dcm")) if b"RTSTRUCT" in path.read_bytes())
    header = pydicom.dcmread(source)
    number = max(int(one.ROINumber) for one in header.StructureSetROISequence) + 1
    added = copy.deepcopy(header.StructureSetROISequence[0])
    added.ROINumber, added.ROIName = number, "ptv"
    header.StructureSetROISequence.append(added)
    header.save_as(source)
    found = run_case(request(drafted, tmp_path / "out")).report.findings
    (told,) = (one for one in found if one.code == "ROI_NAME_IN_SOURCE")
    assert "PTV" in told.message


def test_nothing_is_appended_where_there_is_no_structure_set(nifti, tmp_path):
    source = InputChoice(path=nifti[0], masks=nifti[1])
    with pytest.raises(UsageError, match="no structure set to append to"):
        run_case(RunRequest(source=source, out=tmp_path / "out", settings=IFI, append_to_source=True))
    assert not (tmp_path / "out").exists()


def test_nothing_is_appended_to_the_structure_set_of_another_patient(dicom, tmp_path):
    mixed = tmp_path / "mixed"
    shutil.copytree(dicom, mixed)
    header = pydicom.dcmread(mixed / "rs.dcm")
    header.PatientID = "SOMEBODY-ELSE"
    header.save_as(mixed / "rs.dcm")
    with pytest.raises(StructureError, match="structure set of another patient"):
        run_case(request(mixed, tmp_path / "out", append_to_source=True))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_segmentation_is_written_when_asked_for_and_holds_the_masks(dicom, tmp_path):
    run_case(request(dicom, tmp_path / "out", formats=frozenset({"seg"})))
    assert tree(tmp_path / "out") == {"report.json", "ifi/rtstruct.dcm", "ifi/seg.dcm"}
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "seg.dcm")
    structures = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    names = [roi.ROIName for roi in structures.StructureSetROISequence]
    assert [segment.SegmentLabel for segment in written.SegmentSequence] == names
    assert written.FrameOfReferenceUID == structures.FrameOfReferenceUID


@pytest.mark.slow
def test_a_ct_that_is_no_dicom_has_a_segmentation_too(nifti, tmp_path):
    ct, masks = nifti
    source = InputChoice(path=ct, masks=masks)
    run_case(
        RunRequest(
            source=source, out=tmp_path / "out", settings=IFI, pictures=False, formats=frozenset({"seg"})
        )
    )
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "seg.dcm")
    images = {pydicom.dcmread(path).SOPInstanceUID for path in (tmp_path / "out" / "ct").iterdir()}
    frame = written.PerFrameFunctionalGroupsSequence[0]
    assert frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID in images


@pytest.mark.slow
def test_the_report_says_where_everything_came_from_and_nothing_of_who(dicom, tmp_path):
    outcome = run_case(request(dicom, tmp_path / "out"))
    record = json.loads(outcome.record)
    provenance = record["provenance"]
    assert provenance["protocol"] == "esophagus-salvage-2020"
    assert set(provenance["input_uids"]) == {"study", "ct_series", "structure_set"}
    rs = hashlib.sha256((dicom / "rs.dcm").read_bytes()).hexdigest()
    assert provenance["input_hashes"]["structure_set"] == rs
    assert len(provenance["input_hashes"]["ct_pixels"]) == 64
    assert {"numpy", "pydicom", "shapely", "python"} <= set(provenance["dependencies"])
    assert {"reading", "targets", "writing"} <= set(provenance["seconds"])
    assert "ifi.pgtv_without_dose" in record["assumptions"]
    assert record["decision"]["arm"] == "ifi"
    assert made_case.PATIENT_NAME.split("^")[0] not in outcome.record
    assert "4711" not in outcome.record


@pytest.mark.slow
def test_an_roi_of_any_name_is_a_lesion_when_the_user_says_so(tmp_path):
    dicom = made_case.write_dicom(tmp_path / "in", roi_name="mass")
    with pytest.raises(StructureError, match=r"Cord.*mass|mass.*Cord"):
        run_case(request(dicom, tmp_path / "out"))
    source = InputChoice(path=dicom, gtv=(("mass", LesionKind.NODE),))
    outcome = run_case(RunRequest(source=source, out=tmp_path / "out", settings=IFI, pictures=False))
    assert [lesion.roi for lesion in outcome.report.lesions] == ["GTV-N"]
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    assert list(written.ROIContourSequence[0].ROIDisplayColor) == [255, 105, 180]


# ------------------------------------------------------------------------------------------- other formats


@pytest.mark.slow
def test_a_ct_file_becomes_a_dicom_series_that_the_structure_set_refers_to(nifti, tmp_path):
    ct, masks = nifti
    source = InputChoice(path=ct, masks=masks)
    outcome = run_case(RunRequest(source=source, out=tmp_path / "out", settings=IFI, pictures=False))
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "out" / "ct").iterdir())]
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    assert len(slices) == 24
    study = written.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    assert study.RTReferencedSeriesSequence[0].SeriesInstanceUID == slices[0].SeriesInstanceUID
    assert written.PatientID == slices[0].PatientID != ""
    assert "CT_WRITTEN_AS_DICOM" in {finding.code for finding in outcome.report.findings}
    assert any(role.startswith("mask") for role in outcome.report.provenance.input_hashes)


@pytest.mark.slow
def test_both_formats_give_the_same_volumes(dicom, nifti, tmp_path):
    first = run_case(request(dicom, tmp_path / "a")).report.targets["ifi"]
    source = InputChoice(path=nifti[0], masks=nifti[1])
    second = run_case(RunRequest(source=source, out=tmp_path / "b", settings=IFI, pictures=False))
    for one, other in zip(first, second.report.targets["ifi"], strict=True):
        assert other.volume_cc == pytest.approx(one.volume_cc, rel=0.03)


# ----------------------------------------------------------------------------------- whole or not at all


def test_wrong_use_is_known_before_anything_is_read_or_made(tmp_path):
    nowhere = InputChoice(path=tmp_path / "nowhere")
    for settings in (
        Settings(figures={"a": 1.0}),
        Settings(arm=ArmChoice.IFI, margins={MarginName.LEFT: 30}),
    ):
        with pytest.raises(UsageError):
            run_case(RunRequest(source=nowhere, out=tmp_path / "out", settings=settings))
    assert not (tmp_path / "out").exists()


def test_a_broken_protocol_leaves_nothing(dicom, tmp_path):
    path = tmp_path / "clinic.yaml"
    path.write_text("name: clinic\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"clinic\.yaml"):
        run_case(request(dicom, tmp_path / "out", protocol=path))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["write_rtstruct", "write_report", "write_masks"])
def test_a_failure_while_writing_leaves_nothing(dicom, tmp_path, monkeypatch, name):
    def fail(*args, **kwargs):
        raise OutputError("disk is full")

    monkeypatch.setattr(pipeline.write, name, fail)
    with pytest.raises(OutputError, match="disk is full"):
        run_case(request(dicom, tmp_path / "deep" / "out", formats=frozenset({"nifti"})))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_failure_after_an_arm_was_written_leaves_nothing(dicom, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise GeometryError("no arms to be compared")

    filters = list(warnings.filters)
    monkeypatch.setattr(pipeline.run.arms, "check_arms", fail)
    with pytest.raises(GeometryError, match="no arms to be compared"):
        run_case(request(dicom, tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
    assert warnings.filters == filters


@pytest.mark.slow
def test_a_failure_keeps_the_earlier_run(dicom, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run_case(request(dicom, out))
    before = hashes(out)

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.write, "write_report", fail)
        with pytest.raises(KeyboardInterrupt):
            run_case(request(dicom, out, overwrite=True))
    assert hashes(out) == before


@pytest.mark.slow
def test_an_earlier_run_is_replaced_only_when_the_user_says_so(dicom, tmp_path):
    out = tmp_path / "out"
    run_case(request(dicom, out, pictures=True, formats=frozenset({"nifti", "seg"}), append_to_source=True))
    assert folder._of_others(out) == [], "what a run writes is known to be ours"
    with pytest.raises(OutputError, match="not empty"):
        run_case(request(dicom, out))
    run_case(request(dicom, out, overwrite=True))
    assert tree(out) == {"report.json", "ifi/rtstruct.dcm"}


def test_the_input_folder_is_no_output_folder(dicom):
    before = tree(dicom)
    with pytest.raises(OutputError, match="is the input folder"):
        run_case(request(dicom, dicom, overwrite=True))
    assert tree(dicom) == before


# ----------------------------------------------------------------------------------------------- the rest


def test_a_stage_that_comes_twice_is_added_up():
    told: list[str] = []
    watch = Stopwatch(told.append)
    for stage in ("a", "b", "a"):
        watch(stage)
    assert list(watch.seconds()) == ["a", "b"]
    assert all(seconds >= 0 for seconds in watch.seconds().values())
    assert told == ["a", "b", "a"]


@pytest.mark.slow
def test_the_demo_makes_a_patient_and_runs_it(demo_run):
    found = tree(demo_run)
    assert folder._of_others(demo_run) == []
    report = json.loads((demo_run / "report.json").read_text(encoding="utf-8"))
    assert {"report.json", "ifi/rtstruct.dcm", "patient/dicom/structures.dcm"} <= found
    assert "patient/masks/vertebrae_T4.nii.gz" in found
    lesions = [lesion["roi"] for lesion in report["lesions"]]
    assert lesions == ["GTV-T", "GTV-N1", "GTV-N2"]
    assert {f"pictures/{arm}_{name}.png" for arm in ("ifi", "eni") for name in lesions} <= found
    assert {"pictures/decision.png", "eni/rtstruct.dcm", "eni/prescription.json", "stations.json"} <= found
    assert (report["decision"]["arm"], report["decision"]["plan"]) == ("both", "4 and 2")
    source = pydicom.dcmread(demo_run / "patient" / "dicom" / "structures.dcm")
    names = [roi.ROIName for roi in source.StructureSetROISequence]
    assert {"BODY", "Lung_L", "SpinalCord", "GTV-N1"} <= set(names)
    assert not any(finding["severity"] == "stop" for finding in report["findings"])
    with pytest.raises(OutputError, match="not empty"):
        run_demo(DemoRequest(out=demo_run))


# --------------------------------------------------------------------------------------------- resampling


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["uneven", "tilted"])
def test_a_resampled_ct_is_written_and_is_what_the_volumes_refer_to(kind: str, tmp_path: Path) -> None:
    folder, ct = made(tmp_path / "in", spec(kind))
    choice = InputChoice(path=folder, resample=True)
    asked = RunRequest(source=choice, out=tmp_path / "out", settings=IFI, pictures=False)
    outcome = run_case(asked)
    slices = [pydicom.dcmread(path) for path in sorted((tmp_path / "out" / "ct").iterdir())]
    first = pydicom.dcmread(ct.files[0])
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert {one[keyword].value for one in slices} == {first[keyword].value}
    assert first.SeriesInstanceUID not in {one.SeriesInstanceUID for one in slices}
    written = pydicom.dcmread(tmp_path / "out" / "ifi" / "rtstruct.dcm")
    images = written.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    named = images.RTReferencedSeriesSequence[0]
    assert named.SeriesInstanceUID == slices[0].SeriesInstanceUID
    assert len(named.ContourImageSequence) == len(slices)
    # The outputs are a case of their own, which needs no resampling.
    again = tmp_path / "again"
    shutil.copytree(tmp_path / "out" / "ct", again / "ct")
    shutil.copy(tmp_path / "out" / "ifi" / "rtstruct.dcm", again)
    second = run_case(request(again, tmp_path / "second"))
    volumes = [{one.name: one.volume_cc for one in of.report.targets["ifi"]} for of in (outcome, second)]
    assert volumes[0] == pytest.approx(volumes[1], rel=0.002)
    assert "CT_RESAMPLED" in {one.code for one in outcome.report.findings}
    assert "CT_RESAMPLED" not in {one.code for one in second.report.findings}


def test_nothing_is_appended_to_a_source_whose_ct_is_resampled(tmp_path: Path) -> None:
    folder, _ = made(tmp_path / "in", spec("tilted"))
    asked = RunRequest(
        source=InputChoice(path=folder, resample=True),
        out=tmp_path / "out",
        settings=IFI,
        append_to_source=True,
        pictures=False,
    )
    with pytest.raises(UsageError, match="cannot be appended to"):
        run_case(asked)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_same_run_again_has_the_same_uids_and_another_margin_others(dicom, tmp_path) -> None:
    def uids(out: str, **margins: float) -> list[str]:
        settings = Settings(arm=ArmChoice.IFI, margins={MarginName(name): mm for name, mm in margins.items()})
        changed = {"settings": settings, "append_to_source": True, "formats": frozenset({"rtstruct", "seg"})}
        run_case(RunRequest(source=InputChoice(path=dicom), out=tmp_path / out, pictures=False, **changed))
        files = ("rtstruct.dcm", "rtstruct_appended.dcm", "seg.dcm")
        read = [pydicom.dcmread(tmp_path / out / "ifi" / name) for name in files]
        return [one.SOPInstanceUID for one in read] + [one.SeriesInstanceUID for one in read]

    once, again, other = uids("one"), uids("two"), uids("three", horizontal=8.0)
    assert once == again
    assert not set(once) & set(other)
    assert len(set(once)) == 6
