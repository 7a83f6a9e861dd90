"""How many threads share the compiled loops."""

from __future__ import annotations

import os


def workers() -> int:
    """The processors that this process may use: fewer than the machine has, in a batch of processes."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
