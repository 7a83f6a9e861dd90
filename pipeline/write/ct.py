"""CT series in DICOM, for volumes that have none: the synthetic patient, other formats, resampled series."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from pipeline import __version__
from pipeline.core.errors import OutputError
from pipeline.core.grid import Grid
from pipeline.core.volume import Volume
from pipeline.write.atomic import cannot_write
from pipeline.write.header import IMPLEMENTATION_UID, PRODUCT, copy_patient_and_study

Pixels = npt.NDArray[np.int16]

# Patient directions (LPS) that rows and columns of an image run to: (i axis, j axis) to position.
_POSITIONS = {
    ("+L", "+P"): "HFS",
    ("-L", "-P"): "HFP",
    ("-P", "+L"): "HFDL",
    ("+P", "-L"): "HFDR",
    ("-L", "+P"): "FFS",
    ("+L", "-P"): "FFP",
    ("+P", "+L"): "FFDL",
    ("-P", "-L"): "FFDR",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CtIdentity:
    """Whose CT it is. UIDs follow from `seed`, the patient, the grid and the version of the program.

    Attributes:
        seed: anything that tells this CT from others, such as a hash of its file.
        patient_name, patient_id, birth_date, sex: as DICOM wants them; may be empty.
        study_date, study_time: YYYYMMDD and HHMMSS.
        study_id, study_description, series_description: texts.
        body_part: a defined term of DICOM; a part that is not paired, as no laterality is written.
        source: header of a CT that this one is made from: patient and study are its own.
    """

    seed: str
    patient_name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    sex: str = ""
    study_date: str = ""
    study_time: str = ""
    study_id: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = "CHEST"
    source: Dataset | None = None


def write_ct_series(folder: Path, volume: Volume, identity: CtIdentity) -> tuple[Dataset, ...]:
    """Write a volume as a CT series, one file a slice, and compare the pixels that read back.

    HU are rounded to whole numbers (slope 1, intercept 0, 16 bits with sign). The patient position
    is the one that lets rows and columns run as the grid's i and j do on a scanner.

    Returns:
        The headers without pixels, in order of k.

    Raises:
        OutputError: the folder holds something, HU that 16 bits cannot hold, a file that reads back
            wrong, or the file system refused. Nothing is left.
    """
    pixels = _pixels(volume)
    identity = replace(identity, seed=_seed(volume.grid, identity))
    common = _common(volume.grid, identity)
    existed = folder.is_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(
                "the folder for the CT series is not empty", where=str(folder), todo="name a new folder"
            )
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        return tuple(
            _write_slice(folder, _slice(common, volume.grid, k, identity), pixels[k])
            for k in range(volume.grid.size[2])
        )
    except BaseException as error:
        for entry in folder.iterdir():
            entry.unlink()
        if not existed:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise cannot_write(folder, error) from error
        raise


def patient_position(grid: Grid) -> str:
    """The position on the scanner (HFS, FFP, ...) that an image with these axes is stored in."""
    row, column = (_direction(grid.axes[:, axis]) for axis in (0, 1))
    return _POSITIONS[row, column]


def _direction(axis: npt.NDArray[np.float64]) -> str:
    nearest = int(np.abs(axis[:2]).argmax())
    return ("+" if axis[nearest] > 0 else "-") + "LP"[nearest]


def _pixels(volume: Volume) -> Pixels:
    """HU as 16-bit integers."""
    limits = np.iinfo(np.int16)
    lowest, highest = float(volume.hu.min()), float(volume.hu.max())
    if not (limits.min <= lowest and highest <= limits.max):  # also when one is not a number
        raise OutputError(
            "HU cannot be stored in a CT series",
            expected=f"{limits.min} to {limits.max}",
            got=f"{lowest:g} to {highest:g}",
            todo="check that the input is a CT in Hounsfield units",
        )
    return np.asarray(np.rint(volume.hu), dtype="<i2")


def _seed(grid: Grid, identity: CtIdentity) -> str:
    """The seed with all else that tells one series from another: the same pixels may lie elsewhere."""
    place = [*grid.size, *(f"{value:.6f}" for value in (*grid.spacing_mm, *grid.origin_mm, *grid.direction))]
    person = (identity.patient_name, identity.patient_id, identity.study_id, identity.study_date)
    return "\0".join([identity.seed, __version__, grid.frame_of_reference, *map(str, place), *person])


def _uid(identity: CtIdentity, what: str) -> UID:
    return generate_uid(entropy_srcs=[PRODUCT, identity.seed, what])


def _common(grid: Grid, identity: CtIdentity) -> Dataset:
    """Every attribute that the slices share."""
    common = Dataset()
    common.SpecificCharacterSet = "ISO_IR 192"
    common.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    common.SOPClassUID = CTImageStorage
    common.StudyDate = identity.study_date
    common.StudyTime = identity.study_time
    common.AccessionNumber = ""
    common.Modality = "CT"
    common.Manufacturer = PRODUCT
    common.ReferringPhysicianName = ""
    common.StudyDescription = identity.study_description
    common.SeriesDescription = identity.series_description
    common.ManufacturerModelName = PRODUCT
    common.PatientName = identity.patient_name
    common.PatientID = identity.patient_id
    common.PatientBirthDate = identity.birth_date
    common.PatientSex = identity.sex
    common.SliceThickness = _ds(grid.spacing_mm[2])
    common.BodyPartExamined = identity.body_part
    common.KVP = None
    common.SoftwareVersions = __version__
    common.PatientPosition = patient_position(grid)
    common.StudyInstanceUID = _uid(identity, "study")
    common.SeriesInstanceUID = _uid(identity, "series")
    common.StudyID = identity.study_id
    common.SeriesNumber = 1
    common.AcquisitionNumber = None
    common.ImageOrientationPatient = [_ds(value) for value in grid.axes[:, :2].T.ravel()]
    common.FrameOfReferenceUID = grid.frame_of_reference or _uid(identity, "frame of reference")
    common.PositionReferenceIndicator = ""
    common.SamplesPerPixel = 1
    common.PhotometricInterpretation = "MONOCHROME2"
    common.Rows, common.Columns = grid.size[1], grid.size[0]
    common.PixelSpacing = [_ds(grid.spacing_mm[1]), _ds(grid.spacing_mm[0])]
    common.BitsAllocated, common.BitsStored, common.HighBit = 16, 16, 15
    common.PixelRepresentation = 1
    common.RescaleIntercept, common.RescaleSlope, common.RescaleType = "0", "1", "HU"
    if identity.source is not None:
        copy_patient_and_study(identity.source, common)
    return common


def _slice(common: Dataset, grid: Grid, k: int, identity: CtIdentity) -> Dataset:
    header = Dataset(dict(common.items()))  # elements shared, the table of them not
    position = grid.to_patient([[0, 0, k]])[0]
    header.SOPInstanceUID = _uid(identity, f"slice {k}")
    header.InstanceNumber = k + 1
    header.ImagePositionPatient = [_ds(value) for value in position]
    header.SliceLocation = _ds(grid.plane_positions_mm[k])
    return header


def _write_slice(folder: Path, header: Dataset, pixels: Pixels) -> Dataset:
    path = folder / f"CT.{header.InstanceNumber:04d}.dcm"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = PRODUCT.upper()
    file = FileDataset(str(path), dict(header.items()), preamble=b"\0" * 128, file_meta=meta)
    stored = pixels.tobytes()
    file.add_new("PixelData", "OW", stored)
    file.save_as(path, enforce_file_format=True)
    if pydicom.dcmread(path).PixelData.rstrip(b"\0") != stored.rstrip(b"\0"):
        raise OutputError("a CT slice reads back wrong and was not kept", where=path.name)
    return header


def _ds(value: float) -> str:
    # Adding 0.0 turns -0.0 into 0.0.
    return format_number_as_ds(float(value) + 0.0)
