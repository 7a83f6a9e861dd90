"""What NIfTI files need beside SimpleITK: a check that they are whole, and masks unpacked at full speed."""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.blank import blank
from pipeline.core.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_TODO = "copy or export the file again"
_BLOCK_BYTES = 1 << 20  # small enough to stay in the processor's cache
_PAGE_BYTES = 4096  # what the system gives memory by
_GZIP_FORMAT = 31  # zlib's wbits for a gzip member with header and checksum


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unpacked:
    """The voxels of a mask, shape (k, j, i), read-only, and the highest value among them."""

    voxels: npt.NDArray[np.uint8]
    highest: int


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
        count = int(np.prod(self.shape))
        voxels = blank((count,))
        packed, unpacker = self.path.read_bytes(), zlib.decompressobj(wbits=_GZIP_FORMAT)
        done, highest = -self.offset, 0
        try:
            while not unpacker.eof:  # its end has the checksum
                block = unpacker.decompress(packed, self.offset if done < 0 else _BLOCK_BYTES)
                packed = unpacker.unconsumed_tail
                if not (block or packed):
                    break
                values = np.frombuffer(block, dtype=np.uint8)[max(0, -done) : max(0, count - done)]
                start, done = max(0, done), done + len(block)
                highest = max(highest, _copied(values, voxels[start : start + len(values)]))
        except zlib.error as error:
            raise _unreadable(self.path, error) from error
        if done < count:  # several members
            return None
        voxels.flags.writeable = False
        return Unpacked(voxels=voxels.reshape(self.shape[::-1]), highest=highest)


def _copied(values: npt.NDArray[np.uint8], place: npt.NDArray[np.uint8]) -> int:
    """Copy values to their place, which holds zeros, where they are not zero; gives the highest."""
    if not len(values):
        return 0
    pages = len(values) // _PAGE_BYTES
    whole = values[: pages * _PAGE_BYTES].reshape(pages, _PAGE_BYTES)
    rest = values[pages * _PAGE_BYTES :]
    filled = whole.view(np.uint64).any(axis=1)
    if not (filled.any() or rest.any()):
        return 0
    place[: pages * _PAGE_BYTES].reshape(pages, _PAGE_BYTES)[filled] = whole[filled]
    place[pages * _PAGE_BYTES :] = rest
    return int(values.max())


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
