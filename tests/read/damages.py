"""Random damage of structure sets, for Hypothesis: what is drawn does not depend on the file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from tests.read.dicom_tree import Coding, Element, Item, Tree, encoded, walk

CONTOUR_DATA = 0x30060050
_SYNTAX = 0x00020010

BAD_VALUES = (
    *(b"", b"\0", b"  ", b"\\", b"^", b"=", b"nan", b"NaN ", b"inf", b"-inf", b"1e400", b"1e308", b"-1e308"),
    *(b"0", b"1", b"2", b"3", b"-1", b"1.5", b"007", b"1_0", b"0x10", b"1,5", b"abc", b"1\\2\\3", b"1 2"),
    *(b"2147483648", b"99999999999999999999", 400 * b"9", b"\xff\xfe", b"\x00\x01", b"\x80\x80\x80\x80"),
    *(b"GTV-T", b"GTV", b"gtv-n ", b"POINT", b"CLOSEDPLANAR_XOR", b"closed_planar", b"OPEN_PLANAR"),
    *(b"EXTERNAL", b"RTSTRUCT", b"1..2", b"1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.5.1.4.1.1.481.3"),
    *(b"ISO_IR 192", b"ISO_IR 999", b"ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"\x1b$B\x1b(B", b"\xe3\x81"),
    *(b"line\nbreak", b"GTV-T\0", 16 * b"8", 64 * b"A", 3000 * b"GTV-", 70000 * b"x", 5000 * b"ab\\"),
    2000 * b"ab ",
)
VRS = (
    *b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN".split(),
    *(b"UR", b"US", b"UT", b"UV", b"ZZ", b"ds", b"\0\0", b"  "),
)
SYNTAXES = (
    *(b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2"),
    *(b"1.2.840.10008.1.2.4.50", b"1.2.3", b"", b"1.2.840.10008.5.1.4.1.1.2", b"\xff"),
)
NUMBERS = (
    *(b"0", b"1.0", b"-5", b"12.25", b"40", b"37", b" 5 ", b"1e1", b"", b" ", b"nan", b"-inf", b"1e400"),
    *(b"1e300", b"-1e20", b"1e9", b"4e5", b"1_0", b"1,5", b"5 5", b"0x1", b"x", b"\0", b"1\0", b"--1"),
    b"1e-320",
)
LENGTHS = (-300, -8, -2, -1, 1, 2, 8, 300, 1 << 15, 0xFFFE, 0xFFFF, 1 << 31, 0xFFFFFFFE, 0xFFFFFFFF)
TAGS = (
    *(0, 0x00020010, 0x00080005, 0x00091001, 0x00280010, 0x30060050, 0x300A00B0, 0x7FE00010),
    *(0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD),
)
_ITEM_START = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
STARTS = (
    _ITEM_START + b"\x06\x30\x40\x00SQ\0\0\xff\xff\xff\xff",
    _ITEM_START + b"\x06\x30\x40\x00\xff\xff\xff\xff",
)


@dataclass(frozen=True)
class Damage:
    """One damage.

    Attributes:
        kind: a key of the tables below.
        tag: which of the file's tags, in order of appearance; for damage of bytes, where in the file.
        nth: which of the elements of that tag.
        value: what the kind needs.
    """

    kind: str
    tag: int
    nth: int
    value: bytes | int | tuple[int, int]


def _drop(holder: list[Element], one: Element, value: object) -> None:
    holder.remove(one)


def _set_value(holder: list[Element], one: Element, value: bytes) -> None:
    one.value = value + b" " * (len(value) % 2)


def _set_odd_value(holder: list[Element], one: Element, value: bytes) -> None:
    one.value = value


def _set_vr(holder: list[Element], one: Element, value: bytes) -> None:
    one.vr = value


def _set_length(holder: list[Element], one: Element, value: int) -> None:
    one.length = _lie(len(one.value), value)


def _set_item_length(holder: list[Element], one: Element, value: int) -> None:
    if one.items:
        item = one.items[abs(value) % len(one.items)]
        item.length = _lie(len(encoded(Tree([], item.elements), Coding())), value) & 0xFFFFFFFF


def _lie(length: int, value: int) -> int:
    """Small ones are off by so much, large ones absolute."""
    return max(length + value, 0) if abs(value) < 2000 else value


def _set_tag(holder: list[Element], one: Element, value: int) -> None:
    one.tag = value


def _repeat(holder: list[Element], one: Element, value: object) -> None:
    holder.insert(holder.index(one), copy.deepcopy(one))


def _drop_item(holder: list[Element], one: Element, value: int) -> None:
    if one.items:
        one.items.pop(value % len(one.items))


def _repeat_item(holder: list[Element], one: Element, value: int) -> None:
    if one.items:
        one.items.extend(copy.deepcopy(one.items[value % len(one.items)]) for _ in range(1 + value % 40))


def _empty_item(holder: list[Element], one: Element, value: int) -> None:
    if one.items:
        one.items[value % len(one.items)].elements.clear()


def _turn_items(holder: list[Element], one: Element, value: int) -> None:
    one.items.reverse()


def _nest(holder: list[Element], one: Element, value: int) -> None:
    """Sequences in sequences, as deep as the value says; 0 is an empty one."""
    one.vr, one.value = b"SQ", []
    inside = one.items
    for _level in range(value):
        below = Element(one.tag, b"SQ", [])
        inside.append(Item([below]))
        inside = below.items


def _deepen(holder: list[Element], one: Element, value: bytes) -> None:
    """Thousands of sequences begun inside each other, none of them ended."""
    one.vr, one.value = b"SQ", 2000 * value


def _unknown(holder: list[Element], one: Element, value: object) -> None:
    """A sequence written as UN, in implicit VR as it should be."""
    if one.items:
        one.vr, one.value = b"UN", encoded(Tree([], [one]), Coding(implicit=True))[132 + 8 :]


OF_ELEMENTS: dict[str, tuple[Callable[..., None], st.SearchStrategy[object]]] = {
    "drop": (_drop, st.none()),
    "value": (_set_value, st.sampled_from(BAD_VALUES) | st.binary(max_size=40)),
    "odd value": (_set_odd_value, st.sampled_from(BAD_VALUES)),
    "VR": (_set_vr, st.sampled_from(VRS)),
    "length": (_set_length, st.sampled_from(LENGTHS)),
    "item length": (_set_item_length, st.sampled_from(LENGTHS)),
    "tag": (_set_tag, st.sampled_from(TAGS)),
    "repeat": (_repeat, st.none()),
    "drop item": (_drop_item, st.integers(0, 20)),
    "repeat item": (_repeat_item, st.integers(0, 40)),
    "empty item": (_empty_item, st.integers(0, 20)),
    "turn items": (_turn_items, st.none()),
    "nest": (_nest, st.sampled_from([0, 1, 2, 60])),
    "deepen": (_deepen, st.sampled_from(STARTS)),
    "unknown": (_unknown, st.none()),
}


def _cut(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at]


def _flip(content: bytes, at: int, value: bytes) -> bytes:
    flipped = bytes(one ^ mask for one, mask in zip(content[at:], value, strict=False))
    return content[:at] + flipped + content[at + len(flipped) :]


def _insert(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at:]


def _lose(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + content[at + 1 + 7 * len(value) :]


def _again(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + content[max(at - 20 * len(value), 0) :]


OF_BYTES = {"cut": _cut, "flip": _flip, "insert": _insert, "lose": _lose, "again": _again}


def _number(one: Element, at: int, value: bytes) -> None:
    """One number of a contour in the place of another; those that hold a backslash add numbers."""
    parts = one.value.split(b"\\")
    parts[at % len(parts)] = value
    one.value = b"\\".join(parts)


def _count(one: Element, at: int, value: bytes) -> None:
    """Numbers lost from the end."""
    one.value = b"\\".join(one.value.split(b"\\")[: -1 - at % 40])


def _points(one: Element, at: int, value: tuple[str, int]) -> None:
    """Other points in the same plane, thousands of them perhaps."""
    shape, count = value
    z = next((part for part in one.value.split(b"\\")[2:3] if part.startswith((b"3", b"4"))), b"40").decode()
    rng = np.random.default_rng(at)
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    xy = {
        "random": lambda: rng.uniform(-15, 20, (count, 2)),
        "line": lambda: np.column_stack([np.arange(count) * 0.1, np.zeros(count)]),
        "same": lambda: np.zeros((count, 2)),
        "zigzag": lambda: np.column_stack([np.arange(count) / count * 30, 20.0 * (np.arange(count) % 2)]),
        "star": lambda: 15 * ring[(np.arange(count) * (count // 2 - 1)) % count],
        "ring": lambda: 12 * ring * (1 + 0.01 * rng.standard_normal((count, 1))),
        "far": lambda: 1e9 * ring,
        "huge": lambda: 1e300 * ring,
        "tiny": lambda: 1e-3 * ring,
        "grid": lambda: rng.integers(-10, 10, (count, 2)).astype(float),
    }[shape]()
    text = (f"{x:.10g}\\{y:.10g}\\{z}" for x, y in xy)
    one.value = "\\".join(text).encode()


_SHAPES = ("random", "line", "same", "zigzag", "star", "ring", "far", "huge", "tiny", "grid")
_COUNTS = (1, 2, 3, 5, 40, 400, 3000, 9000)
OF_CONTOURS = {
    "number": (_number, st.sampled_from(NUMBERS)),
    "count": (_count, st.none()),
    "points": (
        _points,
        st.tuples(st.sampled_from(_SHAPES), st.sampled_from([1, 2, 3, 5, 40, 400, 3000, 9000])),
    ),
}

# One of these alone leaves a file whose geometry must be the same, or told to be another.
BREAKS_STRUCTURE = frozenset(
    {"drop", "VR", "length", "item length", "tag", "repeat", "empty item", "nest", "deepen", "unknown"}
    | {"syntax", "count", "cut", "lose", "again", "turn items"}
)

_PLACES = st.integers(0, 1 << 16)


def _damage(kind: str, value: st.SearchStrategy) -> st.SearchStrategy[Damage]:
    return st.builds(Damage, st.just(kind), _PLACES, _PLACES, value)


damages = st.one_of(
    *(_damage(kind, value) for kind, (_, value) in OF_ELEMENTS.items()),
    *(_damage(kind, value) for kind, (_, value) in OF_CONTOURS.items()),
    *(_damage(kind, st.binary(min_size=1, max_size=9)) for kind in OF_BYTES),
    _damage("copy", st.tuples(_PLACES, _PLACES)),
    _damage("syntax", st.sampled_from(SYNTAXES)),
)
codings = st.builds(Coding, implicit=st.booleans(), undefined=st.booleans()) | st.just(Coding(deflated=True))


def damaged(tree: Tree, coding: Coding, found: list[Damage]) -> bytes:
    """The file of a tree, damaged: elements first, bytes last."""
    tree = copy.deepcopy(tree)
    for one in found:
        if one.kind not in OF_BYTES:
            _damage_tree(tree, one)
    content = encoded(tree, coding)
    for one in found:
        if one.kind in OF_BYTES:
            content = OF_BYTES[one.kind](content, one.tag * 251 % (len(content) + 1), one.value)
    return content


def _damage_tree(tree: Tree, damage: Damage) -> None:
    everything = [*walk(tree.meta), *walk(tree.body)]
    if damage.kind == "syntax":
        for _, one in everything:
            if one.tag == _SYNTAX:
                one.value = damage.value
    elif damage.kind in OF_CONTOURS:
        contours = [one for _, one in everything if one.tag == CONTOUR_DATA and isinstance(one.value, bytes)]
        if contours:
            OF_CONTOURS[damage.kind][0](contours[damage.nth % len(contours)], damage.tag, damage.value)
    elif damage.kind == "copy":
        source, target = (_chosen(everything, *at) for at in (damage.value, (damage.tag, damage.nth)))
        target[1].value = copy.deepcopy(source[1].value)
    else:
        holder, one = _chosen(everything, damage.tag, damage.nth)
        OF_ELEMENTS[damage.kind][0](holder, one, damage.value)


def _chosen(everything: list, tag: int, nth: int) -> tuple[list[Element], Element]:
    """By tag first: there are hundreds of contours, and one of most other things."""
    tags = list(dict.fromkeys(one.tag for _, one in everything))
    alike = [pair for pair in everything if pair[1].tag == tags[tag % len(tags)]]
    return alike[nth % len(alike)]
