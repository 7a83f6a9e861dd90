"""The part of a station atlas that tells what a patient's stations are looked at for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from pipeline.core.atlas import Apart, StationChecks
from pipeline.read.yaml_file import Strict, YamlFile

Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
Ends = Annotated[list[float | int], Field(min_length=2, max_length=2)]


class _Apart(Strict):
    pair: Pair
    mm: float | int = Field(ge=0)


class Checks(Strict):
    """`checks` of an atlas, as the file has it."""

    source: str
    right: list[str] = Field(default_factory=list)
    left: list[str] = Field(default_factory=list)
    alike: list[str] = Field(default_factory=list)
    ratio: Ends = Field(default_factory=lambda: [0, float("inf")])
    touching: list[Pair] = Field(default_factory=list)
    apart: list[_Apart] = Field(default_factory=list)
    volumes_cc: dict[str, Ends] = Field(default_factory=dict)


def checks_of(
    file: YamlFile, checks: Checks | None, *, stations: Iterable[str], sources: Iterable[str]
) -> StationChecks:
    """What the file asks for; nothing where it has no `checks`.

    Raises:
        ConfigError: a source or station that there is not, sides that do not pair, ends the wrong way round.
    """
    if checks is None:
        return StationChecks()
    _check_names(file, checks, list(stations), list(sources))
    for name, (low, high) in {"ratio": checks.ratio, **checks.volumes_cc}.items():
        if not 0 <= low < high:
            at = ("checks", "ratio") if name == "ratio" else ("checks", "volumes_cc", name)
            raise file.problem(
                "ends that hold nothing", at, expected="least and largest", got=f"{low}, {high}"
            )
    return StationChecks(
        right=tuple(checks.right),
        left=tuple(checks.left),
        alike=tuple(checks.alike),
        ratio=_ends(checks.ratio),
        touching=tuple(_pair(names) for names in checks.touching),
        apart=tuple(Apart(pair=_pair(one.pair), mm=float(one.mm)) for one in checks.apart),
        volumes_cc={name: _ends(ends) for name, ends in checks.volumes_cc.items()},
    )


def _check_names(file: YamlFile, checks: Checks, stations: list[str], sources: list[str]) -> None:
    named = [
        ("source", [checks.source], sources),
        ("right", checks.right, stations),
        ("left", checks.left, stations),
        ("alike", checks.alike, checks.right),
        ("touching", [name for pair in checks.touching for name in pair], stations),
        ("apart", [name for one in checks.apart for name in one.pair], stations),
        ("volumes_cc", list(checks.volumes_cc), stations),
    ]
    for key, names, listed in named:
        for name in names:
            if name not in listed:
                raise file.problem(
                    "unknown name", ("checks", key), expected=f"one of {', '.join(listed)}", got=name
                )
    if len(checks.right) != len(checks.left):
        raise file.problem(
            "sides that do not pair",
            ("checks", "left"),
            expected=f"{len(checks.right)} stations, as at right",
            got=len(checks.left),
        )


def _pair(names: list[str]) -> tuple[str, str]:
    return (names[0], names[1])


def _ends(ends: list[float | int]) -> tuple[float, float]:
    return (float(ends[0]), float(ends[1]))
