"""Organs that TotalSegmentator finds on the CT, for what nobody has given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.errors import InputError
from pipeline.core.grid import Grid
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Volume
from pipeline.read.organ_masks import file_candidates
from pipeline.read.organ_names import OrganNames
from pipeline.read.organ_sources import choose, load_organs
from pipeline.read.segment_tasks import load_segment_tasks
from pipeline.read.segmenter import Segmenter, TaskFailedError, find_segmenter


def segmented_organs(
    volume: Volume,
    names: OrganNames,
    *,
    given: Collection[str] = (),
    tasks: Mapping[str, Collection[str]] | None = None,
) -> Organs:
    """Run TotalSegmentator's tasks on a CT and take from each the organs that are still lacking.

    Args:
        volume: the CT. Its voxels alone are handed over, in a temporary folder that is removed.
        names: the atlas.
        given: organs that more trusted sources have.
        tasks: task to the organs that it gives, in the order in which they run; None is that of the atlas.

    Returns:
        The organs, each with version and task in its `detail`. A task that fails is a finding.

    Raises:
        UsageError: TotalSegmentator is not installed, or does not start.
    """
    program = find_segmenter()
    lacking = {
        task: frozenset(organs) - frozenset(given)
        for task, organs in (load_segment_tasks(names) if tasks is None else tasks).items()
    }
    found: dict[str, Organ] = {}
    findings: list[Finding] = []
    if any(lacking.values()):
        with TemporaryDirectory(prefix="rt-targets-") as name:
            ct = Path(name) / "ct.nii.gz"
            version = program.version(ct.parent)
            _write_ct(ct, volume)
            for task, organs in lacking.items():
                if organs:
                    wanted = organs | (names.unions.keys() - frozenset(given))
                    job = _Task(name=task, program=program, version=version, ct=ct)
                    made = _of_task(job, volume.grid, names, wanted)
                    found = {**made.by_name, **found}
                    findings += made.findings
    kept = {name: organ for name, organ in found.items() if name not in given}
    return Organs(grid=volume.grid, by_name=kept, findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A task to run on a CT file; its result goes beside that."""

    name: str
    program: Segmenter
    version: str
    ct: Path

    def __str__(self) -> str:
        return f"TotalSegmentator task {self.name}"


def _of_task(task: _Task, grid: Grid, names: OrganNames, wanted: frozenset[str]) -> Organs:
    """The organs that a task gives; none, and a finding, where it fails."""
    result = task.ct.with_name(f"{task.name}_labels.nii.gz")  # no organ's name: the header has those
    try:
        task.program.run(task.name, task.ct, result)
        chosen = choose(file_candidates(result, grid, names), names, where=str(task))
        organs = load_organs(chosen, names, grid=grid, source=OrganSource.SEGMENTATION, wanted=wanted)
    except (TaskFailedError, InputError) as error:
        return Organs(grid=grid, by_name={}, findings=(_failed(task, str(error).rstrip(".")),))
    finally:
        result.unlink(missing_ok=True)
    origin = f"version {task.version}, task {task.name}"
    signed = {
        name: replace(organ, detail=f"{origin}, {organ.detail}") for name, organ in organs.by_name.items()
    }
    return replace(organs, by_name=signed, findings=(*organs.findings, _segmented(task, signed)))


def _write_ct(path: Path, volume: Volume) -> None:
    import SimpleITK

    grid = volume.grid
    image: Any = SimpleITK.GetImageFromArray(volume.hu)
    image.SetSpacing(grid.spacing_mm)
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    cast(Any, SimpleITK).WriteImage(image, str(path))


def _failed(task: _Task, reason: str) -> Finding:
    return Finding(
        code="SEGMENTATION_TASK_FAILED",
        severity=Severity.WARNING,
        where=str(task),
        message=f"Version {task.version} gave no result, and the organs of this task are lacking: {reason}.",
    )


def _segmented(task: _Task, organs: Collection[str]) -> Finding:
    return Finding(
        code="ORGANS_SEGMENTED",
        severity=Severity.INFO,
        where=str(task),
        message=f"Version {task.version} gave {len(organs)} organs that nobody had given. "
        "A program made them; look at them on the CT.",
    )
