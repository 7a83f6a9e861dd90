"""Structure sets damaged at random: each is read, or refused in the project's own words, in time and memory.

Nothing that a run calls may let another exception through, take ten seconds, or ask for two gigabytes more.
What is read of a file whose structure is broken has the geometry of the whole one, or a finding is told.
"""

from __future__ import annotations

import faulthandler
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from pipeline.core.case import Case
from pipeline.core.errors import TargetsError
from pipeline.read import (
    LoadedCase,
    ReadOptions,
    load_roles,
    read_again,
    read_case,
    read_scan,
    take_inventory,
)
from tests.dicom_maker import CtSpec, RoiSpec, circles, make_ct, make_structure_set
from tests.read.damages import BREAKS_STRUCTURE, Damage, codings, damaged, damages
from tests.read.dicom_tree import Coding, Tree, tree_of

EXAMPLES = {"quick": 30, "fuzz": 10_000}.get(settings.get_current_profile_name(), 300)
SECONDS = 10
BYTES = 2 << 30
ROLES = load_roles()

T = TypeVar("T")
Areas = dict[str, dict[int, float]]


@dataclass(frozen=True)
class Place:
    """A folder with a CT; the damaged structure set is written beside it, where `tree` is the whole one."""

    folder: Path
    tree: Tree
    areas: Areas

    @property
    def structures(self) -> Path:
        return self.folder / "rs.dcm"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("fuzz")
    spec = CtSpec(size=(24, 20, 5), study_uid="1.2.100001", series_uid="1.2.100002", frame_uid="1.2.100003")
    ct = make_ct(folder / "ct", spec)
    rois = [
        RoiSpec("GTV-T", circles(ct, radius_mm=8, points=24, slices=[1, 2, 3]), "GTV"),
        RoiSpec("GTV-N", circles(ct, radius_mm=4, points=12, center_mm=(12, -10), slices=[2, 3]), "GTV"),
        RoiSpec("Heart", circles(ct, radius_mm=14, points=12), "ORGAN"),
        RoiSpec("Iso", [[(0, 0, 40.0)]], "ISOCENTER", kinds="POINT"),
    ]
    make_structure_set(folder / "rs.dcm", ct, rois, implicit=False)
    tree = tree_of((folder / "rs.dcm").read_bytes())
    case = read_case(folder, ReadOptions(), ROLES).case
    assert not case.findings
    return Place(folder, tree, _areas(case))


@pytest.fixture(scope="module")
def within_memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """An allocation that takes the process two gigabytes beyond what it has now fails, whoever ran before.

    The limit is on the address space, so it is met before as much memory is in use.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    status = Path("/proc/self/statm")
    if status.exists():  # elsewhere the limit means little, and what is used already cannot be asked for
        used = int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    plugins = request.config.pluginmanager
    terminal = plugins.getplugin("terminalreporter")
    if terminal is not None:  # a worker of several has none, nor a peak that would be its own
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
        with plugins.getplugin("capturemanager").global_and_fixture_disabled():
            terminal.write_line(f" peak memory of the process {peak:.2f} GB")
        assert peak < 2 or settings.get_current_profile_name() != "fuzz"  # where nothing else ran before


class TooLongError(BaseException):
    """Beyond the reader's own `except`."""


@contextmanager
def in_time() -> Iterator[None]:
    """An alarm, and, where compiled code does not let Python answer it, the end of the process."""

    def ring(*_: object) -> None:
        raise TooLongError(f"more than {SECONDS} s")

    former = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    faulthandler.dump_traceback_later(3 * SECONDS, exit=True, file=sys.__stderr__)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, former)


def _areas(case: Case) -> Areas:
    drawn = [(one.source_roi, one.contours) for one in case.lesions]
    drawn += [(one.name, one.contours) for one in case.structures]
    return {name: {k: round(part.area, 3) for k, part in one.sections.items()} for name, one in drawn}


def _read(place: Place, also: int) -> LoadedCase | None:
    """What a run reads, and then one of the other ways in."""
    alone = ReadOptions(structures=place.structures)
    ways = (
        lambda: loaded and read_again(loaded.structure_set),
        lambda: read_case(place.folder / "ct", alone, ROLES),
        lambda: read_scan(place.folder, ReadOptions(), ROLES),
        lambda: take_inventory(place.folder, ReadOptions()),
    )
    loaded = _unless_refused(lambda: read_case(place.folder, ReadOptions(), ROLES))
    _unless_refused(ways[also])
    return loaded


def _unless_refused(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except TargetsError as error:
        refusal = error
    assert refusal.what
    assert refusal.where
    return None


def _check_geometry(case: Case, whole: Areas) -> None:
    """Nothing is lost or changed in silence."""
    if case.findings:
        return
    areas = _areas(case)
    assert {name for name in whole if name.startswith("GTV")} <= areas.keys()
    assert {name: whole[name] for name in areas if name in whole} == areas


@pytest.mark.slow  # with coverage it would be the longest of the short ones
@settings(max_examples=EXAMPLES)
@given(coding=codings, found=st.lists(damages, min_size=1, max_size=3), also=st.integers(0, 3))
def test_damage_is_told(
    place: Place, within_memory: None, coding: Coding, found: list[Damage], also: int
) -> None:
    content = damaged(place.tree, coding, found)
    place.structures.write_bytes(content)
    note(f"a file of {len(content)} bytes")
    with in_time():
        loaded = _read(place, also)
    if loaded is not None and len(found) == 1 and found[0].kind in BREAKS_STRUCTURE:
        _check_geometry(loaded.case, place.areas)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("deflated", [False, True])
def test_what_is_whole_is_read_however_it_is_coded(
    place: Place, implicit: bool, undefined: bool, deflated: bool
) -> None:
    coding = Coding(implicit=implicit and not deflated, undefined=undefined, deflated=deflated)
    place.structures.write_bytes(damaged(place.tree, coding, []))
    case = read_case(place.folder, ReadOptions(), ROLES).case
    assert not case.findings
    assert _areas(case) == place.areas
