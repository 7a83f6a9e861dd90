"""The organs that no station may enter, written out: the atlas is held against them, not asked for them."""

from __future__ import annotations

_LUNGS = (
    "lungs", "lung_left", "lung_right", "lung_upper_lobe_left", "lung_lower_lobe_left",
    "lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right",
)  # fmt: skip
_AIRWAYS = (
    "trachea", "main_bronchi", "lung_airways", "bronchus_intermedius", "larynx", "thyroid_cartilage",
    "cricoid_cartilage",
)  # fmt: skip
_BONES = (
    "bone", "spinal_cord", "sternum", "clavicula_left", "clavicula_right", "scapula_left",
    "scapula_right", "costal_cartilages", "rib_left_1", "rib_left_2", "rib_left_3", "rib_left_4",
    "rib_right_1", "rib_right_2", "rib_right_3", "rib_right_4", "vertebrae_C5", "vertebrae_C6",
    "vertebrae_C7", "vertebrae_T1", "vertebrae_T2", "vertebrae_T3", "vertebrae_T4", "vertebrae_T5",
    "vertebrae_T6", "vertebrae_T7", "vertebrae_T8", "vertebrae_T9", "vertebrae_T10", "vertebrae_T11",
    "vertebrae_T12", "vertebrae_L1", "vertebrae_L2", "vertebrae_L3",
)  # fmt: skip
_GREAT_VESSELS = (
    "aorta", "brachiocephalic_trunk", "common_carotid_artery_left", "common_carotid_artery_right",
    "subclavian_artery_left", "subclavian_artery_right", "internal_jugular_vein_left",
    "internal_jugular_vein_right", "subclavian_vein_left", "subclavian_vein_right",
    "brachiocephalic_vein_left", "brachiocephalic_vein_right", "superior_vena_cava",
    "inferior_vena_cava", "azygos_vein", "pulmonary_vein", "pulmonary_artery",
)  # fmt: skip
_GUT = ("esophagus", "stomach", "duodenum", "small_bowel", "colon")
_MUSCLES = (
    "sternocleidomastoid_left", "sternocleidomastoid_right", "anterior_scalene_left",
    "anterior_scalene_right", "middle_scalene_left", "middle_scalene_right",
)  # fmt: skip
_ABDOMEN = (
    "aorta", "inferior_vena_cava", "celiac_trunk", "superior_mesenteric_artery",
    "portal_vein_and_splenic_vein", "common_hepatic_artery", "splenic_artery", "liver", "spleen",
    "pancreas", "kidney_left", "kidney_right", "adrenal_gland_left", "adrenal_gland_right",
    "gallbladder",
)  # fmt: skip

_IN_THE_NECK = (*_AIRWAYS, "thyroid_gland", *_MUSCLES, *_GREAT_VESSELS, *_GUT, *_BONES)
_IN_THE_CHEST = (*_AIRWAYS, *_GREAT_VESSELS, "heart", *_BONES, *_GUT, "thyroid_gland")
_IN_THE_ABDOMEN = (*_ABDOMEN, "heart", *_BONES, *_GUT)

NECK = ("SCV_R", "SCV_L", "1R", "1L")
CHEST = ("2R", "2L", "4R", "4L", "7", "8U", "8M", "8Lo", "9R", "9L")
ABDOMEN = ("15", "16", "17", "18", "19", "20")

# Station to the organs that the atlas takes out of it by their own names.
KEPT_OUT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(NECK, _IN_THE_NECK),
    **dict.fromkeys(CHEST, _IN_THE_CHEST),
    **dict.fromkeys(ABDOMEN, _IN_THE_ABDOMEN),
}
# What is taken out beside, and is no mask of its own: lungs with what they enclose, discs, gas of the airway.
NOT_MASKS: dict[str, set[str]] = {name: {"lungs_filled", "discs", "air"} for name in KEPT_OUT}
# Station to all organs that it may not enter: lungs too, which are taken out as a whole.
NEVER_IN: dict[str, tuple[str, ...]] = {name: (*organs, *_LUNGS) for name, organs in KEPT_OUT.items()}
