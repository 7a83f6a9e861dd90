from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shapely.geometry import MultiPolygon, box

from pipeline.review import canvas
from pipeline.review.canvas import Mark, Region, Style, draw_outlines, paint
from pipeline.review.planes import Cut
from tests.review.scenes import BLUE, GREEN, RED, is_colour

PLAIN = Style(plain=True)


def cut_of(hu: np.ndarray, *, step=(1.0, 1.0), first=(0.0, 0.0), outlines=()) -> Cut:
    return Cut(hu=hu, first_mm=first, step_mm=step, outlines=tuple(outlines), edges="RLAP", caption="axial")


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image)


def grey_at(image: Image.Image, x: int, y: int) -> int:
    return int(pixels(image)[y, x, 0])


@pytest.mark.parametrize("hu, grey", [(-1000, 0), (-160, 0), (40, 127), (140, 191), (240, 255), (3000, 255)])
def test_mediastinal_window(hu, grey):
    region = Region(left=-0.5, top=-0.5, width=40, height=40)
    pane = paint(cut_of(np.full((40, 40), hu)), region, (80, 80), colours=(), style=PLAIN)
    assert grey_at(pane, 60, 60) == grey


@pytest.mark.parametrize("step, scale", [((1.0, 3.0), 4), ((0.98, 2.5), 3), ((2.0, 0.7), 5)])
def test_millimetres_are_true_whatever_the_voxel(step, scale):
    """A bright rectangle of known mm comes out at its place and size, to half a px of its edges' blur."""
    hu = np.full((60, 90), -160.0)
    hu[20:40, 30:50] = 240.0
    region = Region(left=-step[0] / 2, top=-step[1] / 2, width=90 * step[0], height=60 * step[1])
    size = (round(region.width * scale), round(region.height * scale))
    pane = paint(cut_of(hu, step=step), region, size, colours=(), style=PLAIN)
    middle = pixels(pane)[round(24 * step[1] * scale), :, 0] > 127
    column = pixels(pane)[:, round(40 * step[0] * scale), 0] > 127
    for run, low, high in ((middle, 30 * step[0], 50 * step[0]), (column, 20 * step[1], 40 * step[1])):
        found = np.flatnonzero(run)
        assert found[0] == pytest.approx(low * scale, abs=1)
        assert found[-1] + 1 == pytest.approx(high * scale, abs=1)


def test_outline_lies_where_its_millimetres_are():
    hu = np.full((100, 100), 40.0)
    square = MultiPolygon([box(20.0, 30.0, 60.0, 70.0)])
    region = Region(left=0.0, top=10.0, width=80.0, height=80.0)
    pane = paint(cut_of(hu, outlines=[square]), region, (400, 400), colours=[GREEN], style=PLAIN)
    green = is_colour(pixels(pane), GREEN)
    row = np.flatnonzero(green[200, 20:380]) + 20  # y = 50 mm
    # Lines of 2 px centred on x = 20 and 60 mm: px 100 and 300.
    assert row.tolist() == [99, 100, 299, 300]
    column = np.flatnonzero(green[20:380, 200]) + 20  # x = 40 mm, y = 30 and 70 mm
    assert column.tolist() == [99, 100, 299, 300]


def test_corners_are_closed():
    pane = Image.new("RGB", (100, 100))
    region = Region(left=0, top=0, width=100, height=100)
    square = MultiPolygon([box(20, 20, 80, 80)])
    draw_outlines(pane, [square], [RED], region=region, scale=1.0)
    for x, y in ((20, 20), (79, 20), (20, 79), (79, 79)):
        assert is_colour(pixels(pane)[y : y + 1, x : x + 1], RED, 40).all()


def test_the_first_outline_lies_on_top():
    pane = Image.new("RGB", (100, 100))
    region = Region(left=0, top=0, width=100, height=100)
    square = MultiPolygon([box(20, 20, 80, 80)])
    draw_outlines(pane, [square, square], [RED, GREEN], region=region, scale=1.0)
    assert is_colour(pixels(pane)[50:51, 20:21], RED).all()
    assert not is_colour(pixels(pane), GREEN).any()


def test_holes_are_outlined_too():
    pane = Image.new("RGB", (100, 100))
    region = Region(left=0, top=0, width=100, height=100)
    ring = box(10, 10, 90, 90).difference(box(40, 40, 60, 60))
    draw_outlines(pane, [MultiPolygon([ring])], [RED], region=region, scale=1.0)
    assert np.flatnonzero(is_colour(pixels(pane), RED)[50]).tolist() == [9, 10, 39, 40, 59, 60, 89, 90]


def test_dark_colours_get_a_light_edge_on_lung():
    pane = Image.new("RGB", (100, 100))
    region = Region(left=0, top=0, width=100, height=100)
    draw_outlines(pane, [MultiPolygon([box(20, 20, 80, 80)])], [BLUE], region=region, scale=1.0)
    row = pixels(pane)[50]
    assert tuple(row[20]) == BLUE
    assert row[18].min() > 50


def test_an_outline_outside_the_region_draws_nothing():
    pane = Image.new("RGB", (50, 50))
    region = Region(left=0, top=0, width=50, height=50)
    draw_outlines(
        pane, [MultiPolygon([box(200, 200, 210, 210)]), MultiPolygon()], [RED, GREEN],
        region=region, scale=1.0,
    )  # fmt: skip
    assert not pixels(pane).any()


def test_outside_the_scan_is_not_air():
    hu = np.full((20, 20), -1000.0)
    region = Region(left=-30.5, top=-0.5, width=50, height=20)
    pane = paint(cut_of(hu), region, (500, 200), colours=(), style=PLAIN)
    shades = pixels(pane)[150]
    assert tuple(shades[200]) == canvas.OUTSIDE_SCAN
    assert np.flatnonzero((shades == 0).all(axis=1)).min() == pytest.approx(300, abs=1)


def test_a_region_that_misses_the_scan_is_all_outside():
    region = Region(left=500, top=500, width=50, height=50)
    pane = paint(cut_of(np.zeros((20, 20))), region, (100, 100), colours=(), style=PLAIN)
    assert tuple(pixels(pane)[75, 75]) == canvas.OUTSIDE_SCAN


@pytest.fixture
def texts(monkeypatch):
    """Every text drawn, with its place."""
    drawn: list[tuple[str, tuple[float, float]]] = []
    real = ImageDraw.ImageDraw.text

    def spy(self, xy, text, *args, **kwargs):
        drawn.append((text, xy))
        return real(self, xy, text, *args, **kwargs)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", spy)
    return drawn


def test_letters_stand_at_their_edges(texts):
    region = Region(left=-0.5, top=-0.5, width=40, height=40)
    paint(cut_of(np.zeros((40, 40))), region, (400, 400), colours=(), style=PLAIN)
    places = dict(texts)
    assert places["R"][0] < 40
    assert places["L"][0] > 360
    assert places["A"][1] < 40
    assert places["P"][1] > 360


def test_pane_tells_position_scale_and_draft(texts):
    canvas._stamp_mask.cache_clear()
    region = Region(left=-0.5, top=-0.5, width=100, height=100)
    style = Style(note="top of PTV")
    pane = paint(cut_of(np.full((100, 100), -1000)), region, (400, 400), colours=(), style=style)
    words = [text for text, _ in texts]
    assert {"axial", "top of PTV", "20 mm", "DRAFT"} <= set(words)
    # The bar is 20 mm at 4 px a mm.
    bar = np.flatnonzero(is_colour(pixels(pane), canvas.TEXT)[386])
    assert bar[-1] - bar[0] == pytest.approx(80, abs=2)


@pytest.mark.parametrize("width_mm, label", [(10, "5 mm"), (140, "20 mm"), (2000, "200 mm")])
def test_scale_bar_fits_a_quarter_of_the_pane(texts, width_mm, label):
    region = Region(left=0, top=0, width=width_mm, height=width_mm)
    paint(cut_of(np.zeros((9, 9))), region, (400, 400), colours=(), style=Style())
    assert label in [text for text, _ in texts]


def test_marks_of_neighbouring_slices_do_not_cover_each_other(texts):
    region = Region(left=0, top=0, width=100, height=100)
    marks = tuple(Mark(label=name, y_mm=y) for name, y in (("1", 20.0), ("2", 40.0), ("3", 42.0)))
    pane = paint(cut_of(np.full((100, 100), -1000)), region, (400, 400), colours=(), style=Style(marks=marks))
    places = dict(texts)
    assert places["1"] == (380, 80)
    assert places["2"][0] - places["3"][0] >= 14
    assert is_colour(pixels(pane), canvas.GUIDE)[78:83, 395].any()


def test_frame_shows_a_region():
    region = Region(left=0, top=0, width=100, height=100)
    frame = Region.around((50, 50), (40, 20), aspect=1.0)
    style = Style(plain=True, frame_mm=frame)
    pane = paint(cut_of(np.full((100, 100), -1000)), region, (200, 200), colours=(), style=style)
    gold = np.argwhere(is_colour(pixels(pane), canvas.GUIDE))
    assert gold.min(axis=0).tolist() == [60, 60]
    assert gold.max(axis=0).tolist() == [140, 140]
