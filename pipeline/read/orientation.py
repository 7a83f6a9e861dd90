"""Image files that do not say, or say twice and differently, where left and right are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.core.report import Finding, Severity

# Two affines of one file that differ by less at its corners mean the same place.
SAME_MM = 1.0


def orientation_findings(path: Path) -> tuple[Finding, ...]:
    """`ORIENTATION_NOT_STATED` (stop) and `ORIENTATION_STATED_TWICE` (warning) for a CT's file.

    The first is for a NIfTI whose sform and qform are both without a code, and an NRRD without a space: their
    axes are assumed. The second is for a NIfTI whose sform and qform place it differently.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return _of_nifti(path)
    if name.endswith((".nrrd", ".nhdr")) and "space" not in _nrrd_fields(path):
        return (_not_stated(path, "a field `space`"),)
    return ()


def _of_nifti(path: Path) -> tuple[Finding, ...]:
    import nibabel

    header: Any = nibabel.load(path).header
    sform, qform = header.get_sform(coded=True), header.get_qform(coded=True)
    if not sform[1] and not qform[1]:
        return (_not_stated(path, "a sform or qform with a code above 0"),)
    if not (sform[1] and qform[1]):
        return ()
    size = np.array(header.get_data_shape()[:3]) - 1
    corners = np.array([[*(np.array(bits) * size), 1] for bits in np.ndindex(2, 2, 2)], dtype=float)
    apart = float(np.linalg.norm((corners @ (sform[0] - qform[0]).T)[:, :3], axis=1).max())
    if apart <= SAME_MM:
        return ()
    return (
        Finding(
            code="ORIENTATION_STATED_TWICE",
            severity=Severity.WARNING,
            where=f"file {path.name}",
            message=f"Its sform and qform place it up to {apart:.1f} mm apart. Look where the volumes lie on "
            "the CT, and left from right.",
        ),
    )


def _nrrd_fields(path: Path) -> set[str]:
    """Names of the fields of a header: it is text, up to an empty line."""
    fields = set()
    with path.open("rb") as stream:
        for line in stream:
            if not line.strip():
                break
            fields.add(line.split(b":")[0].strip().lower().decode("latin-1"))
    return fields


def _not_stated(path: Path, wanted: str) -> Finding:
    return Finding(
        code="ORIENTATION_NOT_STATED",
        severity=Severity.STOP,
        where=f"file {path.name}",
        message=f"It lacks {wanted}: where left and right, front and back are was assumed. Look at it on the "
        "pictures, or give a file that says so.",
    )
