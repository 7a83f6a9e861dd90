"""What a source offers: candidates by name, of which one an organ (or a station) is chosen and loaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask
from pipeline.read.organ_names import OrganNames

_MOST_TOLD = 12  # names in one message
_BODY = "body"
_EXTERNAL = "EXTERNAL"


class Kind(StrEnum):
    """What is looked for, as messages call it."""

    ORGAN = "organ"
    STATION = "station"

    @property
    def one(self) -> str:
        """The word with its article."""
        return f"an {self}" if self is Kind.ORGAN else f"a {self}"

    def code(self, doubt: str) -> str:
        """The code of a finding, such as `ORGAN_EMPTY`."""
        return f"{self.name}_{doubt}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A candidate as read.

    Attributes:
        mask: may be empty; None where the candidate could not be used.
        findings: the doubts about it.
        contours: what it was drawn with, of an ROI.
    """

    mask: Mask | None
    findings: tuple[Finding, ...] = ()
    contours: Contours | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """An ROI, file or label that may be an organ or a station.

    Attributes:
        name: as found.
        detail: where it stands, for the record.
        load: reads it.
        interpreted_type: of an ROI; empty for masks.
    """

    name: str
    detail: str
    load: Callable[[], Loaded]
    interpreted_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chosen:
    """Organ to its one candidate, and what was doubtful about names."""

    by_organ: Mapping[str, Candidate]
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]


def choose(
    candidates: Iterable[Candidate], names: OrganNames, *, where: str, kind: Kind = Kind.ORGAN
) -> Chosen:
    """One candidate an organ: the one whose name stands further ahead in the atlas.

    An ROI of type EXTERNAL is the body before any name. Where two stand equally, nobody can tell which is
    meant: neither is used, and the organ is left to the next source.
    """
    offers: dict[str, list[tuple[tuple[int, int], Candidate]]] = {}
    unknown = []
    for one in candidates:
        match = names.find(one.name)
        if one.interpreted_type.upper() == _EXTERNAL:
            rank = match.rank if match and match.organ == _BODY else len(names.synonyms)
            offers.setdefault(_BODY, []).append(((0, rank), one))
        elif match is None:
            unknown.append(one.name)
        else:
            offers.setdefault(match.organ, []).append(((1, match.rank), one))
    by_organ: dict[str, Candidate] = {}
    findings = []
    for organ, ranked in offers.items():
        first = min(rank for rank, _ in ranked)
        best = [one for rank, one in ranked if rank == first]
        if len(best) == 1:
            by_organ[organ] = best[0]
        if len(ranked) > 1:
            used = best[0] if len(best) == 1 else None
            findings.append(_several(organ, [one for _, one in ranked], used, where, kind))
    return Chosen(by_organ=by_organ, findings=tuple(findings), unknown=tuple(unknown))


def load_organs(
    chosen: Chosen,
    names: OrganNames,
    *,
    grid: Grid,
    source: OrganSource,
    wanted: frozenset[str] | None,
    at_once: int = 1,
) -> Organs:
    """Load what is wanted of the chosen candidates, and make the unions that they allow.

    Args:
        chosen: the candidates.
        names: the atlas.
        grid: of the CT.
        source: which kind of source they are of.
        wanted: organs; None for all.
        at_once: how many are loaded at one time, each by a thread.
    """
    available = chosen.by_organ
    ask_for = available.keys() if wanted is None else wanted
    needed = frozenset().union(*(names.needed(organ, available) for organ in ask_for))
    todo = [(organ, candidate) for organ, candidate in available.items() if organ in needed]
    with ThreadPoolExecutor(max_workers=max(1, min(at_once, os.cpu_count() or 1))) as threads:
        loaded = list(threads.map(lambda pair: pair[1].load(), todo))
    findings = list(chosen.findings)
    by_name: dict[str, Organ] = {}
    empty = []
    for (organ, candidate), one in zip(todo, loaded, strict=True):
        findings += one.findings
        if one.mask is None:
            continue
        if not one.mask.is_empty:
            by_name[organ] = Organ(name=organ, mask=one.mask, source=source, detail=candidate.detail)
        else:
            empty.append(organ)
    if empty:
        findings.append(empty_finding(empty, source))
    for union in names.unions:
        if wanted is None or any(union in _with_parts(organ, names) for organ in wanted):
            _unite(union, by_name, empty, names)
    return Organs(grid=grid, by_name=by_name, findings=tuple(findings))


def told(items: Sequence[str]) -> str:
    """Names in words, the first of them."""
    more = f" and {len(items) - _MOST_TOLD} more" if len(items) > _MOST_TOLD else ""
    return ", ".join(items[:_MOST_TOLD]) + more


def empty_finding(organs: Sequence[str], source: OrganSource, kind: Kind = Kind.ORGAN) -> Finding:
    """Organs or stations of a source without a voxel."""
    return Finding(
        code=kind.code("EMPTY"),
        severity=Severity.INFO,
        where=f"{kind}s of the {source}",
        message=f"Empty, and taken as not there: {told(sorted(organs))}.",
    )


def _with_parts(organ: str, names: OrganNames) -> set[str]:
    return {organ}.union(*(_with_parts(part, names) for part in names.unions.get(organ, ())))


def _unite(union: str, by_name: dict[str, Organ], empty: list[str], names: OrganNames) -> None:
    """Add a union whose parts the source has or says to be empty; one it is silent about may be anywhere."""
    parts = names.unions[union]
    there = [by_name[part] for part in parts if part in by_name]
    if union in by_name or union in empty or not there:
        return
    if not all(part in by_name or part in empty for part in parts):
        return
    mask = there[0].mask
    for part in there[1:]:
        mask = mask | part.mask
    detail = f"union of {', '.join(part.name for part in there)}"
    by_name[union] = Organ(name=union, mask=mask, source=there[0].source, detail=detail)


def _several(
    organ: str, offers: Sequence[Candidate], used: Candidate | None, where: str, kind: Kind
) -> Finding:
    listed = told([repr(one.name) for one in offers])
    if used is None:
        return Finding(
            code=kind.code("NAME_AMBIGUOUS"),
            severity=Severity.WARNING,
            where=where,
            message=f"Several could be {organ}, and nothing tells which is meant: {listed}. None was used; "
            "rename or remove all but one.",
        )
    return Finding(
        code=kind.code("SEVERAL_NAMES"),
        severity=Severity.INFO,
        where=where,
        message=f"Several could be {organ}: {listed}. {used.name!r} was used, whose name comes first.",
    )
