"""Fresh processes, timed and weighed from outside."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KIB_PER_UNIT = 1 / 1024 if sys.platform == "darwin" else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One finished process.

    Attributes:
        seconds: from start to end, wall clock.
        peak_mb: largest resident set of the process itself, in 1e6 bytes.
        output: what it wrote to stdout.
    """

    seconds: float
    peak_mb: float
    output: str


def run_process(command: Sequence[str]) -> Ran:
    """Run a command from the checkout's root, with compiled modules kept, as an installed program has them.

    Raises:
        RuntimeError: it did not end with 0 or, for runs with findings, 3.
    """
    start = time.perf_counter()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 3}:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Ran(seconds=seconds, peak_mb=usage.ru_maxrss * KIB_PER_UNIT * 1024 / 1e6, output=output)


def run_python(*arguments: str) -> Ran:
    """The same Python as this process, with arguments."""
    return run_process([sys.executable, *arguments])


def median_of(runs: Sequence[Ran]) -> Ran:
    """Median seconds, largest peak, last output."""
    return Ran(
        seconds=statistics.median(run.seconds for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
        output=runs[-1].output,
    )


def alternately(commands: Sequence[Sequence[str]], rounds: int) -> list[Ran]:
    """Medians of commands run in turn, so that a slow spell of the machine hits all; one warm-up each."""
    for command in commands:
        run_process(command)
    runs = [[run_process(command) for command in commands] for _ in range(rounds)]
    return [median_of(column) for column in zip(*runs, strict=True)]
