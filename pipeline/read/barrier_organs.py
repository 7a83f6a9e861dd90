"""The barriers of a protocol as organs: `atlas/barriers.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.barriers import BarrierOrgans
from pipeline.core.rules import BARRIERS
from pipeline.read.organ_names import OrganNames
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import Strict, read_yaml, validated


class _Barrier(Strict):
    organs: Annotated[list[str], Field(min_length=1)]
    needs: list[str] = Field(default_factory=list)
    whole: list[str] = Field(default_factory=list)
    filled: bool = False
    with_air_below_hu: Annotated[float, Field(ge=-1000, le=0)] | None = None
    air_apart_from: list[Literal["lung", "airway"]] = Field(default_factory=list)
    air_needs: list[str] = Field(default_factory=list)
    along: bool = False


class _Document(Strict):
    body: _Barrier
    lung: _Barrier
    airway: _Barrier
    bone: _Barrier
    heart: _Barrier
    great_vessels: _Barrier


def load_barrier_organs(names: OrganNames) -> dict[str, BarrierOrgans]:
    """Barrier to the organs that it is made of.

    Args:
        names: of the atlas; every organ of a barrier is one of them, or one that the image shows.

    Raises:
        ConfigError: the file does not keep to its form, or names an organ that the atlas does not have.
    """
    file = read_yaml(resource_folder("atlas") / "barriers.yaml")
    document = validated(_Document, file)
    known = {*names.organs, *_OF_IMAGE}
    found = {}
    for barrier in BARRIERS:
        entry: _Barrier = getattr(document, barrier)
        for key in ("organs", "needs", "whole", "air_needs"):
            for place, organ in enumerate(getattr(entry, key)):
                if organ not in known:
                    raise file.problem(
                        "unknown organ", (barrier, key, place), expected="an organ of organs.yaml", got=organ
                    )
        found[barrier] = BarrierOrgans(
            organs=tuple(entry.organs),
            needs=tuple(entry.needs),
            whole=tuple(entry.whole),
            filled=entry.filled,
            with_air_below_hu=entry.with_air_below_hu,
            air_apart_from=tuple(entry.air_apart_from),
            air_needs=tuple(entry.air_needs),
            along=entry.along,
        )
    return found


# What image processing finds and no mask is named by.
_OF_IMAGE = ("bone", "main_bronchi")
