"""The stations of a case: files in, files out, and that a run that fails leaves nothing."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from pipeline.app import (
    FoundStations,
    InputChoice,
    RunRequest,
    StationsRequest,
    find_stations_of_case,
    run_case,
)
from pipeline.core.errors import InputError, OutputError, UsageError
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.stations import LesionPlace, LesionPlaces, StationShare
from pipeline.core.threads import known
from pipeline.core.volume import Mask
from pipeline.read import load_station_atlas
from pipeline.write import (
    CtIdentity,
    RoiOut,
    StructureSetContext,
    write_ct_series,
    write_masks,
    write_rtstruct,
)
from pipeline.write import folder as folder_of_outputs
from tests import leaning_ct, made_case
from tests.made_stations import simple
from tests.phantoms import coarse

PLACE = LesionPlace(
    roi="GTV-T",
    level=None,
    shares=(StationShare(station="7", fraction=0.4),),
    nearest="7",
    nearest_mm=0.0,
    second="1R",
    second_mm=21.0,
    regions=(Region.III,),
)
STOP = Finding(code="PLANTED", severity=Severity.STOP, where="station 7", message="decide first")


def finder(task) -> FoundStations:
    places = (PLACE,) if task.scan.lesions else ()
    return FoundStations(stations=simple(task.scan.volume.grid), placing=known(LesionPlaces(places=places)))


def nothing_built(task) -> FoundStations:
    stations = simple(task.scan.volume.grid)
    return FoundStations(
        stations=replace(
            stations,
            built={},
            not_built=dict.fromkeys(stations.regions, "no organ is known"),
            labels=np.zeros_like(stations.labels),
        ),
        placing=known(LesionPlaces(places=())),
    )


@pytest.fixture(scope="module")
def dicom(tmp_path_factory) -> Path:
    return made_case.write_dicom(tmp_path_factory.mktemp("dicom"))


@pytest.fixture(scope="module")
def ct_alone(tmp_path_factory) -> Path:
    folder = made_case.write_dicom(tmp_path_factory.mktemp("alone"))
    (folder / "rs.dcm").unlink()
    return folder


def request(path: Path, out: Path, **changes) -> StationsRequest:
    values = {"source": InputChoice(path=path), "out": out, "pictures": False, **changes}
    return StationsRequest(**values)


def tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


FILES = {
    "report.json",
    "stations.json",
    "stations.nii.gz",
    "stations_with_conduit.nii.gz",
    "stations/rtstruct.dcm",
}


@pytest.mark.slow
def test_a_ct_alone_is_enough(ct_alone, tmp_path):
    outcome = find_stations_of_case(request(ct_alone, tmp_path / "out", pictures=True), finder=finder)
    pictures = {f"pictures/stations_{name}.png" for name in ("axial_1", "coronal", "sagittal")}
    assert tree(tmp_path / "out") == FILES | pictures
    assert not outcome.has_stop
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert outcome.record == json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    assert (report["decision"], report["targets"], report["lesions"]) == (None, {}, [])
    assert report["status"] == "ok"
    assert list(report["stations"]) == ["1R", "1L", "7", "8Lo", "20"]
    assert report["stations"]["20"] == {
        "region": "IV",
        "volume_cc": 0.0,
        "built": False,
        "notes": ["no aorta"],
    }
    codes = {finding["code"] for finding in report["findings"]}
    assert {"STATION_DOUBT", "LANDMARK_NOT_FOUND"} <= codes
    assert report["provenance"]["input_hashes"]["station_atlas"] == load_station_atlas().sha256
    assert {"reading", "anatomy", "stations", "pictures"} <= set(report["provenance"]["seconds"])
    assert made_case.PATIENT_NAME.split("^")[0] not in outcome.record


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Station 7", "station_7"])
def test_stations_of_the_users_own_among_the_masks(dicom, tmp_path, name):
    """A folder with stations alone is a good one, and their names are not told as unknown organs."""
    case = made_case.case()
    voxels = np.zeros(case.volume.grid.shape, dtype=bool)
    voxels[2:6, 10:20, 10:20] = True
    write_masks(tmp_path / "own", {name: Mask(grid=case.volume.grid, voxels=voxels)})
    source = InputChoice(path=dicom, anatomy=tmp_path / "own")
    find_stations_of_case(request(dicom, tmp_path / "out", source=source))
    record = json.loads((tmp_path / "out" / "stations.json").read_text(encoding="utf-8"))
    assert record["stations"]["7"]["origin"] == "given by the user"
    assert not any(one["code"] == "ORGAN_NAMES_UNKNOWN" for one in record["findings"])


def test_all_files_tell_the_same_volumes(dicom, tmp_path):
    find_stations_of_case(request(dicom, tmp_path / "out"), finder=finder)
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["stations"]
    record = json.loads((tmp_path / "out" / "stations.json").read_text(encoding="utf-8"))
    voxels = np.asarray(nibabel.load(tmp_path / "out" / "stations.nii.gz").dataobj)
    written = pydicom.dcmread(tmp_path / "out" / "stations" / "rtstruct.dcm")
    rois = {item.ROIName: float(item.ROIVolume) for item in written.StructureSetROISequence}
    assert set(rois) == {"1R", "1L", "7"}
    for name, roi_cc in rois.items():
        told = report[name]["volume_cc"]
        assert record["stations"][name]["volume_cc"] == told
        assert roi_cc == pytest.approx(told, rel=0.002)
        counted = np.count_nonzero(voxels == record["labels"][name]) * 12 / 1000
        # The boxes do not lie on the pixel raster.
        assert counted == pytest.approx(told, rel=0.12), name
    whole = record["stations"]["7"]["volume_with_conduit_cc"]
    assert whole > 1.15 * report["7"]["volume_cc"]


def test_the_structure_set_is_a_draft_on_the_ct(dicom, tmp_path):
    find_stations_of_case(request(dicom, tmp_path / "out"), finder=finder)
    written = pydicom.dcmread(tmp_path / "out" / "stations" / "rtstruct.dcm")
    source = pydicom.dcmread(dicom / "rs.dcm")
    assert (written.StructureSetLabel, written.ApprovalStatus) == ("DRAFT STATIONS", "UNAPPROVED")
    assert "not confirmed by a clinician" in written.StructureSetDescription
    assert "boundary_1_2 notch" in written.StructureSetDescription
    assert {item.RTROIInterpretedType for item in written.RTROIObservationsSequence} == {"CONTROL"}
    assert written.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert written.FrameOfReferenceUID == source.FrameOfReferenceUID
    described = written.StructureSetROISequence[2].ROIDescription
    assert "region III" in described
    assert "not confirmed by a clinician" in described


def test_lesions_have_their_places(dicom, tmp_path):
    outcome = find_stations_of_case(request(dicom, tmp_path / "out"), finder=finder)
    (lesion,) = outcome.report.lesions
    assert (lesion.roi, lesion.regions, lesion.stations) == ("GTV-T", ("III",), ("7",))
    record = json.loads((tmp_path / "out" / "stations.json").read_text(encoding="utf-8"))
    assert record["lesions"][0]["second_nearest"] == {"station": "1R", "distance_mm": 21.0}


def test_a_ct_file_gets_a_dicom_series_to_refer_to(tmp_path):
    ct, _ = made_case.write_nifti(tmp_path / "in")
    outcome = find_stations_of_case(request(ct, tmp_path / "out"), finder=finder)
    slices = {f"ct/{path.name}" for path in (tmp_path / "out" / "ct").iterdir()}
    assert len(slices) == made_case.GRID.size[2]
    assert tree(tmp_path / "out") == FILES | slices
    assert "CT_WRITTEN_AS_DICOM" in {finding.code for finding in outcome.report.findings}


def test_where_nothing_is_built_the_files_say_so(ct_alone, tmp_path):
    outcome = find_stations_of_case(request(ct_alone, tmp_path / "out", pictures=True), finder=nothing_built)
    assert tree(tmp_path / "out") == {"report.json", "stations.json", "stations.nii.gz"}
    assert not any(station.built for station in outcome.report.stations.values())


def test_a_stop_finding_stops(ct_alone, tmp_path):
    def doubtful(task):
        found = finder(task)
        return replace(found, stations=replace(found.stations, findings=(STOP,)))

    assert find_stations_of_case(request(ct_alone, tmp_path / "out"), finder=doubtful).has_stop


def test_the_finder_is_asked_with_anatomy_lesions_and_request(dicom, tmp_path):
    asked = []

    def spy(task):
        asked.append(task)
        return finder(task)

    (tmp_path / "points.yaml").write_text("carina: [1, 2, 30]\n")
    source = InputChoice(path=dicom, landmarks=tmp_path / "points.yaml")
    wanted = request(dicom, tmp_path / "out", source=source, options={"boundary_1_2": "apex"})
    find_stations_of_case(wanted, finder=spy)
    (task,) = asked
    assert task.anatomy.landmarks.found["carina"].point_mm == (1.0, 2.0, 30.0)
    levels = {level.name for level in task.atlas.levels}
    known = task.anatomy.landmarks
    assert levels <= {*known.found, *known.missing}
    assert "body" in task.anatomy.organs
    assert [lesion.name for lesion in task.scan.lesions] == ["GTV-T"]
    assert task.request.options == {"boundary_1_2": "apex"}


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"options": {"nose": "long"}}, "unknown option of the atlas; where: --set nose"),
        ({"options": {"boundary_1_2": "nose"}}, "unknown choice for an option of the atlas"),
    ],
)
def test_choices_that_cannot_be_carried_out_are_told_before_anything_is_read(tmp_path, changes, told):
    with pytest.raises(UsageError, match=told):
        find_stations_of_case(request(tmp_path / "nowhere", tmp_path / "out", **changes))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tilted", "uneven"])
def test_where_nothing_is_built_a_person_must_look_and_the_map_has_its_ct(kind: str, tmp_path: Path) -> None:
    folder, _ = leaning_ct.made(tmp_path / "in", leaning_ct.spec(kind))
    out = tmp_path / "out"
    asked = StationsRequest(source=InputChoice(path=folder, resample=True), out=out, pictures=False)
    outcome = find_stations_of_case(asked)
    (finding,) = [one for one in outcome.report.findings if one.code == "STATION_NOT_BUILT"]
    assert finding.severity is Severity.STOP
    assert "20 of 20 not built" in finding.message
    assert outcome.has_stop
    labels = sitk.ReadImage(out / "stations.nii.gz")
    assert len(list((out / "ct").glob("*.dcm"))) == labels.GetSize()[2]
    assert folder_of_outputs._of_others(out) == []


def test_segment_without_the_program_is_told_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    source = InputChoice(path=tmp_path / "nowhere", segment=True)
    with pytest.raises(UsageError, match="TotalSegmentator is not installed"):
        find_stations_of_case(request(tmp_path / "nowhere", tmp_path / "out", source=source), finder=finder)


# --------------------------------------------------------------------------------- everything, or nothing


def test_a_finder_that_fails_leaves_nothing(ct_alone, tmp_path):
    def failing(task):
        raise UsageError("unknown option of the atlas", where="--set nose")

    with pytest.raises(UsageError, match="--set nose"):
        find_stations_of_case(request(ct_alone, tmp_path / "new" / "out"), finder=failing)
    assert not (tmp_path / "new").exists()


def test_a_broken_input_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        find_stations_of_case(request(tmp_path / "nowhere", tmp_path / "out"), finder=finder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_earlier_run_is_replaced_only_when_asked_to(dicom, ct_alone, tmp_path):
    out = tmp_path / "out"
    run = RunRequest(
        source=InputChoice(path=dicom), out=out, settings=Settings(arm=ArmChoice.IFI), pictures=False
    )
    run_case(run)
    (out / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="not empty"):
        find_stations_of_case(request(ct_alone, out), finder=finder)
    find_stations_of_case(request(ct_alone, out, overwrite=True), finder=finder)
    assert tree(out) == FILES | {"mine.txt"}
    # And the other way round: a later run of another command leaves no stations of an earlier one.
    run_case(replace(run, overwrite=True))
    assert tree(out) == {"report.json", "ifi/rtstruct.dcm", "mine.txt"}


def test_inputs_and_outputs_stay_apart(ct_alone, tmp_path):
    with pytest.raises(OutputError, match="lies inside the input folder"):
        find_stations_of_case(request(ct_alone, ct_alone / "out"), finder=finder)
    source = InputChoice(path=ct_alone, anatomy=tmp_path / "out" / "masks")
    with pytest.raises(OutputError, match="an input lies inside the output folder"):
        find_stations_of_case(request(ct_alone, tmp_path / "out", source=source), finder=finder)


# --------------------------------------------------------------------------------------- by the atlas's rules


@pytest.mark.slow
def test_the_synthetic_patient_by_the_rules_of_the_atlas(tmp_path):
    phantom = coarse()
    identity = CtIdentity(seed="p", patient_name="P", patient_id="1")
    headers = write_ct_series(tmp_path / "in", phantom.volume, identity)
    rois = [
        RoiOut(name=one.name, contours=one.contours, interpreted_type="GTV", colour=(255, 0, 0))
        for one in phantom.gtvs
    ]
    context = StructureSetContext(headers=headers, label="DRAFT P")
    write_rtstruct(tmp_path / "in" / "rs.dcm", rois, context)
    write_masks(tmp_path / "masks", phantom.organs)
    source = InputChoice(path=tmp_path / "in", anatomy=tmp_path / "masks")
    outcome = find_stations_of_case(request(tmp_path / "in", tmp_path / "out", source=source))
    stations = outcome.report.stations
    assert len(stations) == 20
    assert all(stations[name].built for name in ("2R", "4R", "7", "8M", "20"))
    for lesion in outcome.report.lesions:
        if lesion.kind == "GTV-N":
            assert lesion.stations[0] == phantom.sites[lesion.roi].site
    record = json.loads((tmp_path / "out" / "stations.json").read_text(encoding="utf-8"))
    assert record["lesions"][0]["region_shares"]
    assert (tmp_path / "out" / "stations_with_conduit.nii.gz").is_file()
    specks = [one for one in record["findings"] if one["code"] == "SPECKS_NOT_WRITTEN"]
    assert len(specks) <= 1


def test_doubts_about_the_fit_go_before_those_about_places():
    fit, place = (replace(STOP, code=code) for code in ("FIT", "PLACE"))
    found = FoundStations(
        stations=None, placing=known(LesionPlaces(places=(PLACE,), findings=(place,))), fit=(fit,)
    )
    assert found.findings == (fit, place)
    assert found.places == (PLACE,)
