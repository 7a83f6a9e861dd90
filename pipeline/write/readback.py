"""A structure set is opened again before it counts: does it say what was meant?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pydicom
import shapely
from pydicom import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.values import convert_SQ
from shapely.geometry import Polygon

from pipeline.core.contour import Contours
from pipeline.core.errors import OutputError
from pipeline.core.validity import is_valid

Points = npt.NDArray[np.float64]

# What an ROI is made of, each with the element that tells its number.
ROI_SEQUENCES = {
    "StructureSetROISequence": "ROINumber",
    "ROIContourSequence": "ReferencedROINumber",
    "RTROIObservationsSequence": "ReferencedROINumber",
}
Items = Mapping[str, Sequence[Dataset]]  # of each of ROI_SEQUENCES

MAX_VOLUME_ERROR = 0.005
_MAX_OFF_PLANE_MM = 0.01
_CONTOUR_DATA = Tag("ContourData")
_BROKEN = (AttributeError, KeyError, ValueError, TypeError, pydicom.errors.InvalidDicomError)


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
        items = {keyword: back[keyword].value for keyword in ROI_SEQUENCES}
        _check_references(back, headers)
        _check_rois(items, named, headers)
    except _BROKEN as error:
        raise _incomplete(error) from error


def check_appended(
    path: Path, *, kept: Items, named: Sequence[tuple[str, Contours]], headers: Sequence[Dataset]
) -> None:
    """Compare a copy of a structure set, with ROIs appended, with what was to be written.

    Args:
        path: the file.
        kept: the items of the source; they come first, each element with the bytes that it had.
        named, headers: as in `check_structure_set`, for the appended ROIs.

    Raises:
        OutputError: anything differs, or a volume by more than 0.5 %.
    """
    try:
        back = pydicom.dcmread(path)
        added = {}
        for keyword, number in ROI_SEQUENCES.items():
            items, count = back[keyword].value, len(kept[keyword])
            for one, other in zip(kept[keyword], items[:count], strict=True):
                if not same_bytes(one, other):
                    raise _wrong(keyword, "the ROIs of the source as they were", "others")
            added[keyword] = items[count:]
            numbers = {int(item[number].value) for item in items[count:]}
            taken = numbers & {int(item[number].value) for item in items[:count]}
            _same(f"numbers of the source's ROIs in {keyword}", set(), taken)
        _check_listed(back, headers)
        _check_rois(added, named, headers)
    except _BROKEN as error:
        raise _incomplete(error) from error


def same_bytes(one: Dataset, other: Dataset) -> bool:
    """Whether two items say the same byte for byte, whatever the transfer syntax around them."""
    tags = _tags(one)
    if tags != _tags(other):
        return False
    # Before any is decoded: opening a vendor's element decodes the one that names the vendor.
    differ = [tag for tag in tags if not _same_value(one.get_item(tag), other.get_item(tag))]
    return all(_same_sequence(one, other, tag) for tag in differ)


def _tags(item: Dataset) -> set[BaseTag]:
    tags = list(item.keys())
    return {tag for tag in tags if tag.element or tag.group <= 6}  # group lengths are not written


def _same_value(mine: Any, theirs: Any) -> bool:
    if not (mine.value or theirs.value):
        return True
    return bool(mine.is_raw and theirs.is_raw and mine.value == theirs.value)


def _same_sequence(one: Dataset, other: Dataset, tag: BaseTag) -> bool:
    if "SQ" not in {one[tag].VR, other[tag].VR}:
        return False
    pair = _sequence(one, tag), _sequence(other, tag)
    return len(pair[0]) == len(pair[1]) and all(same_bytes(*items) for items in zip(*pair, strict=True))


def _sequence(item: Dataset, tag: BaseTag) -> Sequence[Dataset]:
    """The items of a sequence; implicit VR does not tell of a vendor's element that it is one."""
    value: Any = item[tag].value
    if isinstance(value, bytes):
        value = convert_SQ(value, is_implicit_VR=True, is_little_endian=True)
    return cast(Sequence[Dataset], value)


def _check_rois(items: Items, named: Sequence[tuple[str, Contours]], headers: Sequence[Dataset]) -> None:
    """Names, numbers, slices, volumes of the ROIs that these items make up."""
    structures = {int(item.ROINumber): item.ROIName for item in items["StructureSetROISequence"]}
    contours = {int(item.ReferencedROINumber): item for item in items["ROIContourSequence"]}
    observed = [int(item.ReferencedROINumber) for item in items["RTROIObservationsSequence"]]
    _same("ROI names", [name for name, _ in named], list(structures.values()))
    _same("ROI numbers of contours", list(structures), list(contours))
    _same("ROI numbers of observations", list(structures), observed)
    index = {header.SOPInstanceUID: k for k, header in enumerate(headers)}
    for (name, wanted), number in zip(named, structures, strict=True):
        _check_roi(name, wanted, _sections(contours[number], wanted, headers, index))


def _check_listed(back: Dataset, headers: Sequence[Dataset]) -> None:
    """The CT is among the series that are referred to, with every image."""
    listed = {
        image.ReferencedSOPInstanceUID
        for frame in back.ReferencedFrameOfReferenceSequence
        for study in frame.get("RTReferencedStudySequence") or []
        for series in study.get("RTReferencedSeriesSequence") or []
        if series.SeriesInstanceUID == headers[0].SeriesInstanceUID
        for image in series.get("ContourImageSequence") or []
    }
    _same("images not referred to", set(), {header.SOPInstanceUID for header in headers} - listed)


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
    positions = np.array([header.ImagePositionPatient for header in headers], dtype=float)
    planes = positions @ np.array(frame.superior)
    found: dict[int, list[Points]] = {}
    for contour in item.ContourSequence:
        k = index[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        points = _points(contour)
        if len(points) != int(contour.NumberOfContourPoints) or len(points) < 3:
            raise _wrong(f"slice {k}", f"{contour.NumberOfContourPoints} points", f"{len(points)}")
        moved = frame.from_patient(points)
        off = float(np.abs(moved[:, 2] - planes[k]).max())
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
    regions: list[Any] = [Polygon(ring) for ring in rings]
    # A keyhole meets itself along its channels.
    whole = [region if is_valid(region) else shapely.make_valid(region) for region in regions]
    filled = whole[0]
    for region in whole[1:]:
        filled = shapely.symmetric_difference(filled, region)
    return float(filled.area)


def _incomplete(error: Exception) -> OutputError:
    return _wrong("structure", "a complete structure set", f"{type(error).__name__}: {error}")


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
