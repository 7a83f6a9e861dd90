"""Errors, progress and tables of the command line."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

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


def test_a_stdout_that_nobody_reads_is_no_error():
    code = "from pipeline.cli.common import say\nfor _ in range(9999): say('x' * 99)\nimport sys; sys.exit(7)"
    piped = f"{sys.executable} -c {shlex.quote(code)} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["/bin/bash", "-c", piped], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("7", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_stdout_is_told_and_changes_no_exit_code():
    code = "from pipeline.cli.common import say\nsay('x')\nimport sys; sys.exit(3)"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 3
    assert "cannot print to stdout" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_an_interrupted_run_leaves_nothing(tmp_path, number):
    # A background job of a shell hands on that interrupts are ignored.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code += "; from pipeline.cli import main; main()"
    command = [sys.executable, "-c", code, "demo", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode not in {0, None}
    assert list(tmp_path.iterdir()) == []
    if number != signal.SIGINT:
        assert "interrupted; nothing was written" in err
