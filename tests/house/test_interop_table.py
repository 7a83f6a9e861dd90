"""The table of docs/interop.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)))
LINES = [
    *(f"R{number}" for number in range(1, 10)),
    *(f"W{number}" for number in range(1, 12)),
    *(f"C{number}" for number in range(1, 11)),
]


def test_the_table_is_read() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize("file, test", NAMED)
def test_every_named_test_exists(file: str, test: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^ *def {test}\(", text, flags=re.MULTILINE), f"{file} has no {test}"


@pytest.mark.parametrize("line", LINES)
def test_every_line_names_a_test_or_says_that_it_is_open(line: str) -> None:
    (row,) = (one for one in TABLE.splitlines() if one.startswith(f"| {line} |"))
    assert "::test_" in row or "**Open**" in row
