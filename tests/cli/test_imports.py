"""A command does not load what others ask for on the off-chance, and may load it later all the same."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from pipeline.cli.imports import leave_out
{first}
import numpy as np
from pipeline.core.outlines import fill_even_odd

square = np.array([[0.5, 0.5, 2.5, 0.5], [2.5, 0.5, 2.5, 2.5], [2.5, 2.5, 0.5, 2.5], [0.5, 2.5, 0.5, 0.5]])
assert fill_even_odd(square, 4, 4).sum() == 4
print(*(name for name in ("scipy.linalg", "coverage") if sys.modules.get(name)))
from scipy.linalg import cython_blas
from scipy.spatial import cKDTree
"""


def loaded(first: str) -> list[str]:
    made = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(first=first)], capture_output=True, text=True, check=True
    )
    return made.stdout.split()


def test_what_is_not_needed_is_not_loaded() -> None:
    assert loaded("leave_out()") == []
    # If this fails, numba no longer asks, and there is nothing to leave out.
    assert loaded("") == ["scipy.linalg", "coverage"]
