"""The landmark table of the atlas: `atlas/landmarks.yaml`, checked on loading."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pipeline.core.anatomy import Attempt, LandmarkRule
from pipeline.read.resources import resource_folder
from pipeline.read.yaml_file import Strict, YamlFile, read_yaml, validated


class _Attempt(Strict):
    method: str
    organs: list[str] = Field(default_factory=list)
    landmark: str = ""
    mm: float | int = 0.0
    error: float | int = Field(gt=0)
    inferred: bool = False
    how: str
    source: str


class _Landmark(Strict):
    meaning: str
    attempts: list[_Attempt] = Field(min_length=1)


class _Document(Strict):
    version: str
    sources: dict[str, str]
    landmarks: dict[str, _Landmark]


def load_landmark_rules(path: Path | None = None) -> tuple[LandmarkRule, ...]:
    """Read the landmark table, by default that of `atlas/landmarks.yaml`.

    Raises:
        ConfigError: the file does not keep to its form, names a source that it does not list, or starts a
            landmark from one that stands behind it.
    """
    file = read_yaml(path or resource_folder("atlas") / "landmarks.yaml")
    document = validated(_Document, file)
    rules: list[LandmarkRule] = []
    for name, landmark in document.landmarks.items():
        known = {rule.name for rule in rules}
        attempts = []
        for number, attempt in enumerate(landmark.attempts):
            _check(file, document, known, name=name, number=number)
            attempts.append(
                Attempt(
                    method=attempt.method,
                    organs=tuple(attempt.organs),
                    landmark=attempt.landmark,
                    mm=float(attempt.mm),
                    error_mm=float(attempt.error),
                    inferred=attempt.inferred,
                    how=attempt.how,
                    source=attempt.source,
                )
            )
        rules.append(LandmarkRule(name=name, meaning=landmark.meaning, attempts=tuple(attempts)))
    return tuple(rules)


def _check(file: YamlFile, document: _Document, known: set[str], *, name: str, number: int) -> None:
    attempt = document.landmarks[name].attempts[number]
    at = ("landmarks", name, "attempts", number)
    if attempt.source not in document.sources:
        raise file.problem(
            "unknown source",
            (*at, "source"),
            expected=f"one of {', '.join(document.sources)}",
            got=attempt.source,
        )
    if attempt.landmark and attempt.landmark not in known:
        raise file.problem(
            "landmark that does not stand before this one",
            (*at, "landmark"),
            expected=f"one of {', '.join(sorted(known)) or 'none'}",
            got=attempt.landmark,
        )
