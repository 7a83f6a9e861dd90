"""The table "Who may import whom", held against the source; and proof that the test bites."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.house.imports import PACKAGE, Import, circles, imports_of, modules_of, room

ROOT = Path(__file__).resolve().parents[2]

ROOMS = ("read", "anatomy", "register", "strategy", "targets", "check", "write", "review", "compare")
MAY_IMPORT: dict[str, frozenset[str]] = {
    "core": frozenset(),
    **{name: frozenset({"core"}) for name in ROOMS},
    "run": frozenset({"core", "anatomy", "strategy", "targets", "check"}),
    "phantom": frozenset({"core"}),
    # The phantom is made and written as files by app: core knows no formats, and cli wires nothing.
    "app": frozenset({"core", "run", "read", "register", "write", "review", "check", "phantom"}),
    "cohort": frozenset({"core", "app"}),
    "cli": frozenset({"core", "app"}),
    "__main__": frozenset({"cli"}),
    # The Python API.
    PACKAGE: frozenset({"core", "app"}),
}
# The package itself holds __version__ and is open to all.

PURE = frozenset({"core", "anatomy", "strategy", "targets", "check", "run", "phantom"})
FORMATS = frozenset({"pydicom", "highdicom", "nibabel", "SimpleITK", "matplotlib", "PIL", "rt_utils", "cv2"})
# numpy, scipy, numba, skimage.measure, contourpy and shapely at most
CORE_MAY_USE = ("numpy", "scipy", "numba", "skimage.measure", "contourpy", "shapely")


def trespasses(imports: list[Import]) -> list[str]:
    """Imports of our own that the table does not allow."""
    wrong = []
    for found in imports:
        here, there = room(found.importer), room(found.target)
        if found.target.partition(".")[0] != PACKAGE or there in {here, PACKAGE, "__version__"}:
            continue
        if here not in MAY_IMPORT:
            wrong.append(f"{found}: the room {here!r} stands in no line of the table")
        elif there not in MAY_IMPORT[here]:
            allowed = ", ".join(sorted(MAY_IMPORT[here])) or "nothing of ours"
            wrong.append(f"{found}: {here} may import {allowed}")
    return wrong


def impurities(imports: list[Import]) -> list[str]:
    """File formats and pictures in the pure rooms, inside functions too."""
    return [
        f"{found}: {room(found.importer)} is a pure room"
        for found in imports
        if room(found.importer) in PURE and found.target.partition(".")[0] in FORMATS
    ]


def luxuries(imports: list[Import]) -> list[str]:
    """What core uses beyond the standard library and its short list."""

    def allowed(target: str) -> bool:
        top = target.partition(".")[0]
        return (
            top == PACKAGE
            or top in sys.stdlib_module_names
            or any(target == name or target.startswith(f"{name}.") for name in CORE_MAY_USE)
        )

    return [
        f"{found}: core uses {', '.join(CORE_MAY_USE)} at most"
        for found in imports
        if room(found.importer) == "core" and not allowed(found.target)
    ]


def beyond_registration(imports: list[Import]) -> list[str]:
    """Formats in the room that registers, which uses SimpleITK on arrays."""
    return [
        f"{found}: register reads and draws nothing"
        for found in imports
        if room(found.importer) == "register" and found.target.partition(".")[0] in FORMATS - {"SimpleITK"}
    ]


# ------------------------------------------------------------------------------------- the source as it is


@pytest.fixture(scope="module")
def modules() -> dict[str, Path]:
    return modules_of(ROOT)


@pytest.fixture(scope="module")
def imports(modules: dict[str, Path]) -> list[Import]:
    """Of the whole source, walked once."""
    return imports_of(modules)


def test_every_import_keeps_to_the_table(imports):
    assert trespasses(imports) == []


def test_pure_rooms_know_no_formats_and_no_pictures(imports):
    assert impurities(imports) == []


def test_register_uses_simpleitk_and_no_other_format(imports, tmp_path):
    assert beyond_registration(imports) == []
    found, _ = planted(tmp_path, {"register/a.py": "import SimpleITK\nimport pydicom"})
    (told,) = beyond_registration(found)
    assert "line 2 imports pydicom" in told


def test_core_uses_its_short_list_only(imports):
    assert luxuries(imports) == []


def test_no_circles(imports, modules):
    assert circles(imports, modules) == []


def test_the_walk_sees_the_source(imports, modules):
    assert {"pipeline", "pipeline.core.errors", "pipeline.read.resources"} <= modules.keys()
    assert any(
        (one.importer, one.target, one.at_load) == ("pipeline.read.resources", "pipeline.core.errors", True)
        for one in imports
    )


# ------------------------------------------------------------------------------------------- planted sources


def planted(folder: Path, sources: Mapping[str, str]) -> tuple[list[Import], dict[str, Path]]:
    for name, text in sources.items():
        path = folder / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    modules = modules_of(folder)
    return imports_of(modules), modules


@pytest.mark.parametrize(
    "name, text, told",
    [
        ("core/grid.py", "from pipeline.read import ct", "core may import nothing of ours"),
        ("core/grid.py", "import pipeline.run", "core may import nothing of ours"),
        ("read/ct.py", "import pipeline.write.rtstruct", "read may import core"),
        ("read/ct.py", "from pipeline import write", "read may import core"),
        ("read/ct.py", "from .. import write", "read may import core"),
        ("read/deep/ct.py", "from ...write import nifti", "read may import core"),
        ("read/__init__.py", "from ..write import nifti", "read may import core"),
        ("read/ct.py", "def f():\n    from pipeline.targets import build", "read may import core"),
        ("check/a.py", "class A:\n    import pipeline.targets", "check may import core"),
        (
            "check/a.py",
            "try:\n    import pipeline.targets\nexcept ImportError:\n    pass",
            "check may import core",
        ),
        ("check/a.py", "import importlib\nimportlib.import_module('pipeline.read')", "check may import core"),
        ("check/a.py", "__import__('pipeline.read')", "check may import core"),
        ("check/a.py", "importlib.import_module(name='pipeline.read')", "check may import core"),
        ("check/a.py", "import_module('.'.join(('pipeline', 'read')))", "check may import core"),
        ("check/a.py", "__getattr__ = lazily('pipeline.read', {})", "check may import core"),
        ("check/a.py", "from importlib import import_module as load", "check may import core"),
        ("run.py", "from pipeline.read import ct", "run may import anatomy, check, core, strategy, targets"),
        ("phantom.py", "from pipeline.write import nifti", "phantom may import core"),
        ("cli/demo.py", "from pipeline.read.ct import read", "cli may import app, core"),
        ("core/a.py", "if TYPE_CHECKING:\n    from pipeline.app import x", "core may import nothing of ours"),
        ("helpers/a.py", "from pipeline.core import grid", "stands in no line of the table"),
    ],
)
def test_a_trespass_is_told(tmp_path, name, text, told):
    found, _ = planted(tmp_path, {name: text})
    (sentence,) = trespasses(found)
    assert told in sentence


def test_a_trespass_is_told_with_its_place(tmp_path):
    found, _ = planted(tmp_path, {"core/a.py": "import math\n\n\ndef f():\n    import pipeline.read.ct"})
    (sentence,) = trespasses(found)
    assert sentence.startswith("pipeline.core.a line 5 imports pipeline.read.ct: ")


@pytest.mark.parametrize(
    "name, text",
    [
        ("core/grid.py", "from pipeline.core.errors import GeometryError\nfrom . import errors"),
        ("write/record.py", "from pipeline import __version__"),
        ("write/record.py", "from pipeline.core import report"),
        ("app.py", "from pipeline import run, phantom\nfrom pipeline.read import ct"),
        ("cli/__init__.py", "def main():\n    from pipeline import app"),
        ("read/ct.py", "import pydicom, pipelines_of_others"),
        ("read/__init__.py", "__getattr__ = lazily(__name__, {'ct': ('read',)})"),
    ],
)
def test_what_the_table_allows_passes(tmp_path, name, text):
    found, _ = planted(tmp_path, {name: text})
    assert trespasses(found) == []


@pytest.mark.parametrize("library", sorted(FORMATS))
@pytest.mark.parametrize("name", ["core/a.py", "anatomy/a.py", "strategy/a.py", "targets/a.py", "check/a.py"])
@pytest.mark.parametrize(
    "form", ["import {0}", "import {0}.inner as x", "from {0}.inner import y", "def f():\n    import {0}"]
)
def test_a_format_in_a_pure_room_is_told(tmp_path, library, name, form):
    found, _ = planted(tmp_path, {name: form.format(library)})
    assert any(f"{name.split('/')[0]} is a pure room" in sentence for sentence in impurities(found))


def test_a_format_at_the_edge_passes(tmp_path):
    found, _ = planted(tmp_path, {"read/ct.py": "import pydicom", "write/a.py": "import rt_utils"})
    assert impurities(found) == []


@pytest.mark.parametrize(
    "text",
    ["import yaml", "from skimage import io", "import skimage.io", "import skimage", "import pandas as pd"],
)
def test_a_luxury_of_core_is_told(tmp_path, text):
    found, _ = planted(tmp_path, {"core/a.py": text})
    assert luxuries(found)


def test_the_short_list_of_core_passes(tmp_path):
    text = (
        "import math\nfrom scipy import ndimage\nfrom skimage import measure\n"
        "from skimage.measure import find_contours\nfrom numba import njit\nimport shapely.geometry"
    )
    found, _ = planted(tmp_path, {"core/a.py": text})
    assert luxuries(found) == []


def test_a_circle_is_told(tmp_path):
    found, modules = planted(
        tmp_path,
        {
            "core/a.py": "from pipeline.core import b",
            "core/b.py": "from pipeline.core.c import x",
            "core/c.py": "import pipeline.core.a",
        },
    )
    assert circles(found, modules) == [
        ["pipeline.core.a", "pipeline.core.b", "pipeline.core.c", "pipeline.core.a"]
    ]


def test_a_circle_through_the_package_is_told(tmp_path):
    found, modules = planted(
        tmp_path,
        {"core/__init__.py": "from pipeline.core.a import A", "core/a.py": "from pipeline.core import B"},
    )
    assert circles(found, modules) == [["pipeline.core", "pipeline.core.a", "pipeline.core"]]


@pytest.mark.parametrize(
    "text",
    ["def f():\n    from pipeline.core import a", "if TYPE_CHECKING:\n    from pipeline.core import a"],
)
def test_an_import_that_waits_makes_no_circle(tmp_path, text):
    found, modules = planted(tmp_path, {"core/a.py": "from pipeline.core import b", "core/b.py": text})
    assert circles(found, modules) == []
