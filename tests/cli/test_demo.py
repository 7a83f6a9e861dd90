"""`rt-targets demo`, with the making of the patient left out: `tests/test_app.py` does it whole."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import pipeline.app
from pipeline import __version__
from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.cli import app, main
from pipeline.core.errors import OutputError
from pipeline.core.rules import ArmChoice, Settings
from tests import made_case


def call(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.slow
def test_options_reach_the_request_and_the_summary_is_printed(tmp_path, monkeypatch):
    asked = []

    def fake(request, *, on_stage):
        asked.append(request)
        on_stage("making the patient")
        source = InputChoice(path=made_case.write_dicom(tmp_path / "in"))
        settings = Settings(arm=ArmChoice.IFI)
        return run_case(RunRequest(source=source, out=request.out, settings=settings, pictures=False))

    monkeypatch.setattr(pipeline.app, "run_demo", fake)
    result = call("demo", "--out", tmp_path / "out", "--seed", 5, "--no-pictures", "--overwrite")
    assert result.exit_code == 0, result.stderr
    assert "IFI, protocol" in result.stdout
    (request,) = asked
    assert (request.out, request.seed, request.pictures, request.overwrite) == (
        tmp_path / "out",
        5,
        False,
        True,
    )


def test_a_stop_finding_has_its_exit_code(monkeypatch, tmp_path):
    outcome = SimpleNamespace(has_stop=True)
    monkeypatch.setattr(pipeline.app, "run_demo", lambda request, *, on_stage: outcome)
    assert call("demo", "--out", tmp_path / "out", "--quiet").exit_code == 3


def test_an_error_is_told(tmp_path, monkeypatch):
    def fail(request, *, on_stage):
        raise OutputError("the output folder is not empty")

    monkeypatch.setattr(pipeline.app, "run_demo", fail)
    result = call("demo", "--out", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == "error: the output folder is not empty\n"


def test_a_seed_below_zero_is_wrong_use(tmp_path):
    assert call("demo", "--out", tmp_path / "out", "--seed", -1).exit_code == 2


def test_the_version_is_told():
    result = call("--version")
    assert (result.exit_code, result.stdout) == (0, f"rt-targets {__version__}\n")


def test_help_lists_the_commands_that_are_built():
    result = call("--help")
    assert result.exit_code == 0
    for command in ("run", "stations", "inspect", "demo", "protocol"):
        assert f"  {command} " in result.stdout
    assert "compare" not in result.stdout


def test_main_is_the_command_and_leaves_with_its_exit_code(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["rt-targets", "--version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"rt-targets {__version__}\n"
