"""Whether polygons are valid, asked in any thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry


def is_valid(geometry: BaseGeometry) -> bool:
    """Whether a geometry is valid.

    `shapely.is_valid` changes the process's warning filters for a while, and two threads that ask at once may
    leave them changed for good: all warnings of whoever called us would be ignored.
    """
    return bool(shapely.is_valid_reason(geometry) == _VALID)


def are_valid(geometries: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The same of an array of geometries."""
    return np.asarray(shapely.is_valid_reason(geometries) == _VALID, dtype=bool)


_VALID = "Valid Geometry"
