"""Packages whose names are imported when they are asked for, so that work can begin before all is loaded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """A `__getattr__` of a package.

    Args:
        package: its name.
        homes: module of the package to the names that it holds.
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def found(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{modules[name]}"), name)
        setattr(sys.modules[package], name, value)  # so that nobody asks again
        return value

    return found
