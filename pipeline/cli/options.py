"""Texts of options into values; what cannot be read is wrong use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.core.errors import UsageError
from pipeline.core.rules import ENI, IFI, ArmChoice, Ends, MarginName, Settings

if TYPE_CHECKING:
    from pipeline.core.case import LesionKind

_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}
# Switches: whatever is said of them that is no switch's word is an error.
_BARRIER = "barriers."
_SWITCHES = ("fill_ptv_holes", "keep_uncropped")
_FORMATS = ("rtstruct", "nifti", "seg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What `--arm`, `--margin`, `--set` and the like state.

    Attributes:
        settings: beside the protocol.
        options: variants of the station map; whether the atlas knows them is told later.
    """

    settings: Settings
    options: Mapping[str, str]


def chosen_from(
    *,
    arm: ArmChoice,
    margins: Iterable[str],
    switches: Iterable[str],
    off_protocol: bool,
    allow_inferred: bool = True,
) -> Chosen:
    """The settings that the options state.

    A value that reads as a switch or a number belongs to the protocol; any other text is a variant of the
    station map.

    Raises:
        UsageError: a text that is no `NAME=VALUE`, an unknown margin, a value of the wrong kind, or a
            name stated twice.
    """
    ends: Ends | None = None
    bools: dict[str, bool] = {}
    figures: dict[str, float] = {}
    options: dict[str, str] = {}
    for key, value in _pairs(switches, option="--set", form="KEY=VALUE").items():
        if key == "ends":
            ends = _ends(value)
        elif key in _SWITCHES or key.startswith(_BARRIER) or value.lower() in _WORDS:
            bools[key] = _switch(key, value)
        elif (number := _as_number(value)) is not None:
            figures[key] = number
        else:
            options[key] = value
    by_arm = _margins(margins, arm)
    settings = Settings(
        arm=arm,
        margins=by_arm[IFI],
        eni_margins=by_arm[ENI],
        ends=ends,
        fill_ptv_holes=bools.pop("fill_ptv_holes", None),
        keep_uncropped=bools.pop("keep_uncropped", False),
        barriers={
            key.removeprefix("barriers."): bools.pop(key) for key in list(bools) if key.startswith(_BARRIER)
        },
        switches=bools,
        figures=figures,
        allow_inferred=allow_inferred,
        off_protocol=off_protocol,
    )
    return Chosen(settings=settings, options=options)


def gtv_choices(texts: Iterable[str]) -> tuple[tuple[str, LesionKind], ...]:
    """ROI names with their kind, from `ROI NAME=GTV-T|GTV-N`. The name may hold `=`; the last one counts.

    Raises:
        UsageError: no `=`, an empty name, an unknown kind, or a name stated twice.
    """
    given = list(texts)
    if not given:  # what the kinds need takes its time to load, and is loaded beside other work then
        return ()
    from pipeline.core.case import LesionKind

    kinds = {kind.value: kind for kind in LesionKind}
    found = []
    for name, value in _pairs(given, option="--gtv", form='"ROI NAME=GTV-T" or "ROI NAME=GTV-N"').items():
        if value.upper() not in kinds:
            raise UsageError(
                "unknown kind of lesion", where=f"--gtv {name}", expected=" or ".join(kinds), got=value
            )
        found.append((name, kinds[value.upper()]))
    return tuple(found)


def formats_from(text: str) -> frozenset[str]:
    """The formats of `--formats rtstruct,nifti,seg`.

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


def _margins(texts: Iterable[str], arm: ArmChoice) -> dict[str, dict[MarginName, float]]:
    """The margins of each arm."""
    margins: dict[str, dict[MarginName, float]] = {IFI: {}, ENI: {}}
    for key, value in _pairs(texts, option="--margin", form="[ifi.|eni.]NAME=MM").items():
        prefix, _, name = key.rpartition(".")
        if name not in {one.value for one in MarginName} or prefix not in {"", IFI, ENI}:
            raise UsageError(
                "unknown margin",
                where=f"--margin {key}",
                expected=f"ifi.NAME or eni.NAME, NAME being one of {', '.join(MarginName)}",
                got=key,
                todo="the margins of PGTV and PTV are fixed by the protocol",
            )
        which = prefix or _only_arm(arm, key)
        if arm in {ArmChoice.IFI, ArmChoice.ENI} and which != arm.value:
            raise UsageError(
                "margin of an arm that is not asked for",
                where=f"--margin {key}",
                expected=f"{arm.value}.{name}, or --arm both",
                got=key,
            )
        if MarginName(name) in margins[which]:
            raise UsageError("stated twice", where=f"--margin {name}", expected="each margin once", got=key)
        margins[which][MarginName(name)] = _number(key, value)
    return margins


def _only_arm(arm: ArmChoice, key: str) -> str:
    """The arm of a margin that does not name one."""
    if arm in {ArmChoice.IFI, ArmChoice.ENI}:
        return arm.value
    raise UsageError(
        "margin does not say for which arm",
        where=f"--margin {key}",
        expected=f"ifi.{key} or eni.{key} with --arm {arm.value}",
        got=key,
        todo="say which, or state one arm with --arm ifi or --arm eni",
    )


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


def _as_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


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
