"""Run by the Python of another reader's environment: a structure set to one mask file per ROI.

    python other_reader.py READER CT_FOLDER RTSTRUCT OUT

Nothing of this project is imported. Masks are NRRD or NIfTI with their place in the patient.
"""

from __future__ import annotations

import sys
from pathlib import Path


def dicomrttool(ct: Path, structures: Path, out: Path) -> None:
    import SimpleITK as sitk
    from DicomRTTool.ReaderWriter import DicomReaderWriter

    for name in _names(structures):
        reader = DicomReaderWriter(verbose=False)
        reader.walk_through_folders(str(ct.parent))
        reader.set_contour_names_and_associations([name])
        reader.set_index(reader.indexes_with_contours[0])
        reader.get_images_and_mask()
        sitk.WriteImage(reader.annotation_handle, str(out / f"{name}.nrrd"))


def platipy(ct: Path, structures: Path, out: Path) -> None:
    from platipy.dicom.io.rtstruct_to_nifti import convert_rtstruct

    convert_rtstruct(str(ct), str(structures), prefix="", output_dir=str(out))


def dcmrtstruct2nii(ct: Path, structures: Path, out: Path) -> None:
    from dcmrtstruct2nii import dcmrtstruct2nii as convert

    convert(str(structures), str(ct), str(out), convert_original_dicom=False)
    for path in out.glob("mask_*.nii.gz"):
        path.rename(out / path.name.removeprefix("mask_"))


def rt_utils(ct: Path, structures: Path, out: Path) -> None:
    import numpy as np
    import SimpleITK as sitk
    from rt_utils import RTStructBuilder

    book = RTStructBuilder.create_from(str(ct), str(structures))
    first, second = book.series_data[0], book.series_data[1]
    rows, columns = (np.array(first.ImageOrientationPatient[a : a + 3], dtype=float) for a in (0, 3))
    step = np.array(second.ImagePositionPatient, dtype=float) - np.array(
        first.ImagePositionPatient, dtype=float
    )
    apart = float(np.linalg.norm(step))
    for name in book.get_roi_names():
        mask = np.moveaxis(book.get_roi_mask_by_name(name), 2, 0).astype(np.uint8)
        image = sitk.GetImageFromArray(mask)
        image.SetOrigin([float(value) for value in first.ImagePositionPatient])
        image.SetSpacing([float(first.PixelSpacing[1]), float(first.PixelSpacing[0]), apart])
        image.SetDirection(np.column_stack([rows, columns, step / apart]).ravel().tolist())
        sitk.WriteImage(image, str(out / f"{name}.nrrd"))


def _names(structures: Path) -> list[str]:
    import pydicom

    return [str(item.ROIName) for item in pydicom.dcmread(structures).StructureSetROISequence]


READERS = {
    "DicomRTTool": dicomrttool,
    "platipy": platipy,
    "dcmrtstruct2nii": dcmrtstruct2nii,
    "rt-utils": rt_utils,
}


if __name__ == "__main__":
    reader, ct_folder, structure_set, folder = sys.argv[1], *map(Path, sys.argv[2:5])
    folder.mkdir(parents=True, exist_ok=True)
    READERS[reader](ct_folder, structure_set, folder)
