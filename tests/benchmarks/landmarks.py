"""Landmarks of synthetic cohorts against their truth, and of public patients by what is known of them."""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.level_checks import check_levels
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Landmarks, Organs
from pipeline.core.volume import Volume
from pipeline.phantom import PhantomOptions, Reconstruction, make_phantom
from pipeline.read import load_landmark_rules
from pipeline.run.anatomy import find_anatomy
from tests.anatomy.organs_of import organs_of
from tests.benchmarks.processes import ROOT
from tests.benchmarks.tables import Limit, print_limits, print_table
from tests.real import anatomy_cases as cases

SPACING = (2.5, 2.5, 3.0)
EACH_ROUTE, FEW = 10, 2
OF_PIXELS_MM = 0.1


@dataclass(frozen=True, kw_only=True)
class Case:
    """One real patient with one kind of knowledge about organs."""

    name: str
    landmarks: Landmarks
    doubts: int
    by_eye: Mapping[str, tuple[float, float]]


def main() -> bool:
    """Print the tables; whether the phantoms' levels keep half a slice."""
    good = _phantoms()
    data = Path(os.environ.get("RT_TARGETS_DATA", ROOT.parent / "shared" / "data"))
    real = (
        ("LUNG1-001", _lung1_001),
        ("LUNG1-002", _lung1_002),
        ("Test CTs of TotalSegmentator", _totalsegmentator),
    )
    for title, found in real:
        with tempfile.TemporaryDirectory() as scratch:
            patients = list(found(data, Path(scratch)))
        if patients:
            _print_cases(title, patients)
        else:
            print(f"\nLeft out: {title} is not in {data}; set RT_TARGETS_DATA to the folder that holds it.")
    return good


# -------------------------------------------------------------------------------------------------- phantoms


def _phantoms() -> bool:
    names = [rule.name for rule in load_landmark_rules()]
    rows: dict[str, list[str]] = {name: [name] for name in names}
    worst, inferred, doubts = 0.0, 0, 0
    for number, route in enumerate(Reconstruction):
        off: dict[str, list[float]] = {name: [] for name in names}
        for seed in range(number, 3 * EACH_ROUTE, 3):
            phantom = make_phantom(
                PhantomOptions(
                    seed=seed, reconstruction=route, spacing_mm=SPACING, lesions=(), noise_hu=0.0, couch=False
                )
            )
            view = OrganView(organs_of(phantom))
            landmarks = find_landmarks(view, load_landmark_rules(), {})
            doubts += len(check_levels(view, landmarks))
            for name in names:
                one = landmarks.found[name]
                inferred += one.inferred
                off[name].append(one.point_mm[2] - phantom.landmarks[name][2])
        for name, mm in off.items():
            rows[name] += [f"{np.mean(mm):+.2f}", f"{max(map(abs, mm)):.2f}"]
            worst = max(worst, *map(abs, mm))
    head = ["mm from the truth", *(text for route in Reconstruction for text in (f"{route} mean", "worst"))]
    title = f"{EACH_ROUTE} synthetic patients of each route with all masks, slices of {SPACING[2]:g} mm"
    print_table(title, head, list(rows.values()))
    _phantoms_without_masks(names)
    return print_limits(
        [
            Limit(
                what="worst level (half a slice and 0.1 mm of the pixels)",
                value=worst,
                limit=SPACING[2] / 2.0 + OF_PIXELS_MM,
                unit=" mm",
            ),
            Limit(what="landmarks inferred though their organs are there", value=inferred, limit=0),
            Limit(what="doubts about levels where all is right", value=doubts, limit=0),
        ]
    )


def _phantoms_without_masks(names: list[str]) -> None:
    off: dict[str, list[float]] = {name: [] for name in names}
    how: dict[str, str] = dict.fromkeys(names, "missing")
    for number, route in enumerate(Reconstruction):
        for seed in range(number, 3 * FEW, 3):
            phantom = make_phantom(
                PhantomOptions(seed=seed, reconstruction=route, spacing_mm=SPACING, lesions=())
            )
            nothing = Organs(grid=phantom.volume.grid, by_name={})
            _, landmarks = find_anatomy(phantom.volume, nothing, load_landmark_rules(), {})
            for name, one in landmarks.found.items():
                how[name] = f"inferred, {one.error_mm:.0f} expected" if one.inferred else "found"
                off[name].append(one.point_mm[2] - phantom.landmarks[name][2])
    rows = [
        [name, how[name], f"{np.mean(mm):+.1f}" if mm else "", f"{max(map(abs, mm)):.1f}" if mm else ""]
        for name, mm in off.items()
    ]
    title = f"{FEW} synthetic patients of each route with no masks: what the image shows"
    print_table(title, ["mm from the truth", "", "mean", "worst"], rows)


# ------------------------------------------------------------------------------------------------- real cases


def _lung1_001(data: Path, scratch: Path) -> Iterator[Case]:
    if not (data / cases.ARIA).is_file():
        return
    scan = cases.planning_scan(_unpacked(data / cases.ARIA, scratch))
    for name, given in (("CT alone", scan.nothing()), ("ROIs of ARIA", scan.drawn())):
        yield _case(name, scan.volume, given, cases.BY_EYE["LUNG1-001"])


def _lung1_002(data: Path, scratch: Path) -> Iterator[Case]:
    if not (data / cases.XIO).is_file() or not (data / cases.XIO_MASKS).is_dir():
        return
    scan = cases.planning_scan(_unpacked(data / cases.XIO, scratch))
    by_eye = cases.levels_by_eye(data)
    for name, given in (
        ("CT alone", scan.nothing()),
        ("ROIs of XiO", scan.drawn()),
        ("41 masks", scan.masks(data / cases.XIO_MASKS)),
    ):
        yield _case(name, scan.volume, given, by_eye)


def _totalsegmentator(data: Path, scratch: Path) -> Iterator[Case]:
    if (data / cases.ABDOMEN[0]).is_file():
        scan = cases.image_scan(data / cases.ABDOMEN[0])
        yield _case("abdomen", scan.volume, scan.masks(data / cases.ABDOMEN[1]), cases.BY_EYE["abdomen"])
    if (data / cases.AORTA[0]).is_file():
        scan = cases.image_scan(data / cases.AORTA[0])
        folder = cases.plain_masks(data / cases.AORTA[1], cases.AORTA_MASKS, scratch)
        yield _case("aorta", scan.volume, scan.masks(folder), cases.BY_EYE["aorta"])


def _unpacked(archive: Path, scratch: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    return scratch


def _case(name: str, volume: Volume, given: Organs, by_eye: Mapping[str, tuple[float, float]]) -> Case:
    organs, landmarks = find_anatomy(volume, given, load_landmark_rules(), {})
    return Case(
        name=name,
        landmarks=landmarks,
        doubts=len(check_levels(OrganView(organs), landmarks)),
        by_eye=by_eye,
    )


def _print_cases(title: str, patients: list[Case]) -> None:
    rows = []
    for rule in load_landmark_rules():
        row = [rule.name]
        for one in patients:
            row += [*_told(one, rule.name)]
        rows.append(row)
    rows.append(["doubts about levels", *(c for p in patients for c in (f"{p.doubts}", ""))])
    head = ["level z, mm", *(text for one in patients for text in (one.name, "off by"))]
    print_table(f"{title} (± expected error; ~ inferred; off by: from a reading by eye)", head, rows)


def _told(case: Case, name: str) -> tuple[str, str]:
    one = case.landmarks.found.get(name)
    if one is None:
        return "missing", ""
    off = ""
    if name in case.by_eye:
        read, uncertain = case.by_eye[name]
        off = f"{one.point_mm[2] - read:+.1f} (± {uncertain:g})"
    return f"{'~' if one.inferred else ''}{one.point_mm[2]:.1f} ± {one.error_mm:.0f}", off
