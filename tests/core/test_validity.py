"""Validity of polygons, asked in threads."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import shapely
from shapely.geometry import Polygon

from pipeline.core.validity import are_valid, is_valid

BOW = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


def test_valid_and_not() -> None:
    assert is_valid(shapely.box(0, 0, 1, 1))
    assert is_valid(Polygon())
    assert not is_valid(BOW)
    assert are_valid(np.array([shapely.box(0, 0, 1, 1), BOW])).tolist() == [True, False]


def test_threads_leave_the_warning_filters_alone() -> None:
    turn = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    large = Polygon(np.column_stack([np.cos(turn), np.sin(turn)]))
    before = list(warnings.filters)
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(lambda _: is_valid(large), range(400)))
    assert list(warnings.filters) == before
