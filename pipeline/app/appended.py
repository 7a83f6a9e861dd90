"""The source structure set of a case, with the new ROIs of an arm appended to a copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import StructureError, UsageError

if TYPE_CHECKING:
    from pipeline.core.report import Finding
    from pipeline.read import LoadedCase
    from pipeline.write import RoiOut, StructureSetContext


def check_has_source(loaded: LoadedCase) -> None:
    """Refuse to append where there is nothing to append to.

    Raises:
        UsageError: the case has no structure set.
        StructureError: one that cannot be copied, or that is another patient's.
    """
    from pipeline.read import read_again

    if loaded.structure_set is None:
        raise UsageError(
            "there is no structure set to append to",
            where="--append-to-source",
            expected="a case whose lesions are drawn in a DICOM structure set",
            got="lesions from masks",
            todo="leave --append-to-source out",
        )
    if loaded.resampled_from is not None:
        raise UsageError(
            "a structure set cannot be appended to where the CT is resampled",
            where="--append-to-source",
            expected="volumes on the slices that the structure set was drawn on",
            got="--resample, and a CT that needs it",
            todo="leave one of the two out",
        )
    if loaded.is_of_two_patients:
        raise StructureError(
            "structure set of another patient",
            where=f"structure set {loaded.structure_set.label!r}",
            expected="the patient ID of the CT that it refers to",
            got="another one",
            todo="give the CT and the structure set of one patient, or leave --append-to-source out",
        )
    read_again(loaded.structure_set)


def append_to_source(
    place: Path, rois: Sequence[RoiOut], context: StructureSetContext, loaded: LoadedCase
) -> tuple[Finding, ...]:
    """Write `rtstruct_appended.dcm` beside an arm's structure set.

    The GTVs are left out: the copy holds them as they were drawn.

    Args:
        place: folder of the arm.
        rois: of the arm's structure set.
        context: of the arm's structure set.
        loaded: the case, with its structure set.

    Returns:
        A finding for every ROI whose name was taken.

    Raises:
        OutputError, StructureError: the copy cannot be written, reads back wrong, or its source is gone.
    """
    from pipeline.read import read_again
    from pipeline.write import APPENDED_FILE, write_appended

    structure_set = loaded.structure_set
    assert structure_set is not None, "checked before"
    told = replace(
        context,
        label=f"{context.label}+SOURCE",
        description=f"Copy of the source structure set with draft ROIs appended. {context.description}",
    )
    new = [roi for roi in rois if roi.interpreted_type != "GTV"]
    return write_appended(place / APPENDED_FILE, new, told, partial(read_again, structure_set))
