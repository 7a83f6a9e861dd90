"""Structures told from others, each with what it falls back on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.anatomy.landmarks import METHODS, find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.derived import DERIVED, DISC_MM
from pipeline.anatomy.stations.lacking import LackingError, Trace
from pipeline.anatomy.stations.structures import Derived, Structures
from pipeline.core.anatomy import Attempt, LandmarkRule
from pipeline.core.grid import Grid
from pipeline.read.station_rules import load_station_atlas
from tests.anatomy.stations.made import GRIDS, HFS, box, centre, landmarks, patient, scene, steps
from tests.closed_forms import make_grid

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)


def structures(masks, levels=None, grid: Grid = HFS) -> Structures:
    """Of a patient with these organs, and landmarks at heights in mm from the centre."""
    return scene(grid, masks, levels).structures


def found(of: Structures, name: str) -> tuple[np.ndarray, list[str]]:
    trace = Trace()
    return of.mask(name, trace), trace.notes


def seen(of: Structures, grid: Grid, mask: np.ndarray) -> np.ndarray:
    """A stored mask as structures are given."""
    return OrganView(patient(grid, {"it": mask})).mask("it")[of.crop.where]


def test_each_derived_structure_is_used_by_the_atlas() -> None:
    atlas = load_station_atlas()
    told = repr((atlas.stations, atlas.spaces, atlas.points, atlas.paths, atlas.groups))
    # The conduit is taken out of stations without being named.
    assert {name for name in DERIVED if f"'{name}'" not in told} == {"conduit"}


@pytest.mark.parametrize("name", DERIVED)
def test_nothing_is_told_from_nothing(name: str) -> None:
    of = structures({"liver": box(HFS, (0, 4), (0, 4), (0, 4))})
    assert not of.known(name)
    with pytest.raises(LackingError, match=f"no {name}"):
        of.mask(name)


def test_threads_that_ask_for_one_structure_make_it_once_and_others_at_the_same_time() -> None:
    meeting, made = threading.Barrier(2, timeout=10), []

    def slowly(of: Structures) -> Derived:
        made.append(threading.get_ident())
        meeting.wait()  # until another structure is being made as well
        time.sleep(0.05)
        return np.ones(of.crop.shape, dtype=bool), ""

    organs = OrganView(patient(HFS, {"liver": box(HFS, (0, 4), (0, 4), (0, 4))}))
    of = Structures(organs, {}, {}, {"one": slowly, "other": slowly})
    with ThreadPoolExecutor(4) as pool:
        masks = list(pool.map(of.mask, ["one", "one", "other", "one"]))
    assert len(made) == 2
    assert masks[0] is masks[1] is masks[3]


# -------------------------------------------------------------------------------------- spine and discs

VERTEBRA = ((-8, 8), (4, 24))


@on_every_grid
def test_vertebral_bodies_by_mask_by_cord_or_by_depth(grid: Grid) -> None:
    whole = box(grid, *VERTEBRA, (-4, 4))
    bodies = box(grid, (-8, 8), (4, 14), (-12, 12))
    by_mask = structures({"vertebrae_T4": whole, "vertebrae_body": bodies}, grid=grid)
    mask, notes = found(by_mask, "spine_body")
    assert (mask == seen(by_mask, grid, whole & bodies)).all()
    assert notes == []

    by_cord = structures(
        {"vertebrae_T4": whole, "spinal_cord": box(grid, (-2, 2), (18, 21), (-12, 12))}, grid=grid
    )
    mask, notes = found(by_cord, "spine_body")
    rows = np.flatnonzero(mask.any(axis=(0, 2)))
    front = np.flatnonzero(seen(by_cord, grid, whole).any(axis=(0, 2)))
    assert rows[0] == front[0], "from the front"
    assert 9 <= len(rows) < 14, "to before the cord"
    assert notes == []

    by_depth = structures({"vertebrae_T4": whole}, grid=grid)
    mask, notes = found(by_depth, "spine_body")
    assert len(np.flatnonzero(mask.any(axis=(0, 2)))) == 9  # 0.45 x 19 steps from the first row to the last
    assert notes == ["the front 45 % of each vertebra were taken as its body"]


def test_bodies_that_the_cord_does_not_tell_are_not_known() -> None:
    cord = box(HFS, (-2, 2), (18, 21), (8, 12))
    of = structures({"vertebrae_T4": box(HFS, *VERTEBRA, (-4, 4)), "spinal_cord": cord})
    assert not of.known("spine_body")


@on_every_grid
@pytest.mark.parametrize("gap, disc", [(1, True), (4, True), (5, False), (7, False)])
def test_discs_lie_between_bodies(grid: Grid, gap: int, disc: bool) -> None:
    assert 4 * 3.0 <= DISC_MM < 5 * 3.0
    masks = {
        "vertebrae_T5": box(grid, *VERTEBRA, (-8, -3)),
        "vertebrae_T4": box(grid, *VERTEBRA, (-3 + gap, 8)),
        "vertebrae_body": box(grid, (-8, 8), (4, 14), (-12, 12)),
    }
    of = structures(masks, grid=grid)
    assert of.known("discs") is disc
    if disc:
        mask, _ = found(of, "discs")
        assert (mask == seen(of, grid, box(grid, (-8, 8), (4, 14), (-3, -3 + gap)))).all()


# ------------------------------------------------------------------------------------------------- airway


def test_main_bronchi_by_name_by_side_or_below_the_carina() -> None:
    named = box(HFS, (-9, 9), (0, 3), (-5, 0))
    left, right = box(HFS, (2, 12), (0, 3), (-6, 0)), box(HFS, (-12, -2), (0, 3), (-3, 0))
    tree, trachea = box(HFS, (-3, 3), (0, 3), (-12, 12)), box(HFS, (-2, 2), (0, 3), (-4, 12))
    everything = {"main_bronchi": named, "bronchus_left": left, "bronchus_right": right, "lung_airways": tree}
    everything["trachea"] = trachea

    def taken(*without: str, carina: float | None = 3.0):
        levels = {} if carina is None else {"carina": carina}
        of = structures({k: v for k, v in everything.items() if k not in without}, levels)
        return found(of, "main_bronchi") if of.known("main_bronchi") else (None, [])

    of = structures(everything)
    mask, notes = taken()
    assert (mask == seen(of, HFS, named)).all()
    mask, notes = taken("main_bronchi")
    assert (mask == seen(of, HFS, left | right)).all()
    assert notes == []
    mask, notes = taken("main_bronchi", "bronchus_left")
    # Planes between 3 and -22 mm: middles at 1.5 to -19.5.
    assert (mask == seen(of, HFS, box(HFS, (-3, 3), (0, 3), (-7, 1)))).all()
    assert notes == ["the main bronchi were taken from lung_airways, up to 25 mm below the carina"]
    mask, notes = taken("main_bronchi", "bronchus_left", "lung_airways")
    assert (mask == seen(of, HFS, box(HFS, (-2, 2), (0, 3), (-4, 1)))).all()
    assert notes == ["the main bronchi were taken from trachea, up to 25 mm below the carina"]
    assert taken("main_bronchi", "bronchus_left", carina=None)[0] is None
    assert taken("main_bronchi", "bronchus_left", "lung_airways", carina=-20.0)[0] is None, "it ends above"


# -------------------------------------------------------------------------------------------------- aorta


@on_every_grid
def test_the_two_parts_of_an_aorta(grid: Grid) -> None:
    back = box(grid, (2, 10), (8, 16), (-12, 4))
    front = box(grid, (-8, 2), (-14, -4), (-6, 4))
    arch = box(grid, (0, 6), (-16, 16), (4, 6))
    speck = box(grid, (-20, -19), (0, 1), (-9, -8))
    of = structures({"aorta": back | front | arch | speck}, grid=grid)
    ascending, descending = found(of, "aorta_ascending")[0], found(of, "aorta_descending")[0]
    upper, lower = box(grid, (0, 6), (-16, 0), (4, 6)), box(grid, (0, 6), (0, 16), (4, 6))
    assert (ascending == seen(of, grid, front | upper)).all()
    below = descending & ~seen(of, grid, speck)
    assert (below == seen(of, grid, back | lower)).all()


def test_a_round_section_alone_is_the_descending_aorta() -> None:
    of = structures({"aorta": box(HFS, (2, 8), (8, 16), (-12, 4))})
    assert not of.known("aorta_ascending")
    assert of.known("aorta_descending")


# --------------------------------------------------------------------------------- lobes, conduit, gullet


@on_every_grid
@pytest.mark.parametrize("side", ["left", "right"])
def test_lower_lobes(grid: Grid, side: str) -> None:
    lobe, lung = box(grid, (4, 20), (-8, 8), (-10, -2)), box(grid, (4, 20), (-8, 8), (-10, 10))
    level = {"inferior_pulmonary_vein_lowest": -12.0}
    given = structures({f"lung_lower_lobe_{side}": lobe, f"lung_{side}": lung}, level, grid)
    mask, notes = found(given, f"lower_lobe_{side}")
    assert (mask == seen(given, grid, lobe)).all()
    assert notes == []
    of_lung = structures({f"lung_{side}": lung}, level, grid)
    mask, notes = found(of_lung, f"lower_lobe_{side}")
    assert (mask == seen(of_lung, grid, box(grid, (4, 20), (-8, 8), (-10, -4)))).all()
    assert notes == [f"the {side} lung below the inferior pulmonary vein was taken as its lower lobe"]
    assert not structures({f"lung_{side}": lung}, grid=grid).known(f"lower_lobe_{side}")
    above = {"inferior_pulmonary_vein_lowest": -33.0}
    assert not structures({f"lung_{side}": lung}, above, grid).known(f"lower_lobe_{side}")


@on_every_grid
def test_lungs_hold_what_they_enclose(grid: Grid) -> None:
    hole, notch = box(grid, (6, 9), (-2, 2), (-3, 3)), box(grid, (18, 20), (-2, 2), (-3, 3))
    left = box(grid, (4, 20), (-8, 8), (-10, 10)) & ~hole & ~notch
    right = box(grid, (-20, -4), (-8, 8), (-10, 0))
    of = structures({"lung_left": left, "lung_right": right}, grid=grid)
    of.groups = {"lungs_all": ("lung_left", "lung_right")}
    mask, notes = found(of, "lungs_filled")
    assert (mask == seen(of, grid, left | right | hole)).all()
    assert notes == []
    one = structures({"lung_right": right}, grid=grid)
    one.groups = of.groups
    assert (found(one, "lungs_filled")[0] == seen(one, grid, right)).all()


@pytest.mark.parametrize("name", ["stomach", "colon", "small_bowel"])
def test_a_conduit_reaches_well_into_the_chest(name: str) -> None:
    low, high = box(HFS, (-9, 0), (0, 9), (-12, 9)), box(HFS, (-9, 0), (0, 9), (-12, 10))
    level = {"hiatus": -32.0}  # the last planes' middles are 57.5 and 60.5 mm above
    assert not structures({name: low}, level).known("conduit")
    assert not structures({name: high}).known("conduit"), "no hiatus"
    of = structures({name: high}, level)
    mask, _ = found(of, "conduit")
    assert (mask == seen(of, HFS, box(HFS, (-9, 0), (0, 9), (-11, 10)))).all()


def test_a_conduit_by_name_and_what_else_was_drawn_up() -> None:
    named, colon = box(HFS, (-9, 0), (0, 9), (-12, 2)), box(HFS, (3, 9), (0, 9), (-12, 12))
    of = structures({"gastric_conduit": named}, {})
    assert (found(of, "conduit")[0] == seen(of, HFS, named)).all()
    of = structures({"gastric_conduit": named, "colon": colon}, {"hiatus": -30.0})
    both = named | box(HFS, (3, 9), (0, 9), (-10, 12))
    assert (found(of, "conduit")[0] == seen(of, HFS, both)).all()


def test_the_gullet_is_in_place_where_it_runs_from_carina_to_hiatus() -> None:
    levels = {"carina": 16.5, "hiatus": -16.5}  # 10 planes between them
    gullet = box(HFS, (-2, 2), (0, 4), (-12, 12))
    gaps = {count: gullet & ~box(HFS, (-9, 9), (-9, 9), (-1, -1 + count)) for count in (2, 3)}
    of = structures({"esophagus": gullet}, levels)
    assert (found(of, "esophagus_in_place")[0] == seen(of, HFS, gullet)).all()
    assert structures({"esophagus": gaps[2]}, levels).known("esophagus_in_place")
    assert not structures({"esophagus": gaps[3]}, levels).known("esophagus_in_place")
    assert not structures({"esophagus": gullet}, {"carina": 15.0}).known("esophagus_in_place")
    assert not structures({"esophagus": gullet}, {"carina": -15.0, "hiatus": 15.0}).known(
        "esophagus_in_place"
    )
    conduit = {"gastric_conduit": box(HFS, (-9, -3), (0, 9), (-12, 2))}
    assert not structures({"esophagus": gullet} | conduit, levels).known("esophagus_in_place")


# ----------------------------------------------------------------------------------------------- the crop


def test_structures_lie_around_the_spine_else_the_airway() -> None:
    grid = make_grid(size=(120, 100, 6), spacing_mm=(4.0, 4.0, 5.0))
    spine, airway = box(grid, (10, 16), (5, 20), (-3, 3)), box(grid, (-20, -16), (0, 4), (-3, 3))
    for masks, middle, front, back in (
        ({"vertebrae_T4": spine, "trachea": airway}, 13 * 4, 5 * 4, 20 * 4),
        ({"trachea": airway}, -18 * 4, 8, 58),
    ):
        crop = structures(masks, grid=grid).crop
        u, v = crop.u - centre(grid)[0], crop.v - centre(grid)[1]
        assert u[[0, -1]] == pytest.approx([middle - 90, middle + 90], abs=4)
        assert v[0] == pytest.approx(front - 125, abs=8)
        assert v[-1] == pytest.approx(back, abs=8)  # every other row is looked at
    whole = structures({"liver": spine}, grid=grid).crop
    assert whole.u[[0, -1]] - centre(grid)[0] == pytest.approx([-90, 90], abs=4)


# -------------------------------------------------------------------------------------------- the landmark


@on_every_grid
def test_the_left_pulmonary_artery_is_what_lies_left_of_the_trachea(grid: Grid) -> None:
    trachea = box(grid, (-3, 3), (0, 4), (-10, 10))
    right, left = box(grid, (-20, 0), (-9, -4), (-6, 7)), box(grid, (0, 18), (-9, -4), (-6, 3))
    rule = LandmarkRule(
        name="left_pulmonary_artery_top",
        meaning="",
        attempts=(
            Attempt(
                method="left_top",
                organs=("pulmonary_artery", "trachea"),
                error_mm=4.0,
                inferred=False,
                how="the artery left of the trachea",
                source="OWN",
            ),
        ),
    )
    view = OrganView(patient(grid, {"trachea": trachea, "pulmonary_artery": right | left}))
    point = find_landmarks(view, [rule], {}).found["left_pulmonary_artery_top"].point_mm
    u, v, w = grid.frame.from_patient([point])[0] - centre(grid)
    assert (u, v, w) == pytest.approx((9 * steps(grid)[0], -6.5 * steps(grid)[1], 3 * 3.0))
    lacking = find_landmarks(OrganView(patient(grid, {"pulmonary_artery": left})), [rule], {}).missing
    assert lacking == {"left_pulmonary_artery_top": "not from the artery left of the trachea: no trachea"}
    only_right = OrganView(patient(grid, {"trachea": trachea, "pulmonary_artery": right}))
    assert find_landmarks(only_right, [rule], {}).missing == {
        "left_pulmonary_artery_top": "not from the artery left of the trachea: not seen there"
    }


def test_levels_of_the_atlas_are_found_by_known_methods_from_a_stated_landmark() -> None:
    rules = load_station_atlas().levels
    assert {attempt.method for rule in rules for attempt in rule.attempts} <= set(METHODS)
    carina = landmarks(HFS, {"carina": 6.0}).found["carina"].point_mm
    known = {rule.name: rule for rule in rules}
    view = OrganView(patient(HFS, {"heart": box(HFS, (0, 2), (0, 2), (0, 2))}))
    start = LandmarkRule(name="carina", meaning="", attempts=())
    got = find_landmarks(view, [start, *known.values()], {"carina": carina}).found
    heights = {name: one.point_mm[2] - carina[2] for name, one in got.items()}
    assert heights == pytest.approx(
        {
            "carina": 0.0,
            "azygos_vein_top": 10.0,
            "azygos_vein_low": 0.0,
            "left_pulmonary_artery_top": 0.0,
            "subcarinal_low": -40.0,
        }
    )
