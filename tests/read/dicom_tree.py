"""A DICOM file as a tree of raw elements, and back: what pydicom would refuse to write is written."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PREAMBLE = 128 * b"\0" + b"DICM"
_SYNTAX = 0x00020010


@dataclass(eq=False)
class Item:
    """One item of a sequence; `length` lies about it."""

    elements: list[Element]
    length: int | None = None


@dataclass(eq=False)
class Element:
    """One element: raw bytes, or the items of a sequence; `length` lies about it."""

    tag: int
    vr: bytes
    value: bytes | list[Item] = b""
    length: int | None = None

    @property
    def items(self) -> list[Item]:
        return self.value if isinstance(self.value, list) else []


@dataclass(eq=False)
class Tree:
    """A file: its meta elements (always explicit VR) and its own."""

    meta: list[Element]
    body: list[Element]


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How a tree is written."""

    implicit: bool = False
    undefined: bool = False
    deflated: bool = False

    @property
    def syntax(self) -> bytes:
        if self.deflated:
            return b"1.2.840.10008.1.2.1.99"
        return b"1.2.840.10008.1.2" if self.implicit else b"1.2.840.10008.1.2.1"


def tree_of(content: bytes) -> Tree:
    """Parse a Part 10 file of explicit VR little endian and defined lengths."""
    assert content.startswith(_PREAMBLE)
    elements = list(_parsed(content[len(_PREAMBLE) :]))
    return Tree(
        meta=[one for one in elements if one.tag >> 16 == 2],
        body=[one for one in elements if one.tag >> 16 != 2],
    )


def encoded(tree: Tree, coding: Coding) -> bytes:
    """The file of a tree; the transfer syntax is told right unless the tree has another one by now."""
    body = b"".join(_element(one, coding) for one in tree.body)
    if coding.deflated:
        packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = packed.compress(body) + packed.flush()
    explicit = Coding()
    meta = b"".join(_element(_told(one, coding), explicit) for one in tree.meta)
    return _PREAMBLE + meta + body


def walk(elements: list[Element]) -> Iterator[tuple[list[Element], Element]]:
    """Every element at any depth, with the list that holds it."""
    for one in elements:
        yield elements, one
        for item in one.items:
            yield from walk(item.elements)


def _told(element: Element, coding: Coding) -> Element:
    plain = b"1.2.840.10008.1.2.1\0"
    if element.tag != _SYNTAX or element.value != plain:
        return element
    return Element(_SYNTAX, element.vr, coding.syntax + b"\0" * (len(coding.syntax) % 2), element.length)


def _parsed(content: bytes) -> Iterator[Element]:
    at = 0
    while at < len(content):
        group, number, vr, length = struct.unpack_from("<HH2sH", content, at)
        at += 8
        if vr in LONG:
            (length,) = struct.unpack_from("<L", content, at)
            at += 4
        value = content[at : at + length]
        at += length
        yield Element(group << 16 | number, vr, _items(value) if vr == b"SQ" else value)


def _items(content: bytes) -> list[Item]:
    items, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from("<L", content, at + 4)
        items.append(Item(list(_parsed(content[at + 8 : at + 8 + length]))))
        at += 8 + length
    return items


def _element(element: Element, coding: Coding) -> bytes:
    is_sequence = isinstance(element.value, list)
    value = b"".join(_item(one, coding) for one in element.items) if is_sequence else element.value
    assert isinstance(value, bytes)
    open_end = is_sequence and coding.undefined
    if open_end:
        value += _tag(SEQUENCE_END) + struct.pack("<L", 0)
    honest = UNDEFINED if open_end else len(value)
    length = (honest if element.length is None else element.length) & UNDEFINED
    if coding.implicit:
        return _tag(element.tag) + struct.pack("<L", length) + value
    if element.vr in LONG:
        return _tag(element.tag) + element.vr + struct.pack("<HL", 0, length) + value
    return _tag(element.tag) + element.vr + struct.pack("<H", length & 0xFFFF) + value


def _item(item: Item, coding: Coding) -> bytes:
    value = b"".join(_element(one, coding) for one in item.elements)
    if coding.undefined:
        value += _tag(ITEM_END) + struct.pack("<L", 0)
    honest = UNDEFINED if coding.undefined else len(value)
    return _tag(ITEM) + struct.pack("<L", honest if item.length is None else item.length) + value


def _tag(tag: int) -> bytes:
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)
