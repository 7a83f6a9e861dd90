"""The command `rt-targets`: one file per sub-command; printing and exit codes live here and nowhere else."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import Annotated

import typer

# Threads of our own share the work; those of the linear algebra library would wait for each other in busy
# loops over matrices as small as ours. It looks when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pipeline.cli import demo, inspect, protocol, run, stations
from pipeline.cli.imports import leave_out
from pipeline.cli.memory import keep_memory

app = typer.Typer(
    name="rt-targets",
    help="Target volumes for recurrent esophageal cancer after surgery: CT and GTV in, draft RTSTRUCT out.",
    epilog="Exit codes: 0 good; 1 error; 2 wrong use; 3 ran, with findings that a person must decide on.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich would double the time to show it
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        from pipeline import __version__

        typer.echo(f"rt-targets {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


app.command("run")(run.run)
app.command("stations")(stations.stations)
app.command("inspect")(inspect.inspect)
app.command("demo")(demo.demo)
app.add_typer(protocol.app, name="protocol")


def main() -> None:
    """The command as a function; leaves with the exit code."""
    # Reading DICOM makes objects by the hundred thousand and hardly any garbage in cycles: looking for
    # some after every 700 takes a tenth of a run.
    gc.set_threshold(100_000, 20, 20)
    keep_memory()
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # as an interrupt: what is half-written is taken away
            signal.signal(getattr(signal, name), _interrupted)
    app()


def program() -> None:
    """The console script: `main`, and out."""
    gc.disable()  # one case, and then the process ends: what is garbage in cycles is not worth looking for
    leave_out()
    try:
        main()
    except SystemExit as ending:
        _leave(ending)


def _leave(ending: SystemExit) -> None:
    """End the process at once: taking a gigabyte of arrays apart would cost a third of a second.

    Everything is written and closed by now. An ending with a text, or with open ends, goes the usual way.
    """
    if not isinstance(ending.code, int | None):
        raise ending
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            raise ending from None
    os._exit(ending.code or 0)


def _interrupted(number: int, frame: object) -> None:
    del frame
    sys.stderr.write("interrupted; nothing was written\n")
    raise SystemExit(128 + number)
