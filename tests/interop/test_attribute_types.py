"""Attributes of type 1 and 2 in what we write, against the tables of the standard that highdicom carries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from highdicom import _standard_utils as standard
from pydicom import Dataset

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.rules import ArmChoice, Settings
from tests import made_case

# A functional group stands in one of these, shared by all frames or for each of them.
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
FILES = ("ifi/rtstruct.dcm", "ifi/rtstruct_appended.dcm", "ifi/seg.dcm")


def faults(dataset: Dataset) -> list[str]:
    """What of type 1 is absent or empty, what of type 2 is absent, and what of type 1C is there but empty."""
    iod = standard.get_sop_class_iod_map()[dataset.SOPClassUID]
    found = []
    for module in standard.get_iod_module_map()[iod]:
        if module["usage"] != "M":
            continue
        for attribute in standard.get_module_attribute_map()[module["key"]]:
            path = attribute["path"]
            if path and path[0] in GROUPS and _stands_elsewhere(dataset, attribute):
                continue
            for holder in _holders(dataset, path):
                fault = _fault(holder, attribute["keyword"], attribute["type"])
                if fault:
                    found.append(f"{module['key']}: {'/'.join([*path, attribute['keyword']])} {fault}")
    return found


def _stands_elsewhere(dataset: Dataset, attribute: dict) -> bool:
    """Whether a functional group is given in the other of the two places, or is that of whole slides."""
    group = attribute["path"][1] if len(attribute["path"]) > 1 else attribute["keyword"]
    here, other = attribute["path"][0], next(one for one in GROUPS if one != attribute["path"][0])
    if group == "PlanePositionSlideSequence":
        return True
    return group not in dataset[here][0] and all(group in item for item in dataset[other])


def _holders(dataset: Dataset, path: list[str]) -> Iterator[Dataset]:
    """The items that an attribute belongs to; none where a sequence on the way is absent."""
    if not path:
        yield dataset
        return
    for item in dataset.get(path[0]) or ():
        yield from _holders(item, path[1:])


def _fault(holder: Dataset, keyword: str, kind: str) -> str:
    if keyword not in holder:
        return f"of type {kind} is absent" if kind in {"1", "2"} else ""
    empty = holder[keyword].is_empty
    return f"of type {kind} is empty" if kind in {"1", "1C"} and empty else ""


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("types")
    run_case(
        RunRequest(
            source=InputChoice(path=made_case.write_dicom(base / "dicom")),
            out=base / "out",
            settings=Settings(arm=ArmChoice.IFI),
            formats=frozenset({"rtstruct", "seg"}),
            append_to_source=True,
            pictures=False,
        )
    )
    return base


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_nothing_that_the_standard_demands_is_lacking(name: str, output: Path) -> None:
    assert faults(pydicom.dcmread(output / "out" / name)) == []


@pytest.mark.slow
def test_the_arms_and_the_ct_of_the_demo(demo_run: Path) -> None:
    for path in (*demo_run.glob("*/rtstruct.dcm"), *sorted((demo_run / "patient" / "dicom").iterdir())[::20]):
        assert faults(pydicom.dcmread(path)) == [], path.name


@pytest.mark.slow
def test_a_planted_fault_is_found(output: Path) -> None:
    dataset = pydicom.dcmread(output / "out" / FILES[0])
    del dataset.StructureSetLabel
    dataset.PatientName = ""  # of type 2: may be empty
    del dataset.ReferringPhysicianName
    del dataset.ROIContourSequence[0].ContourSequence[0].ContourGeometricType
    dataset.StructureSetROISequence[1].ROINumber = None
    assert sorted(faults(dataset)) == [
        "general-study: ReferringPhysicianName of type 2 is absent",
        "roi-contour: ROIContourSequence/ContourSequence/ContourGeometricType of type 1 is absent",
        "structure-set: StructureSetLabel of type 1 is absent",
        "structure-set: StructureSetROISequence/ROINumber of type 1 is empty",
    ]
