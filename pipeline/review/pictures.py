"""Montages of the written contours on the CT, one for each lesion.

Radiological convention in every picture (see `planes`), millimetres true in every pane, no patient
identity: text comes from ROI names and geometry alone. The same input gives the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipeline.core.case import Lesion
from pipeline.core.volume import Volume
from pipeline.review.canvas import Mark, Region, Style
from pipeline.review.plan import Level, View, plan_view
from pipeline.review.planes import Overlay, Scan, axial, coronal, in_patient_order, sagittal
from pipeline.review.sheet import (
    EDGE,
    GAP,
    HEADER,
    SIDE,
    blank_sheet,
    draw_legend,
    draw_notes,
    free_path,
    full_region,
    notes_on,
    paint_pane,
    require_same_grid,
    save,
)

_LARGE = 520  # px, side of the panes of the upper row
_SMALL = 388  # and of the lower
_TILES = 4
_HOW_DRAWN = (
    "Where outlines coincide, only the one",
    "higher in the legend is seen",
    "Coronal, sagittal: contours drawn",
    "one slice thick, as written",
)


def draw_lesion_montages(
    folder: Path,
    volume: Volume,
    overlays: Sequence[Overlay],
    lesions: Sequence[Lesion],
    *,
    arm: str = "",
) -> tuple[Path, ...]:
    """One PNG for each lesion, named by it: axial, coronal and sagittal planes with the contours.

    The large panes go through the lesion: its largest axial section, and its centre of mass. The
    small ones are axial at the ends of the lesion and of the outermost structure around it. In
    the coronal and sagittal panes each contour is drawn one slice thick, exactly as written.

    Args:
        folder: made when absent.
        volume: the CT, in any patient position and storage order.
        overlays: what to draw, on the CT's grid; the first lies on top, so give the inner first.
        lesions: what to look at.
        arm: whose volumes they are; goes before the file's name and into the title.

    Returns:
        The files, in the order of the lesions.

    Raises:
        GeometryError: an overlay or lesion on another grid, or a lesion without contours.
        OutputError: a file that cannot be written.
    """
    require_same_grid(volume, overlays, lesions)
    scan = in_patient_order(volume)
    notes = notes_on(volume, contours=_HOW_DRAWN)
    paths: list[Path] = []
    for number, lesion in enumerate(lesions, start=1):
        view = plan_view(scan, lesion, overlays, tiles=_TILES)
        count = f"   lesion {number} of {len(lesions)}" if len(lesions) > 1 else ""
        picture = _montage(scan, overlays, view, title=_title(arm, lesion) + count, notes=notes)
        path = free_path(folder, f"{arm}_{lesion.name}" if arm else lesion.name, paths)
        save(picture, path)
        paths.append(path)
    return tuple(paths)


def _title(arm: str, lesion: Lesion) -> str:
    return f"{arm.upper()}   {lesion.name}" if arm else lesion.name


def _montage(
    scan: Scan, overlays: Sequence[Overlay], view: View, *, title: str, notes: Sequence[str]
) -> Image.Image:
    row = 3 * _LARGE + 2 * GAP
    side_x = EDGE + row + GAP
    height = HEADER + _LARGE + GAP + _SMALL + EDGE
    sheet = blank_sheet(side_x + SIDE + EDGE, height, title=title)
    for number, pane in enumerate(_large_panes(scan, overlays, view)):
        sheet.paste(pane, (EDGE + number * (_LARGE + GAP), HEADER))
    square = _axial_region(view)
    for number, (level, label) in enumerate(_labelled(scan, view)[1:]):
        cut = axial(scan, overlays, level.k)
        style = Style(title=f"{label}   {cut.caption}", note=level.why)
        pane = paint_pane(cut, overlays, square, (_SMALL, _SMALL), style=style)
        sheet.paste(pane, (EDGE + number * (_SMALL + GAP), HEADER + _LARGE + GAP))
    draw = ImageDraw.Draw(sheet)
    y = draw_legend(draw, overlays, (side_x, HEADER), bottom=HEADER + _LARGE - 170)
    draw_notes(draw, notes, (side_x, y + 16))
    context = axial(scan, overlays, view.middle.k)
    whole = full_region(context)
    size = (SIDE, min(_SMALL, max(1, round(SIDE * whole.height / whole.width))))
    region = Region.around(whole.centre, (whole.width, whole.height), aspect=size[0] / size[1])
    style = Style(title="whole slice", plain=True, frame_mm=square)
    pane = paint_pane(context, overlays, region, size, style=style)
    sheet.paste(pane, (side_x, height - EDGE - size[1]))
    return sheet


def _large_panes(scan: Scan, overlays: Sequence[Overlay], view: View) -> tuple[Image.Image, ...]:
    """Axial, coronal and sagittal; the last two at one scale, so that their rows match."""
    size = (_LARGE, _LARGE)
    labelled = _labelled(scan, view)
    marks = tuple(Mark(label=label, y_mm=-scan.level_mm(level.k)) for level, label in labelled)
    middle = axial(scan, overlays, view.middle.k)
    style = Style(title=f"{labelled[0][1]}   {middle.caption}", note=view.middle.why)
    panes = [paint_pane(middle, overlays, _axial_region(view), size, style=style)]
    low, high = np.array(view.low_mm), np.array(view.high_mm)
    side = float((high - low).max())
    centre = (low + high) / 2
    for cut, axis in (
        (coronal(scan, overlays, view.centre_mm[1]), 0),
        (sagittal(scan, overlays, view.centre_mm[0]), 1),
    ):
        region = Region.around((centre[axis], -centre[2]), (side, side), aspect=1.0)
        panes.append(paint_pane(cut, overlays, region, size, style=Style(marks=marks)))
    return tuple(panes)


def _labelled(scan: Scan, view: View) -> list[tuple[Level, str]]:
    """The axial slices with their numbers from head to feet; the middle one comes first."""
    levels = [view.middle, *view.levels]
    order = sorted(levels, key=lambda level: scan.level_mm(level.k), reverse=True)
    return [(level, str(order.index(level) + 1)) for level in levels]


def _axial_region(view: View) -> Region:
    low, high = view.low_mm, view.high_mm
    return Region.around(
        ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2),
        (high[0] - low[0], high[1] - low[1]),
        aspect=1.0,
    )
