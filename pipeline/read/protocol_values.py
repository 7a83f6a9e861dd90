"""What protocol files are made of: texts, lengths, ranges, switches, each with source and sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from pydantic import Field

from pipeline.core.margin import MAX_MARGIN_MM
from pipeline.core.ranged import Ranged
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile

# A is an assumption in every protocol: the sources are silent.
SourceKey = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$", max_length=16)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=64)]
Length = Annotated[float, Field(ge=0, le=MAX_MARGIN_MM)]


class Rule(Strict):
    """A rule in words, with the key of its source."""

    source: SourceKey
    rule: Text


class Fixed(Rule):
    """A figure that no user chooses."""

    value: Length


class FixedMargin(Fixed):
    """A margin that no user chooses."""

    unit: Literal["mm"]


class RangedMargin(Rule):
    """A margin with a range."""

    default: Length
    range: Annotated[list[Length], Field(min_length=2, max_length=2)]
    unit: Literal["mm"]


class Toggle(Rule):
    """Yes or no."""

    value: bool


class HasRange(Protocol):
    """What `ranged` takes."""

    @property
    def default(self) -> float: ...  # noqa: D102
    @property
    def range(self) -> Sequence[float]: ...  # noqa: D102


def ranged(file: YamlFile, path: KeyPath, figure: HasRange, *, source: str = "", unit: str = "mm") -> Ranged:
    """A figure with its range; the unit is for errors.

    Raises:
        ConfigError: the range runs backwards, or does not hold the default.
    """
    lowest, highest = figure.range
    if lowest > highest:
        raise file.problem(
            "range runs backwards", (*path, "range"), expected="lowest, then highest", got=figure.range
        )
    if not lowest <= figure.default <= highest:
        raise file.problem(
            "default outside its range",
            (*path, "default"),
            expected=f"{lowest:g} to {highest:g} {unit}",
            got=f"{figure.default:g} {unit}",
        )
    told = source or (figure.source if isinstance(figure, Rule) else "")
    return Ranged(default=figure.default, lowest=lowest, highest=highest, source=told)


def fixed(margin: FixedMargin) -> Ranged:
    """A margin that no user chooses, as a range of one value."""
    return Ranged(default=margin.value, lowest=margin.value, highest=margin.value, source=margin.source)
