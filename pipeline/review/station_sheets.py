"""The sheets of stations: axial panes from neck to celiac axis, and panes along the body with the levels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from PIL import Image, ImageDraw
from shapely.geometry import box

from pipeline.review import canvas
from pipeline.review.canvas import Region, Style
from pipeline.review.names import Named, write_names
from pipeline.review.planes import Cut, Overlay, Scan, axial, coronal, sagittal
from pipeline.review.sheet import EDGE, GAP, HEADER, SIDE, blank_sheet, draw_notes, paint_pane
from pipeline.review.station_legend import draw_station_legend, wrapped
from pipeline.review.station_scene import (
    LevelMark,
    StationPicture,
    axial_slices,
    best_planes,
    carina_mm,
    level_marks,
    level_text,
)

COLUMNS, ROWS = 3, 3
_PANE = 570  # px, width of an axial pane
_LONG = 980  # px, height of a pane along the body
_GUTTER = 260  # px, for the names of the levels
_LEAST_HEIGHT = 800  # px, of the legend
_AROUND_MM = 25.0
_LOWEST = 0.68  # least height of an axial pane as a part of its width
_FILL = 0.3
_FILL_OF_SHADOWS = 0.16
_MARK = 14
_BETWEEN_NAMES = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class AxialPane:
    """One axial pane: its slice, and the landmarks nearest to it."""

    k: int
    marks: tuple[LevelMark, ...]


def axial_panes(scan: Scan, picture: StationPicture) -> tuple[AxialPane, ...]:
    """The planes to show, head first, each landmark with the nearest; those out of reach with none."""
    slices = axial_slices(scan, picture.drawn)
    if not slices:
        return ()
    levels = np.array([scan.level_mm(k) for k in slices])
    found: dict[int, list[LevelMark]] = {k: [] for k in slices}
    reach = max(scan.step_mm[2], 10.0)
    for mark in level_marks(picture):
        nearest = int(np.abs(levels - mark.w_mm).argmin())
        if abs(levels[nearest] - mark.w_mm) <= reach:
            found[slices[nearest]].append(mark)
    return tuple(AxialPane(k=k, marks=tuple(marks)) for k, marks in found.items())


def axial_sheets(scan: Scan, picture: StationPicture, notes: Sequence[str]) -> tuple[Image.Image, ...]:
    """Sheets of at most `COLUMNS` times `ROWS` panes, one scale a sheet."""
    panes = axial_panes(scan, picture)
    if not panes:
        return ()
    per_sheet = -(-len(panes) // -(-len(panes) // (COLUMNS * ROWS)))  # sheets as even as can be
    groups = [panes[start : start + per_sheet] for start in range(0, len(panes), per_sheet)]
    sheets = []
    for number, group in enumerate(groups, start=1):
        low, high = _bounds(picture, [pane.k for pane in group])
        width, height = (float(value) for value in high - low + 2 * _AROUND_MM)
        size = (_PANE, round(_PANE * min(1.0, max(_LOWEST, height / width))))
        centre = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
        region = Region.around(centre, (width, height), aspect=size[0] / size[1])
        title = f"Lymph-node stations, axial {number} of {len(groups)}"
        sheets.append(_axial_sheet(scan, picture, group, region, size=size, title=title, notes=notes))
    return tuple(sheets)


def _bounds(picture: StationPicture, slices: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Corners (u, v) of what the slices show."""
    sections = [one.sections[k] for one in picture.drawn.values() for k in slices if k in one.sections]
    bounds = shapely.bounds(np.array(sections, dtype=object))
    return bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)


def _axial_sheet(
    scan: Scan,
    picture: StationPicture,
    panes: Sequence[AxialPane],
    region: Region,
    *,
    size: tuple[int, int],
    title: str,
    notes: Sequence[str],
) -> Image.Image:
    width = COLUMNS * size[0] + (COLUMNS - 1) * GAP
    rows = -(-len(panes) // COLUMNS)
    height = max(rows * size[1] + (rows - 1) * GAP, _LEAST_HEIGHT)
    side_x = EDGE + width + GAP
    sheet = blank_sheet(side_x + SIDE + EDGE, HEADER + height + EDGE, title=title)
    overlays, carina = picture.overlays, carina_mm(picture)
    for number, pane in enumerate(panes):
        row, column = divmod(number, COLUMNS)
        corner = (EDGE + column * (size[0] + GAP), HEADER + row * (size[1] + GAP))
        sheet.paste(_axial_pane(scan, overlays, pane, region, size=size, carina=carina), corner)
    _side(sheet, picture, notes, side_x)
    return sheet


def _axial_pane(
    scan: Scan,
    overlays: Sequence[Overlay],
    pane: AxialPane,
    region: Region,
    *,
    size: tuple[int, int],
    carina: float | None,
) -> Image.Image:
    cut = axial(scan, overlays, pane.k)
    level = scan.level_mm(pane.k)
    note = f"z {level:.1f} mm" if carina is not None else ""
    style = Style(title=level_text(level, carina), note=note, fill=_FILL)
    image = paint_pane(cut, overlays, region, size, style=style)
    draw = ImageDraw.Draw(image)
    y = 52
    for mark in pane.marks:
        text = mark.text + (" (inferred)" if mark.inferred else "")
        text += _off(mark.w_mm - level, scan.step_mm[2])
        canvas.write(draw, (10, y), text, size=_MARK, colour=canvas.GUIDE)
        y += _BETWEEN_NAMES
    named = [
        Named(text=overlay.name, shape=shape, colour=overlay.colour)
        for overlay, shape in zip(overlays, cut.outlines, strict=True)
    ]
    write_names(image, named, region, taken=_taken(size, y))
    return image


def _taken(size: tuple[int, int], below_title: int) -> list[shapely.Geometry]:
    """Where title, letters and scale bar stand."""
    width, height = size
    title = box(0, 0, 150, 50) if below_title <= 52 else box(0, 0, 230, below_title)
    return [
        title,
        box(0, height / 2 - 12, 26, height / 2 + 12),
        box(width - 26, height / 2 - 12, width, height / 2 + 12),
        box(width / 2 - 12, 0, width / 2 + 12, 28),
        box(width / 2 - 12, height - 28, width / 2 + 12, height),
        box(0, height - 42, 130, height),
    ]


def _off(above_mm: float, spacing_mm: float) -> str:
    """How far from its slice a landmark lies, where another slice would be nearer.

    >>> _off(-5.7, 3.0), _off(4.2, 3.0), _off(1.4, 3.0)
    (', 6 mm below', ', 4 mm above', '')
    """
    if abs(above_mm) <= spacing_mm / 2.0:
        return ""
    return f", {abs(above_mm):.0f} mm {'above' if above_mm > 0 else 'below'}"


def _side(sheet: Image.Image, picture: StationPicture, notes: Sequence[str], x: int) -> None:
    draw = ImageDraw.Draw(sheet)
    bottom = sheet.height - EDGE
    y = draw_station_legend(draw, picture, (x, HEADER), bottom=bottom - 22 * (len(notes) + 4)) + 14
    reasons = [f"{name} not built: {why}" for name, why in picture.stations.not_built.items()]
    lines = wrapped(draw, [*notes, *reasons], size=14, room=SIDE)
    draw_notes(draw, lines[: (bottom - y) // 22], (x, y))


# -------------------------------------------------------------------------------------------- along the body


def coronal_sheet(scan: Scan, picture: StationPicture, notes: Sequence[str]) -> Image.Image:
    """All stations as shadows seen from the front, and the coronal planes that show them best."""
    overlays = picture.overlays
    planes = best_planes(picture, 1, 3)
    middle = planes[len(planes) // 2] if planes else scan.first_mm[1]
    shadows = coronal(scan, overlays, middle, projected=True)
    cuts = [coronal(scan, overlays, v) for v in planes]
    return _long_sheet(picture, [shadows, *cuts], notes, axis=0, title="Lymph-node stations, coronal")


def sagittal_sheet(scan: Scan, picture: StationPicture, notes: Sequence[str]) -> Image.Image:
    """All stations as shadows seen from the left, and the sagittal planes that show them best."""
    overlays = picture.overlays
    planes = best_planes(picture, 0, 3)
    middle = planes[len(planes) // 2] if planes else scan.first_mm[0]
    shadows = sagittal(scan, overlays, middle, projected=True)
    cuts = [sagittal(scan, overlays, u) for u in planes]
    return _long_sheet(picture, [shadows, *cuts], notes, axis=1, title="Lymph-node stations, sagittal")


def _long_sheet(
    picture: StationPicture, cuts: Sequence[Cut], notes: Sequence[str], *, axis: int, title: str
) -> Image.Image:
    """Panes of one region side by side; the levels as lines through all, with their names at the left."""
    region, size = _long_region(picture, axis)
    left = EDGE + _GUTTER
    side_x = left + len(cuts) * (size[0] + GAP)
    sheet = blank_sheet(side_x + SIDE + EDGE, HEADER + size[1] + EDGE, title=title)
    marks = [mark for mark in level_marks(picture) if 0 < (-mark.w_mm - region.top) < region.height]
    for number, cut in enumerate(cuts):
        pane = _long_pane(picture.overlays, cut, region, size, shadows=number == 0, marks=marks)
        sheet.paste(pane, (left + number * (size[0] + GAP), HEADER))
    scale = size[1] / region.height
    rows = [(mark, HEADER + (-mark.w_mm - region.top) * scale) for mark in marks]
    _level_names(ImageDraw.Draw(sheet), rows, left, sheet.height, carina_mm(picture))
    _side(sheet, picture, notes, side_x)
    return sheet


def _long_region(picture: StationPicture, axis: int) -> tuple[Region, tuple[int, int]]:
    """What the panes along the body show, and their size in px."""
    sections = [section for one in picture.drawn.values() for section in one.sections.values()]
    across = shapely.bounds(np.array(sections, dtype=object))
    planes = picture.stations.grid.plane_positions_mm
    levels = [planes[k] for one in picture.drawn.values() for k in one.slices]
    levels += [mark.w_mm for mark in level_marks(picture) if planes.min() <= mark.w_mm <= planes.max()]
    low, high = across[:, axis].min() - _AROUND_MM, across[:, axis + 2].max() + _AROUND_MM
    top, bottom = -max(levels) - _AROUND_MM, -min(levels) + _AROUND_MM
    width = min(460, max(200, round(_LONG * (high - low) / (bottom - top))))
    region = Region.around(
        (float(low + high) / 2, float(top + bottom) / 2),
        (float(high - low), float(bottom - top)),
        aspect=width / _LONG,
    )
    return region, (width, _LONG)


def _long_pane(
    overlays: Sequence[Overlay],
    cut: Cut,
    region: Region,
    size: tuple[int, int],
    *,
    shadows: bool,
    marks: Iterable[LevelMark],
) -> Image.Image:
    title = "all stations, in projection" if shadows else cut.caption
    style = Style(title=title, fill=_FILL_OF_SHADOWS if shadows else _FILL)
    pane = paint_pane(cut, overlays, region, size, style=style)
    draw = ImageDraw.Draw(pane)
    scale = size[1] / region.height
    for mark in marks:
        y = round((-mark.w_mm - region.top) * scale)
        step = 10 if mark.inferred else size[0]
        for x in range(0, size[0], 2 * step if mark.inferred else step):
            draw.line((x, y, min(x + step, size[0]), y), fill=canvas.GUIDE, width=1)
    named = [
        Named(text=overlay.name, shape=shape, colour=overlay.colour)
        for overlay, shape in zip(overlays, cut.outlines, strict=True)
    ]
    write_names(pane, named, region, taken=_taken(size, 52))
    return pane


def _level_names(
    draw: ImageDraw.ImageDraw,
    rows: Sequence[tuple[LevelMark, float]],
    right: int,
    bottom: int,
    carina: float | None,
) -> None:
    """Names from the top down, none over another, each with a line to its level."""
    places = spread([y for _, y in rows], least=_BETWEEN_NAMES + 2, low=HEADER + 10, high=bottom - EDGE - 10)
    for (mark, level), y in zip(rows, places, strict=True):
        away = "" if carina is None else f"  {_signed(mark.w_mm - carina)}"
        text = mark.text + (" (inferred)" if mark.inferred else "") + away
        canvas.write(draw, (right - 24, y), text, size=_MARK, colour=canvas.GUIDE, anchor="rm")
        draw.line((right - 20, y, right - 2, level), fill=canvas.GUIDE, width=1)


def _signed(mm: float) -> str:
    return f"{round(mm):+d}" if round(mm) else "0"


def spread(wanted: Sequence[float], *, least: float, low: float, high: float) -> list[float]:
    """Ascending places moved as little as may be until each lies `least` from the next, inside the ends.

    >>> spread([10.0, 12.0, 50.0], least=10, low=0, high=100)
    [6.0, 16.0, 50.0]
    """
    groups: list[list[float]] = []  # sum of wanted starts, count
    for index, place in enumerate(wanted):
        groups.append([place - index * least, 1.0])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    starts = [total / count for total, count in groups for _ in range(int(count))]
    highest = high - (len(starts) - 1) * least
    return [min(max(start, low), highest) + index * least for index, start in enumerate(starts)]
