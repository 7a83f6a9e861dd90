"""A sheet of axial slices through the whole of a volume, from head to feet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import ImageDraw

from pipeline.core.errors import GeometryError
from pipeline.core.volume import Volume
from pipeline.review.canvas import Region, Style
from pipeline.review.planes import Overlay, axial, in_patient_order
from pipeline.review.sheet import (
    EDGE,
    GAP,
    HEADER,
    SIDE,
    blank_sheet,
    draw_legend,
    draw_notes,
    free_path,
    notes_on,
    paint_pane,
    require_same_grid,
    save,
)

_COLUMNS, _ROWS = 4, 4
_PANE = 360  # px
_SURROUND_MM = 30.0
_TALLEST_LEGEND = 600


def draw_axial_sheet(
    folder: Path, volume: Volume, overlays: Sequence[Overlay], whole: Overlay, *, arm: str
) -> Path:
    """One PNG: up to 16 slices evenly spaced between the ends of a volume, all on one region.

    Args:
        folder: made when absent.
        volume: the CT.
        overlays: what to draw, the inner first.
        whole: the volume that is gone through; it names the file.
        arm: whose volumes they are.

    Raises:
        GeometryError: an overlay on another grid, or a volume without contours.
        OutputError: a file that cannot be written.
    """
    require_same_grid(volume, [*overlays, whole], [])
    if whole.contours.is_empty:
        raise GeometryError("volume without contours cannot be pictured", where=whole.name)
    scan = in_patient_order(volume)
    slices = sorted(whole.contours.slices, key=scan.level_mm, reverse=True)
    chosen = _spread(slices, _COLUMNS * _ROWS)
    rows = -(-len(chosen) // _COLUMNS)
    width = EDGE + _COLUMNS * (_PANE + GAP) + SIDE + EDGE
    sheet = blank_sheet(width, HEADER + rows * (_PANE + GAP) + EDGE, title=f"{arm.upper()}   {whole.name}")
    region = _region(whole)
    for number, k in enumerate(chosen):
        cut = axial(scan, overlays, k)
        pane = paint_pane(cut, overlays, region, (_PANE, _PANE), style=Style(title=cut.caption))
        row, column = divmod(number, _COLUMNS)
        sheet.paste(pane, (EDGE + column * (_PANE + GAP), HEADER + row * (_PANE + GAP)))
    draw = ImageDraw.Draw(sheet)
    x = width - SIDE - EDGE
    y = draw_legend(draw, overlays, (x, HEADER), bottom=HEADER + min(_TALLEST_LEGEND, rows * _PANE - 150))
    draw_notes(draw, notes_on(volume, contours=()), (x, y + 16))
    path = free_path(folder, f"{arm}_{whole.name}", [])
    save(sheet, path)
    return path


def _spread(slices: Sequence[int], count: int) -> list[int]:
    """Up to `count` of them, the first and the last among them."""
    if len(slices) <= count:
        return list(slices)
    places = np.rint(np.linspace(0, len(slices) - 1, count)).astype(int)
    return [slices[place] for place in places]


def _region(whole: Overlay) -> Region:
    bounds = np.array([section.bounds for section in whole.contours.sections.values()])
    low, high = bounds[:, :2].min(axis=0) - _SURROUND_MM, bounds[:, 2:].max(axis=0) + _SURROUND_MM
    u, v = ((low + high) / 2).tolist()
    extent = (high - low).tolist()
    return Region.around((u, v), (extent[0], extent[1]), aspect=1.0)
