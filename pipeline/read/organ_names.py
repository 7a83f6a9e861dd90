"""The names of organs: which ROI or mask file is which organ, by the synonyms of `atlas/organs.yaml`."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from pipeline.core.errors import UsageError
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated

Side = Literal["left", "right"]

_SIDES: tuple[Side, Side] = ("left", "right")
_SIDE, _NUMBER = "{side}", "{n}"
_MEANINGLESS = frozenset(" \t\u00a0-\u2013_.,()[]'\u2019")
_WITHOUT_MEANINGLESS = {ord(one): None for one in _MEANINGLESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganMatch:
    """What a name says: the organ, and the name's place in the organ's list (0: the organ's own name)."""

    organ: str
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganNames:
    """The organs of the atlas and their synonyms: see the comments of `atlas/organs.yaml`.

    Attributes:
        organs: the names, in the file's order.
        sides: the side that an organ lies on, for those of a pair.
        unions: organs made of others, where they were not given themselves; in an order fit for making them.
        synonyms: plain form of every name to what it means.
        file: the file's name.
    """

    organs: tuple[str, ...]
    sides: Mapping[str, Side]
    unions: Mapping[str, tuple[str, ...]]
    synonyms: Mapping[str, OrganMatch]
    file: str

    def find(self, name: str) -> OrganMatch | None:
        """The organ of an ROI or file name; None for a name that is no organ's."""
        return self.synonyms.get(plain(name))

    def known(self, names: Iterable[str]) -> frozenset[str]:
        """The organs that some names mean.

        Raises:
            UsageError: a name that is no organ's.
        """
        found = set()
        for name in names:
            match = self.find(name)
            if match is None:
                raise UsageError(
                    "no organ of this name", where=self.file, expected="a name of the atlas", got=repr(name)
                )
            found.add(match.organ)
        return frozenset(found)

    def needed(self, organ: str, available: Collection[str]) -> frozenset[str]:
        """Which of the available organs give this one: itself, or else what its union is made of."""
        if organ in available:
            return frozenset({organ})
        parts = self.unions.get(organ, ())
        return frozenset().union(*(self.needed(part, available) for part in parts))


class _Sides(Strict):
    left: list[str]
    right: list[str]


class _Series(Strict):
    first: int
    last: int
    names: list[str]


class _Document(Strict):
    edition: str
    sides: _Sides
    organs: dict[str, list[str]]
    paired: dict[str, list[str]]
    numbered: dict[str, _Series]
    unions: dict[str, list[str]]


def load_organ_names(path: Path | None = None) -> OrganNames:
    """Read the organs and their synonyms, by default those of `atlas/organs.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, or gives one name to two organs.
    """
    file = read_yaml(path or resource_folder("atlas") / "organs.yaml")
    document = validated(_Document, file)
    words: dict[Side, list[str]] = {"left": document.sides.left, "right": document.sides.right}
    organs: dict[str, KeyPath] = {}
    sides: dict[str, Side] = {}
    synonyms: dict[str, OrganMatch] = {}
    for entry in _entries(file, document):
        for side, number in product(entry.sides, entry.numbers):
            name = _filled(entry.name, side or "", number)
            if name in organs:
                raise file.problem("organ stands twice", entry.path, expected="each organ once", got=name)
            organs[name] = entry.path
            if side is not None:
                sides[name] = side
            said = words[side] if side is not None else [""]
            spelt = [[name], *(_spellings(text, said, number) for text in (*entry.implied, *entry.given))]
            for rank, forms in enumerate(spelt):
                _note(synonyms, forms, OrganMatch(organ=name, rank=rank), file, entry.path_of(rank))
    return OrganNames(
        organs=tuple(organs),
        sides=sides,
        unions=_checked_unions(file, document.unions, set(organs)),
        synonyms=synonyms,
        file=file.name,
    )


def plain(name: str) -> str:
    """A name without case, accents, blanks, dashes, underscores, full stops, commas and brackets.

    >>> plain("Lung (L)"), plain("Rückenmark"), plain("SpinalCord~")
    ('lungl', 'ruckenmark', 'spinalcord~')
    """
    folded = name.casefold()
    if folded.isascii():
        return folded.translate(_WITHOUT_MEANINGLESS)
    letters = unicodedata.normalize("NFKD", folded)
    return "".join(one for one in letters if one not in _MEANINGLESS and not unicodedata.combining(one))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of the file, its names still with their placeholders.

    `given` are the file's synonyms, `implied` the entry's own name in other words for its side and number.
    """

    name: str
    path: KeyPath
    list_path: KeyPath
    sides: tuple[Side | None, ...]
    numbers: tuple[int | None, ...]
    implied: tuple[str, ...]
    given: Sequence[str]

    def path_of(self, rank: int) -> KeyPath:
        """Where the name of a rank stands in the file."""
        at = rank - 1 - len(self.implied)
        return self.path if at < 0 else (*self.list_path, at)


def _entries(file: YamlFile, document: _Document) -> Iterator[_Entry]:
    for name, synonyms in document.organs.items():
        yield _entry(file, ("organs", name), synonyms)
    for name, synonyms in document.paired.items():
        yield _entry(file, ("paired", name), synonyms, side=True)
    for name, series in document.numbered.items():
        path: KeyPath = ("numbered", name)
        if not 0 <= series.first <= series.last:
            got = f"{series.first} to {series.last}"
            raise file.problem("numbers that do not count", path, expected="first up to last", got=got)
        numbers = tuple(range(series.first, series.last + 1))
        yield _entry(file, path, series.names, side=_SIDE in name, numbers=numbers)


def _entry(
    file: YamlFile,
    path: KeyPath,
    synonyms: Sequence[str],
    *,
    side: bool = False,
    numbers: tuple[int | None, ...] = (None,),
) -> _Entry:
    list_path = (*path, "names") if numbers != (None,) else path
    needed = {_SIDE: side, _NUMBER: numbers != (None,)}
    name = str(path[-1])
    for mark, here in needed.items():
        if (mark in name) != here:
            expected = f"{mark} in its name" if here else f"no {mark} in its name"
            raise file.problem("organ in the wrong group", path, expected=expected, got=name)
    for index, text in enumerate(synonyms):
        lacks_number = needed[_NUMBER] and _NUMBER not in text
        stray = any(mark in text for mark, here in needed.items() if not here)
        if lacks_number or stray or not plain(text):
            marks = " and ".join(mark for mark, here in needed.items() if here) or "no placeholder"
            raise file.problem(
                "synonym that cannot be used", (*list_path, index), expected=f"a name with {marks}", got=text
            )
    both: tuple[Side | None, ...] = _SIDES if side else (None,)
    return _Entry(
        name=name,
        path=path,
        list_path=list_path,
        sides=both,
        numbers=numbers,
        implied=(name.removesuffix(f"_{_SIDE}"),) if any(needed.values()) else (),
        given=synonyms,
    )


def _filled(text: str, side: str, number: int | None) -> str:
    return text.replace(_SIDE, side).replace(_NUMBER, "" if number is None else str(number))


def _spellings(text: str, side_words: Sequence[str], number: int | None) -> list[str]:
    """A synonym with every word for its side and both spellings of its number."""
    numbers = [""] if number is None else [str(number), f"{number:02d}"]
    sideless = _SIDE in text or side_words == [""]
    shapes = [text] if sideless else [text + _SIDE, _SIDE + text]
    return [
        shape.replace(_SIDE, word).replace(_NUMBER, digits)
        for shape, word, digits in product(shapes, side_words, numbers)
    ]


def _note(
    synonyms: dict[str, OrganMatch], forms: Sequence[str], match: OrganMatch, file: YamlFile, path: KeyPath
) -> None:
    for form in forms:
        known = synonyms.setdefault(plain(form), match)
        if known.organ != match.organ:
            raise file.problem(
                "one name for two organs", path, expected=f"a name that {known.organ} does not have", got=form
            )


def _checked_unions(
    file: YamlFile, unions: Mapping[str, list[str]], organs: set[str]
) -> dict[str, tuple[str, ...]]:
    made: set[str] = set()
    for name, parts in unions.items():
        made.add(name)
        for index, part in enumerate([name, *parts]):
            path: KeyPath = ("unions", name) if index == 0 else ("unions", name, index - 1)
            if part not in organs:
                raise file.problem(
                    "union of an unknown organ", path, expected="an organ of the file", got=part
                )
            if index and part in unions and (part not in made or part == name):
                raise file.problem("union before its parts", path, expected=f"{part} further up", got=name)
    return {name: tuple(parts) for name, parts in unions.items()}
