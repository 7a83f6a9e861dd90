"""What all tests share: Hypothesis profiles, the public real data, programs that are not ours."""

from __future__ import annotations

import os
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).resolve().parents[1]

# Derandomized where a gate depends on the outcome; `thorough` looks for new counterexamples.
# Deadlines are off: the first example of a numba kernel includes its compilation.
settings.register_profile(
    "default", max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("default"), max_examples=10)
settings.register_profile("thorough", max_examples=500, deadline=None, print_blob=True)
settings.register_profile("fuzz", settings.get_profile("thorough"))  # test_fuzz.py has its own numbers
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data: what RT_TARGETS_DATA names, else `shared/data` beside the checkout."""
    named = os.environ.get("RT_TARGETS_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}: set RT_TARGETS_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def unpacked(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Unpack an archive of the real data once a session; gives the folder of its contents, to be read only.

    `unpacked("lung1-002/ct-and-xio-plan.tar.xz")`; tar (any compression) and zip.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # one folder for all workers

    def unpack(archive: str) -> Path:
        source = real_data / archive
        if not source.is_file():
            pytest.skip(f"the real data has no {archive} (looked in {real_data})")
        target = shared / "unpacked" / archive.replace("/", "--")
        if not target.is_dir():
            target.parent.mkdir(exist_ok=True)
            _unpack_whole(source, target)
        return target

    return unpack


def _unpack_whole(source: Path, target: Path) -> None:
    """Unpack beside the target, then rename: another worker sees all of it or nothing."""
    with tempfile.TemporaryDirectory(dir=target.parent, ignore_cleanup_errors=True) as scratch:
        contents = Path(scratch) / "contents"
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(contents)
        else:
            with tarfile.open(source) as tar:
                tar.extractall(contents, filter="data")
        try:
            contents.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another worker was first, and its copy serves
                raise


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `rt-targets demo --seed 3` leaves, made by one worker for all of them; to be read only."""
    from pipeline.app import DemoRequest, run_demo

    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    out, lock = folder / "demo-run", folder / "demo-run.lock"
    while not out.is_dir():
        try:
            lock.touch(exist_ok=False)
        except FileExistsError:
            time.sleep(0.5)
            continue
        try:
            run_demo(DemoRequest(out=out, seed=3))  # all of it appears at once
        finally:
            lock.unlink()
    return out


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """`program("dciodvfy")`: the path of a program that is not ours, or a skip that says it is missing."""

    def find(name: str) -> str:
        path = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
        if path is None:
            pytest.skip(f"the program {name} is not installed (.ci/run installs it on Debian)")
        return path

    return find
