"""`rt-targets protocol`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from pipeline.app import list_protocols, protocol_file
from pipeline.cli import app

BUILT_IN = protocol_file("esophagus-salvage-2020")


def call(*words: object):
    return CliRunner().invoke(app, ["protocol", *map(str, words)])


def test_list_names_every_protocol():
    result = call("list")
    assert result.exit_code == 0
    heads, *lines = result.stdout.splitlines()
    assert heads.split() == ["name", "version", "title"]
    assert [line.split()[0] for line in lines] == list(list_protocols())


@pytest.mark.parametrize("words", [(), ("esophagus-salvage-2020",), (BUILT_IN,)])
def test_show_prints_the_file_itself(words):
    result = call("show", *words)
    assert result.exit_code == 0
    assert result.stdout == BUILT_IN.read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [(), ("esophagus-salvage-2020",), (BUILT_IN,)])
def test_check_says_good(words):
    result = call("check", *words)
    assert result.exit_code == 0
    assert "esophagus-salvage-2020.yaml: good" in result.stdout


def test_check_names_file_line_key_expected_and_got(tmp_path):
    path = tmp_path / "clinic.yaml"
    path.write_text(
        BUILT_IN.read_text(encoding="utf-8").replace("default: 7\n", "default: 9\n"), encoding="utf-8"
    )
    result = call("check", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "default outside its range" in result.stderr
    assert "clinic.yaml, line " in result.stderr
    assert "margins.ifi.horizontal.default" in result.stderr
    assert "6 to 8 mm" in result.stderr
    assert "9 mm" in result.stderr


@pytest.mark.parametrize("command", ["show", "check"])
def test_an_unknown_protocol_is_wrong_use(command):
    result = call(command, "no-such")
    assert result.exit_code == 2
    assert "unknown protocol" in result.stderr
    assert "rt-targets protocol list" in result.stderr
