"""The sheet that panes lie on: header, legend, notes, and saving it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image, ImageDraw

from pipeline.core.case import Lesion
from pipeline.core.errors import GeometryError, OutputError
from pipeline.core.volume import Volume
from pipeline.review import canvas
from pipeline.review.canvas import Region, Style
from pipeline.review.planes import Cut, Overlay

EDGE = 14
GAP = 8
HEADER = 46
SIDE = 320  # width of the column with legend and notes
_PNG_LEVEL = 3  # of zlib: a third larger than the default level, in a fraction of its time
_DRAFT = "DRAFT  ·  computed contours, to be reviewed by a physician before any use"


def blank_sheet(width: int, height: int, *, title: str) -> Image.Image:
    """An empty sheet with title and DRAFT note, `width` and `height` in px."""
    sheet = Image.new("RGB", (width, height), canvas.BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    canvas.write(draw, (EDGE, HEADER / 2), title, size=24, anchor="lm")
    place = (width - EDGE, HEADER / 2)
    canvas.write(draw, place, _DRAFT, size=17, colour=canvas.WARNING, anchor="rm")
    return sheet


def draw_legend(
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
        room = SIDE - 46 - draw.textlength(volume, font=canvas.font(size)) - 10
        name = _fitting(draw, overlay.name, size=size, room=room)
        canvas.write(draw, (x + 46, middle), name, size=size, anchor="lm")
        canvas.write(draw, (x + SIDE, middle), volume, size=size, colour=canvas.MUTED, anchor="rm")
        y += pitch
    return y


def _fitting(draw: ImageDraw.ImageDraw, text: str, *, size: int, room: float) -> str:
    """The text, or its beginning with an ellipsis when it is wider than the room, in px."""
    if draw.textlength(text, font=canvas.font(size)) <= room:
        return text
    while text and draw.textlength(text + "…", font=canvas.font(size)) > room:
        text = text[:-1]
    return text + "…"


def notes_on(volume: Volume, *, contours: tuple[str, ...]) -> tuple[str, ...]:
    """What a reader of the picture must know of window, spacing, coordinates and contours."""
    grid = volume.grid
    oblique = grid.frame.obliquity_deg > 0.1
    along = "along the oblique image axes" if oblique else "patient coordinates (LPS)"
    return (
        f"Window {canvas.WINDOW_WIDTH_HU:.0f}, level {canvas.WINDOW_CENTRE_HU:.0f} HU",
        f"Slice spacing {grid.slice_spacing_mm:.2f} mm",
        f"x, y, z: {along}",
        "R/L, A/P, S/I: sides of the patient",
        *contours,
    )


def draw_notes(draw: ImageDraw.ImageDraw, notes: Sequence[str], corner: tuple[int, int]) -> None:
    """The notes, one a line, from a corner downwards."""
    for number, note in enumerate(notes):
        place = (corner[0], corner[1] + 22 * number)
        canvas.write(draw, place, note, size=14, colour=canvas.MUTED)


def free_path(folder: Path, name: str, taken: Sequence[Path]) -> Path:
    """A file named by the lesion, with what file systems dislike replaced, and no name twice."""
    stem = re.sub(r"[^\w.-]+", "_", name).strip("._") or "lesion"
    path = folder / f"{stem}.png"
    number = 2
    while path in taken:
        path = folder / f"{stem}_{number}.png"
        number += 1
    return path


def save(picture: Image.Image, path: Path) -> None:
    """Written beside its place, then renamed: whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(part, format="PNG", compress_level=_PNG_LEVEL)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(
            "picture cannot be written", where=path.name, got=error.strerror or str(error)
        ) from error


def paint_pane(
    cut: Cut, overlays: Sequence[Overlay], region: Region, size: tuple[int, int], *, style: Style
) -> Image.Image:
    """A pane with the overlays in their colours; see `canvas.paint`."""
    colours = [overlay.colour for overlay in overlays]
    return canvas.paint(cut, region, size, colours=colours, style=style)


def full_region(cut: Cut) -> Region:
    """All of a cut, to the outer edges of its pixels."""
    rows, columns = cut.hu.shape
    return Region(
        left=cut.first_mm[0] - cut.step_mm[0] / 2,
        top=cut.first_mm[1] - cut.step_mm[1] / 2,
        width=columns * cut.step_mm[0],
        height=rows * cut.step_mm[1],
    )


def require_same_grid(volume: Volume, overlays: Sequence[Overlay], lesions: Sequence[Lesion]) -> None:
    """Raise a GeometryError when anything to draw lies on another grid than the CT."""
    everything: tuple[Overlay | Lesion, ...] = (*overlays, *lesions)
    for drawn in everything:
        if drawn.contours.grid != volume.grid:
            raise GeometryError(
                "contours do not lie on the CT's grid",
                where=drawn.name,
                expected=f"{volume.grid}",
                got=f"{drawn.contours.grid}",
            )
