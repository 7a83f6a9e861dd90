"""The wheel carries its data, and finds it with nothing of the checkout in reach."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel would install."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        ROOT,
    ]
    ran = subprocess.run(build, capture_output=True, text=True, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    (wheel,) = folder.glob("rt_targets-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["atlas", "configs"])
def test_the_wheel_carries_the_data(installed, kind):
    carried = files_below(installed / "pipeline" / "_data" / kind)
    assert carried == files_below(ROOT / kind) != set()


@pytest.mark.parametrize("kind", ["atlas", "configs"])
def test_the_data_is_found_from_the_wheel(installed, tmp_path, kind):
    # -S -I: no .pth file, which keeps the editable install of the checkout out; libraries stay in reach.
    script = (
        "import sys; sys.path[:0] = sys.argv[1:3]; from pipeline.read.resources import resource_folder; "
        "print(resource_folder(sys.argv[3]))"
    )
    libraries = sysconfig.get_path("purelib")
    command = [sys.executable, "-S", "-I", "-c", script, str(installed), libraries, kind]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()) == installed / "pipeline" / "_data" / kind


def test_the_wheel_is_typed_and_licensed_and_has_its_command(installed):
    (record,) = installed.glob("rt_targets-*.dist-info")
    assert (installed / "pipeline" / "py.typed").is_file()
    assert (record / "licenses" / "LICENSE").is_file()
    assert "rt-targets = pipeline.cli:program" in (record / "entry_points.txt").read_text(encoding="utf-8")


def test_the_wheel_carries_no_tests(installed):
    assert {path.name.split("-")[0] for path in installed.iterdir()} == {"pipeline", "rt_targets"}
