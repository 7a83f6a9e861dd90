"""Cuts painted as pictures: CT window, outlines, scale bar, orientation letters, text. Pillow only.

matplotlib would cost more time to import than a montage takes to draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image, ImageDraw, ImageFont

from pipeline.core.rules import Colour
from pipeline.review.areas import fill_areas
from pipeline.review.planes import Cut

# Mediastinal window: centre 40 HU, width 400 HU.
WINDOW_CENTRE_HU = 40.0
WINDOW_WIDTH_HU = 400.0

BACKGROUND: Colour = (18, 20, 24)
OUTSIDE_SCAN: Colour = (38, 42, 50)
TEXT: Colour = (232, 234, 238)
MUTED: Colour = (160, 166, 176)
WARNING: Colour = (255, 196, 84)
STOP: Colour = (255, 112, 100)
GUIDE: Colour = (255, 214, 120)

_FINE = 4  # outlines are drawn this many times larger, then reduced, for smooth edges
_LINE_PX = 2.0
_HALO_PX = 4.0
_DARK = 50  # luma, 0 to 255: pure blue is 29, pure red 76
_BARS_MM = (5, 10, 20, 50, 100, 200)
_SPARE_VOXELS = 3  # around the cropped region, so that interpolation has neighbours at its edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle of the screen plane in mm."""

    left: float
    top: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.left + self.width / 2, self.top + self.height / 2)

    @classmethod
    def around(cls, centre: tuple[float, float], extent: tuple[float, float], *, aspect: float) -> Region:
        """Smallest rectangle of that aspect (width to height) that holds the extent."""
        width = max(extent[0], extent[1] * aspect)
        height = width / aspect
        return cls(left=centre[0] - width / 2, top=centre[1] - height / 2, width=width, height=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A number at a pane's sides, at the height of another pane's plane."""

    label: str
    y_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a pane shows besides CT and outlines; `fill`: opacity of the structures' areas."""

    title: str = ""
    note: str = ""
    marks: tuple[Mark, ...] = ()
    frame_mm: Region | None = None
    plain: bool = False
    fill: float = 0.0


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow carries, at a size in px."""
    return ImageFont.load_default(size)


def paint(
    cut: Cut, region: Region, size: tuple[int, int], *, colours: Sequence[Colour], style: Style
) -> Image.Image:
    """One pane: `region` of the cut, `size` (width, height) in px of the same aspect.

    `colours` go with the cut's outlines; the first outline lies on top.
    """
    pane = Image.new("RGB", size, OUTSIDE_SCAN)
    scale = size[0] / region.width
    _paste_ct(pane, cut, region, scale)
    if style.fill > 0:
        fill_areas(
            pane, cut.outlines, colours, corner=(region.left, region.top), scale=scale, opacity=style.fill
        )
    draw_outlines(pane, cut.outlines, colours, region=region, scale=scale)
    draw = ImageDraw.Draw(pane)
    if style.frame_mm is not None:
        _draw_frame(draw, style.frame_mm, region, scale)
    _draw_marks(draw, style.marks, region, scale, size)
    _draw_letters(draw, cut.edges, size, inset=66 if style.marks else 8)
    if not style.plain:
        _draw_scale_bar(draw, scale, size)
        _stamp(pane)
    write(draw, (10, 8), style.title or cut.caption, size=14 if style.plain else 17)
    if style.note:
        write(draw, (10, 30), style.note, size=15, colour=MUTED)
    return pane


def write(
    draw: ImageDraw.ImageDraw,
    xy: tuple[float, float],
    text: str,
    *,
    size: int,
    colour: Colour = TEXT,
    anchor: str = "la",
) -> None:
    """Text with a dark edge, so that it reads on any CT."""
    draw.text(xy, text, font=font(size), fill=colour, anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))


def draw_outlines(
    pane: Image.Image,
    outlines: Sequence[shapely.Geometry],
    colours: Sequence[Colour],
    *,
    region: Region,
    scale: float,
) -> None:
    """Outlines 2 px wide in their colours over a halo; the first lies on top."""
    drawn = [(_rings(shape, region, scale), colour) for shape, colour in zip(outlines, colours, strict=True)]
    for rings, colour in reversed(drawn):
        _stroke(pane, rings, _HALO_PX, _halo(colour), opacity=0.6)
    for rings, colour in reversed(drawn):
        _stroke(pane, rings, _LINE_PX, colour, opacity=1.0)


def _halo(colour: Colour) -> Colour:
    """Black around light colours; a light tint around those that would drown in lung or air."""
    red, green, blue = colour
    if 0.299 * red + 0.587 * green + 0.114 * blue > _DARK:
        return (0, 0, 0)
    return ((red + 255) // 2, (green + 255) // 2, (blue + 255) // 2)


def _paste_ct(pane: Image.Image, cut: Cut, region: Region, scale: float) -> None:
    """The part of the CT that lies in the region; its pixels end half a voxel beyond the centres."""
    spans = []
    for axis, start in ((0, region.left), (1, region.top)):
        count, step = cut.hu.shape[1 - axis], cut.step_mm[axis]
        edge = cut.first_mm[axis] - step / 2
        # Whole px of the pane that lie on the scan, then the same span in voxels.
        low = max(0, math.ceil((edge - start) * scale - 1e-6))
        high = min(pane.size[axis], math.floor((edge + count * step - start) * scale + 1e-6))
        if high <= low:
            return
        voxels = [(start + px / scale - edge) / step for px in (low, high)]
        crop = (
            max(0, math.floor(voxels[0]) - _SPARE_VOXELS),
            min(count, math.ceil(voxels[1]) + _SPARE_VOXELS),
        )
        box = [min(max(voxel - crop[0], 0.0), float(crop[1] - crop[0])) for voxel in voxels]
        spans.append((low, high, crop, box))
    (x0, x1, columns, box_x), (y0, y1, rows, box_y) = spans
    grey = Image.fromarray(_windowed(cut.hu[rows[0] : rows[1], columns[0] : columns[1]]))
    pane.paste(
        grey.resize(
            (x1 - x0, y1 - y0),
            Image.Resampling.BICUBIC,
            box=(box_x[0], box_y[0], box_x[1], box_y[1]),
        ),
        (x0, y0),
    )


def _windowed(hu: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    low = WINDOW_CENTRE_HU - WINDOW_WIDTH_HU / 2
    grey = (hu.astype(np.float32) - np.float32(low)) * np.float32(255.0 / WINDOW_WIDTH_HU)
    return np.asarray(np.clip(grey, 0.0, 255.0), dtype=np.uint8)


def _rings(shape: shapely.Geometry, region: Region, scale: float) -> list[npt.NDArray[np.float64]]:
    """The rings of a geometry in px of the pane, without vertices too close to be seen."""
    simple = shapely.simplify(shape, 0.1 / scale)
    rings = shapely.get_rings(shapely.get_parts(simple))
    corner = np.array([region.left, region.top])
    return [(shapely.get_coordinates(ring) - corner) * scale for ring in rings]


def _stroke(
    pane: Image.Image,
    rings: Iterable[npt.NDArray[np.float64]],
    width_px: float,
    colour: Colour,
    *,
    opacity: float,
) -> None:
    """Closed lines with smooth edges: drawn larger on a mask of their bounding box, then reduced."""
    rings = list(rings)
    if not rings:
        return
    points = np.concatenate(rings)
    pad = math.ceil(width_px) + 1
    low = np.maximum(np.floor(points.min(axis=0)) - pad, 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)) + pad, pane.size).astype(int)
    if (high <= low).any():
        return
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
    draw = ImageDraw.Draw(mask)
    # Odd: only then does Pillow lay a line evenly on both sides of its points.
    width = 2 * round(width_px * _FINE / 2) + 1
    for ring in rings:
        fine = np.floor((ring - low) * _FINE)  # the (fine) px that the point lies in
        # The second point again, so that the corner where the ring closes is joined too.
        path = [*map(tuple, fine.tolist()), tuple(fine[1].tolist())]
        draw.line(path, fill=round(255 * opacity), width=width, joint="curve")
    corner = (int(low[0]), int(low[1]))
    pane.paste(colour, corner, mask.reduce(_FINE))


def _draw_frame(draw: ImageDraw.ImageDraw, frame: Region, region: Region, scale: float) -> None:
    left, top = (frame.left - region.left) * scale, (frame.top - region.top) * scale
    draw.rectangle(
        (left, top, left + frame.width * scale, top + frame.height * scale), outline=GUIDE, width=1
    )


def _draw_marks(
    draw: ImageDraw.ImageDraw,
    marks: Iterable[Mark],
    region: Region,
    scale: float,
    size: tuple[int, int],
) -> None:
    above, right = -math.inf, 0
    for mark in sorted(marks, key=lambda mark: mark.y_mm):
        y = (mark.y_mm - region.top) * scale
        # Numbers of neighbouring slices go side by side.
        right = right + 14 if y - above < 15 else 20
        above = y
        draw.line((size[0] - 16, y, size[0], y), fill=GUIDE, width=2)
        write(draw, (size[0] - right, y), mark.label, size=14, colour=GUIDE, anchor="rm")


def _draw_letters(draw: ImageDraw.ImageDraw, edges: str, size: tuple[int, int], *, inset: int) -> None:
    width, height = size
    places = (
        ((8, height / 2), "lm"),
        ((width - inset, height / 2), "rm"),
        ((width / 2, 6), "ma"),
        ((width / 2, height - 6), "md"),
    )
    for letter, (xy, anchor) in zip(edges, places, strict=True):
        write(draw, xy, letter, size=20, colour=WARNING, anchor=anchor)


def _draw_scale_bar(draw: ImageDraw.ImageDraw, scale: float, size: tuple[int, int]) -> None:
    fitting = [bar for bar in _BARS_MM if bar * scale <= size[0] / 4]
    length_mm = fitting[-1] if fitting else _BARS_MM[0]
    left, bottom = 12.0, size[1] - 14.0
    right = left + length_mm * scale
    for colour, width in (((0, 0, 0), 4), (TEXT, 2)):
        draw.line((left, bottom, right, bottom), fill=colour, width=width)
        for x in (left, right):
            draw.line((x, bottom - 5, x, bottom + 5), fill=colour, width=width)
    write(draw, ((left + right) / 2, bottom - 8), f"{length_mm} mm", size=14, anchor="md")


def _stamp(pane: Image.Image) -> None:
    """DRAFT in the lower right corner, faint enough to see the CT through, edged for bright bone."""
    size = min(52, round(pane.width / 10))
    for colour, edge in (((0, 0, 0), 2), ((255, 255, 255), 0)):
        mask = _stamp_mask(size, edge)
        corner = (pane.width - mask.width - 10 + edge, pane.height - mask.height - 8 + edge)
        pane.paste(colour, corner, mask)


@lru_cache(maxsize=8)
def _stamp_mask(size: int, edge: int) -> Image.Image:
    left, top, right, bottom = font(size).getbbox("DRAFT", stroke_width=edge)
    mask = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
    draw = ImageDraw.Draw(mask)
    draw.text((-left, -top), "DRAFT", font=font(size), fill=80, stroke_width=edge)
    return mask
