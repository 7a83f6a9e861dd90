"""The legend of a sheet of stations: regions with their stations, what was not built, notes."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw

from pipeline.core.regions import Region
from pipeline.review import canvas
from pipeline.review.sheet import SIDE
from pipeline.review.station_scene import StationPicture

_REGIONS = {
    Region.I: "above the sternal notch",
    Region.II: "sternal notch to carina",
    Region.III: "carina to hiatus",
    Region.IV: "below the hiatus",
}
_ROW, _HEAD, _TEXT = 21, 26, 15


def draw_station_legend(
    draw: ImageDraw.ImageDraw, picture: StationPicture, corner: tuple[int, int], *, bottom: int
) -> int:
    """Every station of the atlas under its region with its volume, and the lesions; gives the end's y."""
    x, y = corner
    stations = picture.stations
    row = min(_ROW, (bottom - y) // max(1, _rows(picture)))
    size = max(8, min(_TEXT, row - 5))
    for region in Region:
        names = [name for name, its in stations.regions.items() if its is region]
        if not names:
            continue
        head = picture.colours.regions[region]
        canvas.write(draw, (x, y + _HEAD // 2), f"Region {region}", size=size + 2, colour=head, anchor="lm")
        canvas.write(
            draw,
            (x + SIDE, y + _HEAD // 2),
            _REGIONS[region],
            size=size - 1,
            colour=canvas.MUTED,
            anchor="rm",
        )
        y += _HEAD
        for name in names:
            _row(draw, picture, name, (x, y), height=row, size=size)
            y += row
        y += 4
    for lesion in picture.lesions:
        colour = picture.colours.lesions[lesion.kind.value]
        draw.rectangle((x, y + row // 2 - 2, x + 26, y + row // 2 + 2), fill=colour)
        canvas.write(draw, (x + 36, y + row // 2), f"{lesion.name} (as drawn)", size=size, anchor="lm")
        y += row
    return y


def _rows(picture: StationPicture) -> int:
    regions = len(set(picture.stations.regions.values()))
    return len(picture.stations.regions) + len(picture.lesions) + 2 * regions


def _row(
    draw: ImageDraw.ImageDraw,
    picture: StationPicture,
    name: str,
    corner: tuple[int, int],
    *,
    height: int,
    size: int,
) -> None:
    x, y = corner
    middle = y + height // 2
    colour = picture.colours.of(name, picture.stations.regions[name])
    if name in picture.contours:
        draw.rectangle((x, y + 4, x + 26, y + height - 4), fill=colour, outline=(0, 0, 0))
        told, tint = f"{picture.stations.built[name].solid.volume_cc:.1f} cc", canvas.MUTED
    else:
        draw.rectangle((x, y + 4, x + 26, y + height - 4), outline=colour)
        told, tint = "not built", canvas.WARNING
    canvas.write(draw, (x + 36, middle), name, size=size, anchor="lm")
    canvas.write(draw, (x + SIDE, middle), told, size=size - 1, colour=tint, anchor="rm")


def wrapped(draw: ImageDraw.ImageDraw, texts: Sequence[str], *, size: int, room: float) -> list[str]:
    """Texts as lines no wider than the room in px, broken at blanks."""
    lines: list[str] = []
    for text in texts:
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and draw.textlength(longer, font=canvas.font(size)) > room:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines
