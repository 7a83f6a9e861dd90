"""A structure set is opened again before it counts: does it say what was meant?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import shapely
from pydicom import Dataset
from pydicom.tag import Tag
from shapely.geometry import Polygon

from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError

Points = npt.NDArray[np.float64]

MAX_VOLUME_ERROR = 0.005
_MAX_OFF_PLANE_MM = 0.01
_CONTOUR_DATA = Tag("ContourData")


def check_structure_set(
    path: Path, *, named: Sequence[tuple[str, Contours]], headers: Sequence[Dataset]
) -> None:
    """Compare a file with what was to be written: names, slices, references, volumes.

    Args:
        path: the file.
        named: ROI names and contours, in the order of the file.
        headers: CT slice headers in order of k.

    Raises:
        OutputError: anything differs, or a volume by more than 0.5 %.
    """
    try:
        back = pydicom.dcmread(path)
        structures = {int(item.ROINumber): item.ROIName for item in back.StructureSetROISequence}
        contours = {int(item.ReferencedROINumber): item for item in back.ROIContourSequence}
        observed = [int(item.ReferencedROINumber) for item in back.RTROIObservationsSequence]
        _same("ROI names", [name for name, _ in named], list(structures.values()))
        _same("ROI numbers of contours", list(structures), list(contours))
        _same("ROI numbers of observations", list(structures), observed)
        _check_references(back, headers)
        index = {header.SOPInstanceUID: k for k, header in enumerate(headers)}
        for (name, wanted), number in zip(named, structures, strict=True):
            _check_roi(name, wanted, _sections(contours[number], wanted, headers, index))
    except (AttributeError, KeyError, ValueError, TypeError, pydicom.errors.InvalidDicomError) as error:
        raise _wrong("structure", "a complete structure set", f"{type(error).__name__}: {error}") from error


def _check_references(back: Dataset, headers: Sequence[Dataset]) -> None:
    frame = back.ReferencedFrameOfReferenceSequence[0]
    study = frame.RTReferencedStudySequence[0]
    series = study.RTReferencedSeriesSequence[0]
    first = headers[0]
    _same("study", first.StudyInstanceUID, back.StudyInstanceUID)
    _same("referenced study", first.StudyInstanceUID, study.ReferencedSOPInstanceUID)
    _same("referenced series", first.SeriesInstanceUID, series.SeriesInstanceUID)
    _same(
        "referenced images",
        Counter(header.SOPInstanceUID for header in headers),
        Counter(image.ReferencedSOPInstanceUID for image in series.ContourImageSequence),
    )
    if first.get("FrameOfReferenceUID"):
        _same("frame of reference", first.FrameOfReferenceUID, frame.FrameOfReferenceUID)
    frames = {item.ReferencedFrameOfReferenceUID for item in back.StructureSetROISequence}
    _same("frame of reference of the ROIs", {frame.FrameOfReferenceUID}, frames)


def _sections(
    item: Dataset, wanted: Contours, headers: Sequence[Dataset], index: dict[Any, int]
) -> dict[int, list[Points]]:
    """Rings in (u, v) by the slice that each contour's image reference names."""
    frame = wanted.grid.frame
    superior = np.array(frame.superior)
    found: dict[int, list[Points]] = {}
    for contour in item.ContourSequence:
        k = index[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        points = _points(contour)
        if len(points) != int(contour.NumberOfContourPoints) or len(points) < 3:
            raise _wrong(f"slice {k}", f"{contour.NumberOfContourPoints} points", f"{len(points)}")
        moved = frame.from_patient(points)
        plane = float(np.array(headers[k].ImagePositionPatient, dtype=float) @ superior)
        off = float(np.abs(moved[:, 2] - plane).max())
        if off > _MAX_OFF_PLANE_MM:
            raise _wrong(f"slice {k}", "points on the slice plane", f"{off:.3f} mm off it")
        found.setdefault(k, []).append(moved[:, :2])
    return found


def _points(contour: Dataset) -> Points:
    element = contour.get_item(_CONTOUR_DATA)
    # Raw bytes as read: pydicom would make an object of each of 100,000 numbers.
    text = element.value.decode("ascii").replace("\\", " ")
    return np.fromstring(text, sep=" ").reshape(-1, 3)


def _check_roi(name: str, wanted: Contours, found: dict[int, list[Points]]) -> None:
    _same(f"slices of {name}", list(wanted.slices), sorted(found))
    area = sum(_even_odd_area(rings) for rings in found.values())
    volume = area * wanted.grid.slice_spacing_mm / 1000.0
    if abs(volume - wanted.volume_cc) > MAX_VOLUME_ERROR * wanted.volume_cc:
        raise _wrong(f"volume of {name}", f"{wanted.volume_cc:.4f} cc", f"{volume:.4f} cc")


def _even_odd_area(rings: list[Points]) -> float:
    """Area that an even-odd reader fills; independent of the direction that rings run in."""
    filled: Any = Polygon()
    for ring in rings:
        region: Any = Polygon(ring)
        if not region.is_valid:  # a keyhole meets itself along its channels
            region = shapely.make_valid(region)
        filled = shapely.symmetric_difference(filled, region)
    return float(filled.area)


def _same(what: str, expected: object, got: object) -> None:
    if expected != got:
        raise _wrong(what, _short(expected), _short(got))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _wrong(where: str, expected: str, got: str) -> OutputError:
    return OutputError(
        "the structure set reads back wrong and was not kept",
        where=where,
        expected=expected,
        got=got,
        todo="this is a bug in rt-targets: report it without patient data",
    )
