"""Mask files that a thread unpacks before anybody asks for them, while Python is busy with something else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pipeline.read.nifti import NiftiFile, Unpacked, whole_nifti

# How long whoever runs Python may let another thread wait for it. With the usual 5 ms the few steps of Python
# between reading, unpacking and copying a file would take longer than these.
_SWITCH_SECONDS = 0.0005

Opened = tuple[NiftiFile, Unpacked | None]

_begun: dict[Path, Future[Opened]] = {}
_lock = threading.Lock()
_usual_seconds: list[float] = []  # one for each block that runs; the first holds what is to be again


def opened(path: Path) -> Opened:
    """A NIfTI that is known to be whole, and its voxels where it is a mask that can be unpacked quickly.

    Raises:
        InputError: it breaks off, or is damaged.
    """
    begun = _begun.pop(path, None)
    return _open(path) if begun is None or begun.cancel() else begun.result()


@contextmanager
def unpacked_ahead(paths: Iterable[Path]) -> Iterator[None]:
    """While the block runs, a thread unpacks files in turn; `opened` takes what is there and does the rest.

    What is wrong with a file is told to whoever opens it.
    """
    with ThreadPoolExecutor(max_workers=1) as aside:
        mine = {path: aside.submit(_open, path) for path in paths}
        _begun.update(mine)
        with _lock:
            _usual_seconds.append(_usual_seconds[0] if _usual_seconds else sys.getswitchinterval())
            sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            yield
        finally:
            with _lock:
                usual = _usual_seconds.pop()
                if not _usual_seconds:
                    sys.setswitchinterval(usual)
            for path, future in mine.items():
                future.cancel()
                _begun.pop(path, None)


def _open(path: Path) -> Opened:
    nifti = whole_nifti(path)
    return nifti, nifti.quick_bytes()
