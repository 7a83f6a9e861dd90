"""The data folders `atlas` and `configs`: inside an installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pipeline.core.errors import ConfigError

ResourceKind = Literal["atlas", "configs"]

_PACKAGE = Path(__file__).resolve().parents[1]


def resource_folder(kind: ResourceKind, *, package: Path = _PACKAGE) -> Path:
    """The folder that holds this kind of data: `atlas` (knowledge) or `configs` (choices).

    A wheel carries both folders in `_data` of the package; a checkout has them beside the package.

    Args:
        kind: which folder.
        package: the folder of the package `pipeline`.

    Raises:
        ConfigError: the folder is in neither place.

    >>> resource_folder("configs").name
    'configs'
    """
    places = (package / "_data" / kind, package.parent / kind)
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(
        f"the data folder {kind!r} of rt-targets is missing",
        where=f"package {package.name!r}",
        expected=" or ".join(str(place.relative_to(package.parent)) for place in places),
        got="neither",
        todo="install rt-targets again, or run it from a complete checkout",
    )
