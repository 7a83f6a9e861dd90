"""TotalSegmentator as a program of its own: whether it is there, which version, and one task of it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import UsageError

_MODULE = "totalsegmentator"
_COMMAND = "TotalSegmentator"
_OPTION = "--segment"


class TaskFailedError(Exception):
    """A task that gave no result; says the program's last word on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenter:
    """How to call the program.

    It runs in a process of its own: it prints, takes much memory, and exits where a licence is missing.

    Attributes:
        command: words before its own options.
    """

    command: tuple[str, ...]

    def version(self, folder: Path) -> str:
        """Its version; `folder` is where it may run.

        Raises:
            UsageError: it does not start.
        """
        try:
            said = self._call(folder, "--version").split()
        except TaskFailedError as error:
            raise UsageError(
                "TotalSegmentator does not start",
                where=_OPTION,
                expected="its version",
                got=str(error),
                todo="install it again, or leave --segment out",
            ) from error
        return said[-1] if said else "unknown"

    def run(self, task: str, ct: Path, out: Path) -> None:
        """Segment a CT (NIfTI) into a label map whose header names the labels.

        Raises:
            TaskFailedError: it gave no such file.
        """
        self._call(out.parent, "-i", str(ct), "-o", str(out), "--task", task, "--ml", "--quiet")
        if not out.is_file():
            raise TaskFailedError("it wrote no result")

    def _call(self, folder: Path, *options: str) -> str:
        try:
            # From that folder, so that no file of the user's stands in for one of the program's modules.
            ran = subprocess.run(
                [*self.command, *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise TaskFailedError(error.strerror or type(error).__name__) from error
        if ran.returncode:
            lines = [line.strip() for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
            last = lines[-1].replace(f"{folder}/", "") if lines else "no word of it"
            raise TaskFailedError(f"exit code {ran.returncode}: {last}")
        return ran.stdout


def find_segmenter() -> Segmenter:
    """TotalSegmentator of this Python, else the command on the path.

    Raises:
        UsageError: it is not installed.
    """
    if importlib.util.find_spec(_MODULE) is not None:
        return Segmenter(command=(sys.executable, "-m", f"{_MODULE}.bin.{_COMMAND}"))
    command = shutil.which(_COMMAND)
    if command is None:
        raise UsageError(
            "TotalSegmentator is not installed",
            where=_OPTION,
            expected="the Python package TotalSegmentator, or its command on the path",
            got="neither",
            todo="install it in the project's folder with pip install '.[segment]' (brings PyTorch, several "
            "gigabytes), "
            "or make the masks elsewhere and give them with --anatomy",
        )
    return Segmenter(command=(command,))
