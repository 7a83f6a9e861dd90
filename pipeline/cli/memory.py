"""How the C library gives memory to a command that makes and drops arrays of megabytes all the time."""

from __future__ import annotations

import ctypes
import sys

# Of malloc.h: what is kept at the end of the heap when it is freed, what is asked for ahead, from which size
# on memory is mapped by itself, and how many heaps there are.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -2, -3, -8
_KEPT, _AHEAD, _MAPPED = 1 << 30, 1 << 26, 1 << 25


def keep_memory() -> None:
    """Let memory that was freed be used again, by whichever thread, rather than give it back.

    Otherwise the system clears every page of every large array anew: a tenth of a run.
    To be called before there are threads. Where the C library is not GNU's, nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for option, value in (
        (_M_ARENA_MAX, 1),
        (_M_MMAP_THRESHOLD, _MAPPED),
        (_M_TRIM_THRESHOLD, _KEPT),
        (_M_TOP_PAD, _AHEAD),
    ):
        mallopt(option, value)
