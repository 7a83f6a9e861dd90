"""The station atlas as a table: every figure, level, side and order of it, written out a second time.

A slip in the file (left for right, 34 for 43) changes a line here. The lines were held against the research
behind the atlas; figures that depart from it have a comment.
"""

from __future__ import annotations

import pytest

from pipeline.anatomy.stations.derived import DERIVED
from pipeline.core.atlas import Apart
from tests.anatomy.stations.kept_out import KEPT_OUT, NOT_MASKS
from tests.anatomy.stations.patients import ATLAS, members
from tests.anatomy.stations.wording import Wording

WORDING = Wording(ATLAS)

# Name to mm and source key.
FIGURES = {
    "neck_lateral": (43, "YU2019"),
    "neck_anterior": (22, "YU2019"),
    "front_of_trachea": (3, "CLITK"),
    "scv_below_notch": (5, "ESTRO"),
    "scv_lateral": (60, "OWN"),
    "scv_medial": (22, "OWN"),
    "scv_front": (30, "OWN"),
    "scv_back": (5, "OWN"),
    "beside_trachea": (25, "OWN"),
    "front_of_chest": (25, "OWN"),
    "behind_trachea": (2, "OWN"),
    "midline_to_left_of_trachea": (8, "OWN"),
    "bed_core": (10, "OWN"),
    "bed": (20, "WU2015"),
    "bed_behind_trachea": (8, "OWN"),
    "bed_before_spine": (14, "OWN"),
    "bed_left_of_spine": (3, "OWN"),
    "bed_before_aorta": (12, "OWN"),
    "bed_smoothing": (20, "OWN"),
    "ligamentum": (6, "OWN"),
    "subcarinal_depth": (8, "OWN"),
    "subcarinal_before_spine": (14, "OWN"),  # the research has 10
    "subcarinal_half_width": (20, "OWN"),
    "subcarinal_widest": (30, "OWN"),
    "ligament_depth": (12, "OWN"),
    "ligament_reach": (40, "OWN"),
    "ligament_above_hiatus": (10, "OWN"),
    "ligament_right_of_midline": (10, "OWN"),
    "dome_depth": (6, "OWN"),
    "dome_reach": (60, "OWN"),
    "dome_below_hiatus": (25, "OWN"),
    "dome_above_hiatus": (30, "OWN"),
    "crural_depth": (8, "OWN"),
    "crural_above_celiac": (10, "OWN"),
    "junction_below_hiatus": (15, "OWN"),
    "junction_before_aorta": (18, "OWN"),
    "junction_left_of_aorta": (12, "OWN"),
    "cardia": (15, "POET"),
    "cardia_below_hiatus": (30, "OWN"),
    "around_artery": (10, "CARAVATTA"),
    "left_gastric_below_celiac": (5, "OWN"),
    "left_gastric_below_hiatus": (10, "OWN"),
    "celiac_length": (19, "CELIAC"),
    "hepatic_first": (25, "OWN"),
    "splenic_first": (20, "POET"),
    "branch_least": (25, "OWN"),  # the research has 15
    "branch_side": (30, "OWN"),
    "branch_hepatic_front": (5, "OWN"),
    "branch_hepatic_down": (5, "OWN"),
    "branch_splenic_back": (10, "OWN"),
}

OPTIONS = {
    "boundary_1_2": {"notch": "sternal_notch", "apex": "lung_apex"},
    "landmarks_2_4": {
        "ajcc": "brachiocephalic_artery_trachea",
        "iaslc": "left_brachiocephalic_vein_trachea",
    },
    "caudal_4R": {"azygos_top": "azygos_vein_top", "azygos_low": "azygos_vein_low"},
    "caudal_4L": {"carina": "carina", "lpa_top": "left_pulmonary_artery_top"},
}

# The lines of a station, all of which hold in it.
STATIONS: dict[str, tuple[str, ...]] = {
    "SCV_R": (
        "from sternal_notch -5 to C7_top",
        "(right of common_carotid_artery_right right else right of midline centre -22)",
        "(left of anterior_scalene_right right else left of midline centre -60)",
        "(posterior of sternocleidomastoid_right posterior else posterior of spine_body anterior -30)",
        "(anterior of middle_scalene_right anterior else anterior of spine_body anterior +5)",
    ),
    "SCV_L": (
        "from sternal_notch -5 to C7_top",
        "(left of common_carotid_artery_left left else left of midline centre +22)",
        "(right of anterior_scalene_left left else right of midline centre +60)",
        "(posterior of sternocleidomastoid_left posterior else posterior of spine_body anterior -30)",
        "(anterior of middle_scalene_left anterior else anterior of spine_body anterior +5)",
    ),
    "1R": (
        "from boundary_1_2 to C7_top",
        "(right of trachea centre else right of midline centre)",
        "(left of common_carotid_artery_right right else left of midline centre -22)",
        "left of midline centre -43",
        "in neck_front",
        "in before_spine",
    ),
    "1L": (
        "from boundary_1_2 to C7_top",
        "(left of trachea centre else left of midline centre)",
        "(right of common_carotid_artery_left left else right of midline centre +22)",
        "right of midline centre +43",
        "in neck_front",
        "in before_spine",
    ),
    "2R": (
        "from landmarks_2_4 to boundary_1_2",
        "in right_of_left_edge",
        "in before_back_of_trachea",
        (
            "(posterior of the line brachiocephalic_vein_right, brachiocephalic_trunk, "
            "brachiocephalic_vein_left, common_carotid_artery_left else in before_trachea_front)"
        ),
        "in beside_trachea",
    ),
    "2L": (
        "from aortic_arch_top to boundary_1_2",
        "in left_of_left_edge",
        "in before_back_of_trachea",
        (
            "(posterior of the line brachiocephalic_trunk, common_carotid_artery_left, "
            "subclavian_artery_left else posterior of the line brachiocephalic_vein_left else in "
            "before_trachea_front)"
        ),
        "in beside_trachea",
    ),
    "4R": (
        "from caudal_4R to landmarks_2_4",
        "in right_of_left_edge",
        "in before_back_of_trachea",
        (
            "(posterior of the line superior_vena_cava, brachiocephalic_vein_right, aorta_ascending else "
            "in before_trachea_front)"
        ),
        "in beside_trachea",
    ),
    "4L": (
        "from caudal_4L to aortic_arch_top",
        "in left_of_left_edge",
        "in before_back_of_trachea",
        "hull of trachea, main_bronchi, aorta",
        (
            "(right of the line aorta_ascending nearest to aorta_descending, aorta_descending nearest to "
            "aorta_ascending +6 else hull of trachea, main_bronchi, aorta)"
        ),
    ),
    "7": (
        "from subcarinal_low to carina",
        (
            "((within 8 of space bronchi axial and left of bronchi_both right and right of bronchi_both "
            "left) else (right of midline centre +20 and left of midline centre -20))"
        ),
        "right of midline centre +30",
        "left of midline centre -30",
        "not in bed_core",
        "anterior of spine_body anterior -14",
    ),
    "8U": (
        "from carina to boundary_1_2",
        "in bed",
        "posterior of trachea posterior -2",
    ),
    "8M": (
        "from inferior_pulmonary_vein_lowest to carina",
        "in bed",
    ),
    "8Lo": (
        "from hiatus to inferior_pulmonary_vein_lowest",
        "in bed",
    ),
    "9R": (
        "from hiatus +10 to inferior_pulmonary_vein_lowest",
        "right of midline centre -10",
        "posterior of heart centre",
        "in before_spine",
        "within 40 of path esophageal_bed axial",
        "not in bed",
        "within 12 of lower_lobe_right axial",
    ),
    "9L": (
        "from hiatus +10 to inferior_pulmonary_vein_lowest",
        "left of midline centre",
        "posterior of heart centre",
        "in before_spine",
        "within 40 of path esophageal_bed axial",
        "not in bed",
        "within 12 of lower_lobe_left axial",
    ),
    "15": (
        (
            "((from hiatus -25 to hiatus +30 and within 60 of path esophageal_bed axial hold and within "
            "6 of lower_lobe_left, lower_lobe_right sloped and within 6 of under_dome sloped) or (from "
            "celiac_axis_origin +10 to hiatus and posterior of aorta centre and anterior of spine_body "
            "posterior and within 8 of aorta axial))"
        ),
    ),
    "16": (
        "from hiatus -30 to hiatus",
        "within 15 of point junction",
    ),
    "17": (
        "from celiac_axis_origin -5 to hiatus -10",
        "within 10 of path left_gastric",
    ),
    "18": ("within 10 of path common_hepatic",),
    "19": ("within 10 of path splenic",),
    "20": (
        "(within 10 of celiac_trunk else within 10 of path celiac_axis)",
        "anterior of aorta centre",
    ),
}

SPACES = {
    "bed": "within 20 of path esophageal_bed axial",
    "bed_core": "within 10 of path esophageal_bed axial",
    "bronchi": "hull of bronchi_both hold",
    "before_spine": "anterior of spine_body anterior",
    "before_back_of_trachea": "anterior of trachea posterior",
    "beside_trachea": "within 25 of trachea axial",
    "right_of_left_edge": "(right of trachea left else right of midline centre +8)",
    "left_of_left_edge": "(left of trachea left else left of midline centre +8)",
    "neck_front": "(posterior of trachea anterior -3 or posterior of spine_body anterior -22)",
    "before_trachea_front": "posterior of trachea anterior -25",
}

# The ways to a point or path, the best one first.
POINTS = {
    "hiatus_point": (
        "middle of esophagus_in_place at hiatus",
        "anterior edge of aorta at hiatus, y-12",
        "anterior edge of spine_body at hiatus, y-18",
    ),
    "junction": ("anterior edge of aorta at hiatus -15, x+12, y-18",),
    "celiac_root": ("anterior edge of aorta at celiac_axis_origin",),
    "celiac_tip": (
        "celiac_trunk farthest from aorta",
        "anterior edge of aorta at celiac_axis_origin, y-19",
    ),
    "hepatic_point": (
        "common_hepatic_artery nearest to celiac_tip, to the right, 25 off or more",
        "portal_vein_and_splenic_vein nearest to celiac_tip, to the right, 25 off or more",
        "celiac_tip, x-30, y-5, z-5",
    ),
    "splenic_point": (
        "splenic_artery nearest to celiac_tip, to the left, 25 off or more",
        "portal_vein_and_splenic_vein nearest to celiac_tip, to the left, 25 off or more",
        "celiac_tip, x+30, y+10",
    ),
}

PATHS = {
    "esophageal_bed": (
        "middle line of esophagus_in_place over 20",
        (
            "behind trachea at C7_top, y+8; behind trachea at sternal_notch, y+8; behind trachea at "
            "aortic_arch_top, y+8; behind trachea at carina, y+8; before spine_body at "
            "inferior_pulmonary_vein_lowest, y-14, x+3; hiatus_point; junction"
        ),
    ),
    "left_gastric": ("celiac_tip; junction",),
    "common_hepatic": ("celiac_tip; hepatic_point; the first 25",),
    "splenic": ("celiac_tip; splenic_point; the first 20",),
    "celiac_axis": ("celiac_root; celiac_tip",),
}

# Method, organs or landmark, mm, expected error, whether inferred.
LEVELS = {
    "azygos_vein_top": (
        ("top", ("azygos_vein",), "", 0, 4, False),
        ("above", (), "carina", 10, 5, True),
    ),
    "azygos_vein_low": (("above", (), "carina", 0, 5, True),),
    "left_pulmonary_artery_top": (
        ("left_top", ("pulmonary_artery", "trachea"), "", 0, 4, False),
        ("above", (), "carina", 0, 8, True),
    ),
    "subcarinal_low": (
        ("bottom", ("bronchus_intermedius",), "", 0, 5, False),
        ("above", (), "carina", -40, 9, True),
    ),
}

# Later stations give way to earlier ones; the research has 17 before 16.
PRIORITY = (
    "20", "18", "19", "16", "17", "7", "4L", "4R", "2L", "2R", "8U", "8M", "8Lo", "9R", "9L", "15",
    "1L", "1R", "SCV_L", "SCV_R",
)  # fmt: skip

NEEDS = {
    "SCV_R": {"internal_jugular_vein_right", "subclavian_artery_right", "sternocleidomastoid_right"},
    "SCV_L": {"internal_jugular_vein_left", "subclavian_artery_left", "sternocleidomastoid_left"},
    "1R": {"common_carotid_artery_right", "internal_jugular_vein_right", "thyroid_gland"},
    "1L": {"common_carotid_artery_left", "internal_jugular_vein_left", "thyroid_gland"},
    "2R": {"brachiocephalic_trunk", "brachiocephalic_vein_right", "brachiocephalic_vein_left"},
    "2L": {"common_carotid_artery_left", "subclavian_artery_left"},
    "4R": {"superior_vena_cava", "aorta", "azygos_vein"},
    "4L": {"aorta", "pulmonary_artery"},
    "7": {"pulmonary_artery", "heart", "pulmonary_vein"},
    "8U": set(),
    "8M": set(),
    "8Lo": set(),
    "9R": {"heart", "inferior_vena_cava"},
    "9L": {"heart", "aorta"},
    "15": {"liver", "spleen"},
    "16": {"stomach", "liver"},
    "17": {"stomach", "liver"},
    "18": {"liver", "pancreas", "portal_vein_and_splenic_vein"},
    "19": {"pancreas", "stomach", "portal_vein_and_splenic_vein"},
    "20": {"liver", "pancreas", "stomach"},
}


def test_figures() -> None:
    assert {name: (figure.mm, figure.source) for name, figure in ATLAS.figures.items()} == FIGURES


def test_options() -> None:
    assert {name: dict(option.choices) for name, option in ATLAS.options.items()} == OPTIONS


@pytest.mark.parametrize("name", STATIONS)
def test_borders_of_a_station(name: str) -> None:
    assert WORDING.lines(ATLAS.stations[name].space) == STATIONS[name]


def test_no_station_is_missing_and_their_order_is_kept() -> None:
    assert list(ATLAS.stations) == list(STATIONS)
    assert ATLAS.priority == PRIORITY


def test_spaces_points_and_paths() -> None:
    assert {name: WORDING.of(space) for name, space in ATLAS.spaces.items()} == SPACES
    for told, expected in ((ATLAS.points, POINTS), (ATLAS.paths, PATHS)):
        assert {name: tuple(WORDING.of(way) for way in ways) for name, ways in told.items()} == expected


def test_levels() -> None:
    assert {
        rule.name: tuple(
            (one.method, one.organs, one.landmark, one.mm, one.error_mm, one.inferred)
            for one in rule.attempts
        )
        for rule in ATLAS.levels
    } == LEVELS


@pytest.mark.parametrize("name", STATIONS)
def test_organs_that_are_taken_out_of_a_station(name: str) -> None:
    rule = ATLAS.stations[name]
    assert set(members(rule.minus)) == set(KEPT_OUT[name]) | NOT_MASKS[name]
    assert set(rule.needs) == NEEDS[name]
    assert rule.inset_mm == (5.0 if name.startswith("SCV") else 0.0)


def test_structures_told_from_others_are_made_of_these() -> None:
    assert set().union(*NOT_MASKS.values()) <= {"air", *DERIVED}
    assert set(members(("lungs_all",))) == {
        "lungs", "lung_left", "lung_right", "lung_upper_lobe_left", "lung_lower_lobe_left",
        "lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right",
    }  # fmt: skip
    assert set(members(("under_dome",))) == {"liver", "spleen", "stomach_in_abdomen"}


def test_checks_of_a_patient() -> None:
    checks = ATLAS.checks
    assert checks.right == ("SCV_R", "1R", "2R", "4R", "9R")
    assert checks.left == ("SCV_L", "1L", "2L", "4L", "9L")
    assert checks.alike == ("SCV_R", "1R")
    assert checks.ratio == (0.5, 1.7)  # the research has 0.6
    assert checks.touching == (
        ("2R", "4R"), ("2L", "4L"), ("8U", "8M"), ("8M", "8Lo"), ("1R", "2R"), ("1L", "2L"),
        ("1R", "SCV_R"), ("1L", "SCV_L"), ("20", "17"), ("20", "18"), ("20", "19"),
    )  # fmt: skip
    assert checks.apart == (
        Apart(pair=("2R", "7"), mm=0),
        Apart(pair=("2L", "7"), mm=0),
        Apart(pair=("9R", "9L"), mm=0),
        Apart(pair=("8Lo", "20"), mm=20),
    )
    # Upper ends in the research: 1R and 1L 35, 7 and 8M 45, 8U 35, 8Lo 70.
    assert dict(checks.volumes_cc) == {
        "SCV_R": (10, 60), "SCV_L": (10, 60), "1R": (5, 40), "1L": (5, 40), "2R": (3, 30),
        "2L": (1, 20), "4R": (5, 55), "4L": (2, 20), "7": (6, 50), "8U": (3, 45), "8M": (5, 50),
        "8Lo": (6, 90), "9R": (2, 35), "9L": (2, 35), "15": (3, 35), "16": (1, 20), "17": (1, 25),
        "18": (1, 12), "19": (1, 12), "20": (4, 30),
    }  # fmt: skip
