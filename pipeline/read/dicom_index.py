"""What a folder holds: every DICOM object in it by its header, whatever the files are called."""

from __future__ import annotations

import os
import re
import struct
import warnings
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.errors import BytesLengthException, InvalidDicomError

from pipeline.core.errors import InputError
from pipeline.core.report import Finding, Severity
from pipeline.read.image_grid import is_image_name

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MULTI_FRAME_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
SEGMENTATIONS = (SEGMENTATION, "1.2.840.10008.5.1.4.1.1.66.7")  # the second one for label maps

_UNDEFINED_LENGTH = 0xFFFFFFFF

# What reading or converting a broken header may raise in pydicom.
BROKEN = (
    AttributeError,
    BytesLengthException,
    EOFError,
    IndexError,
    InvalidDicomError,
    KeyError,
    MemoryError,  # an element said to be of four gigabytes
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".xz", ".7z", ".rar"}


class CutShortError(EOFError):
    """A DICOM file that ends inside its header; `series_uid` is what it still says, or empty."""

    def __init__(self, series_uid: str) -> None:
        self.series_uid = series_uid
        super().__init__("the file ends inside its header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file that begins like DICOM and cannot be read: its name, and its series where that is known."""

    name: str
    series_uid: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DicomFile:
    """One DICOM object.

    Attributes:
        path: its file.
        header: all elements before the pixel data.
        pixel_offset: where in the file the element after the header begins.
    """

    path: Path
    header: pydicom.Dataset
    pixel_offset: int

    @property
    def label(self) -> str:
        """The file's name for messages: no folder, and what identifies the patient blotted out."""
        return self.blotted(self.path.name)

    def blotted(self, text: str) -> str:
        """A text without what identifies the patient of this object, wherever it stands in it."""
        for secret in _identities(self.header):
            text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
        return text

    def text(self, keyword: str) -> str:
        """An element's value as text; empty when it is absent or cannot be read."""
        try:
            value = self.header.get(keyword)
        except BROKEN:
            return ""
        return "" if value is None else str(value).strip()

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return self.text("SOPClassUID")

    @property
    def series_uid(self) -> str:
        """Series Instance UID."""
        return self.text("SeriesInstanceUID")

    @property
    def sop_uid(self) -> str:
        """SOP Instance UID."""
        return self.text("SOPInstanceUID")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DicomIndex:
    """All DICOM objects of a folder, in order of their paths, and the doubts met on the way.

    Attributes:
        files: the readable ones.
        unreadable: those that begin like DICOM and cannot be read.
        others: how many files are no DICOM.
        archives: how many of those are archives.
        findings: unreadable files, copies.
    """

    files: tuple[DicomFile, ...]
    unreadable: tuple[Unreadable, ...]
    others: int
    archives: int
    findings: tuple[Finding, ...]

    def of_class(self, *sop_classes: str) -> tuple[DicomFile, ...]:
        """The objects of these SOP classes."""
        return tuple(file for file in self.files if file.sop_class in sop_classes)


def index_folder(folder: Path) -> DicomIndex:
    """Read the headers of all DICOM files below a folder; other files are left alone.

    Raises:
        InputError: the folder cannot be read.
    """
    files: list[DicomFile] = []
    broken: list[tuple[Path, str]] = []
    others = archives = 0
    for path in _files_below(folder):
        try:
            file = read_dicom(path)
        except BROKEN as error:
            broken.append((path, getattr(error, "series_uid", "")))
            continue
        if file is None:
            others += 1
            archives += is_archive(path)
        else:
            files.append(file)
    unreadable = [Unreadable(name=_blotted_by_all(path.name, files), series_uid=uid) for path, uid in broken]
    once, findings = _without_copies(files)
    for one in unreadable:
        findings.append(
            Finding(
                code="FILE_UNREADABLE",
                severity=Severity.WARNING,
                where=f"file {one.name}",
                message="The file begins like DICOM, or is empty, and cannot be read; it was left out. "
                "If it is a slice of the CT, export the series again.",
            )
        )
    return DicomIndex(
        files=once,
        unreadable=tuple(unreadable),
        others=others,
        archives=archives,
        findings=tuple(findings),
    )


def read_dicom(path: Path) -> DicomFile | None:
    """One DICOM object without its pixel data; None for a file that is no DICOM.

    Raises:
        any of `BROKEN`: a file that begins like DICOM and cannot be read.
    """
    if path.stat().st_size == 0 and path.suffix.lower() in {"", ".dcm", ".ima", ".dicom"}:
        raise CutShortError("")
    with path.open("rb") as stream:
        force = _looks_like_dicom(stream)
        if force is None:
            return None
        stream.seek(0)
        header = _header(stream, force=force)
        offset = stream.tell()
    if "SOPClassUID" not in header:
        if force or "DirectoryRecordSequence" in header:  # a DICOMDIR tells nothing that we need
            return None
        raise InvalidDicomError("no SOP Class UID")
    if "SeriesInstanceUID" not in header:
        raise InvalidDicomError("no Series Instance UID")
    return DicomFile(path=path, header=header, pixel_offset=offset)


def _header(stream: BinaryIO, *, force: bool) -> pydicom.Dataset:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        header = pydicom.dcmread(stream, stop_before_pixels=True, force=force)
    # pydicom hands over what there is of a file that breaks off: as a warning inside sequences,
    # without a word inside any other element.
    broken_off = any("end of file" in str(one.message).lower() for one in said)
    last = header.get_item(max(header.keys())) if len(header) else None
    if isinstance(last, RawDataElement) and last.length != _UNDEFINED_LENGTH:
        broken_off = broken_off or len(last.value or b"") < last.length
    if broken_off:
        raise CutShortError(str(header.get("SeriesInstanceUID", "")))
    return header


def is_archive(path: Path) -> bool:
    """Whether a file is called like an archive; a packed image is none."""
    return path.suffix.lower() in ARCHIVES and not is_image_name(path.name)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do."""
    with suppress(OSError), path.open("rb") as stream:
        return _looks_like_dicom(stream) is not None
    return False


def _looks_like_dicom(stream: BinaryIO) -> bool | None:
    """False: with the preamble of a DICOM file; True: bare data elements; None: something else."""
    start = stream.read(132)
    if len(start) == 132 and start[128:] == b"DICM":
        return False
    if len(start) < 16:
        return None
    group, element = struct.unpack("<HH", start[:4])
    explicit = start[4:6] in {b"UI", b"UL", b"CS", b"OB", b"DA", b"SH", b"LO"}
    implicit = struct.unpack("<L", start[4:8])[0] <= 64 and start[5:8] == b"\0\0\0"
    is_first = (group == 0x0002 and element <= 0x0003) or (group == 0x0008 and element <= 0x0018)
    return True if is_first and (explicit or implicit) else None


def _files_below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise InputError(
            "folder cannot be read", where=Path(error.filename).name, got=error.strerror or "an error"
        ) from error

    found = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:  # a link to a folder that was walked, or a circle of links
            folders.clear()
            continue
        seen.add(real)
        # Hidden files are a system's own: copies, resource forks, half-written downloads.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
    return [path for path in found if path.is_file()]


def _without_copies(files: list[DicomFile]) -> tuple[tuple[DicomFile, ...], list[Finding]]:
    """Each object once: files with one SOP Instance UID and equal bytes are copies."""
    kept: dict[str, DicomFile] = {}
    once: list[DicomFile] = []
    copies = []
    for file in files:
        first = kept.setdefault(file.sop_uid, file) if file.sop_uid else file
        if first is not file and _same_bytes(first.path, file.path):
            copies.append(file.label)
        else:
            once.append(file)
    if not copies:
        return tuple(once), []
    finding = Finding(
        code="FILE_COPIES",
        severity=Severity.INFO,
        where=f"file {copies[0]}" + (f" and {len(copies) - 1} more" if len(copies) > 1 else ""),
        message=f"{len(copies)} files are copies of others in the folder and were counted once.",
    )
    return tuple(once), [finding]


def _same_bytes(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    return one.read_bytes() == other.read_bytes()


def _blotted_by_all(text: str, files: list[DicomFile]) -> str:
    """A file's name without what identifies any patient of the folder: a broken file cannot say its own."""
    by_patient = {file.text("PatientID") + file.text("PatientName"): file for file in files}
    for file in by_patient.values():
        text = file.blotted(text)
    return text


def _identities(header: pydicom.Dataset) -> list[str]:
    """Parts of the patient's name and ID, lower case, that may not stand in a message."""
    try:
        name, number = str(header.get("PatientName", "")), str(header.get("PatientID", ""))
    except BROKEN:
        return []
    parts = [number.strip(), *name.replace("^", " ").replace(",", " ").replace("=", " ").split()]
    return [part.lower() for part in parts if len(part) >= 3]
