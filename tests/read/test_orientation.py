"""CT files that do not say where left is: a stop; those that say it twice and differently: a warning."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from pipeline.core.report import Severity
from pipeline.read import ReadOptions, load_roles, read_case, read_scan
from pipeline.read.orientation import orientation_findings

VOXELS = np.zeros((12, 14, 6), dtype=np.int16)
AFFINE = np.diag([-2.0, -2.0, 3.0, 1.0])


def nifti(path: Path, *, sform: int, qform: int, shift_mm: float = 0.0) -> Path:
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    other = AFFINE.copy()
    other[0, 3] = shift_mm
    image.set_sform(AFFINE, code=sform)
    image.set_qform(other, code=qform)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    "sform, qform, shift, told",
    [
        (1, 1, 0.0, []),
        (1, 0, 0.0, []),
        (0, 1, 0.0, []),
        (1, 1, 0.9, []),
        (1, 1, 20.0, [("ORIENTATION_STATED_TWICE", Severity.WARNING)]),
        (0, 0, 0.0, [("ORIENTATION_NOT_STATED", Severity.STOP)]),
    ],
)
def test_nifti(
    suffix: str, sform: int, qform: int, shift: float, told: list[tuple[str, Severity]], tmp_path: Path
) -> None:
    path = nifti(tmp_path / f"ct{suffix}", sform=sform, qform=qform, shift_mm=shift)
    assert [(one.code, one.severity) for one in orientation_findings(path)] == told
    scan = read_scan(path, ReadOptions(), load_roles())
    assert [one.code for one in scan.findings if one.code.startswith("ORIENTATION")] == [c for c, _ in told]


def test_nrrd(tmp_path: Path) -> None:
    path = tmp_path / "ct.nrrd"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS), path)
    assert orientation_findings(path) == ()
    lines = path.read_bytes().split(b"\n")
    # Without a space, what hangs on it may not stand there.
    kept = [line for line in lines if not line.startswith((b"space", b"kinds"))]
    kept.insert(5, b"spacings: 2 2 3")
    path.write_bytes(b"\n".join(kept))
    assert [one.code for one in orientation_findings(path)] == ["ORIENTATION_NOT_STATED"]
    SimpleITK.ReadImage(path)


def test_metaimage_always_says_it(tmp_path: Path) -> None:
    path = tmp_path / "ct.mha"
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(VOXELS), path)
    assert orientation_findings(path) == ()


def test_a_case_of_image_files_tells_it(tmp_path: Path) -> None:
    path = nifti(tmp_path / "ct.nii.gz", sform=0, qform=0)
    lesion = np.zeros(VOXELS.shape, dtype=np.uint8)
    lesion[4:8, 4:9, 2:4] = 1
    (tmp_path / "masks").mkdir()
    mask = nibabel.Nifti1Image(lesion, AFFINE)
    mask.set_sform(AFFINE, code=0)
    mask.set_qform(AFFINE, code=0)
    nibabel.save(mask, tmp_path / "masks" / "GTV-T.nii.gz")
    case = read_case(path, ReadOptions(masks=tmp_path / "masks"), load_roles()).case
    assert "ORIENTATION_NOT_STATED" in {one.code for one in case.findings}
