"""Every public structure set at hand, files in and files out: it runs, or it stops with the right error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.case import LesionKind
from pipeline.core.errors import InputError, SeriesError, StructureError
from pipeline.core.report import Report
from pipeline.core.rules import ArmChoice, Settings
from pipeline.read.dicom_index import STRUCTURE_SET, read_dicom
from pipeline.write.readback import ROI_SEQUENCES, same_bytes
from tests.interop.judges import errors_of_dciodvfy

pytestmark = [pytest.mark.real, pytest.mark.slow]

Unpacked = Callable[[str], Path]
CROPS = "lung1-crops/radiomics_phantom_dicom.tar.xz"
PHILIPS = "tilted-ct/Philips_S21610_tilt-18.5_plus_localizer.tar.xz"
SYNTHETIC = "synthetic-lung/synthetic_lung.tar.bz2"


def run(source: InputChoice, out: Path, *, append: bool = False) -> Report:
    settings = Settings(arm=ArmChoice.IFI)
    request = RunRequest(source=source, out=out, settings=settings, append_to_source=append, pictures=False)
    return run_case(request).report


def folder_in(root: Path, name: str) -> Path:
    (found,) = (path for path in root.rglob(name) if path.is_dir())
    return found


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


# --------------------------------------------------------------------------------------------- those that run


@pytest.mark.parametrize(
    "archive, gtv_cc, told",
    [
        (
            "lung1-002/ct-and-xio-plan.tar.xz",
            358.7,
            {"CONTOUR_IMAGES_ABSENT", "GTV_TYPE", "CONTOUR_SELF_CROSSING"},
        ),
        ("lung1-001/ct-and-aria-rtstruct.tar.xz", 156.35, {"GTV_TYPE"}),
    ],
)
def test_whole_patients(
    archive: str,
    gtv_cc: float,
    told: set[str],
    unpacked: Unpacked,
    program: Callable[[str], str],
    tmp_path: Path,
) -> None:
    report = run(InputChoice(path=unpacked(archive)), tmp_path / "out", append=True)
    assert [lesion.roi for lesion in report.lesions] == ["GTV-T"]
    assert report.lesions[0].volume_cc == pytest.approx(gtv_cc, abs=0.1)
    assert told <= codes(report)
    check_appended(unpacked(archive), tmp_path / "out", report, program)


@pytest.mark.parametrize("patient", ["pat_1", "pat_2", "pat_3", "pat_4"])
def test_a_cropped_ct_says_what_it_does_not_show(patient: str, unpacked: Unpacked, tmp_path: Path) -> None:
    report = run(InputChoice(path=folder_in(unpacked(CROPS), patient)), tmp_path / "out")
    assert {"BODY_OUTLINE_DOUBTFUL", "BARRIER_NOT_APPLIED", "ORGANS_NOT_SEEN", "CTV_HOLDS_AIR"} <= codes(
        report
    )
    assert (tmp_path / "out" / "ifi" / "rtstruct.dcm").is_file()


@pytest.mark.parametrize("patient", ["lung-1", "lung-2", "lung-3"])
def test_rois_without_contours_are_no_hindrance(patient: str, unpacked: Unpacked, tmp_path: Path) -> None:
    folder = folder_in(unpacked(SYNTHETIC), patient)
    with pytest.raises(StructureError, match=r"no GTV among the ROIs.*'Tumor'.*--gtv"):
        run(InputChoice(path=folder), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    report = run(InputChoice(path=folder, gtv=(("Tumor", LesionKind.TUMOUR),)), tmp_path / "out")
    assert report.lesions[0].volume_cc == pytest.approx(34.5, abs=0.01)


# -------------------------------------------------------------------------------------------- those that stop


@pytest.mark.parametrize(
    "archive, error, what",
    [
        (CROPS, InputError, "several CT series that could be meant.*--ct-series"),
        (SYNTHETIC, InputError, "several CT series that could be meant.*--ct-series"),
        ("synthetic-lung/Abdomen.zip", InputError, "no structure set.*3 CT, 1 RTDOSE.*--structures"),
        ("tilted-ct/GE_tilt_nonuniform.tar.xz", SeriesError, "tilted gantry.*18.5 degrees.*unevenly spaced"),
        (
            PHILIPS,
            SeriesError,
            "tilted gantry.*18.5 degrees",
        ),
    ],
)
def test_what_cannot_be_used_is_told(
    archive: str, error: type[Exception], what: str, unpacked: Unpacked, tmp_path: Path
) -> None:
    with pytest.raises(error, match=f"(?s){what}"):
        run(InputChoice(path=unpacked(archive)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("folder", ["lung1-001/xio-rtstruct", "pancreas-cb-001"])
def test_a_structure_set_without_its_ct(folder: str, real_data: Path, tmp_path: Path) -> None:
    if not (real_data / folder).is_dir():
        pytest.skip(f"the real data has no {folder}")
    with pytest.raises(SeriesError, match="no CT series"):
        run(InputChoice(path=real_data / folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_structure_set_of_other_links(real_data: Path, unpacked: Unpacked, tmp_path: Path) -> None:
    source = InputChoice(
        path=unpacked("lung1-001/ct-and-aria-rtstruct.tar.xz"),
        structures=real_data / "lung1-001" / "xio-rtstruct" / "RS.dcm",
    )
    with pytest.raises(StructureError, match="structure set belongs to another CT series"):
        run(source, tmp_path / "out")


# ----------------------------------------------------------------------------------- appended to a copy of it


@pytest.mark.parametrize(
    "archive, name, gtv", [(CROPS, "pat_1", ()), (SYNTHETIC, "lung-1", (("Tumor", LesionKind.TUMOUR),))]
)
def test_the_rois_of_other_systems_keep_every_byte(
    archive: str,
    name: str,
    gtv: tuple[tuple[str, LesionKind], ...],
    unpacked: Unpacked,
    program: Callable[[str], str],
    tmp_path: Path,
) -> None:
    """Those of XiO and ARIA: `test_whole_patients`."""
    folder = folder_in(unpacked(archive), name)
    report = run(InputChoice(path=folder, gtv=gtv), tmp_path / "out", append=True)
    check_appended(folder, tmp_path / "out", report, program)


def check_appended(folder: Path, out: Path, report: Report, program: Callable[[str], str]) -> None:
    """The source's ROIs byte for byte, ours behind them, and no error that the source did not have."""
    uid = report.provenance.input_uids["structure_set"]
    (source,) = (path for path, one in _structure_sets(folder).items() if one.SOPInstanceUID == uid)
    written = out / "ifi" / "rtstruct_appended.dcm"
    before, after = pydicom.dcmread(source), pydicom.dcmread(written)
    for keyword in ROI_SEQUENCES:
        kept = after[keyword].value[: len(before[keyword].value)]
        assert all(same_bytes(*pair) for pair in zip(before[keyword].value, kept, strict=True))
    names = [str(item.ROIName) for item in after.StructureSetROISequence]
    assert names[-3:] == ["PGTV", "CTV", "PTV"]
    dciodvfy = program("dciodvfy")
    assert set(errors_of_dciodvfy(dciodvfy, written)) <= set(errors_of_dciodvfy(dciodvfy, source))


def _structure_sets(folder: Path) -> dict[Path, pydicom.Dataset]:
    files = {path: read_dicom(path) for path in folder.rglob("*") if path.is_file()}
    return {path: one.header for path, one in files.items() if one and one.sop_class == STRUCTURE_SET}
