"""Synthetic DICOM for tests: CT series of any geometry, and structure sets with any loops.

::

    ct = make_ct(folder / "ct", CtSpec(position="FFP"))
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-T", circles(ct, radius_mm=12.0))])

The phantom stands in patient space: the same `center_mm`, loops and `hu` give the same patient,
however the images are stored. Slices are always counted along their normal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

Points = npt.NDArray[np.float64]

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"

# Direction of columns and of rows in LPS: what a scanner writes for each patient position.
COSINES = {
    "HFS": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "HFP": (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "FFS": (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "FFP": (1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "HFDR": (0.0, 1.0, 0.0, -1.0, 0.0, 0.0),
    "HFDL": (0.0, -1.0, 0.0, 1.0, 0.0, 0.0),
    "FFDR": (0.0, -1.0, 0.0, -1.0, 0.0, 0.0),
    "FFDL": (0.0, 1.0, 0.0, 1.0, 0.0, 0.0),
}


@dataclass(frozen=True, kw_only=True)
class CtSpec:
    """A CT series.

    Attributes:
        size: columns, rows, slices.
        spacing_mm: between columns, rows, slices.
        center_mm: LPS of the middle of the volume.
        position: patient position; gives the direction cosines.
        cosines: direction cosines instead of the position's.
        along_mm: slice positions along the normal, from the first, instead of even ones.
        lean: sideways millimetres (LPS) for each millimetre along the normal: gantry tilt.
        hu: Hounsfield units of LPS points (n, 3), or one value for all.
        stored: dtype of the stored values, `int16` or `uint16`.
        intercept, slope: of the rescaling.
        image_type: as DICOM has it.
        implicit: implicit instead of explicit VR.
        patient: name and ID, for tests that look for them where they must not be.
        extra: further elements for every slice, by keyword.
    """

    size: tuple[int, int, int] = (24, 20, 6)
    spacing_mm: tuple[float, float, float] = (2.0, 2.5, 3.0)
    center_mm: tuple[float, float, float] = (5.0, -10.0, 40.0)
    position: str = "HFS"
    cosines: tuple[float, ...] | None = None
    along_mm: tuple[float, ...] | None = None
    lean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    hu: Callable[[Points], Points] | float = 0.0
    stored: str = "int16"
    intercept: float = -1024.0
    slope: float = 1.0
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    implicit: bool = False
    patient: tuple[str, str] = ("Secret^Person", "ID-4711")
    extra: dict[str, object] = field(default_factory=dict)
    study_uid: str = field(default_factory=generate_uid)
    series_uid: str = field(default_factory=generate_uid)
    frame_uid: str = field(default_factory=generate_uid)


@dataclass(frozen=True, kw_only=True)
class MadeCt:
    """What was written: the spec, the files and SOP UIDs in order along the normal, first pixels in LPS."""

    spec: CtSpec
    files: tuple[Path, ...]
    sop_uids: tuple[str, ...]
    origins: Points

    @property
    def heights(self) -> Points:
        """LPS z of every slice's plane, for axial series."""
        return np.asarray(self.origins[:, 2])

    @property
    def step_mm(self) -> float:
        """Signed step in LPS z from slice to slice."""
        return float(self.heights[1] - self.heights[0])


@dataclass(frozen=True)
class RoiSpec:
    """One ROI: its name and loops, each (n, 3) in LPS mm, and how to say them.

    Attributes:
        kinds: geometric type of each loop, or one for all.
        number: ROI Number; None counts from 1.
    """

    name: str
    loops: Sequence[npt.ArrayLike]
    interpreted_type: str = ""
    kinds: str | Sequence[str] = "CLOSED_PLANAR"
    number: int | None = None
    frame_uid: str | None = None


def axes_of(spec: CtSpec) -> tuple[Points, Points, Points]:
    """Unit vectors of increasing column, row and slice."""
    cosines = np.array(spec.cosines or COSINES[spec.position], dtype=float)
    return cosines[:3], cosines[3:], np.cross(cosines[:3], cosines[3:])


def make_ct(folder: Path, spec: CtSpec | None = None, *, leave_out: Sequence[int] = ()) -> MadeCt:
    """Write a series; file names and instance numbers run against the order of the slices."""
    spec = spec or CtSpec()
    folder.mkdir(parents=True, exist_ok=True)
    i, j, k = axes_of(spec)
    columns, rows, count = spec.size
    along = spec.along_mm or tuple(spec.spacing_mm[2] * n for n in range(count))
    across = (columns - 1) / 2 * spec.spacing_mm[0] * i + (rows - 1) / 2 * spec.spacing_mm[1] * j
    corner = np.array(spec.center_mm) - across - (along[0] + along[-1]) / 2 * k
    origins = np.array([corner + (k + np.array(spec.lean)) * a for a in along])
    kept = [n for n in range(len(along)) if n not in leave_out]
    files, uids = [], []
    for n in kept:
        header = _slice(spec, origins[n], number=len(along) - n)
        files.append(folder / f"{spec.series_uid[-6:]}-{len(along) - n:03d}")
        uids.append(str(header.SOPInstanceUID))
        save(files[-1], header, implicit=spec.implicit)
    return MadeCt(spec=spec, files=tuple(files), sop_uids=tuple(uids), origins=origins[kept])


def _slice(spec: CtSpec, origin: Points, *, number: int) -> Dataset:
    i, j, _ = axes_of(spec)
    columns, rows, _ = spec.size
    header = _common(spec, sop_class=CT_IMAGE, modality="CT")
    header.ImageType = list(spec.image_type)
    header.SeriesInstanceUID = spec.series_uid
    header.FrameOfReferenceUID = spec.frame_uid
    header.PositionReferenceIndicator = ""
    header.InstanceNumber = number
    header.PatientPosition = spec.position
    header.ImageOrientationPatient = [f"{value:.10g}" for value in (*i, *j)]
    header.ImagePositionPatient = [f"{value:.10g}" for value in origin]
    header.PixelSpacing = [spec.spacing_mm[1], spec.spacing_mm[0]]
    header.SliceThickness = spec.spacing_mm[2]
    header.Rows, header.Columns = rows, columns
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = int(spec.stored == "int16")
    header.RescaleIntercept, header.RescaleSlope, header.RescaleType = spec.intercept, spec.slope, "HU"
    header.KVP = 120
    for keyword, value in spec.extra.items():
        setattr(header, keyword, value)
    hu = np.full((rows, columns), spec.hu) if isinstance(spec.hu, float | int) else _sampled(spec, origin)
    stored = np.round((hu - spec.intercept) / spec.slope).astype(spec.stored)
    header.add_new("PixelData", "OW", stored.astype(stored.dtype.newbyteorder("<")).tobytes())
    return header


def _sampled(spec: CtSpec, origin: Points) -> Points:
    i, j, _ = axes_of(spec)
    columns, rows, _ = spec.size
    down, right = np.mgrid[0:rows, 0:columns].reshape(2, -1)
    points = origin + np.outer(right * spec.spacing_mm[0], i) + np.outer(down * spec.spacing_mm[1], j)
    assert callable(spec.hu)
    return np.asarray(spec.hu(points)).reshape(rows, columns)


def make_structure_set(
    path: Path,
    ct: MadeCt,
    rois: Sequence[RoiSpec],
    *,
    label: str = "plan",
    series_uid: str | None = None,
    frame_uid: str | None = None,
    image_uids: Sequence[str] | None = None,
    implicit: bool = True,
) -> Dataset:
    """Write a structure set on a CT; the options misstate what it refers to."""
    header = _common(ct.spec, sop_class=STRUCTURE_SET, modality="RTSTRUCT")
    header.SeriesInstanceUID = generate_uid()
    header.StructureSetLabel, header.StructureSetDate, header.StructureSetTime = label, "", ""
    frame = frame_uid or ct.spec.frame_uid
    images = ct.sop_uids if image_uids is None else tuple(image_uids)
    header.ReferencedFrameOfReferenceSequence = [
        _with(
            FrameOfReferenceUID=frame,
            RTReferencedStudySequence=[
                _with(
                    ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1",
                    ReferencedSOPInstanceUID=ct.spec.study_uid,
                    RTReferencedSeriesSequence=[
                        _with(
                            SeriesInstanceUID=ct.spec.series_uid if series_uid is None else series_uid,
                            ContourImageSequence=[_image(uid) for uid in images],
                        )
                    ],
                )
            ],
        )
    ]
    numbers = [roi.number if roi.number is not None else n for n, roi in enumerate(rois, start=1)]
    header.StructureSetROISequence = [
        _with(
            ROINumber=number,
            ReferencedFrameOfReferenceUID=roi.frame_uid or frame,
            ROIName=roi.name,
            ROIGenerationAlgorithm="MANUAL",
        )
        for number, roi in zip(numbers, rois, strict=True)
    ]
    header.ROIContourSequence = [
        _roi_contour(number, roi, ct, images) for number, roi in zip(numbers, rois, strict=True)
    ]
    header.RTROIObservationsSequence = [
        _with(
            ObservationNumber=number,
            ReferencedROINumber=number,
            RTROIInterpretedType=roi.interpreted_type,
            ROIInterpreter="",
        )
        for number, roi in zip(numbers, rois, strict=True)
    ]
    save(path, header, implicit=implicit)
    return header


def circles(
    ct: MadeCt,
    *,
    radius_mm: float,
    center_mm: tuple[float, float] | None = None,
    slices: Sequence[int] | None = None,
    points: int = 72,
) -> list[Points]:
    """A loop in LPS on each of the slices (all by default) around a point (x, y) of the patient."""
    x, y = center_mm or ct.spec.center_mm[:2]
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    ring = np.column_stack([x + radius_mm * np.cos(angles), y + radius_mm * np.sin(angles)])
    return [on_slice(ct, ring, n) for n in (range(len(ct.files)) if slices is None else slices)]


def box(
    ct: MadeCt, *, low: tuple[float, float], high: tuple[float, float], slices: Sequence[int] | None = None
) -> list[Points]:
    """A rectangle between two points (x, y) of the patient on each of the slices."""
    ring = np.array([low, (high[0], low[1]), high, (low[0], high[1])], dtype=float)
    return [on_slice(ct, ring, n) for n in (range(len(ct.files)) if slices is None else slices)]


def on_slice(ct: MadeCt, ring: npt.ArrayLike, index: int) -> Points:
    """A loop (n, 2) of patient x and y at the height of a slice; slices -1, n... lie beyond the scan."""
    flat = np.asarray(ring, dtype=float)
    height = ct.heights[0] + index * ct.step_mm
    return np.column_stack([flat, np.full(len(flat), height)])


def save(path: Path, header: Dataset, *, implicit: bool = False) -> None:
    """Write a Part 10 file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = FileDataset(str(path), header, file_meta=meta, preamble=b"\0" * 128)
    whole.save_as(path, enforce_file_format=True)


def _common(spec: CtSpec, *, sop_class: str, modality: str) -> Dataset:
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = sop_class, generate_uid()
    header.Modality, header.Manufacturer = modality, "test"
    header.StudyDate, header.StudyTime, header.StudyID, header.AccessionNumber = "20200101", "120000", "1", ""
    header.ReferringPhysicianName = ""
    header.PatientName, header.PatientID = spec.patient
    header.PatientBirthDate, header.PatientSex = "19500101", "O"
    header.StudyInstanceUID = spec.study_uid
    header.SeriesNumber = 1
    return header


def _with(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _image(uid: str) -> Dataset:
    return _with(ReferencedSOPClassUID=CT_IMAGE, ReferencedSOPInstanceUID=uid)


def _roi_contour(number: int, roi: RoiSpec, ct: MadeCt, images: Sequence[str]) -> Dataset:
    kinds = [roi.kinds] * len(roi.loops) if isinstance(roi.kinds, str) else list(roi.kinds)
    item = _with(ROIDisplayColor=[255, 0, 0], ReferencedROINumber=number)
    contours = []
    for loop, kind in zip(roi.loops, kinds, strict=True):
        points = np.asarray(loop, dtype=float).reshape(-1, 3)
        contour = _with(
            ContourGeometricType=kind,
            NumberOfContourPoints=len(points),
            ContourData=[f"{value:.4f}" for value in points.ravel()],
        )
        nearest = int(np.argmin(np.abs(ct.heights - points[:, 2].mean())))
        if nearest < len(images):
            contour.ContourImageSequence = [_image(images[nearest])]
        contours.append(contour)
    if contours:
        item.ContourSequence = contours
    return item
