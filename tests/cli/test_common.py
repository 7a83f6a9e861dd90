"""Errors, progress and tables of the command line."""

from __future__ import annotations

import pytest
import typer

from pipeline.cli.common import errors_told, progress, table
from pipeline.core.errors import OutputError, SeriesError, UsageError


def told(error: BaseException, *, verbose: bool = False) -> int:
    with pytest.raises(typer.Exit) as caught, errors_told(verbose=verbose):
        raise error
    return caught.value.exit_code


def test_an_error_is_one_block_on_stderr_with_all_its_parts(capsys):
    error = SeriesError("slice missing", where="series 1.2", expected="3 mm", got="6 mm", todo="export again")
    assert told(error) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: slice missing",
        "  where:      series 1.2",
        "  expected:   3 mm",
        "  got:        6 mm",
        "  what to do: export again",
    ]


def test_parts_that_are_empty_are_left_out_and_long_ones_are_not_cut(capsys):
    assert told(OutputError("folder is not empty", where="x" * 300)) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: folder is not empty",
        f"  where:      {'x' * 300}",
    ]


def test_brackets_in_a_message_are_text_and_no_markup(capsys):
    told(UsageError("no [bold]ROI[/bold]", got="[/]"))
    assert "no [bold]ROI[/bold]" in capsys.readouterr().err


def test_wrong_use_has_its_own_exit_code():
    assert told(UsageError("margin")) == 2


def test_a_bug_is_told_without_a_traceback_and_without_its_text(capsys):
    assert told(ValueError("Doe^John")) == 1
    err = capsys.readouterr().err
    assert "bug in rt-targets" in err
    assert "ValueError" in err
    assert "-v" in err
    assert "Doe" not in err
    assert "Traceback" not in err


def test_a_bug_is_raised_with_v():
    with pytest.raises(ValueError, match="inner"), errors_told(verbose=True):
        raise ValueError("inner")


def test_too_little_memory_is_told(capsys):
    assert told(MemoryError()) == 1
    assert "not enough memory" in capsys.readouterr().err


def test_an_exit_and_an_interrupt_pass():
    assert told(typer.Exit(3)) == 3
    with pytest.raises(KeyboardInterrupt), errors_told():
        raise KeyboardInterrupt


def test_progress_is_silent_in_a_pipe(capsys):
    with progress() as on_stage:
        on_stage("reading")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("quiet", [True, False])
def test_progress_is_shown_on_a_terminal_unless_quiet(capsys, monkeypatch, quiet):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress(quiet=quiet) as on_stage:
        on_stage("reading")
    out, err = capsys.readouterr()
    assert out == ""
    assert ("reading" in err) is not quiet


def test_a_table_without_rows_has_its_heads():
    assert table(["ROI", "cc"], []) == "ROI  cc"
