"""Data folders: from a checkout, from a wheel, and the message when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.core.errors import ConfigError
from pipeline.read.resources import resource_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", ["atlas", "configs"])
def test_a_checkout_has_them_at_its_top(kind):
    assert resource_folder(kind) == ROOT / kind


def test_a_wheel_has_them_inside_and_they_come_first(tmp_path):
    package = tmp_path / "pipeline"
    inside = package / "_data" / "atlas"
    inside.mkdir(parents=True)
    (tmp_path / "atlas").mkdir()
    assert resource_folder("atlas", package=package) == inside


def test_neither_place_is_an_error_that_names_both(tmp_path):
    with pytest.raises(ConfigError) as caught:
        resource_folder("configs", package=tmp_path / "pipeline")
    message = str(caught.value)
    assert "the data folder 'configs' of rt-targets is missing" in message
    assert "expected: pipeline/_data/configs or configs; got: neither" in message
    assert str(tmp_path) not in message
