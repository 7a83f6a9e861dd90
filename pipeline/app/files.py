"""What every command does about files: options for reading, DICOM headers to refer to, provenance."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.core.report import Finding, Provenance, Severity

if TYPE_CHECKING:
    from pipeline.app.values import InputChoice
    from pipeline.core.case import Source
    from pipeline.core.rules import Protocol
    from pipeline.read import LoadedScan, ReadOptions
    from pipeline.write import CtIdentity

_DEPENDENCIES = (
    "SimpleITK",
    "connected-components-3d",
    "contourpy",
    "highdicom",
    "nibabel",
    "numba",
    "numpy",
    "pillow",
    "pydantic",
    "pydicom",
    "PyYAML",
    "rt-utils",
    "scikit-image",
    "scipy",
    "shapely",
)


def read_options(choice: InputChoice) -> ReadOptions:
    """The choice as the reader takes it."""
    from pipeline.read import GtvChoice, ReadOptions

    return ReadOptions(
        structures=choice.structures,
        ct_series=choice.ct_series,
        masks=choice.masks,
        resample=choice.resample,
        gtv=tuple(GtvChoice(roi_name=name, kind=kind) for name, kind in choice.gtv),
        keep_structures=False,  # the involved field is grown from the lesions alone
    )


def with_headers(scan: LoadedScan, folder: Path) -> tuple[LoadedScan, tuple[Finding, ...]]:
    """The scan with DICOM headers to refer to: where it has none, of a series written to `folder/ct`."""
    from pipeline.write import write_ct_series

    if scan.headers:
        return scan, ()
    if scan.resampled_from is not None:
        identity = _same_patient(scan)
        return replace(scan, headers=write_ct_series(folder / "ct", scan.volume, identity)), ()
    headers = write_ct_series(folder / "ct", scan.volume, _identity(scan.source))
    told = Finding(
        code="CT_WRITTEN_AS_DICOM",
        severity=Severity.INFO,
        where="ct",
        message="The input is no DICOM, so its CT was written as a DICOM series, without the "
        "patient's identity, and the structure set refers to that series. Import both together.",
    )
    return replace(scan, headers=headers), (told,)


def _identity(source: Source) -> CtIdentity:
    from pipeline.write import CtIdentity

    seed = source.ct_sha256
    # Planning systems ask for an identifier: one that says nothing of the patient.
    alias = f"CT-{seed[:12]}"
    return CtIdentity(seed=seed, patient_name=alias, patient_id=alias, series_description="CT for DRAFT")


def _same_patient(scan: LoadedScan) -> CtIdentity:
    """Of a series that was brought onto another grid."""
    from pipeline.write import CtIdentity

    seed = f"resampled {scan.source.series_uid} {scan.source.ct_sha256}"
    return CtIdentity(seed=seed, series_description="CT resampled for DRAFT", source=scan.resampled_from)


def provenance_of(
    source: Source,
    seconds: Mapping[str, float],
    *,
    protocol: Protocol | None = None,
    data: Mapping[str, str] | None = None,
) -> Provenance:
    """What made a result.

    Args:
        source: of the case.
        seconds: by stage.
        protocol: that was carried out, if any.
        data: hashes of further files of knowledge, by role.
    """
    uids = {
        "study": source.study_uid,
        "ct_series": source.series_uid,
        "structure_set": source.structure_set_uid,
    }
    hashes = {"ct_pixels": source.ct_sha256, **(data or {})}
    for file in source.files:
        numbered = sum(1 for role in hashes if role.split(" ")[0] == file.role)
        hashes[f"{file.role} {numbered + 1}" if numbered else file.role] = file.sha256
    return Provenance(
        version=__version__,
        protocol=protocol.name if protocol else "",
        protocol_sha256=protocol.sha256 if protocol else "",
        input_uids={role: uid for role, uid in uids.items() if uid},
        input_hashes=hashes,
        dependencies={
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: metadata.version(name) for name in _DEPENDENCIES},
        },
        seconds=seconds,
    )
