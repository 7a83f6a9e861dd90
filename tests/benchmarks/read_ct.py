"""`python read_ct.py FOLDER`: only read a CT's pixels, with pydicom. What whole runs are measured against."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pydicom


def main(folder: Path) -> None:
    """Every CT slice below a folder, as one volume of stored values."""
    slices = []
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        header = pydicom.dcmread(path)
        if header.Modality == "CT":
            slices.append((float(header.ImagePositionPatient[2]), header.pixel_array))
    print(np.stack([pixels for _, pixels in sorted(slices, key=lambda pair: pair[0])]).shape)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
