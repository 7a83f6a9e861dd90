"""The three sequences of a structure set that make up an ROI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.valuerep import format_number_as_ds

from pipeline.core.grid import Frame
from pipeline.write.header import keep_raw, plain_text
from pipeline.write.rings import DECIMALS, Ring

if TYPE_CHECKING:
    from pipeline.write.rtstruct import RoiOut

_LONGEST_DS = 16


class SlicePlanes:
    """Turns rings into ContourData: on each slice the position that the CT's own tag states."""

    def __init__(self, headers: Sequence[Dataset], frame: Frame) -> None:
        self._frame = frame
        positions = [header.ImagePositionPatient for header in headers]
        self._z_text = [_as_ds(position[2]) for position in positions]
        self._w = np.array(positions, dtype=float) @ np.array(frame.superior)
        self._slope = abs(frame.left[2]) + abs(frame.posterior[2])

    def contour_data(self, ring: Ring) -> str:
        """x, y, z of each point to 0.001 mm, separated by backslashes.

        On a slice without tilt every z is the text of the slice's own ImagePositionPatient.
        """
        heights = np.full((len(ring.points), 1), self._w[ring.k])
        points = self._frame.to_patient(np.hstack([ring.points, heights]))
        points = np.round(points, DECIMALS) + 0.0
        point = "%.3f\\%.3f\\%.3f"
        if self._slope * float(np.abs(ring.points).max()) < 0.5 * 10.0**-DECIMALS:
            point = f"%.3f\\%.3f\\{self._z_text[ring.k]}"
            points = points[:, :2]
        return "\\".join([point] * len(ring.points)) % tuple(points.ravel().tolist())


def structure_item(roi: RoiOut, number: int, *, frame_uid: str, volume_cc: float) -> Dataset:
    """The ROI in StructureSetROISequence."""
    item = Dataset()
    item.ROINumber = number
    item.ReferencedFrameOfReferenceUID = frame_uid
    item.ROIName = roi.name
    if roi.description:
        item.ROIDescription = plain_text(roi.description, longest=1024)
    item.ROIVolume = format_number_as_ds(round(volume_cc, 4))
    item.ROIGenerationAlgorithm = roi.algorithm.value
    return item


def observation_item(roi: RoiOut, number: int) -> Dataset:
    """The ROI in RTROIObservationsSequence."""
    item = Dataset()
    item.ObservationNumber = number
    item.ReferencedROINumber = number
    item.ROIObservationLabel = roi.name
    item.RTROIInterpretedType = roi.interpreted_type
    item.ROIInterpreter = ""
    return item


def contour_item(
    roi: RoiOut, number: int, *, rings: Sequence[Ring], headers: Sequence[Dataset], planes: SlicePlanes
) -> Dataset:
    """The ROI in ROIContourSequence."""
    item = Dataset()
    item.ReferencedROINumber = number
    item.ROIDisplayColor = list(roi.colour)
    item.ContourSequence = [
        _contour(ring, index, headers[ring.k], planes.contour_data(ring))
        for index, ring in enumerate(rings, start=1)
    ]
    return item


def _contour(ring: Ring, number: int, header: Dataset, data: str) -> Dataset:
    image = Dataset()
    _put(image, "ReferencedSOPClassUID", "UI", header.SOPClassUID)
    _put(image, "ReferencedSOPInstanceUID", "UI", header.SOPInstanceUID)
    contour = Dataset()
    contour.ContourImageSequence = [image]
    _put(contour, "ContourGeometricType", "CS", ring.geometric_type)
    _put(contour, "NumberOfContourPoints", "IS", str(len(ring.points)))
    _put(contour, "ContourNumber", "IS", str(number))
    _put(contour, "ContourData", "DS", data)
    keep_raw(image)
    keep_raw(contour)
    return contour


def _put(dataset: Dataset, keyword: str, vr: str, text: str) -> None:
    """An element as it stands in the file. pydicom would check and convert each of 100,000 numbers."""
    tag = Tag(keyword)
    value = text.encode("ascii")
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    dataset[tag] = RawDataElement(
        tag, vr, len(value), value, value_tell=0, is_implicit_VR=True, is_little_endian=True
    )


def _as_ds(value: object) -> str:
    """A DS value as it stood in the file; where it was too long for DS, as exact as 16 characters allow."""
    text = str(value).strip()
    return text if len(text) <= _LONGEST_DS else format_number_as_ds(float(text))
