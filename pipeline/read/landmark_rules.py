"""The landmark table of the atlas: `atlas/landmarks.yaml`, checked on loading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import Field

from pipeline.core.anatomy import Attempt, LandmarkRule
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import KeyPath, Strict, YamlFile, read_yaml, validated


class AttemptModel(Strict):
    """One attempt, as the file has it."""

    method: str
    organs: list[str] = Field(default_factory=list)
    landmark: str = ""
    mm: float | int = 0.0
    error: float | int = Field(gt=0)
    inferred: bool = False
    how: str
    source: str


class LandmarkModel(Strict):
    """One landmark, as the file has it."""

    meaning: str
    attempts: list[AttemptModel] = Field(min_length=1)


class _Document(Strict):
    version: str
    sources: dict[str, str]
    landmarks: dict[str, LandmarkModel]


def load_landmark_rules(path: Path | None = None) -> tuple[LandmarkRule, ...]:
    """Read the landmark table, by default that of `atlas/landmarks.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, names a source that it does not list, or starts a
            landmark from one that stands behind it.
    """
    file = read_yaml(path or resource_folder("atlas") / "landmarks.yaml")
    document = validated(_Document, file)
    return rules_of(file, "landmarks", document.landmarks, document.sources)


def rules_of(
    file: YamlFile,
    key: str,
    landmarks: Mapping[str, LandmarkModel],
    sources: Iterable[str],
    *,
    before: Iterable[str] = (),
) -> tuple[LandmarkRule, ...]:
    """The landmarks that stand at a key of a file.

    Args:
        file: for errors.
        key: where they stand.
        landmarks: what stands there.
        sources: source keys of the file.
        before: names that an attempt may start from besides those further up.

    Raises:
        ConfigError: an unknown source, or a landmark to start from that does not stand before.
    """
    rules: list[LandmarkRule] = []
    known, listed = set(before), list(sources)
    for name, landmark in landmarks.items():
        for number, attempt in enumerate(landmark.attempts):
            _check(file, (key, name, "attempts", number), attempt, sources=listed, known=known)
        attempts = tuple(_attempt(attempt) for attempt in landmark.attempts)
        rules.append(LandmarkRule(name=name, meaning=landmark.meaning, attempts=attempts))
        known.add(name)
    return tuple(rules)


def _attempt(attempt: AttemptModel) -> Attempt:
    return Attempt(
        method=attempt.method,
        organs=tuple(attempt.organs),
        landmark=attempt.landmark,
        mm=float(attempt.mm),
        error_mm=float(attempt.error),
        inferred=attempt.inferred,
        how=attempt.how,
        source=attempt.source,
    )


def _check(
    file: YamlFile, at: KeyPath, attempt: AttemptModel, *, sources: Sequence[str], known: set[str]
) -> None:
    if attempt.source not in sources:
        raise file.problem(
            "unknown source",
            (*at, "source"),
            expected=f"one of {', '.join(sources)}",
            got=attempt.source,
        )
    if attempt.landmark and attempt.landmark not in known:
        raise file.problem(
            "landmark that does not stand before this one",
            (*at, "landmark"),
            expected=f"one of {', '.join(sorted(known)) or 'none'}",
            got=attempt.landmark,
        )
