"""The threads of the compiled loops: those that this process may use."""

from __future__ import annotations

import os
import threading

import pytest

from pipeline.core import threads
from pipeline.core.threads import begun, known, side_by_side, workers


def test_a_process_bound_to_one_processor_uses_one(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert workers() == 1


def test_where_the_system_does_not_tell_all_processors_are_used(monkeypatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert workers() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers() == 1


def test_side_by_side_keeps_the_order() -> None:
    assert side_by_side(lambda n: n * n, range(50)) == [n * n for n in range(50)]
    assert side_by_side(str, []) == []


def test_side_by_side_means_at_the_same_time(monkeypatch) -> None:
    monkeypatch.setattr(threads, "workers", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)
    assert side_by_side(lambda _: meeting.wait() >= 0, range(2)) == [True, True]


def test_what_was_begun_goes_on_while_others_do() -> None:
    gate = threading.Event()
    future = begun(lambda: gate.wait(10))
    assert not future.done()
    gate.set()
    assert future.result() is True
    assert known(5).result() == 5


def test_what_was_begun_raises_where_it_is_asked_for() -> None:
    future = begun(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        future.result()
