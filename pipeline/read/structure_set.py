"""Structure sets: which series they belong to, which ROIs they hold, and the raw contours."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import cast

import pydicom
from pydicom.dataset import FileDataset

from pipeline.core.errors import StructureError
from pipeline.core.planes import ScannedPlanes
from pipeline.read.contour_data import Points, contour_points
from pipeline.read.ct_series import CtSeries
from pipeline.read.dicom_index import BROKEN, DicomFile, read_dicom
from pipeline.read.item_check import check_items
from pipeline.read.lenient import lenient

_SEQUENCES = (
    "ReferencedFrameOfReferenceSequence",
    "StructureSetROISequence",
    "ROIContourSequence",
    "RTROIObservationsSequence",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roi:
    """One ROI of a structure set.

    Attributes:
        number: ROI Number, by which everything else refers to it.
        name: as found, without leading and trailing blanks, and without what identifies the patient.
        interpreted_type: RT ROI Interpreted Type (`GTV`, `ORGAN`, `EXTERNAL`, ...); may be empty.
        frame_of_reference: the frame that its contours are in; may be empty.
        contour_count: how many contours of any type it has.
    """

    number: int
    name: str
    interpreted_type: str
    frame_of_reference: str
    contour_count: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawContour:
    """One contour as stored: its geometric type and its points, shape (n, 3), LPS mm."""

    kind: str
    points: Points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureSet:
    """A structure set, its contours still unread.

    Attributes:
        file: where it comes from.
        rois: in the order of the file.
        series_uids: the series that it says it refers to.
        frames_of_reference: the frames that it names.
        image_uids: the images that its referenced series list.
        orphans: ROI numbers that have contours and no entry among the ROIs.
        scanned: the planes that it was drawn on, where the CT is brought onto another grid.
    """

    file: DicomFile
    rois: tuple[Roi, ...]
    series_uids: frozenset[str]
    frames_of_reference: frozenset[str]
    image_uids: frozenset[str]
    orphans: tuple[int, ...]
    scanned: ScannedPlanes | None = None

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return self.file.sop_uid

    @property
    def label(self) -> str:
        """Structure Set Label; may be empty."""
        return self.file.blotted(self.file.text("StructureSetLabel"))

    def __str__(self) -> str:
        return f"file {self.file.label} (label {self.label!r}, {len(self.rois)} ROIs)"

    def refers_to(self, series: CtSeries) -> bool:
        """Whether it names the series, or, naming no series at all, images of it."""
        if self.series_uids:
            return series.uid in self.series_uids
        return any(file.sop_uid in self.image_uids for file in series.files)


def read_structure_set(file: DicomFile) -> StructureSet:
    """Read names, types and references.

    Raises:
        StructureError: broken beyond use.
    """
    try:
        for keyword in _SEQUENCES:
            check_items(file, keyword)
        return _read(file)
    except BROKEN as error:
        raise StructureError(
            "structure set cannot be read",
            where=f"file {file.label}",
            expected="ROIs, contours and references as DICOM has them",
            got=file.blotted(f"{type(error).__name__}: {error}"),
            todo="export it again",
        ) from error


def read_again(structure_set: StructureSet) -> FileDataset:
    """The structure set anew from its file, nothing of its ROIs decoded: written, they keep their bytes.

    Raises:
        StructureError: the file is not what it was, or stored in big endian.
    """
    file = structure_set.file
    where = f"file {file.label}"
    try:
        with lenient():
            again = read_dicom(file.path)
            if again is None or again.sop_uid != file.sop_uid:
                raise ValueError("another object")
            header = cast(FileDataset, again.header)  # what pydicom makes of any file
            _restore_sequences(header)
    except BROKEN as error:
        raise StructureError(
            "structure set cannot be read again, to append to a copy of it",
            where=where,
            expected="the file as it was",
            got=file.blotted(f"{type(error).__name__}: {error}".replace(str(file.path), file.label)),
            todo="leave the input alone while the program runs",
        ) from error
    if not header.original_encoding[1]:
        raise StructureError(
            "structure set in big endian cannot be appended to",
            where=where,
            expected="implicit or explicit VR little endian",
            got="explicit VR big endian, which DICOM has retired",
            todo="export it again in little endian, or leave --append-to-source out",
        )
    return header


def raw_contours(structure_set: StructureSet, roi: Roi) -> Iterator[RawContour]:
    """The contours of one ROI, found by its number alone.

    Raises:
        StructureError: a contour whose data is no list of points, or not all of them.
    """
    met = 0
    try:
        for item in contour_items(structure_set.file.header, roi.number):
            met += 1
            kind = str(item.get("ContourGeometricType", "CLOSED_PLANAR")).strip().upper()
            yield RawContour(kind=kind, points=contour_points(item))
    except BROKEN as error:
        raise StructureError(
            "contour data cannot be read",
            where=f"file {structure_set.file.label}, ROI {roi.name!r}, contour {met}",
            expected="x, y, z of each point in mm, as many as Number of Contour Points says",
            got=structure_set.file.blotted(str(error)),
            todo="export the structure set again",
        ) from error


def _restore_sequences(header: pydicom.Dataset) -> None:
    """Decode sequences that were written as UN, as happens to those of more than 64 kB.

    What stands in an element of unknown VR is encoded as implicit VR little endian.
    """
    for keyword in _SEQUENCES:
        if keyword not in header or not isinstance(header[keyword].value, bytes):
            continue
        element = header[keyword]
        head = struct.pack("<HHL", element.tag.group, element.tag.element, len(element.value))
        decoded = pydicom.dcmread(BytesIO(head + element.value), force=True)
        header[keyword] = decoded[keyword]


def items_of(dataset: pydicom.Dataset, keyword: str) -> Sequence[pydicom.Dataset]:
    """The items of a sequence, none where it is absent or empty.

    Raises:
        ValueError: what stands there is no sequence.
    """
    found = dataset.get(keyword)
    if found is None or (isinstance(found, str | bytes) and not found):
        return ()
    if not isinstance(found, pydicom.Sequence):
        raise ValueError(f"{keyword} is no sequence of items")
    return found


def _number(item: pydicom.Dataset, keyword: str) -> int:
    """The number by which ROIs are told apart.

    Raises:
        ValueError: there is none.
    """
    found = item.get(keyword)
    try:
        return int(found)
    except BROKEN as error:
        raise ValueError(f"{keyword} is {found!r} where a whole number should stand") from error


def _read(file: DicomFile) -> StructureSet:
    header = file.header
    _restore_sequences(header)
    types = {
        _number(item, "ReferencedROINumber"): str(item.get("RTROIInterpretedType") or "").strip()
        for item in items_of(header, "RTROIObservationsSequence")
    }
    counts: dict[int, int] = {}
    for item in items_of(header, "ROIContourSequence"):
        number = _number(item, "ReferencedROINumber")
        counts[number] = counts.get(number, 0) + len(items_of(item, "ContourSequence"))
    rois = tuple(_roi(item, file, types, counts) for item in items_of(header, "StructureSetROISequence"))
    series, frames, images = _references(header)
    known = {roi.number for roi in rois}
    return StructureSet(
        file=file,
        rois=rois,
        series_uids=frozenset(series),
        frames_of_reference=frozenset(frames | {r.frame_of_reference for r in rois if r.frame_of_reference}),
        image_uids=frozenset(images),
        orphans=tuple(sorted(number for number, count in counts.items() if count and number not in known)),
    )


def _roi(item: pydicom.Dataset, file: DicomFile, types: Mapping[int, str], counts: Mapping[int, int]) -> Roi:
    number = _number(item, "ROINumber")
    return Roi(
        number=number,
        name=file.blotted(str(item.get("ROIName") or "").strip()),
        interpreted_type=types.get(number, ""),
        frame_of_reference=str(item.get("ReferencedFrameOfReferenceUID") or "").strip(),
        contour_count=counts.get(number, 0),
    )


def _references(header: pydicom.Dataset) -> tuple[set[str], set[str], set[str]]:
    """UIDs of series, frames of reference and images that the structure set names."""
    series, frames, images = set(), set(), set()
    for frame in items_of(header, "ReferencedFrameOfReferenceSequence"):
        frames.add(str(frame.get("FrameOfReferenceUID") or ""))
        for study in items_of(frame, "RTReferencedStudySequence"):
            for one in items_of(study, "RTReferencedSeriesSequence"):
                series.add(str(one.get("SeriesInstanceUID") or ""))
                for image in items_of(one, "ContourImageSequence"):
                    images.add(str(image.get("ReferencedSOPInstanceUID") or ""))
    return series - {""}, frames - {""}, images - {""}


def contour_items(header: pydicom.Dataset, number: int) -> Iterator[pydicom.Dataset]:
    """The items of the contours of one ROI."""
    for item in items_of(header, "ROIContourSequence"):
        if _number(item, "ReferencedROINumber") == number:
            yield from items_of(item, "ContourSequence")
