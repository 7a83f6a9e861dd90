"""A copy of the source structure set, with new ROIs behind its own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.dataset import FileDataset

from pipeline.core.errors import OutputError
from pipeline.core.report import Finding, Severity
from pipeline.write.atomic import whole_file
from pipeline.write.header import new_structure_set, renew, set_uids
from pipeline.write.readback import ROI_SEQUENCES, Items, check_appended
from pipeline.write.rtstruct import LONGEST_NAME, RoiOut, StructureSetContext, checked, roi_items

APPENDED_FILE = "rtstruct_appended.dcm"
_HIGHEST = 2**31 - 1  # that an integer string holds


def write_appended(
    path: Path, rois: Sequence[RoiOut], context: StructureSetContext, read: Callable[[], FileDataset]
) -> tuple[Finding, ...]:
    """Write a copy of a structure set with ROIs appended, read it back, and only then give it its name.

    The source's ROIs keep every byte and come first. The new ones are numbered after the highest number, and
    one whose name is taken, whatever the case, gets the first free of `NAME_2`, `NAME_3`, ... Patient, study
    and references are the source's, completed by the CT. New UIDs, UNAPPROVED, implicit VR little endian.

    Args:
        path: the file.
        rois: to be appended, on the grid of the CT.
        context: as for a structure set of the same ROIs alone.
        read: reads the source anew from a file in little endian, its items not decoded.

    Returns:
        A finding for every ROI whose name was taken.

    Raises:
        OutputError: as `write_rtstruct`, or there is no number left. Nothing is left at `path`, or what was
            there before.
    """
    source, kept = read(), _items(read())  # one to be changed, one to compare with
    named, findings = _with_free_names(rois, kept, context.label)
    cleaned = checked(named, context)
    added = roi_items(named, cleaned, context, first=_first_free(kept, len(named)))
    # Values of odd form are common in real structure sets; they are copied, not judged.
    with pydicom.config.disable_value_validation(), warnings.catch_warnings(), whole_file(path) as scratch:
        warnings.simplefilter("ignore")
        _keep_bytes(source)
        for keyword, items in added.items():
            setattr(source, keyword, [*_items(source)[keyword], *items])
        renew(source, context)
        _refer_to_ct(source, new_structure_set(context))
        set_uids(source, context)
        source.save_as(scratch, enforce_file_format=True)
        contours = [(roi.name, clean.contours) for roi, clean in zip(named, cleaned, strict=True)]
        check_appended(scratch, kept=kept, named=contours, headers=context.headers)
    return findings


def _items(source: Dataset) -> dict[str, list[Dataset]]:
    return {keyword: list(source.get(keyword) or []) for keyword in ROI_SEQUENCES}


def _with_free_names(
    rois: Sequence[RoiOut], kept: Items, label: str
) -> tuple[list[RoiOut], tuple[Finding, ...]]:
    """The ROIs under names that the source does not have."""
    theirs = {_text(item, "ROIName").casefold() for item in kept["StructureSetROISequence"]}
    taken = theirs | {roi.name.casefold() for roi in rois}
    named, findings = [], []
    for roi in rois:
        if roi.name.casefold() not in theirs:
            named.append(roi)
            continue
        name = next(one for one in _others(roi.name) if one.casefold() not in taken)
        taken.add(name.casefold())
        named.append(replace(roi, name=name))
        findings.append(
            Finding(
                code="ROI_NAME_TAKEN",
                severity=Severity.WARNING,
                where=f"{label}, {roi.name}",
                message=f"The source structure set has an ROI of this name already: in {APPENDED_FILE} the "
                f"new one is called {name}. Take care which of them a plan uses.",
            )
        )
    return named, tuple(findings)


def _others(name: str) -> Iterator[str]:
    number = 2
    while True:
        ending = f"_{number}"
        yield name[: LONGEST_NAME - len(ending)].rstrip() + ending
        number += 1


def _first_free(kept: Items, count: int) -> int:
    """The number after all numbers of ROIs and observations, those that nothing else refers to too."""
    given = [
        _number(item, keyword)
        for sequence, number in ROI_SEQUENCES.items()
        for item in kept[sequence]
        for keyword in (number, "ObservationNumber")
    ]
    highest = max([0, *(one for one in given if one is not None)])
    if highest + count > _HIGHEST:
        raise OutputError(
            "no ROI number is left after those of the source structure set",
            expected=f"{_HIGHEST} at most",
            got=str(highest),
            todo="leave --append-to-source out",
        )
    return highest + 1


def _number(item: Dataset, keyword: str) -> int | None:
    try:
        return int(_text(item, keyword))
    except ValueError:  # absent, or no number: nothing to keep clear of
        return None


def _text(item: Dataset, keyword: str) -> str:
    """A value, without decoding it in its item: what is not ASCII cannot be one of ours."""
    value = item.get_item(keyword).value if keyword in item else ""
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip(" \0")


def _keep_bytes(dataset: Dataset) -> None:
    """Let the raw elements of a dataset in little endian go out as they are, in implicit VR.

    The value of an element is the same in both; what stands in a sequence is not, so those are opened.
    """
    if dataset.original_encoding == (True, True):
        return
    for tag in list(dataset.keys()):
        if dataset.get_item(tag).VR == "SQ":
            for item in dataset[tag].value:
                _keep_bytes(item)
    dataset.set_original_encoding(is_implicit_vr=True, is_little_endian=True)


def _refer_to_ct(dataset: Dataset, ours: Dataset) -> None:
    """Complete what a structure set refers to by the CT: its frame of reference, study, series, images."""
    (frame,) = ours.ReferencedFrameOfReferenceSequence
    (study,) = frame.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    frames = list(dataset.get("ReferencedFrameOfReferenceSequence") or [])
    same = [one for one in frames if one.get("FrameOfReferenceUID") == frame.FrameOfReferenceUID]
    for one in _series_of(same):
        if one.get("SeriesInstanceUID") == series.SeriesInstanceUID:
            images = list(one.get("ContourImageSequence") or [])
            listed = {image.get("ReferencedSOPInstanceUID") for image in images}
            more = [i for i in series.ContourImageSequence if i.ReferencedSOPInstanceUID not in listed]
            if more:
                one.ContourImageSequence = [*images, *more]
            return
    if same:
        same[0].RTReferencedStudySequence = [*(same[0].get("RTReferencedStudySequence") or []), study]
    else:
        dataset.ReferencedFrameOfReferenceSequence = [*frames, frame]


def _series_of(frames: Sequence[Dataset]) -> Iterator[Dataset]:
    for frame in frames:
        for study in frame.get("RTReferencedStudySequence") or []:
            yield from study.get("RTReferencedSeriesSequence") or []
