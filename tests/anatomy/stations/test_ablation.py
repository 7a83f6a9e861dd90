"""Each organ of a patient left out in turn: nothing breaks, and what a rule misses is told."""

from __future__ import annotations

from functools import lru_cache

import pytest

from pipeline.core.anatomy import Organs
from pipeline.core.stations import Stations
from pipeline.phantom import Reconstruction
from tests.anatomy.organs_of import PARTS, organs_of
from tests.anatomy.stations.kept_out import KEPT_OUT
from tests.anatomy.stations.patients import ATLAS, built
from tests.phantoms import coarse

pytestmark = pytest.mark.slow

QUICK = ("aorta", "trachea", "sternum", "lung_lower_lobe_left", "celiac_trunk", "thoracic_cavity")
PITCH = 2.4


@lru_cache(maxsize=1)
def patient() -> Organs:
    return organs_of(coarse(reconstruction=Reconstruction.POSTERIOR, lesions=()), parts=(*PARTS, "body"))


@lru_cache(maxsize=1)
def whole() -> Stations:
    return built(patient(), pitch_mm=PITCH)


def findings(stations: Stations) -> set[tuple[str, str]]:
    return {(finding.code, finding.message) for finding in stations.findings if "UNUSUAL" not in finding.code}


def notes(stations: Stations) -> tuple[object, ...]:
    """Why stations were not built, and how those built came about; no finding among it."""
    return (dict(stations.not_built), {name: one.notes for name, one in stations.built.items()})


def told(stations: Stations) -> tuple[object, ...]:
    """All that a reader learns besides the stations themselves."""
    return (*notes(stations), findings(stations))


BARRIERS = {organ for organs in KEPT_OUT.values() for organ in organs}
# Each stands in for another one of these: alone, it may be missing and nothing is inferred.
SPARE = {"vertebrae_body", "spinal_cord"}
USED = BARRIERS | {"thoracic_cavity", "abdominal_cavity", "main_bronchi"} | {
    f"{muscle}_{side}"
    for muscle in ("sternocleidomastoid", "anterior_scalene", "middle_scalene")
    for side in ("left", "right")
}  # fmt: skip


HIATUS = "hiatus is inferred: 121 mm below the carina, expected error 16 mm"
VEIN = "inferior_pulmonary_vein_lowest is inferred: 53 mm below the carina, expected error 9 mm"
NOTCH = "sternal_notch is inferred: the lower end of the body of T2, expected error 15 mm"
C7 = "C7_top is inferred: 18 mm above the top of T1, expected error 6 mm"
CELIAC = (
    "celiac_axis_origin is inferred: 17 mm above the root of the superior mesenteric artery, "
    "expected error 6 mm"
)


def border(from_: str, organ: str) -> str:
    return f"a border is inferred from the {from_}, for there is no {organ}"


def straight_past(organ: str) -> str:
    return f"a path goes straight past a knot that is not known: no {organ}"


# Organ to a note of each station that is told from something else without it.
INFERRED: dict[str, dict[str, tuple[str, ...]]] = {
    "abdominal_cavity": dict.fromkeys(("8Lo", "9R", "9L", "15", "16", "17"), (HIATUS,)),
    "thoracic_cavity": dict.fromkeys(("8Lo", "9R", "9L", "15", "16", "17"), (HIATUS,)),
    "pulmonary_vein": dict.fromkeys(("8M", "8Lo", "9R", "9L"), (VEIN,)),
    "sternum": dict.fromkeys(("SCV_R", "SCV_L", "1R", "1L", "2R", "2L", "8U"), (NOTCH,)),
    "vertebrae_C7": dict.fromkeys(("SCV_R", "SCV_L", "1R", "1L"), (C7,)),
    "aorta": {
        "2L": ("aortic_arch_top is inferred: 35 mm above the carina, expected error 9 mm",),
        "8M": ("hiatus_point is inferred (no esophagus_in_place; no aorta)",),
    },
    "celiac_trunk": {
        "15": (CELIAC,),
        **dict.fromkeys(("17", "18", "19"), ("celiac_tip is inferred (no celiac_trunk)", CELIAC)),
        "20": (
            border("near of celiac_axis", "celiac_trunk"),
            "celiac_tip is inferred (no celiac_trunk)",
            CELIAC,
        ),
    },
    "portal_vein_and_splenic_vein": {
        "18": ("hepatic_point is inferred (no common_hepatic_artery; no portal_vein_and_splenic_vein)",),
        "19": ("splenic_point is inferred (no splenic_artery; no portal_vein_and_splenic_vein)",),
    },
    "brachiocephalic_trunk": dict.fromkeys(
        ("2R", "4R"),
        ("brachiocephalic_artery_trachea is inferred: 6 mm below the top of the arch, expected error 6 mm",),
    ),
    "trachea": {
        **dict.fromkeys(("1R", "1L"), (border("side of midline", "trachea"),)),
        **dict.fromkeys(("8Lo", "9R", "9L", "15"), (straight_past("trachea"),)),
    },
    "main_bronchi": dict.fromkeys(
        ("4L", "7"), ("the main bronchi were taken from trachea, up to 25 mm below the carina",)
    ),
    **{
        f"common_carotid_artery_{side}": dict.fromkeys(
            (f"SCV_{side[0].upper()}", f"1{side[0].upper()}"),
            (border("side of midline", f"common_carotid_artery_{side}"),),
        )
        for side in ("left", "right")
    },
    **{
        f"{muscle}_{side}": {f"SCV_{side[0].upper()}": (border(f"side of {instead}", f"{muscle}_{side}"),)}
        for side in ("left", "right")
        for muscle, instead in (
            ("anterior_scalene", "midline"),
            ("middle_scalene", "spine_body"),
            ("sternocleidomastoid", "spine_body"),
        )
    },
}
# Organ to the stations that are not there without it, and why.
NOT_BUILT = {
    "aorta": {
        "4L": "its borders leave no room between them",
        "16": "junction: no aorta",
        "17": "left_gastric: fewer than two of its points are known",
        "18": "common_hepatic: fewer than two of its points are known",
        "19": "splenic: fewer than two of its points are known",
        "20": "no aorta",
    },
    "heart": {"9R": "no heart", "9L": "no heart"},
    "lung_lower_lobe_left": {"9L": "no lower_lobe_left"},
    "lung_lower_lobe_right": {"9R": "no lower_lobe_right"},
    "trachea": {
        "2R": "no trachea",
        "2L": "no trachea",
        "4R": "landmark azygos_vein_top is not known",
        "4L": "landmark carina is not known",
        "7": "landmark subcarinal_low is not known",
        "8U": "landmark carina is not known",
        "8M": "landmark carina is not known",
    },
}
# What is inferred on the whole patient, whose azygos vein, bronchus and arteries have no mask.
BED = (
    "hiatus_point is inferred (no esophagus_in_place)",
    "esophageal_bed is inferred (no esophagus_in_place)",
)
ALWAYS = {
    "4R": ("azygos_vein_top is inferred: 10 mm above the carina, expected error 6 mm",),
    "7": ("subcarinal_low is inferred: 40 mm below the carina, expected error 9 mm", *BED),
    **dict.fromkeys(("8U", "8M", "8Lo", "9R", "9L", "15"), BED),
    "18": ("hepatic_point is inferred (no common_hepatic_artery)",),
    "19": ("splenic_point is inferred (no splenic_artery)",),
}


def test_what_is_inferred_on_the_whole_patient_is_noted() -> None:
    told = {
        name: tuple(note for note in one.notes if "inferred" in note) for name, one in whole().built.items()
    }
    assert {name: one for name, one in told.items() if one} == ALWAYS
    assert whole().not_built == {}


@pytest.mark.parametrize(
    "organ", [pytest.param(o, marks=() if o in QUICK else pytest.mark.slow) for o in sorted(patient())]
)
def test_an_organ_left_out_is_told(organ: str) -> None:
    rest = Organs(grid=patient().grid, by_name={k: v for k, v in patient().by_name.items() if k != organ})
    stations = built(rest, pitch_mm=PITCH)
    if organ in USED - SPARE:
        assert told(stations) != told(whole())
    assert stations.not_built == NOT_BUILT.get(organ, {})
    for name, noted in INFERRED.get(organ, {}).items():
        assert set(noted) <= set(stations.built[name].notes) - set(whole().built[name].notes), name
    if organ in INFERRED | NOT_BUILT:
        assert notes(stations) != notes(whole()), "without the finding about barriers"


def test_without_any_organ_no_station_is_built_and_each_says_why() -> None:
    stations = built(Organs(grid=patient().grid, by_name={"body": patient().by_name["body"]}))
    assert set(stations.not_built) == set(ATLAS.stations)
    assert all(stations.not_built.values())
