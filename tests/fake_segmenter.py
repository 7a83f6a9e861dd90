"""A TotalSegmentator that knows the answer: the real command's interface, masks of the truth as its result.

::

    fake = install_fake(tmp_path, monkeypatch, truth={"aorta": mask}, tasks={"total": ["aorta"]})
    ...
    assert fake.tasks_run == ["total"]

It looks up the truth in the patient, by the positions of the CT's voxels, however the CT is stored.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.volume import Mask
from pipeline.write import write_masks

VERSION = "2.18.0"

PROGRAM = """
import argparse, json, os, sys
from pathlib import Path

FOLDER = Path(__file__).parents[2]
TASKS = json.loads((FOLDER / "tasks.json").read_text())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", metavar="filepath", dest="input", type=lambda p: Path(p).absolute())
    parser.add_argument("-o", metavar="directory", dest="output", type=lambda p: Path(p).absolute())
    parser.add_argument("-ml", "--ml", action="store_true")
    parser.add_argument("-ta", "--task", choices=list(TASKS), default="total")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("--version", action="version", version="VERSION")
    args = parser.parse_args()
    with (FOLDER / "calls.txt").open("a") as log:
        log.write(json.dumps({"task": args.task, "input": str(args.input), "cwd": os.getcwd()}) + "\\n")
    print("No GPU detected. Running on CPU. This can be very slow.")
    task = TASKS[args.task]
    if task == "licence":
        print("In contrast to the other tasks this task is not openly available.")
        sys.exit(1)
    if task == "crash":
        raise RuntimeError(f"CUDA out of memory, {args.input}")
    if task != "silent":
        segment(args.input, args.output, task)


def segment(ct_path, out, classes):
    import nibabel
    import numpy as np

    ct = nibabel.load(ct_path)
    world = nibabel.affines.apply_affine(ct.affine, np.moveaxis(np.indices(ct.shape), 0, -1))
    labels = np.zeros(ct.shape, np.uint8)
    for number, name in enumerate(classes, start=1):
        path = FOLDER / "truth" / f"{name}.nii.gz"
        if path.exists():
            truth = nibabel.load(path)
            at = np.rint(nibabel.affines.apply_affine(np.linalg.inv(truth.affine), world)).astype(int)
            inside = ((at >= 0) & (at < truth.shape)).all(axis=-1)
            values = np.zeros(ct.shape, bool)
            values[inside] = np.asarray(truth.dataobj)[tuple(at[inside].T)] > 0
            labels[values] = number
    image = nibabel.Nifti1Image(labels, ct.affine)
    rows = "".join(
        f'<Label Key="{n}" Red="1" Green="0" Blue="0" Alpha="1"><![CDATA[{name}]]></Label>\\n'
        for n, name in enumerate(classes, start=1)
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension> <VolumeInformation Index="0"> <LabelTable>'
        f"{rows}</LabelTable> <VolumeType><![CDATA[Label]]></VolumeType></VolumeInformation></CaretExtension>"
    )
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, bytes(text, "utf-8")))
    nibabel.save(image, out)


if __name__ == "__main__":
    main()
"""


@dataclass(frozen=True)
class Fake:
    """The fake's folder, with what it was called for."""

    folder: Path

    @property
    def calls(self) -> list[dict[str, str]]:
        log = self.folder / "calls.txt"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    @property
    def tasks_run(self) -> list[str]:
        return [call["task"] for call in self.calls]


def install_fake(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    truth: Mapping[str, Mask] | None = None,
    tasks: Mapping[str, Sequence[str] | str],
    as_command: bool = False,
) -> Fake:
    """Put the fake in the place of the package, or, with nothing to import, of the command on the path.

    `tasks` gives the classes of each task in their order, or how it fails: `licence`, `crash`, or `silent`,
    which writes nothing. A task that is not named is unknown to it.
    """
    home = folder / "fake segmenter"
    program = home / "totalsegmentator" / "bin" / "TotalSegmentator.py"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM.replace("VERSION", VERSION))
    (home / "tasks.json").write_text(json.dumps({name: _plain(task) for name, task in tasks.items()}))
    write_masks(home / "truth", truth or {})
    if as_command:
        command = home / "on path" / "TotalSegmentator"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    else:
        for package in (program.parent, program.parents[1]):
            (package / "__init__.py").touch()
        monkeypatch.syspath_prepend(home)
        monkeypatch.setenv("PYTHONPATH", str(home))
    return Fake(home)


def _plain(task: Sequence[str] | str) -> Any:
    return task if isinstance(task, str) else list(task)
