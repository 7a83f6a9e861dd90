"""What NIfTI files need beside SimpleITK: a check that they are whole, and masks unpacked at full speed."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.blank import blank
from pipeline.core.box import NOWHERE, Box
from pipeline.core.errors import InputError

_crc32: Callable[[bytes], int] | None
try:
    from isal.isal_zlib import crc32 as _crc32
except ImportError:  # it is an extra, as not every platform has it ready-made
    _crc32 = None

Bytes = npt.NDArray[np.uint8]

_GZIP_MAGIC = b"\x1f\x8b"
_TODO = "copy or export the file again"
# A file up to so long is unpacked by one call, which holds no lock of Python's; a longer one in blocks, as so
# much fresh memory at a time would cost more.
_AT_ONCE_BYTES, _BLOCK_BYTES = 1 << 26, 1 << 20
_PAGE_BYTES = 4096  # what the system gives memory by
# zlib's wbits for a gzip member with header and checksum, and for the data between them. A header whose flags
# are 0 has nothing but its ten bytes (RFC 1952).
_GZIP_FORMAT, _BARE_FORMAT = 31, -15
_HEADER_BYTES, _PLAIN_HEADER = 10, _GZIP_MAGIC + b"\x08\0"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unpacked:
    """The voxels of a mask.

    Attributes:
        voxels: shape (k, j, i), read-only.
        highest: the highest value among them.
        within: a box that holds all that is not 0; it may be too large.
    """

    voxels: Bytes
    highest: int
    within: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiFile:
    """A NIfTI file that holds all that its header says.

    Attributes:
        path: its file.
        offset: where the voxels begin, unpacked.
        shape: along i, j, k, and further axes.
        stored: type of the stored values.
        as_stored: whether the values are the stored ones, without slope and intercept.
        packed: whether the file is compressed.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    stored: np.dtype[Any]
    as_stored: bool
    packed: bool

    @property
    def length(self) -> int:
        """Bytes of the unpacked file, at least."""
        return self.offset + int(np.prod(self.shape)) * self.stored.itemsize

    def quick_bytes(self) -> Unpacked | None:
        """The voxels of a compressed mask; None where SimpleITK has to read it.

        SimpleITK copies them twice and its threads wait for each other. Here what is 0 is not even written:
        the memory of a small organ's mask is that of the organ.

        Raises:
            InputError: the compressed data are damaged.
        """
        if not (self.packed and self.as_stored and self.stored == np.uint8 and len(self.shape) == 3):
            return None
        count, done, highest = int(np.prod(self.shape)), 0, 0
        voxels = blank((count,))
        touched = []
        try:
            for values in self._blocks(self.path.read_bytes(), count):
                pages, most = _copied(values, voxels[done : done + len(values)])
                highest = max(highest, most)
                touched += [done + pages * _PAGE_BYTES] if len(pages) else []
                done += len(values)
        except zlib.error as error:
            raise _unreadable(self.path, error) from error
        if done < count:  # several members
            return None
        voxels.flags.writeable = False
        shape = (self.shape[2], self.shape[1], self.shape[0])
        return Unpacked(voxels=voxels.reshape(shape), highest=highest, within=_box_of(touched, shape))

    def _blocks(self, packed: bytes, count: int) -> Iterator[Bytes]:
        """The voxels of the first member of a compressed file, in turn, to its end, which has the checksum.

        Raises:
            zlib.error: the compressed data are damaged.
        """
        if self.length <= _AT_ONCE_BYTES:
            whole = _unpacked(packed, self.length)
            yield np.frombuffer(whole, dtype=np.uint8)[self.offset : self.offset + count]
            return
        unpacker, done = zlib.decompressobj(wbits=_GZIP_FORMAT), -self.offset
        while not unpacker.eof:
            block = unpacker.decompress(packed, self.offset if done < 0 else _BLOCK_BYTES)
            packed = unpacker.unconsumed_tail
            if not (block or packed):
                break
            yield np.frombuffer(block, dtype=np.uint8)[max(0, -done) : max(0, count - done)]
            done += len(block)


def _unpacked(packed: bytes, length: int) -> bytes:
    """The first member of a compressed file, its checksum compared.

    The checksum takes zlib longer than the unpacking; the extra `fast` has one in an eighth of the time. What
    does not fit so is left to zlib, and to its words.

    Raises:
        zlib.error: the compressed data are damaged.
    """
    if _crc32 is not None and packed.startswith(_PLAIN_HEADER):
        with suppress(zlib.error):
            whole = zlib.decompress(memoryview(packed)[_HEADER_BYTES:], wbits=_BARE_FORMAT, bufsize=length)
            if (_crc32(whole), len(whole) % 2**32) == struct.unpack("<LL", packed[-8:]):
                return whole
    return zlib.decompress(packed, wbits=_GZIP_FORMAT, bufsize=length)


def _copied(values: Bytes, place: Bytes) -> tuple[npt.NDArray[np.intp], int]:
    """Copy what is not 0 to its place, which holds zeros; gives the pages that hold it, and the highest."""
    pages, rest = divmod(len(values), _PAGE_BYTES)
    cut = pages * _PAGE_BYTES
    whole = values[:cut].reshape(pages, _PAGE_BYTES)
    filled = np.flatnonzero(np.bitwise_or.reduce(whole.view(np.uint64), axis=1))
    found = whole[filled]
    place[:cut].reshape(pages, _PAGE_BYTES)[filled] = found
    highest = int(found.max(initial=0))
    if rest and values[cut:].any():
        place[cut:] = values[cut:]
        return np.append(filled, pages), max(highest, int(values[cut:].max()))
    return filled, highest


def _box_of(touched: list[npt.NDArray[np.intp]], shape: tuple[int, int, int]) -> Box:
    """A box of an array of shape (k, j, i) that holds the pages that begin at some bytes."""
    if not touched:
        return NOWHERE
    starts = np.concatenate(touched)
    planes, rows, columns = shape
    first, last = starts // columns, np.minimum((starts + _PAGE_BYTES - 1) // columns, planes * rows - 1)
    in_one = bool((first // rows == last // rows).all())  # else a page ends on the next plane
    return (
        slice(int(first[0]) // rows, int(last[-1]) // rows + 1),
        slice(int((first % rows).min()), int((last % rows).max()) + 1) if in_one else slice(0, rows),
        slice(0, columns),
    )


def whole_nifti(path: Path) -> NiftiFile:
    """Open a NIfTI and refuse one that breaks off: SimpleITK would make zeros of the rest and say nothing.

    A compressed file tells its length in its last bytes; only where that does not fit is it unpacked.

    Raises:
        InputError: it holds less than its header says, or has no readable header.
    """
    import nibabel

    try:
        voxels: Any = nibabel.load(path).dataobj  # type: ignore[attr-defined]
        with path.open("rb") as stream:
            packed = stream.read(2) == _GZIP_MAGIC
        file = NiftiFile(
            path=path,
            offset=int(voxels.offset),
            shape=tuple(int(size) for size in voxels.shape),
            stored=voxels.dtype,
            as_stored=(float(voxels.slope), float(voxels.inter)) == (1.0, 0.0),
            packed=packed,
        )
        got = _unpacked_length(path, file.length) if packed else path.stat().st_size
    except (OSError, EOFError, zlib.error, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise _unreadable(path, error) from error
    if got < file.length:
        raise InputError(
            "image breaks off",
            where=f"file {path.name}",
            expected=f"{file.length} bytes, as its header says",
            got=f"{got}",
            todo=_TODO,
        )
    return file


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        "image cannot be read",
        where=f"file {path.name}",
        expected="a whole NIfTI",
        got=str(error).replace(str(path), path.name),
        todo=_TODO,
    )


def _unpacked_length(path: Path, expected: int) -> int:
    """How long a compressed file is when unpacked; at least `expected` where the file itself says so."""
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        if struct.unpack("<L", stream.read(4))[0] == expected % 2**32:
            return expected
    with gzip.open(path) as unpacked:
        return sum(len(block) for block in iter(lambda: unpacked.read(1 << 22), b""))
