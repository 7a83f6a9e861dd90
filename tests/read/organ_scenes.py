"""Organs as files and ROIs, made by hand for the tests of reading them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.core.volume import Mask
from pipeline.read import OrganInput, load_organ_names, read_organs
from pipeline.read.dicom_index import index_folder
from pipeline.read.selection import select
from pipeline.read.structure_set import StructureSet
from tests.dicom_maker import CtSpec, MadeCt, RoiSpec, circles, make_ct, make_structure_set

NAMES = load_organ_names()
Voxels = npt.NDArray[np.bool_]

STORAGES = ("LPS", "RAS", "LPI", "RPI", "PLS", "SLP", "ASR", "IRA")
SPEC = CtSpec(size=(40, 36, 8), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0.0, 0.0, 0.0))


def grid(direction: tuple[float, ...] = (1, 0, 0, 0, 1, 0, 0, 0, 1)) -> Grid:
    """32 x 28 x 10 voxels about the origin of the patient."""
    half = np.array([31 * 4.0, 27 * 4.0, 9 * 3.0]) / 2
    corner = -np.array(direction).reshape(3, 3) @ half
    return Grid(
        size=(32, 28, 10),
        spacing_mm=(4.0, 4.0, 3.0),
        origin_mm=(float(corner[0]), float(corner[1]), float(corner[2])),
        direction=direction,  # type: ignore[arg-type]
    )


GRID = grid()


def ball(centre: tuple[float, float, float], radius: float = 14.0, on: Grid = GRID) -> Voxels:
    k, j, i = np.indices(on.shape)
    points = on.to_patient(np.column_stack([i.ravel(), j.ravel(), k.ravel()]))
    return (np.linalg.norm(points - centre, axis=1) <= radius).reshape(on.shape)


LEFT, RIGHT, MIDDLE = (30.0, 0.0, 0.0), (-30.0, 0.0, 0.0), (0.0, 20.0, 0.0)
UP = np.array([0.0, 0.0, 1.4])  # off the slices
NOTHING = np.zeros(GRID.shape, dtype=bool)


def write(path: Path, voxels: npt.NDArray[np.generic], *, on: Grid = GRID, storage: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(voxels.astype(np.uint8))
    image.SetSpacing(on.spacing_mm)
    image.SetOrigin(on.origin_mm)
    image.SetDirection(on.direction)
    sitk.WriteImage(sitk.DICOMOrient(image, storage) if storage else image, path)
    return path


def read(anatomy: Path, wanted: Sequence[str] | None = None, *, on: Grid = GRID) -> Organs:
    return read_organs(OrganInput(grid=on, anatomy=anatomy), NAMES, wanted=wanted)


def organ(name: str, voxels: Voxels, source: OrganSource = OrganSource.MASKS, detail: str = "made") -> Organ:
    return Organ(name=name, mask=Mask(grid=GRID, voxels=voxels), source=source, detail=detail)


def codes(organs: Organs) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in organs.findings}


def message(organs: Organs, code: str) -> str:
    return " | ".join(f"{one.where}: {one.message}" for one in organs.findings if one.code == code)


def plan(folder: Path, ct: MadeCt, rois: Sequence[RoiSpec]) -> tuple[Grid, StructureSet]:
    """The grid of a CT in a folder, and its structure set with a GTV and these ROIs."""
    gtv = RoiSpec("GTV", circles(ct, radius_mm=8.0, slices=[3]))
    make_structure_set(folder / "rs.dcm", ct, [gtv, *rois])
    chosen = select(index_folder(folder), ct_series=None, structures=None)
    return chosen.placed.grid, chosen.structure_set


def ring(ct: MadeCt, centre: tuple[float, ...], radius: float = 14.0, **more: object) -> list[np.ndarray]:
    return circles(ct, radius_mm=radius, center_mm=(centre[0], centre[1]), **more)  # type: ignore[arg-type]


def of_plan(
    folder: Path, *rois: tuple[str, str, tuple[float, ...]], wanted: Sequence[str] | None = None
) -> Organs:
    """The organs of a structure set of circles: name, type and centre of each ROI."""
    ct = make_ct(folder / "ct", SPEC)
    specs = [RoiSpec(name, ring(ct, centre), kind) for name, kind, centre in rois]
    on, structure_set = plan(folder, ct, specs)
    given = OrganInput(grid=on, structure_set=structure_set, lesions=frozenset({"GTV"}))
    return read_organs(given, NAMES, wanted=wanted)
