"""DICOM segmentations for tests: made by highdicom on a made CT, and bent by hand afterwards.

::

    grid = grid_of(ct)
    made = make_seg(folder / "seg.dcm", ct, [SegmentSpec("lung_left", voxels)])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from highdicom import UID, PixelMeasuresSequence, PlaneOrientationSequence, PlanePositionSequence
from highdicom.seg import Segmentation, SegmentDescription
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

from pipeline.core.grid import Grid
from pipeline.read.ct_series import find_ct_series, place_series
from pipeline.read.dicom_index import index_folder
from tests.dicom_maker import MadeCt

ORGAN = Code("123037004", "SCT", "Anatomical Structure")
LEFT, RIGHT = Code("7771000", "SCT", "Left"), Code("24028007", "SCT", "Right")
BOTH = Code("51440002", "SCT", "Right and left")


@dataclass(frozen=True)
class SegmentSpec:
    """One segment: its label, voxels on the CT's grid (k, j, i), and what its property type says.

    For FRACTIONAL the voxels are fractions from 0 to 1.
    """

    label: str
    voxels: npt.NDArray[Any]
    meaning: str = "Organ"
    side: Code | None = None


@dataclass(frozen=True)
class Lattice:
    """Frames of their own: LPS of the first pixel, and the steps in mm along a row, down, and on."""

    first: npt.ArrayLike
    row: npt.NDArray[np.float64]
    down: npt.NDArray[np.float64]
    onward: npt.NDArray[np.float64]

    def options(self, frames: int) -> dict[str, Any]:
        """What highdicom wants to know of it."""
        step_row, step_down, step_on = (float(np.linalg.norm(v)) for v in (self.row, self.down, self.onward))
        cosines = [*(self.row / step_row), *(self.down / step_down)]
        places = np.asarray(self.first) + np.outer(np.arange(frames), self.onward)
        return {
            "pixel_measures": PixelMeasuresSequence(
                pixel_spacing=[step_down, step_row], slice_thickness=step_on, spacing_between_slices=step_on
            ),
            "plane_orientation": PlaneOrientationSequence("PATIENT", [round(c, 12) for c in cosines]),
            "plane_positions": [PlanePositionSequence("PATIENT", place.tolist()) for place in places],
        }


def grid_of(ct: MadeCt) -> Grid:
    """The grid that the CT is read on."""
    (series,) = find_ct_series(index_folder(ct.files[0].parent))
    return place_series(series).grid


def make_seg(
    path: Path,
    ct: MadeCt,
    segments: Sequence[SegmentSpec],
    *,
    kind: str = "BINARY",
    lattice: Lattice | None = None,
    bend: Callable[[Dataset], None] = lambda _: None,
    **options: Any,
) -> Path:
    """Write a segmentation on the CT's voxels, or on a lattice; frames without content are left out.

    `bend` changes the dataset before it is written.
    """
    voxels = np.stack([one.voxels for one in segments], axis=-1)
    fractional = kind == "FRACTIONAL"
    made = Segmentation(
        source_images=[pydicom.dcmread(file) for file in ct.files],
        pixel_array=voxels.astype(np.float32 if fractional else np.uint8),
        segmentation_type=kind,
        segment_descriptions=[_described(n, one) for n, one in enumerate(segments, start=1)],
        series_instance_uid=UID(),
        series_number=9,
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        **(lattice.options(len(voxels)) if lattice else {}),
        **options,
    )
    bend(made)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return path


def frames_shuffled(header: Dataset) -> None:
    """Store the frames of a native binary segmentation from last to first."""
    size = int(header.Rows) * int(header.Columns)
    bits = np.unpackbits(np.frombuffer(header.PixelData, np.uint8), bitorder="little")
    frames = bits[: int(header.NumberOfFrames) * size].reshape(-1, size)[::-1]
    header.PerFrameFunctionalGroupsSequence = header.PerFrameFunctionalGroupsSequence[::-1]
    packed = np.packbits(frames.ravel(), bitorder="little").tobytes()
    header.PixelData = packed + b"\0" * (len(packed) % 2)


def moved(header: Dataset, by_mm: Sequence[float]) -> None:
    """Shift all frames in the patient."""
    for frame in header.PerFrameFunctionalGroupsSequence:
        plane = frame.PlanePositionSequence[0]
        plane.ImagePositionPatient = [
            float(a) + b for a, b in zip(plane.ImagePositionPatient, by_mm, strict=True)
        ]


def _described(number: int, spec: SegmentSpec) -> SegmentDescription:
    described = SegmentDescription(
        segment_number=number,
        segment_label=spec.label,
        segmented_property_category=ORGAN,
        segmented_property_type=Code("T-1", "99TEST", spec.meaning),
        algorithm_type="MANUAL",
    )
    if spec.side is not None:
        side = Dataset()
        side.CodeValue, side.CodingSchemeDesignator, side.CodeMeaning = spec.side[:3]
        described.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return described
