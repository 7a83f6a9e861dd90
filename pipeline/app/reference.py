"""The stations of a reference patient, brought to this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.report import Finding, Severity

if TYPE_CHECKING:
    from pipeline.app.anatomy import PatientAnatomy
    from pipeline.core.reference import ReferencePatient, RegisteredLabels
    from pipeline.core.volume import Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovedLabels:
    """Labels on this patient's CT by the stations' names, with how well the two patients fit."""

    labels: Mapping[str, Mask]
    findings: tuple[Finding, ...]


def moved_labels(folder: Path, anatomy: PatientAnatomy) -> MovedLabels:
    """Read a reference patient and bring its station labels to this patient.

    Raises:
        InputError: a folder without CT or station labels, or with masks that do not fit.
    """
    from pipeline.read import load_organ_names, load_station_names, read_reference_patient
    from pipeline.register import register_labels

    reference = _with_image_organs(read_reference_patient(folder, load_organ_names()))
    moved = register_labels(reference, anatomy.volume, anatomy.organs)
    names = load_station_names()
    labels = {
        match.organ: mask for name, mask in moved.labels.items() if (match := names.find(name)) is not None
    }
    unknown = [name for name in moved.labels if names.find(name) is None]
    findings = (_fit(folder, moved), *moved.findings, *_unknown(folder, unknown))
    return MovedLabels(labels=labels, findings=findings)


def _with_image_organs(reference: ReferencePatient) -> ReferencePatient:
    """The reference with what plain image processing finds on its CT, as on the patient's."""
    from pipeline.run.anatomy import known_organs

    return replace(reference, organs=known_organs(reference.volume, reference.organs))


def _fit(folder: Path, moved: RegisteredLabels) -> Finding:
    quality = moved.quality
    figures = [f"Dice of the bodies {quality.body_dice:.2f}", f"correlation {quality.correlation:.2f}"]
    if quality.organ_dice is not None and quality.organ_distance_mm is not None:
        figures.insert(0, f"mean Dice of {len(quality.organs)} organs {quality.organ_dice:.2f}")
        figures.insert(1, f"their surfaces {quality.organ_distance_mm:.1f} mm apart")
    return Finding(
        code="ATLAS_FIT",
        severity=Severity.INFO,
        where=f"--atlas {folder.name}",
        message=f"The reference patient was matched by {moved.method.value}: {', '.join(figures)}. Stations "
        "are its labels, with this patient's organs taken out.",
    )


def _unknown(folder: Path, names: list[str]) -> tuple[Finding, ...]:
    if not names:
        return ()
    return (
        Finding(
            code="ATLAS_LABELS_UNKNOWN",
            severity=Severity.WARNING,
            where=f"--atlas {folder.name}",
            message=f"Not the name of a station, and not used: {', '.join(names)}.",
        ),
    )
