"""What is put before the readers: exact shapes, and a public patient where the data is."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.case import LesionKind
from pipeline.core.contour import Contours
from pipeline.core.rules import ArmChoice, Settings
from pipeline.read import GtvChoice, ReadOptions, load_roles, read_case
from pipeline.write import write_rtstruct
from tests.write.samples import CENTRE, context, make_grid, ring, roi, sphere, two_parts, write_ct

ARCHIVE = "lung1-002/ct-and-xio-plan.tar.xz"


@dataclass(frozen=True, kw_only=True)
class MatrixCase:
    """A CT folder, a structure set of ours beside it, and what each ROI holds.

    Attributes:
        name: of the case.
        ct, structures: folder and file, in a folder of their own.
        wanted: ROI to its polygons, as our own reader finds them in the file.
        titles: ROI to its row in the table.
    """

    name: str
    ct: Path
    structures: Path
    wanted: dict[str, Contours]
    titles: dict[str, str]


def shapes(folder: Path) -> MatrixCase:
    """Off the pixel raster, for symmetric about it whole rows of pixel centres would come and go together."""
    grid = make_grid("HFS")
    headers = write_ct(folder / "ct", grid)
    u, v, w = CENTRE
    drawn = {
        "Sphere": (sphere(grid, 16, (u + 0.23, v - 0.37, w)), "sphere of 32 mm"),
        "Node": (sphere(grid, 5, (u - 9.68, v + 12.29, w)), "node of 10 mm"),
        "Ring": (ring(grid), "ring with a hole and an island in it"),
        "TwoParts": (two_parts(grid), "two parts"),
    }
    rois = [roi(name, contours, "GTV") for name, (contours, _) in drawn.items()]
    write_rtstruct(folder / "rs.dcm", rois, context(headers))
    return MatrixCase(
        name="shapes",
        ct=folder / "ct",
        structures=folder / "rs.dcm",
        wanted=_as_read(folder / "ct", folder / "rs.dcm"),
        titles={name: title for name, (_, title) in drawn.items()},
    )


def patient(folder: Path) -> MatrixCase | None:
    """LUNG1-002 with the involved field; None where the data is absent."""
    named = os.environ.get("RT_TARGETS_DATA")
    data = Path(named) if named else Path(__file__).resolve().parents[4] / "shared" / "data"
    if not (data / ARCHIVE).is_file():
        return None
    with tarfile.open(data / ARCHIVE) as tar:
        tar.extractall(folder / "source", filter="data")
    run_case(
        RunRequest(
            source=InputChoice(path=folder / "source", gtv=(("GTV-1", LesionKind.TUMOUR),)),
            out=folder / "out",
            settings=Settings(arm=ArmChoice.IFI),
            pictures=False,
        )
    )
    (folder / "case" / "ct").mkdir(parents=True)
    for path in _slices(folder / "source"):
        path.rename(folder / "case" / "ct" / path.name)
    structures = (folder / "out" / "ifi" / "rtstruct.dcm").rename(folder / "case" / "rs.dcm")
    wanted = _as_read(folder / "case" / "ct", structures)
    titles = {name: f"LUNG1-002, {name}" for name in wanted}
    return MatrixCase(
        name="patient", ct=folder / "case" / "ct", structures=structures, wanted=wanted, titles=titles
    )


def _slices(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.dcm")):
        if pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True).Modality == "CT":
            yield path


def _as_read(ct: Path, structures: Path) -> dict[str, Contours]:
    names = [str(item.ROIName) for item in pydicom.dcmread(structures).StructureSetROISequence]
    choice = tuple(GtvChoice(roi_name=name, kind=LesionKind.TUMOUR) for name in names)
    read = read_case(ct, ReadOptions(structures=structures, gtv=choice), load_roles()).case
    return {lesion.source_roi: lesion.contours for lesion in read.lesions}
