"""From rules to stations: barriers, skin, priority, specks, conduit, stations of one's own, doubts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.build import build_stations
from pipeline.anatomy.views import AnatomicalView
from pipeline.core.anatomy import Landmarks, OrganSource
from pipeline.core.atlas import StationAtlas, StationRule
from pipeline.core.errors import ConfigError
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.solid import solid_from_contours
from pipeline.core.stations import OwnStation, OwnStations, StationOrigin, Stations
from tests.anatomy.places import box_contours
from tests.anatomy.stations.made import GRIDS, HFS, atlas, box, centre, landmarks, patient, steps, term
from tests.closed_forms import make_grid

on_every_grid = pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
LEVELS = {"low": -9.0, "mid": 3.0, "high": 12.0}
FIGURES = {"four": 4.0, "thirty": 30.0}
WHOLE = {"slab": {"from": "low", "to": "high"}}
LOWER, UPPER = {"slab": {"from": "low", "to": "mid"}}, {"slab": {"from": "mid", "to": "high"}}
ROOM = ((-12, 12), (-14, 14), (-12, 12))
IN_ROOM = {"mask": "room"}


def rule(space: dict[str, Any], **changes: Any) -> StationRule:
    values: dict[str, Any] = {"minus": (), "inset_mm": 0.0, "borders": {"all": "made [OWN]"}}
    return StationRule(name="", region=Region.III, space=term(space), **(values | changes))


def atlas_of(rules: Mapping[str, StationRule], *, least_cc: float = 0.0, **parts: Any) -> StationAtlas:
    stations = {name: replace(one, name=name) for name, one in rules.items()}
    made = atlas(**({"figures": FIGURES} | parts))
    return replace(made, stations=stations, priority=tuple(stations), least_cc=least_cc)


def build(
    grid, masks: Mapping[str, Any], rules: Mapping[str, StationRule], *, found: Landmarks | None = None,
    own: OwnStations | None = None, options: Mapping[str, str] | None = None, **parts: Any,
) -> Stations:  # fmt: skip
    """Stations of a patient whose room is a box; every rule's space lies in it."""
    of = patient(grid, {"room": box(grid, *ROOM)} | dict(masks))
    return build_stations(
        of, found or landmarks(grid, LEVELS), atlas_of(rules, **parts), own=own, options=options
    )


def cc(grid, *spans: tuple[float, float]) -> float:
    """Volume of a box told in voxel steps."""
    return float(np.prod([high - low for low, high in spans]) * np.prod(steps(grid)) / 1000.0)


def codes(stations: Stations) -> list[str]:
    return [finding.code for finding in stations.findings]


def labelled(stations: Stations, name: str) -> np.ndarray:
    return stations.labels == stations.label_of[name]


# --------------------------------------------------------------------------------- what is and is not built


@on_every_grid
def test_a_station_has_its_volume_and_its_voxels(grid) -> None:
    stations = build(grid, {}, {"7": rule({"all_of": [WHOLE, IN_ROOM]})})
    inside = box(grid, *ROOM[:2], (-3, 4))
    assert stations.built["7"].solid.volume_cc == pytest.approx(cc(grid, *ROOM[:2], (-3, 4)), rel=0.01)
    assert (labelled(stations, "7") == inside).all()
    assert stations.built["7"].landmarks == ("low", "high")
    assert stations.built["7"].notes == ()
    assert stations.findings == ()
    assert stations.built["7"].region is Region.III


def test_what_cannot_be_built_tells_its_reason() -> None:
    heart = {"side": {"keep": "left", "of": "heart"}}
    rules = {
        "no organ": rule({"all_of": [WHOLE, heart]}),
        "no landmark": rule({"slab": {"from": "low", "to": "apex"}}),
        "no point": rule({"near": {"point": "root", "mm": "four"}}),
        "no path": rule({"near": {"path": "bed", "mm": "four", "axial": True}}),
        "no room": rule({"slab": {"from": "high", "to": "low"}}),
        "filled": rule({"all_of": [WHOLE, IN_ROOM]}, minus=("room",)),
        "none of both": rule({"any_of": [heart, {"mask": "liver"}]}),
        "taken": rule({"all_of": [LOWER, IN_ROOM]}),
        "built": rule({"all_of": [WHOLE, IN_ROOM]}),
    }
    points = {"root": [{"centre": {"of": "aorta", "at": "low"}}]}
    paths = {"bed": [{"knots": [{"point": "root"}]}]}
    made = atlas_of(rules, points=points, paths=paths)
    made = replace(made, priority=("built", *(name for name in rules if name != "built")))
    stations = build_stations(patient(HFS, {"room": box(HFS, *ROOM)}), landmarks(HFS, LEVELS), made)
    assert dict(stations.not_built) == {
        "no organ": "no heart",
        "no landmark": "landmark apex is not known",
        "no point": "root: no aorta",
        "no path": "bed: fewer than two of its points are known",
        "no room": "its borders leave no room between them",
        "filled": "organs fill all of it",
        "none of both": "no heart; no liver",
        "taken": "stations ahead of it take all of it",
    }
    assert list(stations.built) == ["built"]
    (finding,) = stations.findings
    assert (finding.code, finding.severity) == ("STATION_NOT_BUILT", Severity.WARNING)
    assert "no organ: no heart; no landmark: landmark apex is not known" in finding.message


def test_notes_tell_what_was_inferred_or_lacking() -> None:
    found = landmarks(HFS, LEVELS)
    inferred = replace(found.found["low"], inferred=True, error_mm=6.4, how="3 mm below something")
    found = Landmarks(found={**found.found, "low": inferred})
    space = {"all_of": [WHOLE, IN_ROOM, {"first_of": [{"mask": "heart"}, IN_ROOM]}]}
    stations = build(HFS, {}, {"7": rule(space)}, found=found)
    assert stations.built["7"].notes == (
        "low is inferred: 3 mm below something, expected error 6 mm",
        "a border is inferred from the mask of room, for there is no heart",
    )
    assert stations.findings == (), "6 mm is not too much"


@pytest.mark.parametrize(
    "inferred, error, stops",
    [(True, 10.1, True), (True, 10.0, False), (False, 30.0, False)],
)
def test_a_level_told_from_something_far_off_stops(inferred: bool, error: float, stops: bool) -> None:
    found = landmarks(HFS, LEVELS | {"unused": 0.0})
    far = {
        name: replace(found.found[name], inferred=inferred, error_mm=error, how="told from the heart")
        for name in ("mid", "unused")
    }
    rules = {"7": rule({"all_of": [LOWER, IN_ROOM]}), "8M": rule({"all_of": [UPPER, IN_ROOM]})}
    stations = build(HFS, {}, rules, found=Landmarks(found={**found.found, **far}))
    expected = [
        Finding(
            code="LEVEL_UNCERTAIN",
            severity=Severity.STOP,
            where="landmark mid",
            message="It sets a level of 7, 8M and was only inferred (told from the heart), with an expected "
            "error of 10 mm, more than 10: look at it, and state it in a file with --landmarks",
        )
    ]
    assert list(stations.findings) == (expected if stops else [])


# ------------------------------------------------------------------------------------- barriers and the body


@on_every_grid
def test_barriers_are_taken_out_and_those_lacking_are_told(grid) -> None:
    half = box(grid, (0, 20), (-20, 20), (-12, 12))
    of = rule({"all_of": [WHOLE, IN_ROOM]}, minus=("chest", "vein"))
    groups = {"chest": ("heart", "vessels"), "vessels": ("aorta", "liver")}
    stations = build(grid, {"aorta": half}, {"7": of}, groups=groups)
    left = ((-12, 0), ROOM[1], (-3, 4))
    assert stations.built["7"].solid.volume_cc == pytest.approx(cc(grid, *left), rel=0.02)
    assert (labelled(stations, "7") == box(grid, *left)).all()
    (finding,) = stations.findings
    assert (finding.code, finding.severity) == ("BARRIER_ORGANS_NOT_KNOWN", Severity.INFO)
    assert finding.message == "Not known, and so not taken out of stations: heart, liver, vein."


@pytest.mark.parametrize("rest, told", [(2, True), (6, False)])
def test_a_station_of_which_organs_leave_hardly_anything_is_told(rest: int, told: bool) -> None:
    organ = box(HFS, (-12 + rest, 20), (-20, 20), (-12, 12))
    stations = build(HFS, {"aorta": organ}, {"7": rule({"all_of": [WHOLE, IN_ROOM]}, minus=("aorta",))})
    assert codes(stations) == (["STATION_FILLED"] if told else [])
    assert any(note.startswith("organs fill it: 8 % of") for note in stations.built["7"].notes) is told
    if told:
        assert stations.findings[0].message == "Organs fill almost all of 7: what is left is no station."


@on_every_grid
@pytest.mark.parametrize("inset", [0.0, 4.0])
def test_a_station_ends_at_the_skin_or_before_it(grid, inset: float) -> None:
    body = box(grid, (-40, 6), (-10, 40), (-12, 12))
    stations = build(grid, {"body": body}, {"7": rule({"all_of": [WHOLE, IN_ROOM]}, inset_mm=inset)})
    extents = np.array(stations.built["7"].solid.bounds_mm()) - np.repeat(centre(grid), 2)
    du, dv, _ = steps(grid)
    expected = [-12 * du, 6 * du - inset, -10 * dv + inset, 14 * dv, -9.0, 12.0]
    assert extents == pytest.approx(expected, abs=0.1)


# ---------------------------------------------------------------------------------------- priority and specks


@on_every_grid
def test_a_contested_place_goes_to_the_earlier_station(grid) -> None:
    rules = {"4R": rule({"all_of": [WHOLE, IN_ROOM]}), "4L": rule({"all_of": [UPPER, IN_ROOM]})}
    of, found = patient(grid, {"room": box(grid, *ROOM)}), landmarks(grid, LEVELS)
    made = atlas_of(rules)
    upper = box(grid, *ROOM[:2], (1, 4))
    first = build_stations(of, found, replace(made, priority=("4L", "4R")))
    assert (labelled(first, "4L") == upper).all()
    assert (labelled(first, "4R") == box(grid, *ROOM[:2], (-3, 1))).all()
    volumes = [first.built[name].solid.volume_cc for name in ("4R", "4L")]
    assert sum(volumes) == pytest.approx(cc(grid, *ROOM[:2], (-3, 4)), rel=0.02)
    last = build_stations(of, found, made)
    assert (labelled(last, "4R") == box(grid, *ROOM[:2], (-3, 4))).all()
    assert last.not_built == {"4L": "stations ahead of it take all of it"}
    assert list(first.regions) == ["4R", "4L"], "labels keep to the atlas's order"


@pytest.mark.parametrize("least, kept", [(0.0, 2), (0.5, 1), (90.0, 0)])
def test_parts_that_are_too_small_are_dropped(least: float, kept: int) -> None:
    island = box(HFS, (-9, -2), (-9, -1), (-2, 3)) | box(HFS, (5, 8), (5, 9), (-1, 2))  # 0.98 and 0.13 cc
    stations = build(HFS, {"islands": island}, {"7": rule({"mask": "islands"})}, least_cc=least)
    if not kept:
        assert stations.not_built == {"7": "what is left of it has no part of 90 cc"}
        assert codes(stations) == ["STATION_NOT_BUILT"]
        return
    expected = [cc(HFS, (0, 7), (0, 8), (0, 5)), cc(HFS, (0, 3), (0, 4), (0, 3))]
    assert stations.built["7"].solid.volume_cc == pytest.approx(sum(expected[:kept]), rel=0.05)


# ------------------------------------------------------------------------------------------------ the conduit


def conduit(grid, w=(-12, 12)) -> dict[str, Any]:
    return {"gastric_conduit": box(grid, (-6, 5), (-20, 20), w), "stomach": box(grid, (-6, 5), (-20, 20), w)}


@on_every_grid
def test_a_station_with_and_without_the_conduit(grid) -> None:
    masks = conduit(grid) | {"heart": box(grid, (8, 20), (-20, 20), (-12, 12))}
    of = rule({"all_of": [WHOLE, IN_ROOM]}, minus=("stomach", "heart"))
    above = rule({"slab": {"from": "high", "to": {"level": "high", "above": "thirty"}}}, minus=("heart",))
    stations = build(grid, masks, {"8M": of, "1R": above})
    one = stations.built["8M"]
    width = ROOM[1][1] - ROOM[1][0]
    assert one.with_conduit is not None
    assert one.with_conduit.volume_cc == pytest.approx(cc(grid, (0, 20), (0, width), (0, 7)), rel=0.02)
    assert one.solid.volume_cc == pytest.approx(cc(grid, (0, 9), (0, width), (0, 7)), rel=0.03)
    bare = box(grid, (-12, -6), ROOM[1], (-3, 4)) | box(grid, (5, 8), ROOM[1], (-3, 4))
    assert (labelled(stations, "8M") == bare).all()


def test_a_station_that_the_conduit_does_not_meet_has_no_second_form() -> None:
    stations = build(HFS, conduit(HFS, (6, 12)), {"8M": rule({"all_of": [WHOLE, IN_ROOM]})})
    assert stations.built["8M"].with_conduit is None


def test_a_station_that_the_conduit_fills_is_not_built() -> None:
    narrow = {"tube": box(HFS, (-4, 4), (-8, 8), (-12, 12))}
    stations = build(HFS, conduit(HFS) | narrow, {"8M": rule({"all_of": [WHOLE, {"mask": "tube"}]})})
    assert stations.not_built == {"8M": "the conduit fills it"}


# -------------------------------------------------------------------------------------- stations of one's own


def own(
    grid, name: str, u: tuple[float, float], v: tuple[float, float], w: tuple[float, float]
) -> OwnStations:
    """A box in voxel steps, as drawn on slices."""
    middle, step = centre(grid), steps(grid)
    spans = [(m + low * s, m + high * s) for m, s, (low, high) in zip(middle, step, (u, v, w), strict=True)]
    contours = box_contours(grid, (spans[0], spans[1], spans[2]))
    one = OwnStation(name=name, contours=contours, source=OrganSource.STRUCTURE_SET, detail="ROI LN")
    doubt = Finding(code="OWN", severity=Severity.INFO, where="", message="")
    return OwnStations(by_name={name: one}, findings=(doubt,))


@on_every_grid
def test_a_station_of_ones_own_takes_the_place_and_others_give_way(grid) -> None:
    rules = {
        "4R": rule({"all_of": [WHOLE, IN_ROOM]}, minus=("aorta",)),
        "4L": rule({"all_of": [WHOLE, IN_ROOM]}, minus=("aorta",)),
    }
    given = own(grid, "4L", (0, 8), (-10, 10), (-2, 2))
    stations = build(grid, {"aorta": box(grid, (4, 40), (-40, 40), (-12, 12))}, rules, own=given)
    mine, other = stations.built["4L"], stations.built["4R"]
    assert (mine.origin, other.origin) == (StationOrigin.PATIENT, StationOrigin.RULES)
    assert mine.notes == ("given by the user (structure set, ROI LN)",)
    assert mine.region is Region.III
    assert mine.solid.volume_cc == pytest.approx(cc(grid, (0, 8), (0, 20), (0, 4)), rel=0.01)
    drawn = box(grid, (0, 8), (-10, 10), (-2, 2))
    assert (labelled(stations, "4L") == drawn).all(), "no barrier is cut from it"
    room = box(grid, (-12, 4), ROOM[1], (-3, 4))
    assert (labelled(stations, "4R") == (room & ~drawn)).all()
    assert codes(stations) == ["OWN"]


def test_a_station_of_ones_own_may_reach_beyond_the_surroundings_of_the_spine() -> None:
    grid = make_grid(size=(120, 60, 12), spacing_mm=(3.0, 3.0, 5.0))
    spine = box(grid, (-5, 5), (10, 20), (-6, 6))
    rules = {"SCV_L": rule({"mask": "room"})}
    of = patient(grid, {"vertebrae_T1": spine, "room": box(grid, (-8, 8), (-8, 8), (-2, 2))})
    given = own(grid, "SCV_L", (20, 50), (-8, 8), (-2, 2))  # up to 150 mm from the middle
    stations = build_stations(of, landmarks(grid, LEVELS), atlas_of(rules), own=given)
    assert (labelled(stations, "SCV_L") == box(grid, (20, 50), (-8, 8), (-2, 2))).all()


def test_a_station_that_the_atlas_does_not_have_is_left_alone() -> None:
    rules = {"7": rule({"all_of": [WHOLE, IN_ROOM]})}
    stations = build(HFS, {}, rules, own=own(HFS, "110", (0, 8), (-10, 10), (-2, 2)))
    assert list(stations.built) == ["7"]


# ---------------------------------------------------------------------------------------------------- options


def test_an_option_chooses_the_level() -> None:
    rules = {"2R": rule({"all_of": [{"slab": {"from": "low", "to": "border"}}, IN_ROOM]})}
    options = {"border": {"by_high": "high", "by_mid": "mid"}}
    of, made = patient(HFS, {"room": box(HFS, *ROOM)}), atlas_of(rules, options=options)
    for chosen, top in (({}, 12.0), ({"border": "by_mid"}, 3.0)):
        stations = build_stations(of, landmarks(HFS, LEVELS), made, options=chosen)
        assert stations.built["2R"].solid.bounds_mm()[5] - centre(HFS)[2] == pytest.approx(top, abs=0.01)
        assert dict(stations.options) == {"border": "by_high"} | chosen
    with pytest.raises(ConfigError, match="unknown option of the atlas"):
        build(HFS, {}, rules, options={"side": "left"})


def test_voxels_are_labelled_as_the_scan_stores_them() -> None:
    grid = GRIDS["HFDL, turned, from head to foot"]
    stations = build(
        grid, {}, {"7": rule({"all_of": [WHOLE, IN_ROOM, {"side": {"keep": "left", "of": "room"}}]})}
    )
    view = AnatomicalView(grid=grid)
    seen = view.of(labelled(stations, "7"))
    room = OrganView(patient(grid, {"room": box(grid, *ROOM)})).mask("room")
    columns = [np.flatnonzero(mask.any(axis=(0, 1))) for mask in (seen, room)]
    assert columns[0].min() == columns[1].min() + 12
    assert columns[0].max() == columns[1].max()


def test_the_solid_of_ones_own_is_the_one_of_its_contours() -> None:
    given = own(HFS, "7", (-9, 3), (-7, 11), (-3, 2))
    stations = build(HFS, {}, {"7": rule(WHOLE)}, own=given)
    alone = solid_from_contours(given.by_name["7"].contours)
    assert stations.built["7"].solid.volume_cc == pytest.approx(alone.volume_cc, rel=0.01)
