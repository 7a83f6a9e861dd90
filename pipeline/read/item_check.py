"""Whether the items of a sequence lie end to end: pydicom takes what it finds, and loses what it does not.

An element that is said to be longer or shorter than it is swallows its neighbours, or ends inside itself: a
contour may vanish, or take the points of the next one, without a word.
"""

from __future__ import annotations

import struct

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.read.dicom_index import DicomFile

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
# What can be told from other elements by its tag alone, where no VR is written.
_NESTED = frozenset({0x30060012, 0x30060014, 0x30060016, 0x30060040})


def check_items(file: DicomFile, keyword: str) -> None:
    """Walk through a sequence as it stands in the file, before anything of it is decoded.

    A deflated file is left to zlib, unless the sequence says its length.

    Raises:
        ValueError: its items do not fill it, or one of them holds an element twice or cut short.
    """
    if keyword not in file.header:
        return
    element = file.header.get_item(keyword)
    if isinstance(element, RawDataElement):
        # What is of unknown VR may be encoded either way inside: each item tells.
        implicit = element.is_implicit_VR and element.VR != "UN"
        content = element.value or b""
        _told(keyword, _Walk(content, implicit=implicit, little=element.is_little_endian), len(content))
    elif element.is_undefined_length and not _is_deflated(file.header):
        implicit, little = (bool(one) for one in file.header.original_encoding)
        with file.path.open("rb") as stream:
            stream.seek(element.file_tell or 0)
            _told(keyword, _Walk(stream.read(), implicit=implicit, little=little), None)


def _is_deflated(header: pydicom.Dataset) -> bool:
    meta = getattr(header, "file_meta", None)
    return meta is not None and meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian


def _told(keyword: str, walk: _Walk, end: int | None) -> None:
    try:
        walk.sequence(0, end, implicit=walk.implicit)
    except ValueError as error:
        raise ValueError(f"{keyword}: {error}") from error


class _Walk:
    """Through encoded bytes; positions are counted from their start."""

    def __init__(self, content: bytes, *, implicit: bool, little: bool) -> None:
        sign = "<" if little else ">"
        self.content, self.implicit = content, implicit
        self._head = struct.Struct(f"{sign}HHL")
        self._explicit = struct.Struct(f"{sign}2sH")
        self._long = struct.Struct(f"{sign}L")

    def sequence(self, at: int, end: int | None, *, implicit: bool) -> int:
        """Where the sequence ends that begins there; without an end of its own, behind its delimiter."""
        while end is None or at < end:
            tag, length = self._tag(at, end)
            at += 8
            if tag == _SEQUENCE_END and end in {None, at}:
                return at
            if tag != _ITEM:
                raise ValueError(f"no item where one should begin, but {_shown(tag)}")
            stop = None if length == _UNDEFINED else at + length
            if stop is not None and stop > self._limit(end):
                raise ValueError("an item longer than its sequence")
            at = self._item(at, stop, implicit=implicit)
        return at

    def _item(self, at: int, stop: int | None, *, implicit: bool) -> int:
        implicit = implicit or not _is_vr(self.content[at + 4 : at + 6])
        seen: set[int] = set()
        while stop is None or at < stop:
            tag, _ = self._tag(at, stop)
            if tag == _ITEM_END and stop is None:
                return at + 8
            if tag in seen:
                raise ValueError(f"{_shown(tag)} twice in one item")
            seen.add(tag)
            at, length, nested = self._value(at, tag, implicit=implicit)
            end = None if length == _UNDEFINED else at + length
            if end is not None and end > self._limit(stop):
                raise ValueError(f"{_shown(tag)} longer than its item")
            at = self.sequence(at, end, implicit=implicit) if nested or end is None else end
        return at

    def _value(self, at: int, tag: int, *, implicit: bool) -> tuple[int, int, bool]:
        """Where the value begins, its length, and whether it is a sequence."""
        vr, short = self._explicit.unpack_from(self.content, at + 4)
        if implicit or not _is_vr(vr):
            return at + 8, self._long.unpack_from(self.content, at + 4)[0], tag in _NESTED
        if vr not in _LONG:
            return at + 8, short, False
        if at + 12 > len(self.content):
            raise ValueError(f"{_shown(tag)} cut short")
        return at + 12, self._long.unpack_from(self.content, at + 8)[0], vr == b"SQ"

    def _tag(self, at: int, end: int | None) -> tuple[int, int]:
        if at + 8 > self._limit(end):
            raise ValueError("an item or element cut short")
        group, number, length = self._head.unpack_from(self.content, at)
        return group << 16 | number, length

    def _limit(self, end: int | None) -> int:
        return len(self.content) if end is None else end


def _is_vr(two: bytes) -> bool:
    return two.isalpha() and two.isupper()


def _shown(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
