"""What a digest of content sees and what it passes over."""

from __future__ import annotations

import copy

import pytest
from pydicom import Dataset

from pipeline.write.uids import content_digest, derived_uid


@pytest.fixture
def made() -> Dataset:
    item = Dataset()
    item.ROIName = "CTV"
    dataset = Dataset()
    dataset.StructureSetLabel = "DRAFT"
    dataset.StructureSetDate = "20240102"
    dataset.SOPInstanceUID = "1.2.3"
    dataset.StructureSetROISequence = [item, copy.deepcopy(item)]
    return dataset


@pytest.mark.parametrize(
    "keyword, value",
    [
        ("StructureSetDate", "20250607"),
        ("StructureSetTime", "121314"),
        ("SeriesInstanceUID", "1.9"),
        ("SOPInstanceUID", "1.8"),
    ],
)
def test_dates_times_and_its_own_uids_do_not_count(made: Dataset, keyword: str, value: str) -> None:
    before = content_digest(made)
    setattr(made, keyword, value)
    assert content_digest(made) == before


def test_items_count_one_by_one_and_deep(made: Dataset) -> None:
    digests = {content_digest(made)}
    made.StructureSetROISequence[1].ROIName = "PTV"
    digests.add(content_digest(made))
    made.StructureSetROISequence = made.StructureSetROISequence[::-1]
    digests.add(content_digest(made))
    del made.StructureSetROISequence[1]
    digests.add(content_digest(made))
    assert len(digests) == 4


def test_a_text_moved_to_its_neighbour_is_another_content() -> None:
    one, other = Dataset(), Dataset()
    one.StructureSetLabel, one.StructureSetName = "AB", "C"
    other.StructureSetLabel, other.StructureSetName = "A", "BC"
    assert content_digest(one) != content_digest(other)


def test_a_uid_belongs_to_its_texts() -> None:
    assert derived_uid("a", "b") == derived_uid("a", "b") != derived_uid("ab")
    assert derived_uid("a").is_valid
