"""The threads of the compiled loops: those that this process may use."""

from __future__ import annotations

import os

from pipeline.core.threads import workers


def test_a_process_bound_to_one_processor_uses_one(monkeypatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    assert workers() == 1


def test_where_the_system_does_not_tell_all_processors_are_used(monkeypatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert workers() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert workers() == 1
