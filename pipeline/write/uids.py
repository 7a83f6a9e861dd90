"""UIDs that follow from what a file says: written again it is recognised, and nothing else has its UIDs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.uid import UID, generate_uid

# When it was written, and the UIDs themselves.
_NOT_CONTENT = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        "InstanceCreationDate",
        "InstanceCreationTime",
        "SeriesDate",
        "SeriesTime",
        "StructureSetDate",
        "StructureSetTime",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        # Of segmentations.
        "ContentDate",
        "ContentTime",
        "ContributionDateTime",
        "DimensionOrganizationUID",
    )
)


def content_digest(dataset: Dataset) -> str:
    """SHA-256 of everything that a dataset says but for its dates, times and its own UIDs, in hexadecimal."""
    digest = hashlib.sha256()
    for part in _parts(dataset):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def derived_uid(*sources: str) -> UID:
    """The UID that belongs to some texts, the same on every machine."""
    return generate_uid(entropy_srcs=["\0".join(sources)])


def _parts(dataset: Dataset) -> Iterator[bytes]:
    for tag in sorted(dataset.keys()):
        if tag in _NOT_CONTENT:
            continue
        item = dataset.get_item(tag)
        yield f"{tag}".encode()
        if isinstance(item, RawDataElement):
            yield item.value or b""
        elif item.VR == "SQ":
            for number, one in enumerate(item.value):
                yield f"item {number}".encode()
                yield from _parts(one)
        else:
            yield str(item.value).encode()
