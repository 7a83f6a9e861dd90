"""The rules of the station atlas as values: `read/` reads the files, `anatomy/` carries the rules out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.core.anatomy import LandmarkRule
from pipeline.core.errors import ConfigError
from pipeline.core.frozen import FrozenMap
from pipeline.core.regions import Region

# What stands at a key of a rule: a name, a switch, a list, or keys below it. Figures stand in `figures` only.
Value = str | bool | tuple["Value", ...] | Mapping[str, "Value"]

# Primitives that are made of other terms; every other one has keys.
COMBINATIONS = frozenset({"all_of", "any_of", "first_of", "not"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a rule: a primitive with its keys, or a combination of terms.

    Attributes:
        primitive: its name; which there are, `pipeline.anatomy.primitives` tells.
        place: file, line and key, for errors.
        terms: of a combination.
        keys: of every other primitive.
    """

    primitive: str
    place: str
    terms: tuple[Term, ...] = ()
    keys: Mapping[str, Value] = field(default_factory=dict)

    def problem(self, what: str, *, expected: str = "", got: str = "") -> ConfigError:
        """The error for a term that cannot be carried out. To be raised by the caller."""
        return ConfigError(what, where=self.place, expected=expected, got=got, todo="correct the atlas file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the atlas in mm, with its source key."""

    mm: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A variant of the map: choice to the landmark that it stands for, and the default."""

    meaning: str
    choices: Mapping[str, str]
    default: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRule:
    """What a station is.

    Attributes:
        name, region: of the station.
        space: where it may be.
        minus: groups and organs that are taken out of it.
        needs: those of them without which it holds what it should not; told where one is not known.
        inset_mm: least distance from the skin; 0 for none.
        borders: direction to a phrase with its source key, for a reader.
    """

    name: str
    region: Region
    space: Term
    minus: tuple[str, ...]
    needs: tuple[str, ...] = ()
    inset_mm: float
    borders: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """Two stations that never come nearer to each other than `mm`; 0: that never touch."""

    pair: tuple[str, str]
    mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StationChecks:
    """What the stations of a patient are looked at for; all of it provisional.

    Attributes:
        right, left: stations of one side; the n-th of each are a pair.
        alike: of these, the ones whose volumes are compared.
        ratio: least and largest right volume as a part of the left one.
        touching: pairs that lie face to face.
        apart: pairs that do not.
        volumes_cc: station to least and largest volume.
    """

    right: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    ratio: tuple[float, float] = (0.0, float("inf"))
    touching: tuple[tuple[str, str], ...] = ()
    apart: tuple[Apart, ...] = ()
    volumes_cc: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "volumes_cc", FrozenMap(self.volumes_cc))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationAtlas:
    """The station atlas.

    Attributes:
        version, sha256: of the file.
        options: variants of the map, by name.
        figures: by name.
        groups: name to organs and groups.
        levels: further landmarks that the stations need, in the form of the landmark table.
        points, paths: name to the ways to make them, the best first; each a term.
        spaces: named terms that stations share.
        stations: in the order of the label map.
        priority: station names; a place that two want goes to the earlier one.
        least_cc: parts of a station that are smaller are dropped.
        sources: source key to evidence tag and text.
        checks: of a patient's stations.
    """

    version: str
    sha256: str
    options: Mapping[str, Option]
    figures: Mapping[str, Figure]
    groups: Mapping[str, tuple[str, ...]]
    levels: tuple[LandmarkRule, ...]
    points: Mapping[str, tuple[Term, ...]]
    paths: Mapping[str, tuple[Term, ...]]
    spaces: Mapping[str, Term]
    stations: Mapping[str, StationRule]
    priority: tuple[str, ...]
    least_cc: float
    sources: Mapping[str, str]
    checks: StationChecks = field(default_factory=StationChecks)

    def __post_init__(self) -> None:
        for name in ("options", "figures", "groups", "points", "paths", "spaces", "stations", "sources"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))

    def chosen(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Every option's choice: what is wanted, else the default.

        Raises:
            ConfigError: an option or a choice that the atlas does not have.
        """
        for name, choice in wanted.items():
            if name not in self.options:
                raise ConfigError(
                    "unknown option of the atlas",
                    where=name,
                    expected=f"one of {', '.join(self.options)}",
                    got=name,
                )
            if choice not in self.options[name].choices:
                raise ConfigError(
                    "unknown choice for an option of the atlas",
                    where=name,
                    expected=f"one of {', '.join(self.options[name].choices)}",
                    got=choice,
                )
        return {name: wanted.get(name, option.default) for name, option in self.options.items()}
