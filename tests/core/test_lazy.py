"""Names of a package that wait until they are asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pipeline.app
import pipeline.read


@pytest.mark.parametrize("package", [pipeline.app, pipeline.read])
def test_every_name_is_there(package) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    code = (
        "import sys, pipeline.read, pipeline.app; "
        "print(any(name.startswith('pipeline.read.') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
