"""Names beside outlines: each near its own, over as little of the others as can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from PIL import Image, ImageDraw
from shapely.geometry import box

from pipeline.core.rules import Colour
from pipeline.review.canvas import Region, font, write

_TEXT = 17
_BRIGHT = 130  # least luma of a name, 0 to 255: darker colours do not read on a CT
_DISTANCES_PX = (4.0, 12.0, 22.0, 34.0, 48.0, 66.0)
_DIRECTIONS = 16
_LEADER_FROM_PX = 8.0  # nearer than this, a name needs no line to its outline
# Cost of a px2 of another structure under the name as a share of the name, of a px of distance, and of lying
# towards the middle of the pane, where the next structure is.
_OVER_OTHERS, _FAR, _INWARD = 2.5, 0.02, 0.35


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """A name, its structure's area in screen mm (may be empty), and its colour."""

    text: str
    shape: shapely.Geometry
    colour: Colour


def write_names(
    pane: Image.Image, named: Sequence[Named], region: Region, *, taken: Sequence[shapely.Geometry] = ()
) -> None:
    """Write each name beside the largest part of its structure, with a line to it where they are apart.

    Args:
        pane: shows `region`.
        named: whose areas are not empty are named, as far as they lie in the pane.
        region: in screen mm.
        taken: boxes in px where no name may stand.
    """
    draw = ImageDraw.Draw(pane)
    scale = pane.width / region.width
    frame = box(0, 0, *pane.size)
    areas = [(one, _in_px(one.shape, region, scale).intersection(frame)) for one in named]
    shown = [(one, area) for one, area in areas if area.area > 1]
    blocked = list(taken)
    # Small structures first: they have the fewest places.
    for one, area in sorted(shown, key=lambda pair: (pair[1].area, pair[0].text)):
        others = shapely.union_all([other for mine, other in shown if mine is not one])
        length = draw.textlength(one.text, font=font(_TEXT))
        place, target = _place(area, (length + 4, _TEXT + 2), others, blocked, frame)
        blocked.append(place.buffer(1))
        _leader(draw, place, target, one.colour)
        centre = place.centroid
        write(draw, (centre.x, centre.y), one.text, size=_TEXT, colour=_bright(one.colour), anchor="mm")


def _bright(colour: Colour) -> Colour:
    """A colour lightened until it reads on dark ground."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    share = max(0.0, (_BRIGHT - luma) / (255 - min(luma, _BRIGHT)))
    light = [round(part + share * (255 - part)) for part in colour]
    return (light[0], light[1], light[2])


def _in_px(shape: shapely.Geometry, region: Region, scale: float) -> shapely.Geometry:
    moved: shapely.Geometry = shapely.transform(
        shape, lambda points: (points - [region.left, region.top]) * scale
    )
    return moved


def _place(
    area: shapely.Geometry,
    size: tuple[float, float],
    others: shapely.Geometry,
    blocked: Sequence[shapely.Geometry],
    frame: shapely.Geometry,
) -> tuple[shapely.Geometry, shapely.Geometry]:
    """The box for a name of a size in px, and the part of its structure that it names."""
    part = max(shapely.get_parts(area), key=lambda one: one.area)
    centre, middle = part.centroid, frame.centroid
    hull = part.convex_hull
    best, least = None, math.inf
    for distance in _DISTANCES_PX:
        for step in range(_DIRECTIONS):
            angle = 2 * math.pi * step / _DIRECTIONS
            way = (math.cos(angle), math.sin(angle))
            candidate = _beside(hull, way, size, distance)
            if not frame.contains(candidate) or any(candidate.intersects(one) for one in blocked):
                continue
            outward = (centre.x - middle.x) * way[0] + (centre.y - middle.y) * way[1]
            cost = _OVER_OTHERS * candidate.intersection(others).area / candidate.area
            cost += _FAR * distance + (_INWARD if outward < 0 else 0.0)
            if cost < least - 1e-9:
                best, least = candidate, cost
    if best is None:  # no room beside it: on it
        half = (size[0] / 2, size[1] / 2)
        best = box(centre.x - half[0], centre.y - half[1], centre.x + half[0], centre.y + half[1])
    return best, part


def _beside(
    hull: shapely.Geometry, way: tuple[float, float], size: tuple[float, float], distance: float
) -> shapely.Geometry:
    """A box that touches a hull, seen along a direction, but for a distance."""
    x, y = way
    reach = max(point[0] * x + point[1] * y for point in shapely.get_coordinates(hull).tolist())
    centre = hull.centroid
    own = abs(x) * size[0] / 2 + abs(y) * size[1] / 2
    along = reach - (centre.x * x + centre.y * y) + own + distance
    cx, cy = centre.x + x * along, centre.y + y * along
    return box(cx - size[0] / 2, cy - size[1] / 2, cx + size[0] / 2, cy + size[1] / 2)


def _leader(
    draw: ImageDraw.ImageDraw, place: shapely.Geometry, part: shapely.Geometry, colour: Colour
) -> None:
    ends = shapely.get_coordinates(shapely.shortest_line(place, part)).ravel().tolist()
    if math.dist(ends[:2], ends[2:]) < _LEADER_FROM_PX:
        return
    draw.line(ends, fill=(0, 0, 0), width=3)
    draw.line(ends, fill=colour, width=1)
