"""Who imports whom, read from the source without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "pipeline"
LOADER = f"{PACKAGE}.core.lazy"  # where a package's own modules are loaded by name
# Stands for what a call imports whose argument is no literal.
UNTOLD = f"{PACKAGE}.?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import: the module it stands in, the module it names, and whether loading the first runs it."""

    importer: str
    target: str
    line: int
    at_load: bool

    def __str__(self) -> str:
        return f"{self.importer} line {self.line} imports {self.target}"


def modules_of(root: Path) -> dict[str, Path]:
    """Dotted name to file, for every module of the package in the folder `root`."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(modules: Mapping[str, Path]) -> list[Import]:
    """Every import of every module, wherever it stands, calls that load a module included."""
    return [
        Import(importer=name, target=target, line=node.lineno, at_load=at_load)
        for name, path in modules.items()
        for node, at_load in _statements(ast.parse(path.read_text(encoding="utf-8")))
        for target in _targets(node, importer=name, is_package=path.name == "__init__.py", modules=modules)
    ]


def room(module: str) -> str:
    """The first name below the package; the package itself is the room of that name."""
    return module.split(".")[1] if "." in module else module


def circles(imports: list[Import], modules: Mapping[str, Path]) -> list[list[str]]:
    """Circles of imports that are made at load, each once, as a chain that comes back to its start."""
    edges: dict[str, set[str]] = {name: set() for name in modules}
    for found in imports:
        if found.at_load and found.target in modules and found.target != found.importer:
            edges[found.importer].add(found.target)
    done: set[str] = set()
    chains: list[list[str]] = []

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            chains.append([*trail[trail.index(name) :], name])
        elif name not in done:
            for target in sorted(edges[name]):
                visit(target, [*trail, name])
            done.add(name)

    for name in sorted(edges):
        visit(name, [])
    return chains


def _statements(node: ast.AST, *, at_load: bool = True) -> Iterator[tuple[ast.stmt | ast.expr, bool]]:
    """Imports and calls below a node, each with whether it runs when the module is loaded."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.Call):
            yield child, at_load
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child, at_load=False)
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for part in child.body:
                yield from _statements(ast.Module(body=[part], type_ignores=[]), at_load=False)
            for part in child.orelse:
                yield from _statements(ast.Module(body=[part], type_ignores=[]), at_load=at_load)
        else:
            yield from _statements(child, at_load=at_load)


def _targets(
    node: ast.stmt | ast.expr, *, importer: str, is_package: bool, modules: Mapping[str, Path]
) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, importer=importer, is_package=is_package)
        for alias in node.names:
            if alias.asname and alias.name in {"import_module", "lazily"}:
                yield UNTOLD  # under another name its calls would not be seen
            inner = f"{base}.{alias.name}"
            # Ours: `inner` is a module, or a name in `base` (after `from pipeline import`: a room, were
            # it there or not). Of others: `inner` always, which tells skimage.measure from skimage.io.
            ours = base.startswith(f"{PACKAGE}.")
            yield base if ours and inner not in modules else inner
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        if called in {"import_module", "__import__", "lazily"} and importer != LOADER:
            yield _named(node, importer)


def _named(call: ast.Call, importer: str) -> str:
    """The module that a call loads; what names none can hide any."""
    values = [*call.args, *(one.value for one in call.keywords if one.arg in {"name", "package"})]
    first = values[0] if values else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return importer if isinstance(first, ast.Name) and first.id == "__name__" else UNTOLD


def _absolute(node: ast.ImportFrom, *, importer: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    above = importer.split(".")
    if not is_package:
        above = above[:-1]
    above = above[: len(above) - (node.level - 1)]
    return ".".join([*above, node.module] if node.module else above)
