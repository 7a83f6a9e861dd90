"""The synonyms of atlas/organs.yaml, and what its reader refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError, UsageError
from pipeline.read.organ_names import OrganNames, load_organ_names, plain
from tests.phantoms import coarse

SIDES = {"left": "L", "right": "R"}

# TotalSegmentator v2, task `total`.
_SINGLE = """
spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right adrenal_gland_left
lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right
esophagus trachea thyroid_gland small_bowel duodenum colon urinary_bladder prostate kidney_cyst_left
kidney_cyst_right sacrum vertebrae_S1 heart aorta pulmonary_vein brachiocephalic_trunk
subclavian_artery_right subclavian_artery_left common_carotid_artery_right common_carotid_artery_left
brachiocephalic_vein_left brachiocephalic_vein_right atrial_appendage_left superior_vena_cava
inferior_vena_cava portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right iliac_vena_left
iliac_vena_right humerus_left humerus_right scapula_left scapula_right clavicula_left clavicula_right
femur_left femur_right hip_left hip_right spinal_cord gluteus_maximus_left gluteus_maximus_right
gluteus_medius_left gluteus_medius_right gluteus_minimus_left gluteus_minimus_right autochthon_left
autochthon_right iliopsoas_left iliopsoas_right brain skull sternum costal_cartilages
"""
TOTAL = [
    *_SINGLE.split(),
    *(f"vertebrae_{part}{n}" for part, last in (("C", 7), ("T", 12), ("L", 5)) for n in range(1, last + 1)),
    *(f"rib_{side}_{n}" for side in SIDES for n in range(1, 13)),
]

_OTHERS = """
celiac_trunk superior_mesenteric_artery lung_airways internal_jugular_vein_left internal_jugular_vein_right
sternocleidomastoid_left anterior_scalene_left middle_scalene_right cricoid_cartilage pulmonary_artery
vertebrae_body pleural_effusion mediastinum thoracic_cavity abdominal_cavity pericardium lung_left lung_right
body
"""
OTHER_TASKS = _OTHERS.split()

TG263 = {
    "A_Aorta": "aorta", "A_Brachiocephls": "brachiocephalic_trunk", "A_Celiac": "celiac_trunk",
    "A_Coronary": "coronary_arteries", "A_Mesenteric_S": "superior_mesenteric_artery",
    "A_Pulmonary": "pulmonary_artery", "AirWay": "lung_airways", "Atrium_L": "heart_atrium_left",
    "Atrium_R": "heart_atrium_right", "Bladder": "urinary_bladder", "Body": "body", "Bowel_Large": "colon",
    "Bowel_Small": "small_bowel", "Brain": "brain", "Cartlg_Thyroid": "thyroid_cartilage", "Colon": "colon",
    "Cricoid": "cricoid_cartilage", "Duodenum": "duodenum", "Esophagus": "esophagus", "External": "body",
    "Gallbladder": "gallbladder", "Glnd_Thyroid": "thyroid_gland", "Heart": "heart", "Larynx": "larynx",
    "Liver": "liver", "Lung_LLL": "lung_lower_lobe_left", "Lung_LUL": "lung_upper_lobe_left",
    "Lung_RLL": "lung_lower_lobe_right", "Lung_RML": "lung_middle_lobe_right",
    "Lung_RUL": "lung_upper_lobe_right", "Lungs": "lungs", "Mediastinum": "mediastinum",
    "Pancreas": "pancreas",
    "Pericardium": "pericardium", "Prostate": "prostate", "Sacrum": "sacrum", "Skin": "body",
    "Skull": "skull",
    "SpinalCanal": "spinal_canal", "SpinalCord": "spinal_cord", "Spleen": "spleen", "Stomach": "stomach",
    "Trachea": "trachea", "V_Azygos": "azygos_vein", "V_Pulmonary": "pulmonary_vein",
    "V_Venacava_I": "inferior_vena_cava", "V_Venacava_S": "superior_vena_cava", "VB_S1": "vertebrae_S1",
    "VBs": "vertebrae_body", "Ventricle_L": "heart_ventricle_left", "Ventricle_R": "heart_ventricle_right",
    **{f"VB_C{n}": f"vertebrae_C{n}" for n in range(1, 8)},
    **{f"VB_T{n:02d}": f"vertebrae_T{n}" for n in range(1, 13)},
    **{f"VB_L{n}": f"vertebrae_L{n}" for n in range(1, 6)},
    **{f"Rib{n:02d}_{SIDES[side]}": f"rib_{side}_{n}" for side in SIDES for n in range(1, 13)},
    **{
        f"{name}_{SIDES[side]}": organ.format(side)
        for side in SIDES
        for name, organ in {
            "A_Carotid": "common_carotid_artery_{}", "A_Iliac": "iliac_artery_{}",
            "A_Subclavian": "subclavian_artery_{}", "Bone_Pelvic": "hip_{}",
            "BrachialPlex": "brachial_plexus_{}", "Bronchus_Main": "bronchus_{}", "Clavicle": "clavicula_{}",
            "Femur": "femur_{}", "Glnd_Adrenal": "adrenal_gland_{}", "Humerus": "humerus_{}",
            "Kidney": "kidney_{}", "Lung": "lung_{}", "Musc_Sclmast": "sternocleidomastoid_{}",
            "Scapula": "scapula_{}", "V_Brachioceph": "brachiocephalic_vein_{}", "V_Iliac": "iliac_vena_{}",
            "V_Jugular_Int": "internal_jugular_vein_{}", "V_Subclavian": "subclavian_vein_{}",
        }.items()
    },
}  # fmt: skip

LOCAL = {
    "Lung L": "lung_left", "left lung": "lung_left", "LUNG-RIGHT": "lung_right", "Lunge links": "lung_left",
    "re Lunge": "lung_right", "Long rechts": "lung_right", "Poumon gauche": "lung_left",
    "Polmone dx": "lung_right", "lung (r)": "lung_right", "Spinal-Cord": "spinal_cord",
    "Myelon": "spinal_cord",
    "Rückenmark": "spinal_cord", "Ruckenmark": "spinal_cord", "Rueckenmark": "spinal_cord",
    "RÜCKENMARK": "spinal_cord", "myelum": "spinal_cord", "moelle": "spinal_cord",
    "Spinal canal": "spinal_canal", "Oesophagus": "esophagus", "oesofagus": "esophagus", "hart": "heart",
    "Herz": "heart", "coeur": "heart", "Cœur": "heart", "BODY": "body", "external": "body", "Patient": "body",
    "V. cava sup.": "superior_vena_cava", "Upper lobe left": "lung_upper_lobe_left",
    "RLL": "lung_lower_lobe_right",
    "BWK 4": "vertebrae_T4", "Th12": "vertebrae_T12", "T4 vertebra": "vertebrae_T4", "lwk1": "vertebrae_L1",
    "Rib 3 left": "rib_left_3", "rib_right_03": "rib_right_3", "lung_trachea_bronchia": "lung_airways",
    "gastric conduit": "gastric_conduit", "Gastric Tube": "gastric_conduit",
    "neo-esophagus": "gastric_conduit",
    "Thoracic stomach": "gastric_conduit", "Magenhochzug": "gastric_conduit", "Conduit": "gastric_conduit",
}  # fmt: skip

NO_ORGAN = (
    "heart_old", "Heart+5", "Heart PRV", "SpinalCord~", "SpinalCord_PRV05", "Lungs-GTV", "zHeart",
    "A_Aorta_Asc", "T4", "L1", "GTV", "Isocenter 1", "contrast", "I1", "", "rib_left_13", "vertebrae_T13",
    "V_Portal", "Stomach_duo_planCT", "Vertebra",
)  # fmt: skip


@pytest.fixture(scope="module")
def names() -> OrganNames:
    return load_organ_names()


def test_the_classes_of_totalsegmentator_are_the_organs_names(names: OrganNames) -> None:
    assert len(TOTAL) == 117
    assert set(TOTAL) | set(OTHER_TASKS) <= set(names.organs)
    for organ in names.organs:
        match = names.find(organ)
        assert match is not None
        assert (match.organ, match.rank) == (organ, 0)


@pytest.mark.parametrize("table", [TG263, LOCAL])
def test_synonyms(table: dict[str, str], names: OrganNames) -> None:
    found = {name: getattr(names.find(name), "organ", None) for name in table}
    assert found == table


def test_the_phantoms_organs_are_known(names: OrganNames) -> None:
    assert not [name for name in coarse().organs if names.find(name) is None]


@pytest.mark.parametrize("name", NO_ORGAN)
def test_what_is_no_organ(name: str, names: OrganNames) -> None:
    assert names.find(name) is None


def test_a_lung_without_a_side_is_both(names: OrganNames) -> None:
    assert getattr(names.find("Lung"), "organ", "") == "lungs"


def test_sides(names: OrganNames) -> None:
    assert names.sides["lung_left"] == names.sides["rib_left_12"] == "left"
    assert names.sides["kidney_right"] == "right"
    # Chambers of the heart are named by its sides, not the patient's.
    assert not {"heart", "heart_ventricle_right", "heart_atrium_left", "aorta"} & set(names.sides)


def test_wanted_names(names: OrganNames) -> None:
    assert names.known(["Lung_L", "heart", "VB_T04"]) == {"lung_left", "heart", "vertebrae_T4"}
    with pytest.raises(UsageError, match=r"no organ of this name.*organs.yaml.*got: 'hearth'"):
        names.known(["hearth"])


def test_what_a_union_needs(names: OrganNames) -> None:
    lobes = {"lung_upper_lobe_left", "lung_lower_lobe_left"}
    assert names.needed("lung_left", lobes) == lobes
    assert names.needed("lung_left", lobes | {"lung_left"}) == {"lung_left"}
    assert names.needed("lungs", lobes | {"lung_right"}) == lobes | {"lung_right"}
    assert names.needed("heart", lobes) == frozenset()


def test_what_does_not_matter_in_a_name() -> None:
    assert plain(" Vena_cava-Sup. (Œ)") == plain("VENA CAVA SUPœ")
    assert plain("a+b") != plain("a b")


# ----------------------------------------------------------------------------------------------- broken files

GOOD = """edition: "1"
sides: {left: [l], right: [r]}
organs:
  heart: [Herz]
  aorta: [Ao]
paired:
  lung_{side}: [Lung]
numbered:
  rib_{n}:
    first: 1
    last: 2
    names: ['R{n}']
unions:
  heart: [aorta]
"""


AORTA, UNION = "  aorta: [Ao]", "  heart: [aorta]"


def _load(folder: Path, old: str, new: str) -> OrganNames:
    assert old in GOOD
    file = folder / "o.yaml"
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    return load_organ_names(file)


def test_a_small_file(tmp_path: Path) -> None:
    names = _load(tmp_path, "Herz", "Herz")
    assert names.organs == ("heart", "aorta", "lung_left", "lung_right", "rib_1", "rib_2")
    assert names.find("L-lung") == names.find("lung l")
    assert names.find("r02") == names.find("R2")


@pytest.mark.parametrize(
    "old, new, message",
    [
        (AORTA, "  aorta: [Ao, HERZ]", r"one name for two organs; .*line 5, key organs.aorta.1; .*heart"),
        (AORTA, "  aorta: 3", r"line 5, key organs.aorta; expected: a list; got: 3"),
        (AORTA, "  aorta: ['-']", r"synonym that cannot be used; .*key organs.aorta.0"),
        (AORTA, "  aorta: ['Ao {side}']", r"synonym that cannot be used; .*expected: a name with no"),
        (AORTA, "  aorta_{side}: []", r"organ in the wrong group; .*expected: no {side} in its name"),
        (AORTA, "  aorta: [Ao]\n  rib_1: []", r"organ stands twice; .*got: rib_1"),
        ("lung_{side}: [Lung]", "lung: [Lung]", r"organ in the wrong group; .*expected: {side} in its name"),
        ("lung_{side}: [Lung]", "lung_{side}: [x, '{n}']", r"synonym that .*key paired.lung_{side}.1"),
        ("'R{n}'", "R", r"synonym that cannot be used; where: o.yaml, line 12, key numbered.rib_{n}.names.0"),
        ("last: 2", "last: 0", r"numbers that do not count; .*got: 1 to 0"),
        ("last: 2", "last: two", r"line 11, key numbered.rib_{n}.last; expected: a whole number"),
        (UNION, "  vein: [aorta]", r"union of an unknown organ; .*line 14, key unions.vein"),
        (UNION, "  heart: [vein]", r"union of an unknown organ; .*key unions.heart.0"),
        (UNION, "  heart: [aorta]\n  aorta: [rib_1]", r"union before its parts; .*aorta further up"),
        ('edition: "1"\n', "", r"missing key; .*expected: the key edition"),
        ('edition: "1"\n', 'edition: "1"\nnotes: x\n', r"unknown key; where: o.yaml, line 2, key notes"),
    ],
)  # fmt: skip
def test_a_broken_file_names_its_place(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, old, new)
