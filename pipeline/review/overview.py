"""The whole scan in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from PIL import ImageDraw

from pipeline.core.volume import Volume
from pipeline.review.canvas import Region, Style
from pipeline.review.planes import Cut, Overlay, Scan, coronal, in_patient_order, sagittal
from pipeline.review.sheet import (
    EDGE,
    GAP,
    HEADER,
    SIDE,
    blank_sheet,
    draw_legend,
    draw_notes,
    full_region,
    notes_on,
    paint_pane,
    require_same_grid,
    save,
)

_HEIGHT, _WIDEST, _LEAST = 860, 1700, 340  # px: height, width of both panes, least height
_TISSUE_HU, _TISSUE_PART, _AIR_MM = -400.0, 0.02, 10.0  # what counts as body
_SHADOWS = ("Contours: whole structures,", "projected along the line of sight")


def draw_overview(path: Path, volume: Volume, overlays: Sequence[Overlay]) -> Path:
    """One PNG of the whole scan: a coronal and a sagittal plane, every structure projected on them.

    The planes go through the first overlay that is not empty; the outlines are shadows along the
    line of sight, so that structures before and behind the planes are seen too.

    Args:
        path: the file to write; its folder is made when absent.
        volume: the CT.
        overlays: what to draw, on the CT's grid; the first lies on top.

    Raises:
        GeometryError: an overlay on another grid.
        OutputError: the file cannot be written.
    """
    require_same_grid(volume, overlays, ())
    scan = in_patient_order(volume)
    u, v = _middle(scan, overlays)
    cuts = (
        coronal(scan, overlays, v, projected=True),
        sagittal(scan, overlays, u, projected=True),
    )
    extents = [_body(cut, at_mm) for cut, at_mm in zip(cuts, (u, v), strict=True)]
    scale = min(_HEIGHT / extents[0].height, _WIDEST / sum(extent.width for extent in extents))
    height = round(scale * extents[0].height)
    sizes = [(round(extent.width * scale), height) for extent in extents]
    # The side column keeps its room however short the scan is.
    below = max(height, _LEAST)
    width = 2 * EDGE + sum(size[0] for size in sizes) + 2 * GAP + SIDE
    sheet = blank_sheet(width, HEADER + below + EDGE, title="Overview")
    x = EDGE
    for cut, extent, size in zip(cuts, extents, sizes, strict=True):
        sheet.paste(paint_pane(cut, overlays, extent, size, style=Style()), (x, HEADER))
        x += size[0] + GAP
    draw = ImageDraw.Draw(sheet)
    y = draw_legend(draw, overlays, (x, HEADER), bottom=HEADER + below - 160)
    draw_notes(draw, notes_on(volume, contours=_SHADOWS), (x, y + 16))
    save(sheet, path)
    return path


def _body(cut: Cut, at_mm: float) -> Region:
    """The whole height of a cut, and from a column outwards what has tissue, without a couch beyond air."""
    whole = full_region(cut)
    filled = (cut.hu > _TISSUE_HU).mean(axis=0) > _TISSUE_PART
    column = int(np.clip((at_mm - whole.left) / cut.step_mm[0], 0, filled.size - 1))
    spare = math.ceil(_AIR_MM / cut.step_mm[0])
    ends = []
    for run in (filled[column::-1], filled[column:]):
        tissue = np.flatnonzero(run)
        # The first gap wider than the air that a body may have between two columns ends the run.
        gaps = np.flatnonzero(np.diff(tissue, prepend=0) > spare)
        last = tissue[: gaps[0]] if gaps.size else tissue
        ends.append(min(run.size, int(last[-1]) + 1 + spare if last.size else run.size))
    left = whole.left + (column + 1 - ends[0]) * cut.step_mm[0]
    right = whole.left + (column + ends[1]) * cut.step_mm[0]
    drawn = shapely.total_bounds(cut.outlines) if len(cut.outlines) else np.full(4, np.nan)
    if not np.isnan(drawn).any():
        left = max(whole.left, min(left, float(drawn[0]) - _AIR_MM))
        right = min(whole.left + whole.width, max(right, float(drawn[2]) + _AIR_MM))
    return Region(left=left, top=whole.top, width=right - left, height=whole.height)


def _middle(scan: Scan, overlays: Sequence[Overlay]) -> tuple[float, float]:
    """In-plane centre of the box around the first overlay with contours; of the scan without any."""
    for overlay in overlays:
        if not overlay.contours.is_empty:
            boxes = np.array([section.bounds for section in overlay.contours.sections.values()])
            low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
            return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
    rows, columns = scan.hu.shape[1:]
    return (
        scan.first_mm[0] + (columns - 1) * scan.step_mm[0] / 2,
        scan.first_mm[1] + (rows - 1) * scan.step_mm[1] / 2,
    )
