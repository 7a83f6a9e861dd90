"""DICOM segmentations (SEG): which segments a file has, and the voxels of each on the CT's grid."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.core.errors import StructureError
from pipeline.core.grid import Grid
from pipeline.core.volume import Mask
from pipeline.read.dicom_index import BROKEN, DicomFile
from pipeline.read.frame_places import FramePlaces, placed_frames

Labels = npt.NDArray[np.unsignedinteger[Any]]

FRACTIONAL, LABEL_MAP = "FRACTIONAL", "LABELMAP"

# Codes of Left and Right in SNOMED CT, and in the older SNOMED RT.
_SIDES: dict[str, Literal["left", "right"]] = {
    "7771000": "left",
    "24028007": "right",
    "G-A101": "left",
    "G-A100": "right",
}
_UNREADABLE = (*BROKEN, sqlite3.Error)  # highdicom keeps the frames' table in SQLite
_BACKGROUND = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a segmentation.

    Attributes:
        number: by which the frames, or the values of a label map, refer to it.
        label: as found, without what identifies the patient.
        meaning: code meaning of its Segmented Property Type.
        side: what the type's modifier says; empty where it says no side.
    """

    number: int
    label: str
    meaning: str
    side: Literal["left", "right", ""]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """A segmentation that lies on the CT's grid, its frames still undecoded.

    Attributes:
        file: where it comes from.
        kind: Segmentation Type: BINARY, FRACTIONAL or LABELMAP.
        segments: in the order of the file, without the background.
        grid: of the CT.
        half: of the largest fraction that can be stored; from there on a voxel counts as inside.
    """

    file: DicomFile
    kind: str
    segments: tuple[Segment, ...]
    grid: Grid
    half: float
    _data: Any
    _places: FramePlaces
    _numbers: npt.NDArray[np.int64]  # each frame's segment; empty for a label map
    _lock: Lock

    def mask(self, number: int) -> tuple[Mask, int]:
        """The voxels of a segment, and how many of it lie beyond the CT. What has no frame is empty.

        Raises:
            StructureError: frames that cannot be decoded.
        """
        if self.kind == LABEL_MAP:
            with self._lock:
                labels, beyond = self._label_map
            lost = int(beyond[number]) if number < len(beyond) else 0
            return Mask(grid=self.grid, voxels=labels == number), lost
        labels, beyond = self._assembled(np.flatnonzero(self._numbers == number))
        return Mask(grid=self.grid, voxels=labels.view(np.bool_)), int(beyond[1:].sum())

    @cached_property
    def _label_map(self) -> tuple[Labels, npt.NDArray[np.int64]]:
        return self._assembled(range(len(self._places.corners)))

    def _assembled(
        self, frames: Sequence[int] | npt.NDArray[np.int64]
    ) -> tuple[Labels, npt.NDArray[np.int64]]:
        """Frames in their places, shape (k, j, i), and the count of each value beyond the grid."""
        wide = self.kind == LABEL_MAP and int(self._data.BitsAllocated) > 8
        labels: Labels = np.zeros(self.grid.shape, dtype=np.uint16 if wide else np.uint8)
        beyond = np.zeros(np.iinfo(labels.dtype).max + 1, dtype=np.int64)
        least = math.ceil(self.half)  # compared as a whole number, 8 bits at a time
        for frame in frames:
            try:
                stored = self._data.get_stored_frame(int(frame) + 1)
            except _UNREADABLE as error:
                raise unreadable(self.file, error) from error
            pixels = stored if self.kind == LABEL_MAP else (stored >= least).view(np.uint8)
            inside = self._places.put(labels, pixels, int(frame))
            if inside.size < pixels.size:
                beyond += np.bincount(pixels.ravel(), minlength=len(beyond))
                beyond -= np.bincount(inside.ravel(), minlength=len(beyond))
        return labels, beyond


def read_segmentation(file: DicomFile, grid: Grid) -> Segmentation:
    """Open a DICOM segmentation and find the place of its frames, each by its own position.

    Raises:
        StructureError: it cannot be read, belongs to another CT, or lies on another grid.
    """
    _check_frame_of_reference(file, grid)
    try:
        return _read(file, grid)
    except _UNREADABLE as error:
        raise unreadable(file, error) from error


def unreadable(file: DicomFile, error: Exception) -> StructureError:
    """The error for a segmentation that is broken beyond use."""
    return StructureError(
        "segmentation cannot be read",
        where=f"file {file.label}",
        expected="a whole DICOM segmentation, its frames with patient positions",
        got=file.blotted(f"{type(error).__name__}: {error}").replace(str(file.path), file.label),
        todo="export it again, or as NIfTI with the names of its labels",
    )


def _read(file: DicomFile, grid: Grid) -> Segmentation:
    from highdicom.seg import segread

    data: Any = segread(file.path, lazy_frame_retrieval=True)
    kind = str(data.SegmentationType)
    half = 0.5
    if kind == FRACTIONAL:
        half = int(data.MaximumFractionalValue) / 2
        if half <= 0:
            raise ValueError(f"MaximumFractionalValue is {data.MaximumFractionalValue}")
    return Segmentation(
        file=file,
        kind=kind,
        segments=_segments(file, data),
        grid=grid,
        half=half,
        _data=data,
        _places=placed_frames(data, grid, where=f"file {file.label}"),
        _numbers=_segment_numbers(data) if kind != LABEL_MAP else np.empty(0, dtype=np.int64),
        _lock=Lock(),
    )


def _segments(file: DicomFile, data: Any) -> tuple[Segment, ...]:
    background = int(data.get("PixelPaddingValue", _BACKGROUND)) if data.SegmentationType == LABEL_MAP else 0
    segments = tuple(
        Segment(
            number=int(item.SegmentNumber),
            label=file.blotted(str(item.get("SegmentLabel") or "").strip()),
            meaning=_meaning(item),
            side=_side(item),
        )
        for item in data.SegmentSequence
        if int(item.SegmentNumber) not in {background, _BACKGROUND}
    )
    numbers = [one.number for one in segments]
    if len(set(numbers)) < len(numbers):
        raise ValueError("one SegmentNumber is given to several segments")
    return segments


def _meaning(item: Any) -> str:
    (concept,) = item.SegmentedPropertyTypeCodeSequence
    return str(concept.get("CodeMeaning") or "").strip()


def _side(item: Any) -> Literal["left", "right", ""]:
    (concept,) = item.SegmentedPropertyTypeCodeSequence
    for modifier in concept.get("SegmentedPropertyTypeModifierCodeSequence") or ():
        side = _SIDES.get(str(modifier.get("CodeValue") or ""))
        if side is not None:
            return side
    return ""


def _segment_numbers(data: Any) -> npt.NDArray[np.int64]:
    shared = data.SharedFunctionalGroupsSequence[0]
    of_all = shared.get("SegmentIdentificationSequence")
    return np.array(
        [
            int((of_all or frame.SegmentIdentificationSequence)[0].ReferencedSegmentNumber)
            for frame in data.PerFrameFunctionalGroupsSequence
        ],
        dtype=np.int64,
    )


def _check_frame_of_reference(file: DicomFile, grid: Grid) -> None:
    named = file.text("FrameOfReferenceUID")
    # A CT from NIfTI has none: only the frames' positions can tell, and they are asked later.
    if named and grid.frame_of_reference and named != grid.frame_of_reference:
        raise StructureError(
            "segmentation belongs to another CT",
            where=f"file {file.label}",
            expected=f"frame of reference {grid.frame_of_reference}",
            got=named,
            todo="give the segmentation that was made on the planning CT",
        )
