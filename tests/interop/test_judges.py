"""What we write, read back by plastimatch and dcmrtstruct2nii, and looked at by dciodvfy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.case import LesionKind
from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from pipeline.core.rules import ArmChoice, Holes, Settings
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from pipeline.write import write_appended, write_rtstruct
from tests.interop import judges
from tests.interop.judges import Voxels
from tests.leaning_ct import made, spec
from tests.write.samples import AXES, CENTRE, context, make_grid, ring, roi, sphere, two_parts, write_ct

pytestmark = [pytest.mark.interop, pytest.mark.slow]

LEAST_DICE = 0.99
LARGEST_PERCENT, LARGEST_PERCENT_SMALL, SMALL_CC = 1.0, 3.0, 1.0
# From the polygons any mask differs by what its pixels round, the same way on every slice of a prism.
LARGEST_PERCENT_OF_POLYGONS = 3.0

Program = Callable[[str], str]


def judged(masks: Mapping[str, Voxels], wanted: Mapping[str, Contours], ct: Path) -> None:
    """Each ROI of `wanted` comes back with our mask and its own volume."""
    image = judges.ct_image(ct)
    assert set(masks) == set(wanted)
    for name, contours in wanted.items():
        theirs = judges.on_grid(masks[name], image, contours.grid)
        found = judges.verdict(theirs, contours_to_mask(contours), contours.volume_cc)
        limit = LARGEST_PERCENT if contours.volume_cc > SMALL_CC else LARGEST_PERCENT_SMALL
        assert found.dice >= LEAST_DICE, (name, found)
        assert abs(found.volume_percent) <= limit, (name, found)
        assert abs(found.polygons_percent) <= LARGEST_PERCENT_OF_POLYGONS, (name, found)


def contours_of(structures: Path, ct: Path, tmp_path: Path) -> dict[str, Contours]:
    """Every ROI of a structure set as our reader has it, GTV or not."""
    names = [str(item.ROIName) for item in pydicom.dcmread(structures).StructureSetROISequence]
    choice = tuple(GtvChoice(roi_name=name, kind=LesionKind.TUMOUR) for name in names)
    case = read_case(ct, ReadOptions(structures=structures, gtv=choice), load_roles()).case
    return {lesion.source_roi: lesion.contours for lesion in case.lesions}


# ------------------------------------------------------------------------------------------- exact shapes


@pytest.fixture(scope="module", params=sorted(AXES))
def sample(request, tmp_path_factory):
    """A structure set of four exact shapes in one patient position: folder of the CT, file, contours."""
    folder = tmp_path_factory.mktemp(f"sample-{request.param}")
    grid = make_grid(request.param)
    headers = write_ct(folder / "ct", grid)
    # Off the pixel raster: symmetric about it, whole rows of pixel centres would come and go together.
    u, v, w = CENTRE
    rois = [
        roi("GTV-T", sphere(grid, 16, (u + 0.23, v - 0.37, w)), "GTV"),
        roi("GTV-N", sphere(grid, 5, (u - 9.68, v + 12.29, w)), "GTV"),
        roi("CTV", ring(grid), "CTV"),
        roi("PTV", two_parts(grid), "PTV"),
    ]
    write_rtstruct(folder / "rs.dcm", rois, context(headers))
    return folder / "ct", folder / "rs.dcm", {roi.name: roi.contours for roi in rois}


def test_the_validator_finds_no_error_in_any_position(sample, program: Program) -> None:
    ct, structures, _ = sample
    dciodvfy = program("dciodvfy")
    assert judges.errors_of_dciodvfy(dciodvfy, structures) == []
    assert judges.errors_of_dciodvfy(dciodvfy, min(ct.iterdir())) == []


def test_plastimatch_reads_the_shapes_back(sample, program: Program, tmp_path: Path) -> None:
    ct, structures, wanted = sample
    judged(judges.read_by_plastimatch(program("plastimatch"), structures, ct, tmp_path / "out"), wanted, ct)


@pytest.mark.parametrize("holes", [Holes.EVEN_ODD, Holes.KEYHOLE])
@pytest.mark.parametrize("judge", ["plastimatch", "dcmrtstruct2nii"])
def test_a_hole_is_a_hole_to_others(holes: Holes, judge: str, program: Program, tmp_path: Path) -> None:
    grid = make_grid("HFS")
    headers = write_ct(tmp_path / "ct", grid)
    write_rtstruct(tmp_path / "rs.dcm", [roi("CTV", ring(grid), "CTV")], context(headers, holes=holes))
    if judge == "plastimatch":
        masks = judges.read_by_plastimatch(
            program(judge), tmp_path / "rs.dcm", tmp_path / "ct", tmp_path / "out"
        )
    else:
        masks = judges.read_by_dcmrtstruct2nii(tmp_path / "rs.dcm", tmp_path / "ct", tmp_path / "out")
    judged(masks, {"CTV": ring(grid)}, tmp_path / "ct")


@pytest.mark.parametrize("holes", list(Holes))
def test_the_validator_finds_no_error_whatever_the_holes(
    holes: Holes, program: Program, tmp_path: Path
) -> None:
    headers = write_ct(tmp_path / "ct", make_grid("HFS"))
    rois = [roi("CTV", ring(make_grid("HFS")), "CTV")]
    write_rtstruct(tmp_path / "rs.dcm", rois, context(headers, holes=holes))
    assert judges.errors_of_dciodvfy(program("dciodvfy"), tmp_path / "rs.dcm") == []


@pytest.mark.parametrize(
    "position, syntax",
    [(position, ImplicitVRLittleEndian) for position in sorted(AXES)]
    + [(position, ExplicitVRLittleEndian) for position in ("HFS", "FFDL")],
)
@pytest.mark.parametrize("judge", ["dciodvfy", "plastimatch", "dcmrtstruct2nii"])
def test_appended_rois_and_those_of_the_source(
    judge: str, position: str, syntax: str, program: Program, tmp_path: Path
) -> None:
    grid = make_grid(position)
    headers = write_ct(tmp_path / "ct", grid)
    u, v, w = CENTRE
    old = roi("GTV-T", sphere(grid, 16, (u + 0.23, v - 0.37, w)), "GTV")
    new = [roi("CTV", ring(grid), "CTV"), roi("PTV", two_parts(grid), "PTV")]
    structures, source = tmp_path / "rs.dcm", tmp_path / "source.dcm"
    write_rtstruct(source, [old], context(headers))
    read = pydicom.dcmread(source)
    read.file_meta.TransferSyntaxUID = syntax
    read.save_as(source, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True)
    told = context(headers, label="DRAFT IFI+SOURCE", predecessor=read)
    write_appended(structures, new, told, lambda: pydicom.dcmread(source))
    if judge == "dciodvfy":
        assert judges.errors_of_dciodvfy(program(judge), structures) == []
        return
    if judge == "plastimatch":
        masks = judges.read_by_plastimatch(program(judge), structures, tmp_path / "ct", tmp_path / "out")
    else:
        masks = judges.read_by_dcmrtstruct2nii(structures, tmp_path / "ct", tmp_path / "out")
    judged(masks, {one.name: one.contours for one in (old, *new)}, tmp_path / "ct")


def test_dcmrtstruct2nii_reads_the_shapes_back(sample, tmp_path: Path) -> None:
    ct, structures, wanted = sample
    judged(judges.read_by_dcmrtstruct2nii(structures, ct, tmp_path / "out"), wanted, ct)


# --------------------------------------------------------------------------------------------- whole runs


@pytest.fixture(scope="module")
def demo(demo_run: Path) -> tuple[Path, Path]:
    """The synthetic patient's run: its CT folder and the structure set."""
    return demo_run / "patient" / "dicom", demo_run / "ifi" / "rtstruct.dcm"


@pytest.fixture(scope="module")
def real(unpacked, tmp_path_factory) -> tuple[Path, Path]:
    """The run of LUNG1-002: its CT folder and the structure set."""
    folder = unpacked("lung1-002/ct-and-xio-plan.tar.xz")
    out = tmp_path_factory.mktemp("real") / "out"
    run_case(
        RunRequest(
            source=InputChoice(path=folder, gtv=(("GTV-1", LesionKind.TUMOUR),)),
            out=out,
            settings=Settings(arm=ArmChoice.IFI),
            pictures=False,
        )
    )
    (ct,) = (path for path in folder.iterdir() if path.is_dir() and path.name.endswith("_CT"))
    return ct, out / "ifi" / "rtstruct.dcm"


@pytest.mark.parametrize("run", ["demo", pytest.param("real", marks=pytest.mark.real)])
@pytest.mark.parametrize("judge", ["dciodvfy", "plastimatch", "dcmrtstruct2nii"])
def test_whole_runs(run: str, judge: str, request, program: Program, tmp_path: Path) -> None:
    ct, structures = request.getfixturevalue(run)
    if judge == "dciodvfy":
        assert judges.errors_of_dciodvfy(program(judge), structures) == []
        return
    wanted = contours_of(structures, ct, tmp_path)
    if judge == "plastimatch":
        masks = judges.read_by_plastimatch(program(judge), structures, ct, tmp_path / "out")
    else:
        masks = judges.read_by_dcmrtstruct2nii(structures, ct, tmp_path / "out")
    judged(masks, wanted, ct)


def test_the_synthetic_patient_itself_passes_the_validator(demo, program: Program) -> None:
    ct, _ = demo
    dciodvfy = program("dciodvfy")
    files = sorted(ct.iterdir())
    for path in (files[0], files[-1], ct / "structures.dcm"):
        assert judges.errors_of_dciodvfy(dciodvfy, path) == []


@pytest.mark.parametrize("kind", ["uneven", "tilted"])
def test_the_validator_finds_no_error_in_what_was_resampled(
    kind: str, program: Program, tmp_path: Path
) -> None:
    folder, _ = made(tmp_path / "in", spec(kind))
    run_case(
        RunRequest(
            source=InputChoice(path=folder, resample=True),
            out=tmp_path / "out",
            settings=Settings(arm=ArmChoice.IFI),
            formats=frozenset({"rtstruct", "seg"}),
            pictures=False,
        )
    )
    arm = tmp_path / "out" / "ifi"
    for path in (arm / "rtstruct.dcm", arm / "seg.dcm", min((tmp_path / "out" / "ct").iterdir())):
        assert judges.errors_of_dciodvfy(program("dciodvfy"), path) == []
    wanted = contours_of(arm / "rtstruct.dcm", tmp_path / "out" / "ct", tmp_path)
    masks = judges.read_by_plastimatch(
        program("plastimatch"), arm / "rtstruct.dcm", tmp_path / "out" / "ct", tmp_path / "masks"
    )
    judged(masks, wanted, tmp_path / "out" / "ct")
