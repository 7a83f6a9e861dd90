"""What is known of the anatomy of public patients, for the tests and the table of landmarks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.anatomy import Landmarks, Organs
from pipeline.core.case import LesionKind
from pipeline.core.volume import Volume
from pipeline.read import (
    GtvChoice,
    OrganInput,
    ReadOptions,
    load_landmark_rules,
    load_organ_names,
    load_roles,
    read_case,
    read_organs,
)
from pipeline.read.image_case import read_ct_image
from pipeline.read.structure_set import StructureSet
from pipeline.run.anatomy import find_anatomy

ARIA = "lung1-001/ct-and-aria-rtstruct.tar.xz"
XIO = "lung1-002/ct-and-xio-plan.tar.xz"
XIO_MASKS = "lung1-002/anatomy"
ABDOMEN = ("totalsegmentator-abdomen/example_ct.nii.gz",
           "totalsegmentator-abdomen/example_seg_fast_force_split.nii.gz")  # fmt: skip
AORTA = ("totalsegmentator-aorta/ct_cropped.nii.gz", "totalsegmentator-aorta")
# The folder also holds label maps that name some of these organs again.
AORTA_MASKS = (
    "aorta",
    "brachiocephalic_trunk",
    "celiac_trunk",
    "common_carotid_artery_left",
    "subclavian_artery_left",
    "superior_mesenteric_artery",
    "vertebrae_T12",
)
# Levels (LPS z) and how far off they may be, in mm, read by eye on the CTs by no clinician; docs/anatomy.md.
BY_EYE: dict[str, dict[str, tuple[float, float]]] = {
    "LUNG1-001": {"carina": (-428.0, 3.0)},
    "abdomen": {"celiac_axis_origin": (411.0, 4.0), "SMA_origin": (398.0, 4.0)},
    "aorta": {
        "aortic_arch_top": (766.0, 2.0),
        "celiac_axis_origin": (564.0, 3.0),
        "SMA_origin": (548.0, 4.0),
    },
}
_NAMES_THERE = {
    "brachiocephalic_artery_trachea": "brachiocephalic_artery_crosses_trachea_lower_edge",
    "left_brachiocephalic_vein_trachea": "left_brachiocephalic_vein_crosses_trachea_lower_edge",
}


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A CT and the structure set that was drawn on it, if any."""

    volume: Volume
    structure_set: StructureSet | None = None

    def nothing(self) -> Organs:
        """No organ is given."""
        return Organs(grid=self.volume.grid, by_name={})

    def drawn(self) -> Organs:
        """The ROIs that are organs."""
        given = OrganInput(
            grid=self.volume.grid, structure_set=self.structure_set, lesions=frozenset({"GTV-1"})
        )
        return read_organs(given, load_organ_names())

    def masks(self, path: Path) -> Organs:
        """Organ masks or a label map."""
        return read_organs(OrganInput(grid=self.volume.grid, anatomy=path), load_organ_names())


def planning_scan(folder: Path) -> Scan:
    """A DICOM export of Lung1."""
    gtv = (GtvChoice(roi_name="GTV-1", kind=LesionKind.TUMOUR),)
    loaded = read_case(folder, ReadOptions(gtv=gtv, keep_structures=False), load_roles())
    return Scan(volume=loaded.case.volume, structure_set=loaded.structure_set)


def image_scan(path: Path) -> Scan:
    """A CT as an image file."""
    _, volume = read_ct_image(path)
    return Scan(volume=volume)


def landmarks_of(scan: Scan, given: Organs) -> tuple[Organs, Landmarks]:
    """As a run finds them: given organs, and what the image shows beside them."""
    return find_anatomy(scan.volume, given, load_landmark_rules(), {})


def plain_masks(folder: Path, names: Iterable[str], target: Path) -> Path:
    """Some masks of a folder by themselves."""
    for name in names:
        shutil.copy(folder / f"{name}.nii.gz", target)
    return target


def levels_by_eye(real_data: Path) -> dict[str, tuple[float, float]]:
    """Of LUNG1-002: level and stated uncertainty of each landmark."""
    read = json.loads((real_data / XIO_MASKS / "landmarks.json").read_text(encoding="utf-8"))
    apices = [read[f"lung_apex_{side}"] for side in ("left", "right")]
    lower = min(apices, key=lambda one: one["z"])
    levels = {"lung_apex": (float(lower["z"]), float(lower["uncertainty_mm"]))}
    for rule in load_landmark_rules():
        one = read.get(_NAMES_THERE.get(rule.name, rule.name))
        if one:
            levels[rule.name] = (float(one["z"]), float(one["uncertainty_mm"]))
    return levels
