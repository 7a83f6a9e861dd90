"""Both arms on a real CT with its organ masks: what the elective CTV must not hold, counted in voxels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from skimage.draw import polygon2mask

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.rules import ArmChoice, Settings

# Share of the volume: voxels at the very outline, which cuts the corners of a mask's stairs.
AT_OUTLINES = 0.001
MASKED = ("trachea", "vertebrae_", "sternum", "clavicula_")


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj) > 0


def modality(path: Path) -> str:
    return str(pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True).Modality)


def drawn(structure_set: Path, roi: str, image: nibabel.Nifti1Image) -> np.ndarray:
    """An ROI's voxels on an axial image, by even and odd loops; nothing of rt-targets takes part."""
    dataset = pydicom.dcmread(structure_set)
    number = next(one.ROINumber for one in dataset.StructureSetROISequence if one.ROIName == roi)
    contours = next(one for one in dataset.ROIContourSequence if one.ReferencedROINumber == number)
    to_index = np.linalg.inv(image.affine) @ np.diag([-1.0, -1.0, 1.0, 1.0])  # LPS to RAS first
    found = np.zeros(image.shape, dtype=bool)
    for loop in contours.ContourSequence:
        points = np.reshape(np.asarray(loop.ContourData, dtype=float), (-1, 3))
        i, j, k = to_index[:3, :3] @ points.T + to_index[:3, 3:]
        found[:, :, round(float(k[0]))] ^= polygon2mask(image.shape[:2], np.stack([i, j], axis=1))
    return found


# Left to the rules the lesion is in region IV: of region II, the mediastinum is in the volume.
@pytest.mark.slow
@pytest.mark.parametrize("stated", ["gullet: in_place", "regions: [II]\ngullet: in_place"])
def test_the_elective_volume_keeps_out_of_lung_bone_and_airway(
    stated: str, real_data: Path, unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(stated, encoding="utf-8")
    anatomy = real_data / "lung1-002" / "anatomy"
    folder = unpacked("lung1-002/ct-and-xio-plan.tar.xz")
    request = RunRequest(
        source=InputChoice(path=folder, anatomy=anatomy),
        out=tmp_path / "out",
        facts=facts,
        settings=Settings(arm=ArmChoice.BOTH),
        formats=frozenset({"rtstruct", "nifti"}),
        pictures=False,
    )
    outcome = run_case(request)
    assert outcome.has_stop, "the hiatus and the celiac axis are inferred there"
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert set(report["targets"]) == {"ifi", "eni"}
    masks = tmp_path / "out" / "eni" / "masks"
    outside = voxels(masks / "CTV.nii.gz") & ~voxels(masks / "GTV-T.nii.gz")
    assert np.count_nonzero(outside) > 10_000
    names = [path.name.removesuffix(".nii.gz") for path in anatomy.glob("*.nii.gz")]
    barred = {name: voxels(anatomy / f"{name}.nii.gz") for name in names if name.startswith(MASKED)}
    assert {"trachea", "sternum", "vertebrae_T8"} <= set(barred)
    # The lungs that the planners drew go before those masks, and end short of them beside the tumour.
    structure_set = next(path for path in folder.rglob("*.dcm") if "RTSTRUCT" in modality(path))
    grid = nibabel.load(masks / "CTV.nii.gz")
    barred |= {roi: drawn(structure_set, roi, grid) for roi in ("Lung L", "Lung R")}
    for name, organ in barred.items():
        assert organ.any()
        held = np.count_nonzero(outside & organ)
        assert held <= AT_OUTLINES * np.count_nonzero(outside), f"{name}: {held} voxels"
    codes = {(one["code"], one["where"]) for one in report["findings"]}
    # Those contours leave a rim of aerated lung out, and the mask of the trachea ends below its open lumen.
    assert ("CTV_HOLDS_AIR", "eni.CTV") not in codes
