"""Arrays of zeros that take no memory where nobody writes."""

from __future__ import annotations

import math
import mmap

import numpy as np
import numpy.typing as npt

# Private pages share one page of zeros until they are written to; Windows has no such flag, and other means.
_PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)


def blank(shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Zeros of a shape, for what stays zero almost everywhere, such as the mask of one organ on a whole CT.

    `numpy.zeros` asks the system for pages of 2 MB, each of which is cleared when its first byte is written;
    these are pages of 4 kB.
    """
    size = math.prod(shape)
    if not (size and _PRIVATE):
        return np.zeros(shape, dtype=np.uint8)
    return np.frombuffer(mmap.mmap(-1, size, flags=_PRIVATE), dtype=np.uint8).reshape(shape)
