"""DICOM segmentations (SEG): the voxels of an arm's volumes, one binary segment each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom import Dataset
from pydicom.uid import UID

from pipeline.core.errors import OutputError
from pipeline.core.raster import contours_to_mask
from pipeline.write.atomic import whole_file
from pipeline.write.header import PRODUCT, frame_of_reference, plain_text, put_identity, without_identity
from pipeline.write.rtstruct import Algorithm, RoiOut, StructureSetContext
from pipeline.write.uids import content_digest, derived_uid

Bools = npt.NDArray[np.bool_]

SEG_FILE = "seg.dcm"
# Context group 9502 for what a segment is, and SNOMED CT for which target it is.
_CATEGORY = ("130041", "DCM", "RT Target")  # code, scheme, meaning
_TYPES = {
    "GTV": ("228791009", "SCT", "Gross tumor volume"),
    "CTV": ("228792002", "SCT", "Clinical target volume"),
    "PTV": ("228793007", "SCT", "Planning target volume"),
}
_OTHER_TYPE = ("91723000", "SCT", "Anatomical structure")
_SERIES_NUMBER = 1100  # away from the structure sets'


def write_segmentation(path: Path, rois: Sequence[RoiOut], context: StructureSetContext) -> None:
    """Write the voxels whose centres lie in each ROI, read them back, and only then give the file its name.

    One segment per ROI, in their order, with name, colour and algorithm; segments may overlap. Slices on
    which a segment has no voxel are not stored. Patient and study are the CT's; the UIDs follow from the
    content.

    Args:
        path: the file.
        rois: on the grid of the CT.
        context: as for the structure set of the same ROIs.

    Raises:
        OutputError: no ROI with a voxel, a file that reads back wrong, or the file system refused.
    """
    voxels = [contours_to_mask(roi.contours).voxels for roi in rois]
    slices = sorted({int(k) for one in voxels for k in np.flatnonzero(one.any(axis=(1, 2)))})
    if not slices:
        raise OutputError(
            "no voxel to be written", where=path.name, expected="an ROI with a voxel", got="none"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it finds the names of some patients unlikely
        try:
            dataset = _dataset(rois, np.stack([one[slices] for one in voxels], axis=-1), slices, context)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise OutputError(
                "no segmentation can be made for this CT",
                where=path.name,
                got=str(error) or type(error).__name__,
                todo="leave seg out of --formats; the structure set says the same",
            ) from error
    with whole_file(path) as scratch:
        dataset.save_as(scratch, enforce_file_format=True)
        _check(path.name, scratch, voxels, context.headers)


def _dataset(
    rois: Sequence[RoiOut], stack: Bools, slices: Sequence[int], context: StructureSetContext
) -> Dataset:
    from highdicom.seg import Segmentation

    made: Any = Segmentation(
        source_images=[_source(context.headers[k], context.headers[0]) for k in slices],
        pixel_array=stack.astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[_described(number, roi, context) for number, roi in enumerate(rois, start=1)],
        series_instance_uid="1.2",  # both follow from the content, below
        series_number=_SERIES_NUMBER,
        sop_instance_uid="1.2",
        instance_number=1,
        manufacturer=PRODUCT,
        manufacturer_model_name=PRODUCT,
        software_versions=plain_text(context.software_version, longest=64),
        device_serial_number="0",
        content_label=context.label.replace(" ", "_"),
        content_description=plain_text(context.description, longest=64),
    )
    put_identity(context.headers[0], made)
    made["PixelData"].VR = "OB"  # bits: nothing is left for pydicom to find out
    made.SeriesDescription = plain_text(context.series_description or context.label, longest=64)
    digest = content_digest(made)
    made.SOPInstanceUID = UID(derived_uid(PRODUCT, digest, "instance"))
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.SeriesInstanceUID = UID(derived_uid(PRODUCT, digest, "series"))
    return made  # type: ignore[no-any-return]


def _source(header: Dataset, first: Dataset) -> Dataset:
    """A CT header as highdicom wants it: it looks closely at identity, which is put in afterwards."""
    source = without_identity(header)
    if not source.get("FrameOfReferenceUID"):
        source.FrameOfReferenceUID = frame_of_reference(first)
    return source


def _described(number: int, roi: RoiOut, context: StructureSetContext) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    made_by = AlgorithmIdentificationSequence(
        name=PRODUCT,
        version=plain_text(context.software_version, longest=64),
        family=codes.cid7162.MorphologicalOperations,
    )
    described = SegmentDescription(
        segment_number=number,
        segment_label=roi.name,
        segmented_property_category=Code(*_CATEGORY),
        segmented_property_type=Code(*_TYPES.get(roi.interpreted_type, _OTHER_TYPE)),
        algorithm_type=roi.algorithm.value,
        algorithm_identification=None if roi.algorithm is Algorithm.MANUAL else made_by,
        display_color=CIELabColor.from_rgb(*roi.colour),
    )
    if roi.description:
        described.SegmentDescription = plain_text(roi.description, longest=1024)
    return described


def _check(name: str, path: Path, wanted: Sequence[Bools], headers: Sequence[Dataset]) -> None:
    """Frame by frame, by segment number and by the image that each refers to."""
    back = pydicom.dcmread(path)
    index = {header.SOPInstanceUID: k for k, header in enumerate(headers)}
    frames = np.asarray(back.pixel_array).reshape(-1, back.Rows, back.Columns)
    found = [np.zeros_like(one) for one in wanted]
    shared = back.SharedFunctionalGroupsSequence[0]
    for frame, groups in zip(frames, back.PerFrameFunctionalGroupsSequence, strict=True):
        # What all frames have alike stands once for all.
        segment, derived = (
            (groups if keyword in groups else shared)[keyword].value[0]
            for keyword in ("SegmentIdentificationSequence", "DerivationImageSequence")
        )
        number, image = int(segment.ReferencedSegmentNumber), derived.SourceImageSequence[0]
        found[number - 1][index[image.ReferencedSOPInstanceUID]] |= frame.astype(bool)
    for number, (own, meant) in enumerate(zip(found, wanted, strict=True), start=1):
        if not np.array_equal(own, meant):
            raise OutputError(
                "the segmentation reads back wrong and was not kept",
                where=f"{name}, segment {number}",
                expected=f"{np.count_nonzero(meant)} voxels",
                got=f"{np.count_nonzero(own)} voxels, or others",
                todo="this is a bug in rt-targets: report it without patient data",
            )
