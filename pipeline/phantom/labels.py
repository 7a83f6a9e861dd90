"""Names of everything that is painted, and the Hounsfield units of each."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import numpy.typing as npt

VERTEBRAE = (
    "C5", "C6", "C7", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "T10", "T11", "T12",
    "L1", "L2", "L3",
)  # fmt: skip

_BLOOD, _VEIN, _MUSCLE, _BONE, _FAT = 160, 130, 52, 520, -105

# Tissue between the organs: painted, but no organ of its own.
TISSUES = MappingProxyType({
    "air": -1000, "skin_fat": _FAT, "muscle": _MUSCLE, "fat": _FAT, "couch_shell": -150,
    "couch_foam": -930, "airway_wall": 20, "diaphragm": 55, "disc": 85, "canal": 15,
})  # fmt: skip

# TotalSegmentator's class names (task `total`, and the open helper tasks for neck and abdomen).
ORGANS = MappingProxyType({
    "lung_upper_lobe_left": -850, "lung_lower_lobe_left": -835, "lung_upper_lobe_right": -850,
    "lung_middle_lobe_right": -850, "lung_lower_lobe_right": -835,
    "trachea": -1000, "esophagus": 38, "stomach": 45, "thyroid_gland": 120,
    "heart": 120, "aorta": _BLOOD, "brachiocephalic_trunk": _BLOOD,
    "common_carotid_artery_left": _BLOOD, "common_carotid_artery_right": _BLOOD,
    "subclavian_artery_left": _BLOOD, "subclavian_artery_right": _BLOOD,
    "brachiocephalic_vein_left": _VEIN, "brachiocephalic_vein_right": _VEIN,
    "superior_vena_cava": _VEIN, "inferior_vena_cava": _VEIN - 15,
    "pulmonary_vein": _BLOOD - 10, "pulmonary_artery": _VEIN,
    "internal_jugular_vein_left": _VEIN, "internal_jugular_vein_right": _VEIN,
    "portal_vein_and_splenic_vein": _VEIN, "celiac_trunk": _BLOOD,
    "superior_mesenteric_artery": _BLOOD,
    "liver": 95, "spleen": 105, "pancreas": 70, "kidney_left": 150, "kidney_right": 150,
    "adrenal_gland_left": 60, "adrenal_gland_right": 60, "gallbladder": 12, "duodenum": 40,
    "colon": 30, "small_bowel": 35,
    "spinal_cord": 38, "sternum": _BONE - 180, "costal_cartilages": 110,
    "clavicula_left": _BONE, "clavicula_right": _BONE, "scapula_left": _BONE - 80,
    "scapula_right": _BONE - 80, "humerus_left": _BONE, "humerus_right": _BONE,
    "cricoid_cartilage": 130,
    "sternocleidomastoid_left": 60, "sternocleidomastoid_right": 60,
    "anterior_scalene_left": 56, "anterior_scalene_right": 56,
    "middle_scalene_left": 54, "middle_scalene_right": 54,
    **{f"vertebrae_{level}": _BONE - 100 for level in VERTEBRAE},
    **{f"rib_{side}_{n}": _BONE - 60 for side in ("left", "right") for n in range(1, 13)},
})  # fmt: skip

# Organs of their own that TotalSegmentator's `total` task does not name: offered as parts.
EXTRAS = MappingProxyType({
    "bronchus_left": -1000, "bronchus_right": -1000, "bronchus_intermedius": -1000,
    "bronchi_peripheral": -990, "azygos_vein": _VEIN, "subclavian_vein_left": _VEIN,
    "subclavian_vein_right": _VEIN, "common_hepatic_artery": _BLOOD, "splenic_artery": _BLOOD,
})  # fmt: skip

# What changes the HU inside an organ and not its label.
DETAILS = MappingProxyType({
    "as_labelled": 0, "lung_vessel": 40, "marrow": 190, "gas": -950, "fluid": 15,
    "gut_wall": 48, "lesion": 58, "myocardium": 85,
})  # fmt: skip

CODES: MappingProxyType[str, int] = MappingProxyType(
    {name: code for code, name in enumerate([*TISSUES, *ORGANS, *EXTRAS])}
)
DETAIL_CODES: MappingProxyType[str, int] = MappingProxyType({name: code for code, name in enumerate(DETAILS)})

LUNGS = tuple(name for name in ORGANS if name.startswith("lung_"))
BONES = ("sternum", *(f"vertebrae_{level}" for level in VERTEBRAE))
LUMENS = ("trachea", "bronchus_left", "bronchus_right", "bronchus_intermedius", "bronchi_peripheral")
SOFT = ("skin_fat", "muscle", "fat", "diaphragm", *LUNGS)  # gives way to a mass or to a halo of fat
OUTSIDE = ("air", "couch_shell", "couch_foam")


def codes(*names: str) -> npt.NDArray[np.uint8]:
    """The label codes of some names."""
    return np.array([CODES[name] for name in names], dtype=np.uint8)


def hounsfield() -> npt.NDArray[np.float32]:
    """Mean HU by label code, shape (256,)."""
    table = np.zeros(256, dtype=np.float32)
    for name, value in {**TISSUES, **ORGANS, **EXTRAS}.items():
        table[CODES[name]] = value
    return table


def detail_hounsfield() -> npt.NDArray[np.float32]:
    """Mean HU by detail code, shape (256,); entry 0 is not used."""
    table = np.zeros(256, dtype=np.float32)
    for name, value in DETAILS.items():
        table[DETAIL_CODES[name]] = value
    return table
