"""The DICOM file that was given as anatomy, or that stands alone in a folder."""

from __future__ import annotations

from pathlib import Path

from pipeline.core.errors import StructureError
from pipeline.read.dicom_index import BROKEN, SEGMENTATIONS, STRUCTURE_SET, DicomFile, read_dicom
from pipeline.read.image_grid import SUFFIXES
from pipeline.read.organ_masks import image_files


def anatomy_path(anatomy: Path) -> Path:
    """What to read of the anatomy: a folder of masks, a mask file, or a DICOM file, that of a folder too.

    Raises:
        StructureError: there is no such path; a folder with neither masks nor such a file, or with several.
    """
    if not anatomy.exists():
        raise StructureError(
            "no such file or folder", where=f"--anatomy {anatomy.name}", todo="check the path"
        )
    return dicom_in(anatomy) or anatomy


def dicom_in(folder: Path) -> Path | None:
    """The one DICOM structure set or segmentation of a folder without masks; None for a folder with masks.

    Raises:
        StructureError: a folder with neither masks nor such a file, or with several.
    """
    if not folder.is_dir() or image_files(folder):
        return None
    found = []
    for path in sorted(one for one in folder.iterdir() if one.is_file()):
        try:
            file = read_dicom(path)
        except BROKEN:
            continue
        if file is not None and file.sop_class in {STRUCTURE_SET, *SEGMENTATIONS}:
            found.append(path)
    if len(found) == 1:
        return found[0]
    raise StructureError(
        "several structure sets or segmentations" if found else "no organ masks",
        where=f"--anatomy {folder.name}",
        expected=f"files ending in {', '.join(SUFFIXES)}, or one RTSTRUCT or SEG file",
        got=f"{len(found)} DICOM files" if found else "neither",
        todo="name the file" if found else "give the folder that holds the masks",
    )


def anatomy_file(path: Path) -> DicomFile:
    """The header of a structure set or segmentation.

    Raises:
        StructureError: the file is neither, or broken.
    """
    where = f"--anatomy {path.name}"
    expected = "masks (NIfTI, NRRD, MetaImage), an RTSTRUCT or a DICOM segmentation (SEG)"
    try:
        file = read_dicom(path)
    except BROKEN as error:
        raise StructureError(
            "anatomy cannot be read", where=where, expected=expected, got=f"{type(error).__name__}: {error}"
        ) from error
    if file is None:
        raise StructureError("anatomy cannot be read", where=where, expected=expected, got="another file")
    if file.sop_class not in {STRUCTURE_SET, *SEGMENTATIONS}:
        got = f"a DICOM file of modality {file.text('Modality') or 'unknown'}"
        where = f"--anatomy {file.label}"
        raise StructureError("anatomy cannot be read", where=where, expected=expected, got=got)
    return file
