"""Texts of options into values; what cannot be read is wrong use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.core.errors import UsageError
from pipeline.core.rules import ArmChoice, Ends, MarginName, Settings

if TYPE_CHECKING:
    from pipeline.core.case import LesionKind

_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
_FORMATS = ("rtstruct", "nifti")


def settings_from(
    *, arm: ArmChoice, margins: Iterable[str], switches: Iterable[str], off_protocol: bool
) -> Settings:
    """The settings that `--arm`, `--margin`, `--set` and `--off-protocol` state.

    Raises:
        UsageError: a text that is no `NAME=VALUE`, an unknown name, a value of the wrong kind, or a
            name stated twice.
    """
    ends: Ends | None = None
    fill_ptv_holes: bool | None = None
    barriers: dict[str, bool] = {}
    for key, value in _pairs(switches, option="--set", form="KEY=VALUE").items():
        if key == "ends":
            ends = _ends(value)
        elif key == "fill_ptv_holes":
            fill_ptv_holes = _switch(key, value)
        elif key.startswith("barriers."):
            barriers[key.removeprefix("barriers.")] = _switch(key, value)
        else:
            raise UsageError(
                "unknown setting",
                where=f"--set {key}",
                expected="ends, fill_ptv_holes or barriers.STRUCTURE",
                got=key,
                todo="margins are stated with --margin; see `rt-targets protocol show` for the structures",
            )
    return Settings(
        arm=arm,
        margins=_margins(margins),
        ends=ends,
        fill_ptv_holes=fill_ptv_holes,
        barriers=barriers,
        off_protocol=off_protocol,
    )


def gtv_choices(texts: Iterable[str]) -> tuple[tuple[str, LesionKind], ...]:
    """ROI names with their kind, from `ROI NAME=GTV-T|GTV-N`. The name may hold `=`; the last one counts.

    Raises:
        UsageError: no `=`, an empty name, an unknown kind, or a name stated twice.
    """
    from pipeline.core.case import LesionKind

    kinds = {kind.value: kind for kind in LesionKind}
    found = []
    for name, value in _pairs(texts, option="--gtv", form='"ROI NAME=GTV-T" or "ROI NAME=GTV-N"').items():
        if value.upper() not in kinds:
            raise UsageError(
                "unknown kind of lesion", where=f"--gtv {name}", expected=" or ".join(kinds), got=value
            )
        found.append((name, kinds[value.upper()]))
    return tuple(found)


def formats_from(text: str) -> frozenset[str]:
    """The formats of `--formats rtstruct,nifti`.

    Raises:
        UsageError: an unknown format.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _FORMATS:
            raise UsageError(
                "unknown output format", where="--formats", expected=", ".join(_FORMATS), got=name
            )
    return frozenset(names)


def atlas_options(texts: Iterable[str]) -> dict[str, str]:
    """Variants of the station map, from `KEY=VALUE`; whether the atlas knows them is told later.

    Raises:
        UsageError: no `=`, an empty name or value, or a name stated twice.
    """
    return _pairs(texts, option="--set", form="KEY=VALUE, for instance boundary_1_2=apex")


def _margins(texts: Iterable[str]) -> dict[MarginName, float]:
    margins: dict[MarginName, float] = {}
    for key, value in _pairs(texts, option="--margin", form="[ifi.]NAME=MM").items():
        name = key.removeprefix("ifi.")
        if name.startswith("eni."):
            raise UsageError(
                "elective nodal irradiation is not available in this version",
                where=f"--margin {key}",
                expected="margins of the IFI arm: ifi.NAME, or NAME alone",
                got=key,
            )
        if name not in {one.value for one in MarginName}:
            raise UsageError(
                "unknown margin",
                where=f"--margin {key}",
                expected=", ".join(MarginName),
                got=key,
                todo="the margins of PGTV and PTV are fixed by the protocol",
            )
        if MarginName(name) in margins:
            raise UsageError("stated twice", where=f"--margin {name}", expected="each margin once", got=key)
        margins[MarginName(name)] = _number(key, value)
    return margins


def _pairs(texts: Iterable[str], *, option: str, form: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.rpartition("="))
        if not (key and equals and value):
            raise UsageError("option cannot be read", where=option, expected=form, got=text)
        if key in pairs:
            raise UsageError("stated twice", where=f"{option} {key}", expected="each name once", got=text)
        pairs[key] = value
    return pairs


def _number(key: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise UsageError(
            "margin is not a number",
            where=f"--margin {key}",
            expected="millimetres, for instance 7.5",
            got=value,
        ) from error


def _switch(key: str, value: str) -> bool:
    if value.lower() not in _WORDS:
        raise UsageError(
            "setting cannot be read", where=f"--set {key}", expected="true or false, on or off", got=value
        )
    return _WORDS[value.lower()]


def _ends(value: str) -> Ends:
    if value not in {end.value for end in Ends}:
        raise UsageError("setting cannot be read", where="--set ends", expected=" or ".join(Ends), got=value)
    return Ends(value)
