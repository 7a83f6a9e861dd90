"""Which ROI is which lesion: by the name patterns of `configs/roles.yaml`, or as the user says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.case import LesionKind
from pipeline.core.errors import StructureError, UsageError
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import Strict, YamlFile, read_yaml, validated

Patterns = tuple[re.Pattern[str], ...]

_MOST_NAMES = 60  # told in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRules:
    """Name patterns: see the comments of `configs/roles.yaml`.

    Attributes:
        tumour, node, plain: one must match the whole name.
        exclude: none may be found in the name.
        file: the file's name.
    """

    tumour: Patterns
    node: Patterns
    plain: Patterns
    exclude: Patterns
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GtvChoice:
    """The user's word that an ROI is a lesion: `--gtv "ROI NAME=GTV-T"`."""

    roi_name: str
    kind: LesionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One lesion: the position of its ROI in the list of names, its kind, and its name in the output."""

    index: int
    kind: LesionKind
    name: str


class _Document(Strict):
    tumour: list[str]
    node: list[str]
    plain: list[str]
    exclude: list[str]


def load_roles(path: Path | None = None) -> RoleRules:
    """Read the name patterns, by default those of `configs/roles.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, or holds a pattern that cannot be compiled.
    """
    file = read_yaml(path or resource_folder("configs") / "roles.yaml")
    document = validated(_Document, file)
    return RoleRules(
        tumour=_compiled(file, "tumour", document.tumour),
        node=_compiled(file, "node", document.node),
        plain=_compiled(file, "plain", document.plain),
        exclude=_compiled(file, "exclude", document.exclude),
        file=file.name,
    )


def _compiled(file: YamlFile, key: str, patterns: list[str]) -> Patterns:
    compiled = []
    for index, pattern in enumerate(patterns):
        try:
            compiled.append(re.compile(pattern, re.IGNORECASE))
        except re.error as error:
            raise file.problem(
                "pattern that cannot be compiled",
                (key, index),
                expected=f"a regular expression ({error.msg})",
                got=pattern,
            ) from error
    return tuple(compiled)


def guess_role(name: str, rules: RoleRules) -> LesionKind | None:
    """What the name alone says; a plain `GTV` counts as tumour. None for anything else."""
    group = _group(name.strip(), rules)
    if group is None:
        return None
    return LesionKind.NODE if group == "node" else LesionKind.TUMOUR


def assign_lesions(
    names: Sequence[str],
    rules: RoleRules,
    choices: Sequence[GtvChoice] = (),
    *,
    where: str = "",
) -> tuple[Assignment, ...]:
    """Decide which names are lesions: tumours first, then nodes, each in the order of the names.

    Choices take the place of the patterns.

    Raises:
        StructureError: no lesion, or the names do not settle it; the message lists the ROIs.
    """
    kinds = _chosen(names, choices, where) if choices else _guessed(names, rules, where)
    if not kinds:
        raise StructureError(
            "no GTV among the ROIs",
            where=where,
            expected=f"a name that {rules.file} knows, such as GTV-T or GTV-N",
            got=_listed(names),
            todo='name it with --gtv "ROI NAME=GTV-T" (or =GTV-N)',
        )
    assigned = []
    for kind in LesionKind:
        of_kind = sorted(index for index, its_kind in kinds.items() if its_kind is kind)
        for number, index in enumerate(of_kind, start=1):
            name = kind.value if len(of_kind) == 1 else f"{kind.value}{number}"
            assigned.append(Assignment(index=index, kind=kind, name=name))
    return tuple(assigned)


def unrecognised(names: Sequence[str], used: Sequence[int], rules: RoleRules) -> tuple[str, ...]:
    """Names with `gtv` in them that no pattern knows or excludes and that are not used."""
    return tuple(
        name
        for index, name in enumerate(names)
        if index not in used
        and "gtv" in name.lower()
        and not any(pattern.search(name) for pattern in rules.exclude)
    )


def find_name(names: Sequence[str], wanted: str, where: str) -> int:
    """Position of a name: the exact one first, else the only one that is equal ignoring case.

    Raises:
        StructureError: there is none, or there are several.
    """
    wanted = wanted.strip()
    exact = [index for index, name in enumerate(names) if name.strip() == wanted]
    alike = [index for index, name in enumerate(names) if name.strip().casefold() == wanted.casefold()]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if not found:
        raise StructureError(
            "no ROI of this name",
            where=where,
            expected=f"one of {_listed(names)}",
            got=repr(wanted),
            todo="give --gtv a name of this list",
        )
    raise StructureError(
        "several ROIs of this name",
        where=where,
        expected="one",
        got=", ".join(repr(names[index]) for index in found),
        todo="give --gtv the name in its exact spelling, or rename the ROIs",
    )


def _chosen(names: Sequence[str], choices: Sequence[GtvChoice], where: str) -> dict[int, LesionKind]:
    kinds: dict[int, LesionKind] = {}
    for choice in choices:
        index = find_name(names, choice.roi_name, where)
        if kinds.setdefault(index, choice.kind) is not choice.kind:
            raise UsageError(
                "one ROI chosen as two kinds of lesion",
                where="--gtv",
                expected="GTV-T or GTV-N",
                got=f"both for {choice.roi_name!r}",
            )
    return kinds


def _guessed(names: Sequence[str], rules: RoleRules, where: str) -> dict[int, LesionKind]:
    groups = {index: _group(name.strip(), rules) for index, name in enumerate(names)}
    plain = [names[index] for index, group in groups.items() if group == "plain"]
    tumours = [names[index] for index, group in groups.items() if group == "tumour"]
    torn = [names[index] for index, group in groups.items() if group == "both"]
    if torn or len(plain) > 1 or (plain and tumours):
        raise StructureError(
            "which ROIs are the GTVs is ambiguous",
            where=where,
            expected="names that tell each GTV-T and GTV-N apart",
            got=", ".join(repr(name) for name in torn or tumours + plain) + f"; all ROIs: {_listed(names)}",
            todo='name each lesion with --gtv "ROI NAME=GTV-T" or --gtv "ROI NAME=GTV-N"',
        )
    kind_of = {"tumour": LesionKind.TUMOUR, "plain": LesionKind.TUMOUR, "node": LesionKind.NODE}
    return {index: kind_of[group] for index, group in groups.items() if group}


def _group(name: str, rules: RoleRules) -> str | None:
    """`tumour`, `node`, `plain`, `both` where patterns of both kinds match, or None."""
    if any(pattern.search(name) for pattern in rules.exclude):
        return None
    tumour = any(pattern.fullmatch(name) for pattern in rules.tumour)
    node = any(pattern.fullmatch(name) for pattern in rules.node)
    if tumour and node:
        return "both"
    if tumour or node:
        return "tumour" if tumour else "node"
    return "plain" if any(pattern.fullmatch(name) for pattern in rules.plain) else None


def _listed(names: Sequence[str]) -> str:
    told = ", ".join(repr(name) for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return told + more or "no ROI at all"
