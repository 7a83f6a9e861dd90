"""What the sub-commands share: errors and progress on stderr, plain tables on stdout, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer

from pipeline.core.errors import TargetsError, UsageError

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_STOP = 3

OnStage = Callable[[str], None]


@contextmanager
def errors_told(*, verbose: bool = False) -> Iterator[None]:
    """Turn errors into one block on stderr and the exit code; a traceback only for a bug, and with -v.

    Raises:
        typer.Exit: 2 for wrong use, 1 for every other error.
    """
    try:
        yield
    except UsageError as error:
        _tell(error)
        raise typer.Exit(EXIT_USAGE) from error
    except TargetsError as error:
        _tell(error)
        raise typer.Exit(EXIT_ERROR) from error
    except (typer.Exit, typer.Abort):
        raise
    except MemoryError as error:
        _tell(TargetsError("not enough memory", todo="close other programs, or use a larger machine"))
        raise typer.Exit(EXIT_ERROR) from error
    except Exception as error:
        if verbose:
            raise
        _tell(
            TargetsError(
                "unexpected error: this is a bug in rt-targets",
                got=type(error).__name__,
                todo="run again with -v for the traceback, and report it without patient data",
            )
        )
        raise typer.Exit(EXIT_ERROR) from error


def say(text: str, *, end: str = "\n") -> None:
    """Print to stdout; nobody listening is no error, and a full disk behind it is told on stderr."""
    try:
        sys.stdout.write(text + end)
        sys.stdout.flush()
    except BrokenPipeError:
        # What Python flushes at its end goes nowhere, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _tell(TargetsError("cannot print to stdout", got=error.strerror or type(error).__name__))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[OnStage]:
    """Show the current stage on a terminal; say nothing in a pipe or when asked to be quiet."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("starting") as status:
        yield status.update


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, two blanks between them; columns of figures are set to the right.

    >>> print(table(["ROI", "cc"], [["GTV-T", "1.5"], ["CTV", "12.0"]]))
    ROI      cc
    GTV-T   1.5
    CTV    12.0
    """
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(len(cell) for cell in column) for column in columns]
    figures = [bool(rows) and all(_is_figure(cell) for cell in column[1:]) for column in columns]
    lines = []
    for row in (heads, *rows):
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, figures, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_figure(cell: str) -> bool:
    return cell.replace(".", "", 1).isdigit() or cell in {"", "-"}


def error_block(error: TargetsError) -> str:
    """The parts of an error, one a line."""
    return "\n".join([error.what, *(f"  {name + ':':<12}{text}" for name, text in _parts(error))])


def _parts(error: TargetsError) -> list[tuple[str, str]]:
    named = [
        ("where", error.where),
        ("expected", error.expected),
        ("got", error.got),
        ("what to do", error.todo),
    ]
    return [(name, text) for name, text in named if text]


def _tell(error: TargetsError) -> None:
    from rich.console import Console
    from rich.text import Text

    block = Text.assemble(("error: ", "bold red"), (error.what, "bold"))
    for name, text in _parts(error):
        block.append(f"\n  {name + ':':<12}", style="dim").append(text)
    Console(stderr=True, highlight=False, soft_wrap=True).print(block)
