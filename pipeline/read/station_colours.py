"""The colours of the stations: `configs/colours/stations.yaml`, checked on loading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.core.regions import Region
from pipeline.core.rules import Colour
from pipeline.core.station_colours import StationColours
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import Strict, read_yaml, validated

Byte = Annotated[int, Field(ge=0, le=255)]
_Rgb = Annotated[list[Byte], Field(min_length=3, max_length=3)]


class _Regions(Strict):
    one: Annotated[_Rgb, Field(alias="I")]
    two: Annotated[_Rgb, Field(alias="II")]
    three: Annotated[_Rgb, Field(alias="III")]
    four: Annotated[_Rgb, Field(alias="IV")]


class _Lesions(Strict):
    tumour: Annotated[_Rgb, Field(alias="GTV-T")]
    node: Annotated[_Rgb, Field(alias="GTV-N")]


class _Document(Strict):
    regions: _Regions
    stations: dict[str, _Rgb]
    lesions: _Lesions


def load_station_colours(path: Path | None = None) -> StationColours:
    """Read the colours, by default those of `configs/colours/stations.yaml`.

    Raises:
        ConfigError: the file does not keep to its form.
    """
    file = read_yaml(path or resource_folder("configs") / "colours" / "stations.yaml")
    document = validated(_Document, file)
    regions, lesions = document.regions, document.lesions
    return StationColours(
        regions={
            Region.I: _rgb(regions.one),
            Region.II: _rgb(regions.two),
            Region.III: _rgb(regions.three),
            Region.IV: _rgb(regions.four),
        },
        stations={name: _rgb(values) for name, values in document.stations.items()},
        lesions={"GTV-T": _rgb(lesions.tumour), "GTV-N": _rgb(lesions.node)},
    )


def _rgb(values: list[int]) -> Colour:
    red, green, blue = values
    return (red, green, blue)
