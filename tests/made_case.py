"""A made-up patient small enough for every test: a water block with one cylinder as lesion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from pipeline.core.case import Case, Lesion, LesionKind, Source
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Volume
from pipeline.write import (
    CtIdentity,
    RoiOut,
    StructureSetContext,
    write_ct_series,
    write_masks,
    write_rtstruct,
)

PATIENT_NAME = "Made^Up"
GRID = Grid(
    size=(64, 64, 24),
    spacing_mm=(2.0, 2.0, 3.0),
    origin_mm=(-63.0, -63.0, 0.0),
    direction=(1, 0, 0, 0, 1, 0, 0, 0, 1),
)
READ = Finding(code="READ", severity=Severity.INFO, where="file", message="met while reading")


def case(*, air: bool = False) -> Case:
    """A block of 96 mm; in its middle a cylinder of radius 10 mm and length 15 mm. `air`: no block."""
    hu = np.full(GRID.shape, -1000, dtype=np.int16)
    if not air:
        hu[:, 8:56, 8:56] = 0
    # Off the pixel raster: symmetric about it, voxel counts would stray by 3 %.
    disc = shapely.Point(0.7, 0.3).buffer(10, quad_segs=32)
    contours = Contours(grid=GRID, sections={k: shapely.MultiPolygon([disc]) for k in range(10, 15)})
    lesion = Lesion(name="GTV-T", kind=LesionKind.TUMOUR, source_roi="gtv", contours=contours)
    return Case(
        volume=Volume(grid=GRID, hu=hu),
        lesions=(lesion,),
        structures=(),
        source=Source(kind="files"),
        findings=(READ,),
    )


def write_dicom(folder: Path, *, roi_name: str = "GTV-T") -> Path:
    """The case as a folder that a planning system could have exported: CT, structure set, a text."""
    made = case()
    identity = CtIdentity(seed="made case", patient_name=PATIENT_NAME, patient_id="4711-MADE-UP")
    headers = write_ct_series(folder / "ct", made.volume, identity)
    lesion = made.lesions[0].contours
    ring = shapely.MultiPolygon([shapely.box(30, -5, 40, 5)])
    other = Contours(grid=GRID, sections=dict.fromkeys(range(5, 20), ring))
    rois = [
        RoiOut(name="Cord", contours=other, interpreted_type="ORGAN", colour=(255, 255, 0)),
        RoiOut(name=roi_name, contours=lesion, interpreted_type="GTV", colour=(1, 2, 3)),
    ]
    write_rtstruct(folder / "rs.dcm", rois, StructureSetContext(headers=headers, label="DRAFT MADE"))
    (folder / "readme.txt").write_text("no DICOM", encoding="utf-8")
    return folder


def write_nifti(folder: Path) -> tuple[Path, Path]:
    """The case as a NIfTI CT and a folder with its mask."""
    import nibabel

    from pipeline.write.nifti import ras_affine

    made = case()
    folder.mkdir(parents=True, exist_ok=True)
    ct = folder / "ct.nii.gz"
    nibabel.save(nibabel.Nifti1Image(made.volume.hu.transpose(2, 1, 0), ras_affine(GRID)), ct)
    write_masks(folder / "masks", {"GTV-T": contours_to_mask(made.lesions[0].contours)})
    return ct, folder / "masks"
