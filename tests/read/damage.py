"""Random damage of structure sets, drawn by Hypothesis, so that it can be repeated and shrunk."""

from __future__ import annotations

import contextlib
import copy
import io
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import pydicom
from hypothesis import reject
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

# What stands in elements of files that programs have mistreated.
TEXTS = [
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "-1e9",
    "1e12",
    "0",
    "-1",
    "7",
    "99999999999999999999",
    "x",
    "1,5",
]
TEXTS += [
    "1\\2",
    "\\",
    "\\\\\\",
    "0\\0\\0",
    "a" * 70000,
    "1.2.3.4.5",
    "CLOSED_PLANAR",
    "CLOSEDPLANAR_XOR",
    "POINT",
]
VRS = ["IS", "DS", "UI", "LO", "CS", "SQ", "UN", "OB", "US", "FD", "DA", "PN", "UT", "AT"]
LENGTHS = [0, 1, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
MOST_DAMAGES = 4
# What writing nonsense raises in pydicom.
UNWRITABLE = (
    AttributeError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)

_T = TypeVar("_T")


@st.composite
def damaged(draw: st.DrawFn, whole: Dataset) -> bytes:
    """A structure set with one to four faults, as a file."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")  # what pydicom says of the damage while it is done
        return _damaged(draw, whole)


def _damaged(draw: st.DrawFn, whole: Dataset) -> bytes:
    dataset = copy.deepcopy(whole)
    for _ in range(draw(st.integers(0, MOST_DAMAGES))):
        with contextlib.suppress(*UNWRITABLE):  # what pydicom does not even hold is no damage to a file
            draw(st.sampled_from(DAMAGES))(draw, dataset)
    stored = _stored(dataset, draw(st.sampled_from([ImplicitVRLittleEndian, ExplicitVRLittleEndian])))
    for _ in range(draw(st.integers(0, 2))):
        stored = draw(st.sampled_from(BYTE_DAMAGES))(draw, stored)
    return stored


def _stored(dataset: Dataset, syntax: str) -> bytes:
    """The file; elements that cannot be written at all are left out."""
    while True:
        stream = io.BytesIO()
        dataset.file_meta.TransferSyntaxUID = syntax
        try:
            pydicom.dcmwrite(
                stream,
                dataset,
                implicit_vr=syntax == ImplicitVRLittleEndian,
                little_endian=True,
                enforce_file_format=False,
            )
        except UNWRITABLE:
            with contextlib.suppress(*UNWRITABLE):
                if _drop_unwritable(dataset, syntax):
                    continue
            reject()
        return stream.getvalue()


def _drop_unwritable(dataset: Dataset, syntax: str) -> bool:
    """Take out one element that cannot be written."""
    for holder, tag in _places(dataset):
        alone = Dataset()
        alone[tag] = holder[tag]
        try:
            pydicom.dcmwrite(
                io.BytesIO(), alone, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True
            )
        except UNWRITABLE:
            if holder[tag].VR == "SQ" and holder[tag].value:
                continue  # the fault is further down
            del holder[tag]
            return True
    for holder, tag in _places(dataset):
        if tag == 0x00080005:  # a character set of another type stops whatever stands beside it
            del holder[tag]
            return True
    return False


def _places(dataset: Dataset) -> Iterator[tuple[Dataset, int]]:
    """Every element at any depth, sequences after what is in them."""
    for tag in list(dataset.keys()):
        element = dataset[tag]
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _places(item)
        yield dataset, tag


def _one(draw: st.DrawFn, found: list[_T]) -> _T:
    """Drawn by its place: a failure then tells a number, not the whole structure set."""
    return found[draw(st.integers(0, len(found) - 1))]


def _place(draw: st.DrawFn, dataset: Dataset) -> tuple[Dataset, int] | None:
    found = list(_places(dataset))
    return _one(draw, found) if found else None


def _delete(draw: st.DrawFn, dataset: Dataset) -> None:
    place = _place(draw, dataset)
    if place is not None:
        del place[0][place[1]]


def _other_value(draw: st.DrawFn, dataset: Dataset) -> None:
    place = _place(draw, dataset)
    if place is None:
        return
    holder, tag = place
    text = draw(st.sampled_from(TEXTS) | st.text(max_size=40))
    holder[tag] = DataElement(tag, "UT", text, already_converted=True)  # bytes are what they are


def _other_vr(draw: st.DrawFn, dataset: Dataset) -> None:
    place = _place(draw, dataset)
    if place is None:
        return
    holder, tag = place
    vr, value = draw(st.sampled_from(VRS)), holder[tag].value
    if vr == "SQ":
        value = Sequence([Dataset()] * draw(st.integers(0, 2)))
    elif vr in {"UN", "OB"}:
        value = draw(st.binary(max_size=40))
    holder[tag] = DataElement(tag, vr, value, already_converted=True)


def _items(draw: st.DrawFn, dataset: Dataset) -> None:
    """An item lost, doubled, emptied, or a sequence within itself."""
    found = [(d, t) for d, t in _places(dataset) if d[t].VR == "SQ" and d[t].value]
    if not found:
        return
    holder, tag = _one(draw, found)
    items = holder[tag].value
    index = draw(st.integers(0, len(items) - 1))
    what = draw(st.sampled_from(["lost", "doubled", "empty", "nested"]))
    if what == "lost":
        del items[index]
    elif what == "doubled":
        items.append(copy.deepcopy(items[index]))
    elif what == "empty":
        items[index] = Dataset()
    else:
        for _ in range(draw(st.sampled_from([1, 5, 60]))):
            outer = Dataset()
            outer[tag] = DataElement(tag, "SQ", Sequence([items[index]]))
            items[index] = outer


def _contours(draw: st.DrawFn, dataset: Dataset) -> None:
    """Points that are no points, too many, too few, far off, or all the same."""
    found = [d for d, t in _places(dataset) if t == pydicom.tag.Tag("ContourData")]
    if not found:
        return
    holder = _one(draw, found)
    numbers = [str(value) for value in holder.ContourData or ()]
    what = draw(st.sampled_from(["odd", "word", "far", "same", "none", "many", "z", "shuffled"]))
    if what == "odd":
        numbers = numbers[: draw(st.integers(0, len(numbers)))]
    elif what == "word" and numbers:
        numbers[draw(st.integers(0, len(numbers) - 1))] = draw(st.sampled_from(TEXTS[:14]))
    elif what == "far" and numbers:
        numbers[draw(st.integers(0, len(numbers) - 1))] = draw(
            st.sampled_from(["1e30", "-99999", "1e-300", "3e38"])
        )
    elif what == "same":
        numbers = numbers[:3] * 50
    elif what == "none":
        numbers = []
    elif what == "many":
        numbers = numbers * draw(st.integers(2, 60))
    elif what == "z":
        numbers[2::3] = [draw(st.sampled_from(["0", "31.5", "1e9", "30.0001"]))] * len(numbers[2::3])
    elif what == "shuffled":
        points = [numbers[a : a + 3] for a in range(0, len(numbers), 3)]
        numbers = [one for point in draw(st.permutations(points)) for one in point]
    tag = pydicom.tag.Tag("ContourData")
    holder[tag] = DataElement(tag, "UT", "\\".join(numbers), already_converted=True)


def _numbers(draw: st.DrawFn, dataset: Dataset) -> None:
    """ROI numbers and UIDs that are others' or their own."""
    wanted = ("ROINumber", "ReferencedROINumber", "ReferencedFrameOfReferenceUID", "FrameOfReferenceUID")
    wanted += ("SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "ReferencedSOPInstanceUID")
    tags = {pydicom.tag.Tag(one) for one in wanted}
    found = [(d, t) for d, t in _places(dataset) if t in tags]
    if len(found) < 2:
        return
    (here, tag), (there, other) = _one(draw, found), _one(draw, found)
    here[tag] = DataElement(tag, "UT", str(there[other].value), already_converted=True)


def _cut(draw: st.DrawFn, stored: bytes) -> bytes:
    return stored[: draw(st.integers(0, len(stored)))]


def _flip(draw: st.DrawFn, stored: bytes) -> bytes:
    changed = bytearray(stored)
    for _ in range(draw(st.integers(1, 8))):
        if changed:
            changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def _length(draw: st.DrawFn, stored: bytes) -> bytes:
    """An absurd length, where one may stand."""
    if len(stored) < 160:
        return stored
    at = 2 * draw(st.integers(66, len(stored) // 2 - 4))
    return stored[:at] + struct.pack("<L", draw(st.sampled_from(LENGTHS))) + stored[at + 4 :]


def _inserted(draw: st.DrawFn, stored: bytes) -> bytes:
    at = draw(st.integers(0, len(stored)))
    return stored[:at] + draw(st.binary(max_size=64)) + stored[at:]


Damage = Callable[[st.DrawFn, Dataset], None]
DAMAGES: tuple[Damage, ...] = (_delete, _other_value, _other_vr, _items, _contours, _contours, _numbers)
BYTE_DAMAGES: tuple[Callable[[st.DrawFn, bytes], bytes], ...] = (_cut, _flip, _length, _inserted)
