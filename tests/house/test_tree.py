"""The tree keeps its rules: short files, constraints without places, a quick start."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 350
LONGEST_FUNCTION = 50
# A command is the list of its options.
COMMANDS = {"run", "stations"}
HEAVY = {
    "SimpleITK",
    "scipy",
    "skimage",
    "numba",
    "pydicom",
    "highdicom",
    "nibabel",
    "shapely",
    "rt_utils",
    "cc3d",
    "cv2",
    "PIL",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {normal(name): version for name, version in pairs}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pipeline").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_file_grows_by_drift(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, (
        f"{path.relative_to(ROOT)} has {lines} lines: a part of it wants a file of its own"
    )


def without_docstring(function):
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1) * told


@pytest.mark.parametrize(
    "path", sorted((ROOT / "pipeline").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_function_grows_by_drift(path):
    own = COMMANDS if path.parent.name == "cli" else set()
    lines = {
        node.name: without_docstring(node)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name not in own
    }
    assert {name: count for name, count in lines.items() if count > LONGEST_FUNCTION} == {}


def test_constraints_are_exact_pins_and_name_no_place():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.+!]+", line), line
        assert "://" not in line


def test_constraints_pin_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    names = {normal(re.match(r"[A-Za-z0-9_.-]+", line)[0]) for line in wanted}
    assert names <= pins().keys()


def test_constraints_leave_out_the_opencv_that_needs_libgl():
    assert "opencv-python" not in pins()


def test_the_command_line_starts_without_heavy_imports():
    """What --help costs: measured as modules, because seconds depend on the machine."""
    script = "import sys, pipeline.cli; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    assert HEAVY & set(ran.stdout.split()) == set()


def test_the_version_is_the_one_of_the_project(monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    start = str(ROOT / "pipeline" / "__init__.py")
    assert runpy.run_path(start)["__version__"] == project["version"]

    def never_installed(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", never_installed)
    assert runpy.run_path(start)["__version__"] == "0+unknown"
