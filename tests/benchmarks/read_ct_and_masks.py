"""`python read_ct_and_masks.py FOLDER MASKS`: only read a CT (pydicom) and a folder of masks (SimpleITK)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk


def main(folder: Path, masks: Path) -> None:
    """Every CT slice below a folder as one volume of stored values, and every mask as an array."""
    slices = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        header = pydicom.dcmread(path)
        if header.Modality == "CT":
            slices.append((float(header.ImagePositionPatient[2]), header.pixel_array))
    volume = np.stack([pixels for _, pixels in sorted(slices, key=lambda pair: pair[0])])
    arrays = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in sorted(masks.glob("*.nii.gz"))]
    print(volume.shape, len(arrays))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
