"""The station atlas: what the built-in file says, that no name in it hides, and how mistakes are answered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping

import pytest

from pipeline.anatomy.stations.derived import DERIVED
from pipeline.anatomy.stations.points import PATHS, POINTS
from pipeline.anatomy.stations.primitives import PRIMITIVES
from pipeline.core.atlas import StationAtlas, Term
from pipeline.core.errors import ConfigError
from pipeline.core.regions import Region
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.organ_names import load_organ_names
from pipeline.read.resources import resource_folder
from pipeline.read.station_names import load_station_names
from pipeline.read.station_rules import load_station_atlas

BUILT_IN = resource_folder("atlas") / "stations.yaml"
TEXT = BUILT_IN.read_text(encoding="utf-8")
ATLAS = load_station_atlas()
ORGANS = {match.organ for match in load_organ_names().synonyms.values()}
LEVELS = {rule.name for rule in (*load_landmark_rules(), *ATLAS.levels)}


def line_of(part: str) -> int:
    return TEXT[: TEXT.index(part)].count("\n") + 1


# ---------------------------------------------------------------------------------------- the built-in file


def test_the_atlas_has_the_stations_of_the_protocol_by_region() -> None:
    by_region: dict[Region, set[str]] = {}
    for name, rule in ATLAS.stations.items():
        by_region.setdefault(rule.region, set()).add(name)
    assert by_region == {
        Region.I: {"1R", "1L", "SCV_R", "SCV_L"},
        Region.II: {"2R", "2L", "4R", "4L", "8U"},
        Region.III: {"7", "8M", "8Lo", "9R", "9L"},
        Region.IV: {"15", "16", "17", "18", "19", "20"},
    }
    assert sorted(ATLAS.priority) == sorted(ATLAS.stations)
    assert ATLAS.least_cc == 0.2
    assert ATLAS.sha256 == hashlib.sha256(BUILT_IN.read_bytes()).hexdigest()


def test_the_stations_are_those_that_a_user_may_give() -> None:
    names = load_station_names()
    assert {match.organ for match in names.synonyms.values()} == set(ATLAS.stations)


def test_every_border_and_figure_has_its_source() -> None:
    for name, rule in ATLAS.stations.items():
        assert rule.minus, name
        for border, text in rule.borders.items():
            assert "[" in text or border == "as", (name, border, text)
    assert all(figure.mm > 0 for figure in ATLAS.figures.values())
    assert ATLAS.stations["SCV_L"].inset_mm == ATLAS.figures["scv_below_notch"].mm


def test_options_have_their_defaults() -> None:
    assert ATLAS.chosen({}) == {
        "boundary_1_2": "notch",
        "landmarks_2_4": "ajcc",
        "caudal_4R": "azygos_top",
        "caudal_4L": "carina",
    }
    assert ATLAS.chosen({"caudal_4L": "lpa_top"})["caudal_4L"] == "lpa_top"
    with pytest.raises(ConfigError, match=r"unknown option of the atlas; where: side; expected: one of"):
        ATLAS.chosen({"side": "left"})
    with pytest.raises(ConfigError, match=r"unknown choice .*one of notch, apex; got: carina"):
        ATLAS.chosen({"boundary_1_2": "carina"})


# ------------------------------------------------------------------------------------- no name of it hides

# What stands at each key of a term, and under which keys terms and ways have it.
STRUCTURE, LEVEL, FIGURE, DIRECTION, SWITCH, TERM = (
    "structure",
    "level",
    "figure",
    "direction",
    "switch",
    "term",
)
SHIFTS = dict.fromkeys(("leftward", "rightward", "backward", "forward", "up", "down"), FIGURE)
KEYS: Mapping[str, Mapping[str, str]] = {
    "slab": {"from": LEVEL, "to": LEVEL},
    "side": {"keep": DIRECTION, "of": STRUCTURE, "edge": DIRECTION, "move": DIRECTION, "by": FIGURE},
    "line_side": {"keep": DIRECTION, "through": STRUCTURE, "move": DIRECTION, "by": FIGURE},
    "hull": {"of": STRUCTURE, "hold": SWITCH},
    "near": {
        "of": STRUCTURE, "space": "space", "path": "path", "point": "point", "mm": FIGURE, "axial": SWITCH,
        "hold": SWITCH, "sloped": SWITCH,
    },
    "mask": {"name": STRUCTURE},
    "space": {"name": "space"},
    "centre": {"of": STRUCTURE, "at": LEVEL} | SHIFTS,
    "beside": {"of": STRUCTURE, "edge": DIRECTION, "at": LEVEL} | SHIFTS,
    "farthest": {"along": STRUCTURE, "from": STRUCTURE} | SHIFTS,
    "nearest": {"along": STRUCTURE, "to": "point", "side": DIRECTION, "least": FIGURE} | SHIFTS,
    "shifted": {"from": "point"} | SHIFTS,
    "centreline": {"of": STRUCTURE, "smooth": FIGURE, "first": FIGURE},
    "knots": {"knots": "knots", "first": FIGURE},
    "knot": {"behind": STRUCTURE, "before": STRUCTURE, "point": "point", "by": FIGURE, "at": LEVEL} | SHIFTS,
}  # fmt: skip


def terms_in(term: Term) -> Iterator[Term]:
    yield term
    for inner in term.terms:
        yield from terms_in(inner)


def all_terms(atlas: StationAtlas) -> list[Term]:
    ways = [way for listed in (*atlas.points.values(), *atlas.paths.values()) for way in listed]
    spaces = [*atlas.spaces.values(), *(rule.space for rule in atlas.stations.values())]
    return [*ways, *(inner for term in spaces for inner in terms_in(term))]


def said(term: Term) -> Iterator[tuple[str, str]]:
    """Kind and name of everything that a term names; KeyError for a key that it does not have."""
    for key, value in term.keys.items():
        yield from named(KEYS[term.primitive][key], value)


def named(kind: str, value) -> Iterator[tuple[str, str]]:
    if kind == "knots":
        for knot in value:
            yield from said(Term(primitive="knot", place="", keys=knot))
    elif kind == STRUCTURE and isinstance(value, tuple):
        for one in value:
            yield from named(kind, one)
    elif kind == STRUCTURE and isinstance(value, Mapping):
        assert set(value) == {"along", "nearest_to"}
        yield from ((kind, name) for name in value.values())
    elif kind == LEVEL and isinstance(value, Mapping):
        assert set(value) <= {"level", "above", "below"}
        yield (LEVEL, value["level"])
        yield from ((FIGURE, figure) for key, figure in value.items() if key != "level")
    else:
        yield (kind, value)


USED = {pair for term in all_terms(ATLAS) for pair in said(term)} | {
    (STRUCTURE, name) for rule in ATLAS.stations.values() for name in rule.minus
}
GROUPED = {(STRUCTURE, name) for members in ATLAS.groups.values() for name in members}
LOOKED_AT = {(STRUCTURE, organ) for rule in ATLAS.levels for one in rule.attempts for organ in one.organs}


def of_kind(kind: str, *pairs: set[tuple[str, str]]) -> set[str]:
    return {name for listed in (pairs or (USED,)) for found, name in listed if found == kind}


def test_every_structure_is_an_organ_a_group_or_derived() -> None:
    names = of_kind(STRUCTURE, USED, GROUPED, LOOKED_AT)
    known = ORGANS | set(ATLAS.groups) | set(DERIVED) | {"midline"} | IMAGE_ORGANS
    assert names - known == set()
    assert not set(ATLAS.groups) & (ORGANS | set(DERIVED)), "a name is one thing"


# What plain image processing finds, and no source names.
IMAGE_ORGANS = {"bone", "air", "main_bronchi"}


def test_every_other_name_points_to_something() -> None:
    assert of_kind(LEVEL) <= LEVELS | set(ATLAS.options)
    assert of_kind(FIGURE) <= set(ATLAS.figures)
    assert of_kind(DIRECTION) <= {"left", "right", "anterior", "posterior", "centre"}
    assert of_kind(SWITCH) == {True}
    assert of_kind("space") <= set(ATLAS.spaces)
    assert of_kind("point") <= set(ATLAS.points)
    assert of_kind("path") <= set(ATLAS.paths)


def test_everything_that_is_listed_is_used() -> None:
    insets = set(re.findall(r"inset: (\w+)", TEXT))
    assert of_kind(FIGURE) | insets == set(ATLAS.figures)
    assert of_kind("space") == set(ATLAS.spaces)
    assert of_kind("point") == set(ATLAS.points)
    assert of_kind("path") == set(ATLAS.paths)
    assert set(ATLAS.options) <= of_kind(LEVEL)
    # The lungs are filled by a derived structure.
    assert set(ATLAS.groups) - of_kind(STRUCTURE, USED, GROUPED) == {"lungs_all"}
    chosen = {name for option in ATLAS.options.values() for name in option.choices.values()}
    assert {rule.name for rule in ATLAS.levels} <= of_kind(LEVEL) | chosen


def test_every_source_is_used() -> None:
    cited = set(re.findall(r"\b[A-Z][A-Z0-9]*\b", TEXT.split("\noptions:")[1]))
    assert set(ATLAS.sources) <= cited


def test_every_primitive_is_used_or_is_for_maps_of_ones_own() -> None:
    used = {term.primitive for term in all_terms(ATLAS)}
    assert used <= set(PRIMITIVES) | set(POINTS) | set(PATHS)
    # tests/anatomy/stations/test_primitives.py tries it.
    assert (set(PRIMITIVES) | set(POINTS) | set(PATHS)) - used == {"mask"}


def test_terms_know_their_place() -> None:
    slab = ATLAS.stations["7"].space.terms[0]
    assert slab.primitive == "slab"
    line = line_of("      - {slab: {from: subcarinal_low, to: carina}}")
    assert slab.place == f"stations.yaml, line {line}, key stations.7.all_of.0.slab"
    assert str(slab.problem("no", expected="a", got="b")) == (
        f"no; where: {slab.place}; expected: a; got: b; what to do: correct the atlas file"
    )
