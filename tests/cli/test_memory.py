"""Memory settings change nothing but speed, and are left alone where there are none."""

from __future__ import annotations

import ctypes
import sys

from pipeline.cli import memory


class Library:
    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def mallopt(self, option: int, value: int) -> int:
        self.asked.append((option, value))
        return 1


def test_on_linux_the_library_is_asked(monkeypatch) -> None:
    library = Library()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    memory.keep_memory()
    assert [option for option, _ in library.asked] == [-8, -3, -1, -2]


def test_elsewhere_nothing_is_done(monkeypatch) -> None:
    def refuse(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    memory.keep_memory()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    memory.keep_memory()
