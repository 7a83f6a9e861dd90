"""Arrays of zeros that nobody has written to yet."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core import blank as module
from pipeline.core.blank import blank


@pytest.mark.parametrize("private", [True, False])
def test_zeros_that_can_be_written(private: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not private:
        monkeypatch.setattr(module, "_PRIVATE", 0)
    made = blank((3, 50, 70))
    assert made.shape == (3, 50, 70)
    assert made.dtype == np.uint8
    assert not made.any()
    made[1, 7:9, 3:5] = 1
    assert made.sum() == 4
    assert made.view(np.bool_)[1, 8, 4]


def test_one_array_knows_nothing_of_another() -> None:
    one, other = blank((4096,)), blank((4096,))
    one[:] = 7
    assert not other.any()
    del one
    assert not blank((4096,)).any()


def test_nothing() -> None:
    assert blank((0, 5)).shape == (0, 5)
