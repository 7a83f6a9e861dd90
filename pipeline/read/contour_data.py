"""The points of one contour, as stored: text to numbers, and what shows that they are damaged."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pydicom
from shapely.geometry import Polygon

from pipeline.core.validity import is_valid

Points = npt.NDArray[np.float64]

# No scanner is as large: what lies beyond is no coordinate.
FARTHEST_MM = 1e5
# Crossings that the outline's length makes likely within its box. Real outlines, of lungs with every vessel
# cut out, come to a tenth of it; a hundred times as many would keep the repair busy for minutes.
MOST_CROSSINGS = 5000

_CONTOUR_DATA = 0x30060050
_POINT_COUNT = 0x30060046


def contour_points(item: pydicom.Dataset) -> Points:
    """ContourData as an array, shape (n, 3); its text is parsed in one go, 20 times faster than by value.

    Raises:
        ValueError: what stands there is no list of points, or not the points that were written.
    """
    value = item.get_item(_CONTOUR_DATA).value if _CONTOUR_DATA in item else None
    if isinstance(value, bytes):
        flat = _numbers(value.rstrip(b" \0"))
    else:
        flat = np.asarray([] if value is None else value, dtype=float)
    if flat.ndim != 1 or flat.size % 3 or not np.isfinite(flat).all():
        raise ValueError(f"{flat.size} numbers, some of them not finite or no full point")
    points = flat.reshape(-1, 3)
    _check_count(item, len(points))
    if np.abs(flat).max(initial=0.0) > FARTHEST_MM:
        raise ValueError(f"a coordinate of {np.abs(flat).max():.3g} mm")
    _check_tangle(points)
    return points


def _check_count(item: pydicom.Dataset, count: int) -> None:
    """Data cut off between two points would be another shape, without a word."""
    stated = item.get_item(_POINT_COUNT).value if _POINT_COUNT in item else None
    if isinstance(stated, bytes):  # not yet decoded, which would take longer than all the rest
        stated = stated.strip(b" \0")
    if stated not in (None, b"", "") and int(stated) != count:
        raise ValueError(f"{count} points where Number of Contour Points says {int(stated)}")


def _check_tangle(points: Points) -> None:
    """Refuse what no hand has drawn: its outline crosses itself thousands of times."""
    if len(points) < 100:
        return
    steps = np.linalg.norm(np.diff(points, axis=0, append=points[:1]), axis=1)
    _, width, length = (max(float(extent), 2.0) for extent in sorted(np.ptp(points, axis=0)))
    outline = float(steps.sum())
    crossings = outline**2 / (math.pi * width * length)
    if crossings > MOST_CROSSINGS and not is_valid(Polygon(points[:, :2])):
        raise ValueError(f"a tangle: an outline of {outline:.0f} mm within {width:.0f} x {length:.0f} mm")


def _numbers(text: bytes) -> Points:
    """Decimal strings with backslashes between them; blanks after the last one count for nothing.

    Raises:
        ValueError: something else than a number.
    """
    text = text.rstrip(b" \0\\")
    try:
        found = np.fromstring(text, sep=" \\ ")
    except (ValueError, DeprecationWarning):  # what stops it, where warnings are errors
        found = np.empty(0)
    if len(found) == text.count(b"\\") + 1:
        return found
    if not text:
        return np.empty(0)
    if b"_" in text:  # Python would read 1_0 as 10
        raise ValueError("an underscore among the numbers")
    return np.asarray([float(part) for part in text.split(b"\\")], dtype=float)
