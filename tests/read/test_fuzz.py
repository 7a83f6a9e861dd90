"""Damaged structure sets: an error of ours or a case that can be used, within ten seconds and 2 GB.

300 examples in `make test`, 10,000 by `make fuzz` (profile `fuzz`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.errors import InputError, TargetsError
from pipeline.core.raster import image_outline
from pipeline.read import LoadedCase, ReadOptions, load_roles, read_case
from tests.dicom_maker import CtSpec, RoiSpec, circles, make_ct, make_structure_set
from tests.read.damage import damaged

SECONDS = 10
MOST_GROWTH_KB = 2 * 1024**2
EXAMPLES = {"quick": 30, "fuzz": 10_000}.get(os.environ.get("HYPOTHESIS_PROFILE", "default"), 300)
ROLES = load_roles()


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A CT and, beside it in a folder of its own, the structure set."""
    folder = tmp_path_factory.mktemp("fuzz")
    ct = make_ct(folder / "case", CtSpec())
    (folder / "rs").mkdir()
    rois = [
        RoiSpec("Cord", circles(ct, radius_mm=5.0, center_mm=(14.0, -2.0), points=12), "ORGAN"),
        RoiSpec("GTV-T", circles(ct, radius_mm=9.0, slices=range(1, 5), points=24), "GTV"),
    ]
    make_structure_set(folder / "rs" / "whole.dcm", ct, rois)
    return folder


class Stored:
    """A file whose text in a failure is short."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __repr__(self) -> str:
        return f"{len(self.data)} bytes"


@contextlib.contextmanager
def within(seconds: int) -> Iterator[None]:
    """No longer than this: a hang is a failure, not a wait."""

    def stop(*_: object) -> None:
        raise AssertionError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def read(source: Path, path: Path, *, beside: bool) -> LoadedCase | TargetsError:
    """As a run reads it: named by the user, or found in the folder."""
    options = ReadOptions() if beside else ReadOptions(structures=path)
    try:
        return read_case(source / "case", options, ROLES)
    except TargetsError as error:
        return error


def check(outcome: LoadedCase | TargetsError) -> None:
    """Usable, or refused with a sentence: nothing between."""
    if isinstance(outcome, TargetsError):
        assert outcome.what
        assert len(str(outcome)) < 5000
        return
    case = outcome.case
    codes = " ".join(finding.code for finding in case.findings)
    outline = image_outline(case.volume.grid).buffer(0.5)
    assert case.lesions
    for lesion in case.lesions:
        assert not lesion.contours.is_empty
        for k, section in lesion.contours.sections.items():
            assert 0 <= k < case.volume.grid.size[2]
            assert section.is_valid
            assert np.isfinite(shapely.get_coordinates(section)).all()
            assert outline.covers(section) or "GTV_BEYOND_IMAGE" in codes


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.slow
def test_damaged_structure_sets(source: Path) -> None:
    whole = pydicom.dcmread(source / "rs" / "whole.dcm")
    seen = {"read": 0, "refused": 0}
    before = peak_kb()

    @settings(max_examples=EXAMPLES)
    @given(st.data())
    def one(data: st.DataObject) -> None:
        stored = data.draw(damaged(whole).map(Stored)).data
        beside = data.draw(st.booleans())
        path = source / ("case" if beside else "rs") / "damaged.dcm"
        path.write_bytes(stored)
        try:
            with within(SECONDS):
                outcome = read(source, path, beside=beside)
                check(outcome)
        finally:
            path.unlink()
        seen["refused" if isinstance(outcome, TargetsError) else "read"] += 1

    one()
    assert peak_kb() - before < MOST_GROWTH_KB
    # Neither everything is refused, so that nothing was looked at, nor nothing.
    assert min(seen.values()) > EXAMPLES / 20, seen


def test_the_whole_one_is_read(source: Path) -> None:
    outcome = read(source, source / "rs" / "whole.dcm", beside=False)
    assert isinstance(outcome, LoadedCase)
    check(outcome)


def test_an_empty_file_is_refused(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "empty.dcm"
    path.write_bytes(b"")
    assert isinstance(read(source, path, beside=False), InputError)
