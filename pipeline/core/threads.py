"""Threads that share what holds no lock: compiled loops, and geometry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def workers() -> int:
    """The processors that this process may use: fewer than the machine has, in a batch of processes."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(function: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """A function of every item, in their order, shared by all processors.

    It pays where the function spends its time outside of Python's lock: compiled loops, large arrays, and
    shapely's functions. Methods of shapely's geometries that do the same hold the lock.
    """
    with ThreadPoolExecutor(max_workers=workers()) as pool:
        return list(pool.map(function, items))


def begun(function: Callable[[], Made]) -> Future[Made]:
    """A function that a thread carries out while others go on; what it raises, `result` raises.

    For what takes a fraction of a second: the process does not end before it has.
    """
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(function)
    finally:
        pool.shutdown(wait=False)


def known(value: Made) -> Future[Made]:
    """A value that is there already, for who asks for one that was begun."""
    future: Future[Made] = Future()
    future.set_result(value)
    return future
