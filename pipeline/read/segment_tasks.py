"""What TotalSegmentator is asked for: `atlas/segmenter.yaml`, checked on loading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.core.frozen import FrozenMap
from pipeline.read.organ_names import OrganNames
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import Strict, read_yaml, validated


class _Document(Strict):
    edition: str
    tasks: dict[str, list[str]]


def load_segment_tasks(names: OrganNames, path: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Task to the organs that it gives, in the order in which tasks are run.

    Raises:
        ConfigError: the file does not keep to its form, or names an organ that the atlas does not.
    """
    file = read_yaml(path or resource_folder("atlas") / "segmenter.yaml")
    document = validated(_Document, file)
    for task, organs in document.tasks.items():
        for index, organ in enumerate(organs):
            if organ not in names.organs:
                raise file.problem(
                    "task gives an unknown organ",
                    ("tasks", task, index),
                    expected=f"an organ of {names.file}",
                    got=organ,
                )
    return FrozenMap({task: tuple(organs) for task, organs in document.tasks.items()})
