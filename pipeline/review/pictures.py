"""Montages of the written contours on the CT, one for each lesion, and an overview of the scan.

Radiological convention in every picture (see `planes`), millimetres true in every pane, no patient
identity: text comes from ROI names and geometry alone. The same input gives the same pixels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pipeline.core.case import Lesion
from pipeline.core.errors import GeometryError, OutputError
from pipeline.core.volume import Volume
from pipeline.review import canvas
from pipeline.review.canvas import Mark, Region, Style
from pipeline.review.plan import Level, View, plan_view
from pipeline.review.planes import (
    Cut,
    Overlay,
    Scan,
    axial,
    coronal,
    in_patient_order,
    sagittal,
)

_EDGE = 14
_GAP = 8
_HEADER = 46
_LARGE = 520
_SMALL = 388
_TILES = 4
_SIDE = 320
_PNG_LEVEL = 3  # of zlib: a third larger than the default level, in a fraction of its time
_DRAFT = "DRAFT  ·  computed contours, to be reviewed by a physician before any use"


def draw_lesion_montages(
    folder: Path, volume: Volume, overlays: Sequence[Overlay], lesions: Sequence[Lesion]
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

    Returns:
        The files, in the order of the lesions.

    Raises:
        GeometryError: an overlay or lesion on another grid, or a lesion without contours.
        OutputError: a file that cannot be written.
    """
    _require_same_grid(volume, overlays, lesions)
    scan = in_patient_order(volume)
    notes = _notes(volume)
    paths: list[Path] = []
    for number, lesion in enumerate(lesions, start=1):
        view = plan_view(scan, lesion, overlays, tiles=_TILES)
        count = f"   lesion {number} of {len(lesions)}" if len(lesions) > 1 else ""
        picture = _montage(scan, overlays, view, title=lesion.name + count, notes=notes)
        path = _free_path(folder, lesion.name, paths)
        _save(picture, path)
        paths.append(path)
    return tuple(paths)


def draw_overview(path: Path, volume: Volume, overlays: Sequence[Overlay]) -> Path:
    """One PNG of the whole scan: a coronal and a sagittal plane through the middle of the targets.

    Args:
        path: the file to write; its folder is made when absent.
        volume: the CT.
        overlays: what to draw, on the CT's grid; the first lies on top.

    Raises:
        GeometryError: an overlay on another grid.
        OutputError: the file cannot be written.
    """
    _require_same_grid(volume, overlays, ())
    scan = in_patient_order(volume)
    u, v = _middle(scan, overlays)
    cuts = (coronal(scan, overlays, v), sagittal(scan, overlays, u))
    extents = [_whole(cut) for cut in cuts]
    height = 860
    scale = height / extents[0].height
    sizes = [(max(1, round(extent.width * scale)), height) for extent in extents]
    width = 2 * _EDGE + sum(size[0] for size in sizes) + 2 * _GAP + _SIDE
    sheet = _sheet(width, _HEADER + height + _EDGE, title="Overview")
    x = _EDGE
    for cut, extent, size in zip(cuts, extents, sizes, strict=True):
        sheet.paste(_pane(cut, overlays, extent, size, style=Style()), (x, _HEADER))
        x += size[0] + _GAP
    draw = ImageDraw.Draw(sheet)
    y = _draw_legend(draw, overlays, (x, _HEADER), bottom=_HEADER + height - 160)
    _draw_notes(draw, _notes(volume), (x, y + 16))
    _save(sheet, path)
    return path


def _montage(
    scan: Scan, overlays: Sequence[Overlay], view: View, *, title: str, notes: Sequence[str]
) -> Image.Image:
    row = 3 * _LARGE + 2 * _GAP
    side_x = _EDGE + row + _GAP
    height = _HEADER + _LARGE + _GAP + _SMALL + _EDGE
    sheet = _sheet(side_x + _SIDE + _EDGE, height, title=title)
    for number, pane in enumerate(_large_panes(scan, overlays, view)):
        sheet.paste(pane, (_EDGE + number * (_LARGE + _GAP), _HEADER))
    square = _axial_region(view)
    for number, (level, label) in enumerate(_labelled(scan, view)[1:]):
        cut = axial(scan, overlays, level.k)
        style = Style(title=f"{label}   {cut.caption}", note=level.why)
        pane = _pane(cut, overlays, square, (_SMALL, _SMALL), style=style)
        sheet.paste(pane, (_EDGE + number * (_SMALL + _GAP), _HEADER + _LARGE + _GAP))
    draw = ImageDraw.Draw(sheet)
    y = _draw_legend(draw, overlays, (side_x, _HEADER), bottom=_HEADER + _LARGE - 170)
    _draw_notes(draw, notes, (side_x, y + 16))
    context = axial(scan, overlays, view.middle.k)
    whole = _whole(context)
    size = (_SIDE, min(_SMALL, max(1, round(_SIDE * whole.height / whole.width))))
    region = Region.around(whole.centre, (whole.width, whole.height), aspect=size[0] / size[1])
    pane = _pane(context, overlays, region, size, style=Style(plain=True, frame_mm=square))
    sheet.paste(pane, (side_x, height - _EDGE - size[1]))
    return sheet


def _large_panes(scan: Scan, overlays: Sequence[Overlay], view: View) -> tuple[Image.Image, ...]:
    """Axial, coronal and sagittal; the last two at one scale, so that their rows match."""
    size = (_LARGE, _LARGE)
    labelled = _labelled(scan, view)
    marks = tuple(Mark(label=label, y_mm=-scan.level_mm(level.k)) for level, label in labelled)
    middle = axial(scan, overlays, view.middle.k)
    style = Style(title=f"{labelled[0][1]}   {middle.caption}", note=view.middle.why)
    panes = [_pane(middle, overlays, _axial_region(view), size, style=style)]
    low, high = np.array(view.low_mm), np.array(view.high_mm)
    side = float((high - low).max())
    centre = (low + high) / 2
    for cut, axis in (
        (coronal(scan, overlays, view.centre_mm[1]), 0),
        (sagittal(scan, overlays, view.centre_mm[0]), 1),
    ):
        region = Region.around((centre[axis], -centre[2]), (side, side), aspect=1.0)
        panes.append(_pane(cut, overlays, region, size, style=Style(marks=marks)))
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


def _pane(
    cut: Cut, overlays: Sequence[Overlay], region: Region, size: tuple[int, int], *, style: Style
) -> Image.Image:
    colours = [overlay.colour for overlay in overlays]
    return canvas.paint(cut, region, size, colours=colours, style=style)


def _whole(cut: Cut) -> Region:
    rows, columns = cut.hu.shape
    return Region(
        left=cut.first_mm[0] - cut.step_mm[0] / 2,
        top=cut.first_mm[1] - cut.step_mm[1] / 2,
        width=columns * cut.step_mm[0],
        height=rows * cut.step_mm[1],
    )


def _middle(scan: Scan, overlays: Sequence[Overlay]) -> tuple[float, float]:
    """In-plane centre of the box around all overlays; of the scan when there is none."""
    boxes = [
        section.bounds for overlay in overlays for section in overlay.contours.sections.values()
    ]
    if not boxes:
        rows, columns = scan.hu.shape[1:]
        return (
            scan.first_mm[0] + (columns - 1) * scan.step_mm[0] / 2,
            scan.first_mm[1] + (rows - 1) * scan.step_mm[1] / 2,
        )
    array = np.array(boxes)
    low, high = array[:, :2].min(axis=0), array[:, 2:].max(axis=0)
    return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2


def _sheet(width: int, height: int, *, title: str) -> Image.Image:
    sheet = Image.new("RGB", (width, height), canvas.BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    canvas.write(draw, (_EDGE, _HEADER / 2), title, size=24, anchor="lm")
    place = (width - _EDGE, _HEADER / 2)
    canvas.write(draw, place, _DRAFT, size=17, colour=canvas.WARNING, anchor="rm")
    return sheet


def _draw_legend(
    draw: ImageDraw.ImageDraw, overlays: Sequence[Overlay], corner: tuple[int, int], *, bottom: int
) -> int:
    """Colour, name and volume of each overlay; gives the y where it ends."""
    x, y = corner
    pitch = min(32, (bottom - y) // max(1, len(overlays)))
    size = max(8, min(18, pitch - 6))
    for overlay in overlays:
        middle = y + pitch // 2
        draw.rectangle((x, middle - 2, x + 34, middle + 2), fill=overlay.colour)
        empty = overlay.contours.is_empty
        volume = "empty" if empty else f"{overlay.contours.volume_cc:.1f} cc"
        room = _SIDE - 46 - draw.textlength(volume, font=canvas.font(size)) - 10
        name = _fitting(draw, overlay.name, size=size, room=room)
        canvas.write(draw, (x + 46, middle), name, size=size, anchor="lm")
        canvas.write(
            draw, (x + _SIDE, middle), volume, size=size, colour=canvas.MUTED, anchor="rm"
        )
        y += pitch
    return y


def _fitting(draw: ImageDraw.ImageDraw, text: str, *, size: int, room: float) -> str:
    """The text, or its beginning with an ellipsis when it is wider than the room, in px."""
    if draw.textlength(text, font=canvas.font(size)) <= room:
        return text
    while text and draw.textlength(text + "…", font=canvas.font(size)) > room:
        text = text[:-1]
    return text + "…"


def _notes(volume: Volume) -> tuple[str, ...]:
    grid = volume.grid
    oblique = grid.frame.obliquity_deg > 0.1
    along = "along the oblique image axes" if oblique else "patient coordinates (LPS)"
    return (
        f"Window {canvas.WINDOW_WIDTH_HU:.0f}, level {canvas.WINDOW_CENTRE_HU:.0f} HU",
        f"Slice spacing {grid.slice_spacing_mm:.2f} mm",
        f"x, y, z: {along}",
        "R/L, A/P, S/I: sides of the patient",
        "Coronal, sagittal: contours drawn",
        "one slice thick, as written",
    )


def _draw_notes(
    draw: ImageDraw.ImageDraw, notes: Sequence[str], corner: tuple[int, int]
) -> None:
    for number, note in enumerate(notes):
        place = (corner[0], corner[1] + 22 * number)
        canvas.write(draw, place, note, size=14, colour=canvas.MUTED)


def _require_same_grid(
    volume: Volume, overlays: Sequence[Overlay], lesions: Sequence[Lesion]
) -> None:
    for drawn in (*overlays, *lesions):
        if drawn.contours.grid != volume.grid:
            raise GeometryError(
                "contours do not lie on the CT's grid",
                where=drawn.name,
                expected=f"{volume.grid}",
                got=f"{drawn.contours.grid}",
            )


def _free_path(folder: Path, name: str, taken: Sequence[Path]) -> Path:
    """A file named by the lesion, with what file systems dislike replaced, and no name twice."""
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or "lesion"
    path = folder / f"{stem}.png"
    number = 2
    while path in taken:
        path = folder / f"{stem}_{number}.png"
        number += 1
    return path


def _save(picture: Image.Image, path: Path) -> None:
    """Written beside its place, then renamed: whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(part, format="PNG", compress_level=_PNG_LEVEL)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(
            "picture cannot be written", where=path.name, got=error.strerror or str(error)
        ) from error
