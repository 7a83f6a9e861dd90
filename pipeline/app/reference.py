"""The stations of a reference patient, brought to this one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core.errors import StructureError
from pipeline.core.report import Finding, Severity

if TYPE_CHECKING:
    from pipeline.app.anatomy import PatientAnatomy
    from pipeline.core.reference import ReferencePatient, RegisteredLabels
    from pipeline.core.volume import Mask


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovedLabels:
    """Labels on this patient's CT by the stations' names.

    Attributes:
        labels: station to mask.
        findings: how well the two patients fit, and doubts.
        sha256: of the reference's CT and of its labels, by role.
    """

    labels: Mapping[str, Mask]
    findings: tuple[Finding, ...]
    sha256: Mapping[str, str]


def moved_labels(folder: Path, anatomy: PatientAnatomy) -> MovedLabels:
    """Read a reference patient and bring its station labels to this patient.

    Raises:
        InputError: a folder without CT or station labels, with two labels for one station, or with masks that
            do not fit.
    """
    from pipeline.read import hash_pixels, load_organ_names, load_station_names, read_reference_patient
    from pipeline.register import register_labels

    read, names = read_reference_patient(folder, load_organ_names()), load_station_names()
    stations: dict[str, Mask] = {}
    unknown = []
    for name, mask in read.labels.items():
        match = names.find(name)
        if match is None:
            unknown.append(name)
        elif match.organ in stations:
            raise StructureError(
                "two labels for one station",
                where=f"--atlas {folder.name}",
                expected="one label a station",
                got=f"{name!r} and another one for {match.organ}",
                todo="join them, or take one of them out of the map",
            )
        else:
            stations[match.organ] = mask
    if not stations:
        raise StructureError(
            "no label that is named as a station",
            where=f"--atlas {folder.name}",
            expected="names such as 4R, 8M or SCV_L",
            got=", ".join(unknown),
            todo="rename the labels; atlas/station_names.yaml has the names",
        )
    reference = _with_image_organs(replace(read, labels=stations))
    moved = register_labels(reference, anatomy.volume, anatomy.organs)
    findings = (_fit(folder, moved), *moved.findings, *_unknown(folder, unknown))
    return MovedLabels(
        labels=moved.labels,
        findings=findings,
        sha256={"atlas_ct": hash_pixels(read.volume.hu), "atlas_labels": _hash_of_labels(stations)},
    )


def _hash_of_labels(labels: Mapping[str, Mask]) -> str:
    made = hashlib.sha256()
    for name, mask in labels.items():
        made.update(name.encode())
        made.update(np.packbits(mask.voxels).tobytes())
    return made.hexdigest()


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
