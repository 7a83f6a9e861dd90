"""The file of facts: what the choice of arm needs and no image tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.decision import Facts, Gullet, Resection
from pipeline.core.errors import InputError
from pipeline.core.regions import Region
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated


class _Document(Strict):
    resection: Literal["R0", "R1", "R2"] | None = None
    months_to_recurrence: Annotated[float, Field(ge=0, le=600)] | None = None
    largest_diameter_mm: Annotated[float, Field(gt=0, le=500)] | None = None
    regions: object = None
    close_to_stomach: bool | None = None
    gullet: Literal["resected", "in_place"] | None = None


def read_facts(path: Path) -> Facts:
    """Read a file of facts, YAML or JSON (which is YAML).

    Raises:
        InputError: there is no such file.
        ConfigError: an unknown key, a value of the wrong kind or out of range; names file, line and key.
    """
    if not path.is_file():
        raise InputError(
            "no file of facts",
            where=str(path),
            expected="a YAML or JSON file",
            got="a folder" if path.is_dir() else "nothing there",
        )
    file = read_yaml(path)
    if file.content is None:
        raise file.problem(
            "file of facts is empty",
            (),
            expected="facts such as resection: R0 and months_to_recurrence: 18, one a line",
            got="nothing",
            todo="state what is known, or leave --facts out",
        )
    document = validated(_Document, file)
    listed, by_lesion = _regions(file, document.regions)
    return Facts(
        resection=None if document.resection is None else Resection(document.resection),
        months_to_recurrence=document.months_to_recurrence,
        largest_diameter_mm=document.largest_diameter_mm,
        regions=listed,
        region_by_lesion=by_lesion,
        close_to_stomach=document.close_to_stomach,
        gullet=None if document.gullet is None else Gullet(document.gullet),
        sha256=file.sha256,
    )


def _regions(file: YamlFile, given: object) -> tuple[tuple[Region, ...], dict[str, Region]]:
    """Regions as a list for the case, or by lesion."""
    if given is None:
        return (), {}
    if isinstance(given, dict):
        return (), {str(lesion): _region(file, ("regions", lesion), one) for lesion, one in given.items()}
    if not isinstance(given, list) or not given:
        raise file.problem(
            "regions cannot be read",
            ("regions",),
            expected="a list, [II, III], or lesions with their regions, {GTV-N1: II}",
            got=given,
        )
    listed = tuple(_region(file, ("regions", place), one) for place, one in enumerate(given))
    if len(set(listed)) < len(listed):
        raise file.problem("region stands twice", ("regions",), expected="each region once", got=given)
    return listed, {}


def _region(file: YamlFile, path: KeyPath, given: object) -> Region:
    known = [region.value for region in Region]
    if given not in known:
        raise file.problem("unknown region", path, expected=f"one of {', '.join(known)}", got=given)
    return Region(str(given))
