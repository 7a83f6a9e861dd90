"""The attributes of a structure set that are not contours: patient, study, series, references."""

from __future__ import annotations

import copy
import unicodedata
import warnings
from datetime import datetime
from typing import TYPE_CHECKING

from pydicom import Dataset
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ImplicitVRLittleEndian

from pipeline.core.errors import OutputError
from pipeline.write.uids import content_digest, derived_uid

if TYPE_CHECKING:
    from pipeline.write.rtstruct import StructureSetContext

PRODUCT = "rt-targets"
# Made once from a UUID (ITU-T X.667); says which program wrote a file.
IMPLEMENTATION_UID = UID("2.25.334644013545386243814621378941756134774")

# Copied byte by byte from the CT. Type 2: there even when empty.
_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
    "PositionReferenceIndicator",
)
_IF_PRESENT = (
    "SpecificCharacterSet",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDsSequence",
    "PatientBirthTime",
    "EthnicGroup",
    "PatientComments",
    "IssuerOfAccessionNumberSequence",
    "StudyDescription",
    "PhysiciansOfRecord",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
)
_DEIDENTIFICATION = (
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
)
# Set by rt-utils to values that are wrong here and replaced by nothing.
_NOT_OURS = ("InstitutionName",)
# In a copy of another's structure set: the machine that made it, who approved and who signed it.
_OF_THE_SOURCE = (
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "DeviceSerialNumber",
    "InstanceCreatorUID",
    "ReviewDate",
    "ReviewTime",
    "ReviewerName",
    "MACParametersSequence",
    "DigitalSignaturesSequence",
)


def new_structure_set(context: StructureSetContext) -> FileDataset:
    """A structure set without ROIs, complete in every other module.

    rt-utils lays it out (sequences, references to the study, series and images); identity comes
    from the CT as it stands there, and what says who made the file is ours.

    Raises:
        OutputError: rt-utils cannot be loaded.
    """
    first = context.headers[0]
    dataset = _laid_out(context)
    for keyword in (*_NOT_OURS, *_IF_PRESENT):
        if keyword in dataset:
            delattr(dataset, keyword)
    for keyword in _TYPE_2:
        setattr(dataset, keyword, "")
    _copy_identity(first, dataset)
    _set_equipment(dataset, context)
    _set_series(dataset, context)
    dataset.FrameOfReferenceUID = dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID
    _set_structure_set(dataset, context)
    keep_raw(dataset, convert_encodings(dataset.get("SpecificCharacterSet")))
    return dataset


def copy_patient_and_study(source: Dataset, target: Dataset) -> None:
    """Patient and study as they stand in a source, for another object of the same study."""
    _copy_identity(source, target)
    for keyword in ("StudyInstanceUID", "BodyPartExamined"):
        _copy(keyword, source, target)


def without_identity(header: Dataset) -> Dataset:
    """A copy of a header that names nobody: empty where an attribute must be there."""
    bare = copy.copy(header)
    for keyword in (*_IF_PRESENT, *_DEIDENTIFICATION):
        if keyword in bare:
            delattr(bare, keyword)
    for keyword in _TYPE_2:
        setattr(bare, keyword, "")
    return bare


def put_identity(source: Dataset, target: Dataset) -> None:
    """Patient and study as they stand in a source, into a dataset of explicit VR that knows none yet.

    Raw values stay raw: no odd name, date or character set of the source can stop its own segmentation.
    """
    _copy_identity(source, target)
    for keyword in (*_TYPE_2, *_IF_PRESENT, *_DEIDENTIFICATION):
        tag = tag_for_keyword(keyword)
        item = None if tag is None or tag not in target else target.get_item(tag)
        if isinstance(item, RawDataElement) and tag is not None:
            vr = item.VR or dictionary_VR(tag)
            if vr in {"SQ", "UN"}:
                _ = target[tag]  # decoded: its items are encoded otherwise there
            else:
                target[tag] = item._replace(VR=vr)
    target.set_original_encoding(
        is_implicit_vr=False,
        is_little_endian=True,
        character_encoding=convert_encodings(source.get("SpecificCharacterSet")),
    )


def _copy_identity(source: Dataset, target: Dataset) -> None:
    for keyword in (*_TYPE_2, *_IF_PRESENT):
        _copy(keyword, source, target)
    # The standard wants the removal of identity told with its method; some files lack that.
    if any(keyword in source for keyword in _DEIDENTIFICATION[1:]):
        for keyword in _DEIDENTIFICATION:
            _copy(keyword, source, target)


def renew(dataset: FileDataset, context: StructureSetContext) -> None:
    """Make a copy of another's structure set a draft of ours; patient, study and ROIs stay as they are.

    What says who made it, when, under which label and with whose approval is replaced, but for the UIDs.
    """
    for keyword in _OF_THE_SOURCE:
        if keyword in dataset:
            delattr(dataset, keyword)
    for keyword in _TYPE_2:
        if keyword not in dataset:
            setattr(dataset, keyword, "")
    if not dataset.get("FrameOfReferenceUID"):
        dataset.FrameOfReferenceUID = frame_of_reference(context.headers[0])
    dataset.preamble = b"\0" * 128
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    _set_equipment(dataset, context)
    _set_series(dataset, context)
    _set_structure_set(dataset, context)


def keep_raw(dataset: Dataset, character_set: str | list[str] = default_encoding) -> None:
    """Tell pydicom that raw elements are in the encoding of the file: they go out as they are."""
    dataset.set_original_encoding(
        is_implicit_vr=True, is_little_endian=True, character_encoding=character_set
    )


def frame_of_reference(header: Dataset) -> UID:
    """That of a CT; where it has none, one that belongs to its series."""
    own = derived_uid(PRODUCT, str(header.SeriesInstanceUID), "frame of reference")
    return UID(header.get("FrameOfReferenceUID") or own)


def plain_text(text: str, *, longest: int) -> str:
    """Text that every character set of DICOM holds: ASCII, one line, no backslash, cut to length."""
    known = str.maketrans(
        {"×": "x", "–": "-", "−": "-", "’": "'", "ß": "ss", "≥": ">=", "≤": "<=", "\\": "/"}
    )
    apart = unicodedata.normalize("NFKD", text.translate(known))
    bare = "".join(c for c in apart if not unicodedata.combining(c))
    ascii_only = " ".join(bare.encode("ascii", "replace").decode("ascii").split())
    return ascii_only if len(ascii_only) <= longest else ascii_only[: longest - 3].rstrip() + "..."


def _laid_out(context: StructureSetContext) -> FileDataset:
    try:
        from rt_utils.ds_helper import create_rtstruct_dataset
    except ImportError as error:
        raise OutputError(
            "rt-utils cannot be loaded, so no structure set can be written",
            got=str(error),
            todo="install rt-utils; where libGL is what is missing, put opencv-python-headless in the "
            "place of opencv-python",
        ) from error
    first = context.headers[0]
    # rt-utils insists on attributes that a CT may lack or leave empty: it gets a stand-in.
    stand_in = Dataset()
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        setattr(stand_in, keyword, first[keyword].value)
    for keyword in ("StudyDate", "StudyTime", "StudyID"):
        setattr(stand_in, keyword, "")
    stand_in.FrameOfReferenceUID = frame_of_reference(first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what pydicom has deprecated
        dataset: FileDataset = create_rtstruct_dataset([stand_in, *context.headers[1:]])
    return dataset


def _copy(keyword: str, source: Dataset, target: Dataset) -> None:
    """One attribute as it stands: raw bytes stay raw, so that no character set can spoil a name."""
    tag = tag_for_keyword(keyword)
    if tag is not None and tag in source:
        target[tag] = copy.deepcopy(source.get_item(tag))


def _set_equipment(dataset: FileDataset, context: StructureSetContext) -> None:
    dataset.Manufacturer = PRODUCT
    dataset.ManufacturerModelName = PRODUCT
    dataset.SoftwareVersions = plain_text(context.software_version, longest=64)
    dataset.OperatorsName = ""
    meta = dataset.file_meta
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = plain_text(PRODUCT.upper(), longest=16)


def _set_series(dataset: FileDataset, context: StructureSetContext) -> None:
    moment = context.moment or datetime.now()
    for keyword in ("InstanceCreation", "Series", "StructureSet"):
        setattr(dataset, f"{keyword}Date", moment.strftime("%Y%m%d"))
        setattr(dataset, f"{keyword}Time", moment.strftime("%H%M%S"))
    dataset.SeriesDescription = plain_text(context.series_description or context.label, longest=64)
    dataset.SeriesNumber = _series_number(context.headers[0])


def set_uids(dataset: FileDataset, context: StructureSetContext) -> None:
    """The UIDs of a finished structure set and of its series, for itself alone.

    They follow from all that it says but for dates and times: the same lesions, CT, protocol, settings and
    version of the program give the same UIDs, and an archive knows the rerun for what it is.
    """
    digest = content_digest(dataset)
    dataset.SOPInstanceUID = UID(context.sop_instance_uid or derived_uid(PRODUCT, digest, "instance"))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesInstanceUID = UID(context.series_uid or derived_uid(PRODUCT, digest, "series"))


def _series_number(header: Dataset) -> int:
    """Away from the numbers of the study's other series: the CT's plus 1000."""
    try:
        return min(abs(int(header.get("SeriesNumber") or 0)), 2**30) + 1000
    except (TypeError, ValueError):
        return 1000


def _set_structure_set(dataset: FileDataset, context: StructureSetContext) -> None:
    dataset.InstanceNumber = 1
    dataset.StructureSetLabel = context.label
    dataset.StructureSetName = context.label
    dataset.ApprovalStatus = "UNAPPROVED"  # whatever the source was
    if context.description:
        dataset.StructureSetDescription = plain_text(context.description, longest=1024)
    if context.predecessor is not None:
        source = Dataset()
        source.ReferencedSOPClassUID = context.predecessor.SOPClassUID
        source.ReferencedSOPInstanceUID = context.predecessor.SOPInstanceUID
        dataset.PredecessorStructureSetSequence = [source]
