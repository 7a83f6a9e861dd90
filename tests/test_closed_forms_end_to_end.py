"""Structure set in, structure set out: what a run writes for lesions whose grown volumes are known."""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from pathlib import Path

import numpy as np
import pydicom
import pytest
import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.rules import ArmChoice, MarginName, Settings
from tests.closed_forms import CASES, PrismCase, judge
from tests.dicom_maker import CtSpec, RoiSpec, make_ct, make_structure_set


def _export(case: PrismCase, folder: Path) -> None:
    """The case as a planning system would export it; all of the image is water."""
    grid = case.grid()
    spec = CtSpec(
        size=grid.size, spacing_mm=grid.spacing_mm, center_mm=case.centre_mm, position=case.position
    )
    ct = make_ct(folder / "ct", spec)
    ring = np.array(case.outline().exterior.coords)[:-1]
    heights = case.plane_positions()[list(case.lesion_slices())]
    loops = [np.column_stack([ring, np.full(len(ring), z)]) for z in heights]
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-T", loops, "GTV")])


def _settings(case: PrismCase) -> Settings:
    chosen = {
        name: getattr(case.ctv, name.value) for name in list(MarginName) if hasattr(case.ctv, name.value)
    }
    return Settings(arm=ArmChoice.IFI, margins=chosen)


def _written(path: Path, case: PrismCase) -> dict[str, dict[int, BaseGeometry]]:
    """Sections of every ROI by slice, read with pydicom alone: loops of a plane joined even-odd."""
    header = pydicom.dcmread(path)
    names = {item.ROINumber: item.ROIName for item in header.StructureSetROISequence}
    planes = case.plane_positions()
    found: dict[str, dict[int, BaseGeometry]] = {}
    for item in header.ROIContourSequence:
        loops: dict[int, list[Polygon]] = defaultdict(list)
        for contour in item.ContourSequence:
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            k = int(np.argmin(np.abs(planes - points[0, 2])))
            assert np.abs(points[:, 2] - planes[k]).max() < 0.002
            loops[k].append(Polygon(points[:, :2]))
        found[names[item.ReferencedROINumber]] = {
            k: reduce(shapely.symmetric_difference, polygons) for k, polygons in loops.items()
        }
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_written_is_the_exact_sum(case: PrismCase, tmp_path: Path) -> None:
    _export(case, tmp_path / "in")
    run_case(
        RunRequest(
            source=InputChoice(path=tmp_path / "in"),
            out=tmp_path / "out",
            settings=_settings(case),
            pictures=False,
        )
    )
    written = _written(tmp_path / "out" / "ifi" / "rtstruct.dcm", case)
    for roi, target in (("GTV-T", "GTV"), ("PGTV", "PGTV"), ("CTV", "CTV"), ("PTV", "PTV")):
        errors = judge(case, target, written[roi])
        assert abs(errors.volume_percent) < 1.0, (target, errors)
        assert errors.outline_mm < 0.5, (target, errors)
        assert errors.wrong_slices == (), (target, errors)
