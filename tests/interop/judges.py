"""Programs and libraries that are not ours, as judges of what we write."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk

from pipeline.core.grid import Grid
from pipeline.core.volume import Mask

Voxels = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A mask read back beside ours.

    Attributes:
        dice: overlap of both.
        volume_percent: what the other's volume differs from our mask's, signed.
        polygons_percent: the same from the volume of the polygons.
    """

    dice: float
    volume_percent: float
    polygons_percent: float


def verdict(theirs: Voxels, ours: Mask, polygons_cc: float) -> Verdict:
    """Compare a mask read back with ours and with the polygons that both come from."""
    both, count = np.count_nonzero(theirs & ours.voxels), np.count_nonzero(theirs)
    drawn = np.count_nonzero(ours.voxels)
    volume_cc = count * ours.grid.voxel_volume_mm3 / 1000.0
    return Verdict(
        dice=2.0 * both / max(1, count + drawn),
        volume_percent=100.0 * (count / drawn - 1.0),
        polygons_percent=100.0 * (volume_cc / polygons_cc - 1.0),
    )


def errors_of_dciodvfy(program: str, path: Path) -> list[str]:
    """What the DICOM validator calls an error; warnings are left out."""
    done = subprocess.run([program, str(path)], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line.strip() in {"RTStructureSet", "CTImage", "Segmentation"} for line in lines), lines[:5]
    return [line for line in lines if line.startswith("Error")]


def read_by_plastimatch(program: str, structures: Path, ct: Path, out: Path) -> dict[str, Voxels]:
    """ROI name to mask, on the grid of the CT as SimpleITK reads it; overlapping contours even-odd."""
    out.mkdir()
    fixed = out / "ct.mha"
    sitk.WriteImage(ct_image(ct), fixed)
    command = [program, "convert", "--input", str(structures), "--fixed", str(fixed), "--xor-contours"]
    command += ["--output-prefix", str(out / "masks"), "--prefix-format", "nrrd"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-400:]
    return {path.stem: _voxels(path) for path in (out / "masks").glob("*.nrrd")}


def read_by_dcmrtstruct2nii(structures: Path, ct: Path, out: Path) -> dict[str, Voxels]:
    """ROI name to mask, on the grid of the CT as SimpleITK reads it."""
    if not hasattr(pydicom, "read_file"):
        pydicom.read_file = pydicom.dcmread  # gone since pydicom 3; the tool still calls it so
    from dcmrtstruct2nii import dcmrtstruct2nii

    # Series UIDs tell the CT from other files of the folder.
    dcmrtstruct2nii(str(structures), str(ct), str(out), convert_original_dicom=False)
    names = [item.ROIName for item in pydicom.dcmread(structures).StructureSetROISequence]
    return {name: _voxels(out / f"mask_{name}.nii.gz") for name in names}


def ct_image(folder: Path) -> sitk.Image:
    """The CT series of a folder, by SimpleITK's own reader."""
    reader = sitk.ImageSeriesReader()
    for uid in reader.GetGDCMSeriesIDs(str(folder)):
        names = reader.GetGDCMSeriesFileNames(str(folder), uid)
        if len(names) > 1:
            reader.SetFileNames(names)
            return reader.Execute()
    raise AssertionError(f"no CT series in {folder}")


def on_grid(voxels: Voxels, ct: sitk.Image, grid: Grid) -> Voxels:
    """A mask on SimpleITK's grid put on ours: both hold the same planes, in one order or the other."""
    ours = grid.to_patient([[0, 0, 0]])[0]
    if np.abs(np.array(ct.GetOrigin()) - ours).max() < 0.01:
        return voxels
    last = grid.to_patient([[0, 0, grid.size[2] - 1]])[0]
    assert np.abs(np.array(ct.GetOrigin()) - last).max() < 0.01, (ct.GetOrigin(), ours, last)
    return voxels[::-1]


def _voxels(path: Path) -> Voxels:
    return np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(path)) > 0)
