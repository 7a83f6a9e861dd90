"""Areas of structures filled with their colour, see-through."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image, ImageDraw

from pipeline.core.rules import Colour

_FINE = 2  # drawn this many times larger, then reduced, for smooth edges


def fill_areas(
    pane: Image.Image,
    shapes: Sequence[shapely.Geometry],
    colours: Sequence[Colour],
    *,
    corner: tuple[float, float],
    scale: float,
    opacity: float,
) -> None:
    """Fill polygons, holes left out; the first shape lies on top.

    Args:
        pane: to draw on.
        shapes: in screen mm.
        colours: one a shape.
        corner: screen mm of the pane's upper left corner.
        scale: px a mm.
        opacity: 0 to 1.
    """
    for shape, colour in reversed(list(zip(shapes, colours, strict=True))):
        parts = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]
        if parts:
            _fill(pane, parts, colour, corner=np.array(corner), scale=scale, opacity=opacity)


def _fill(
    pane: Image.Image,
    parts: Sequence[shapely.Polygon],
    colour: Colour,
    *,
    corner: npt.NDArray[np.float64],
    scale: float,
    opacity: float,
) -> None:
    low_mm, high_mm = np.split(shapely.total_bounds(np.array(parts, dtype=object)), 2)
    low = np.maximum(np.floor((low_mm - corner) * scale), 0).astype(int)
    high = np.minimum(np.ceil((high_mm - corner) * scale) + 1, pane.size).astype(int)
    if (high <= low).any():
        return
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    draw = ImageDraw.Draw(mask)
    for part in sorted(parts, key=lambda part: -part.area):  # an island lies in the hole of a larger part
        for ring, value in ((part.exterior, 255), *((hole, 0) for hole in part.interiors)):
            points = ((shapely.get_coordinates(ring) - corner) * scale - low) * _FINE
            draw.polygon([*map(tuple, points.tolist())], fill=value)
    share = mask.reduce(_FINE).point([math.floor(value * opacity) for value in range(256)])
    pane.paste(colour, (int(low[0]), int(low[1])), share)
