from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from shapely.geometry import MultiPolygon, box

from pipeline.core.errors import GeometryError, OutputError
from pipeline.core.volume import Volume
from pipeline.review import draw_lesion_montages
from pipeline.review.canvas import OUTSIDE_SCAN
from pipeline.review.pictures import _LARGE
from pipeline.review.sheet import EDGE, GAP, HEADER, SIDE
from tests.cases import POSITIONS, disc
from tests.review.scenes import (
    BLUE,
    CENTRE,
    GREEN,
    RED,
    is_colour,
    lesion,
    overlay,
    patient_grid,
    sections,
    stack,
    volume_of,
)

U, V, W = CENTRE


def scene(position="HFS"):
    """A lesion with a CTV and a PTV grown from it, all boxes, and a bright ball to the left, back and top."""
    grid, _ = patient_grid(position)
    gtv = stack(grid, MultiPolygon([box(U - 8, V - 6, U + 8, V + 6)]), low=W - 8, high=W + 8)
    ctv = stack(grid, MultiPolygon([box(U - 16, V - 14, U + 16, V + 14)]), low=W - 20, high=W + 20)
    ptv = stack(grid, MultiPolygon([box(U - 21, V - 19, U + 21, V + 19)]), low=W - 26, high=W + 26)
    drawn = [overlay("GTV-T", gtv, RED), overlay("CTV", ctv, BLUE), overlay("PTV", ptv, GREEN)]
    return volume_of(grid, [(U + 35, V, W), (U, V + 27, W), (U, V, W + 40)]), drawn, [lesion(gtv)]


@pytest.fixture
def texts(monkeypatch):
    drawn: list[str] = []
    real = ImageDraw.ImageDraw.text

    def spy(self, xy, text, *args, **kwargs):
        drawn.append(text)
        return real(self, xy, text, *args, **kwargs)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", spy)
    return drawn


def large_pane(path, number):
    pixels = np.asarray(Image.open(path))
    left = EDGE + number * (_LARGE + GAP)
    return pixels[HEADER : HEADER + _LARGE, left : left + _LARGE]


@pytest.mark.slow
def test_the_same_patient_gives_the_same_picture_in_every_position(tmp_path):
    pictures = {}
    for position in POSITIONS:
        path = draw_lesion_montages(tmp_path / position, *scene(position))[0]
        pictures[position] = np.asarray(Image.open(path)).astype(int)
    for position, picture in pictures.items():
        # Rounding of a coordinate may move a px of an edge; a flip would change thousands.
        different = np.abs(picture - pictures["HFS"]).max(axis=2) > 40
        assert different.sum() < 200, position


@pytest.mark.parametrize(
    "number, half_width, half_height",
    # Ends of the stacks: planes at odd multiples of 1.5 mm from W, and half a slice beyond.
    [(0, 21.0, 19.0), (1, 21.0, 27.0), (2, 19.0, 27.0)],
)
def test_contours_come_to_lie_within_a_pixel(tmp_path, number, half_width, half_height):
    pane = large_pane(draw_lesion_montages(tmp_path, *scene())[0], number)
    green = np.argwhere(is_colour(pane, GREEN))
    # The region is the PTV with 40 mm around; the coronal and sagittal panes hold the longest side.
    side = {0: 2 * (21 + 40), 1: 2 * (25.5 + 40), 2: 2 * (25.5 + 40)}[number]
    scale = _LARGE / side
    low, high = green.min(axis=0), green.max(axis=0) + 1
    assert (low[1], high[1]) == pytest.approx(
        (_LARGE / 2 - half_width * scale, _LARGE / 2 + half_width * scale), abs=2
    )
    assert (low[0], high[0]) == pytest.approx(
        (_LARGE / 2 - half_height * scale, _LARGE / 2 + half_height * scale), abs=2
    )
    assert is_colour(pane, RED).any()
    assert is_colour(pane, BLUE).any()


def test_sides_of_the_patient_in_the_montage(tmp_path):
    """The bright balls are to the left, to the back and to the head of the lesion."""
    path = draw_lesion_montages(tmp_path, *scene())[0]
    half = _LARGE // 2

    def bright(number):
        pane = large_pane(path, number).copy()
        white = is_colour(pane, (255, 255, 255), 2)
        white[-80:] = False  # scale bar
        return white

    axial, coronal, sagittal = (bright(number) for number in range(3))
    assert axial[half - 20 : half + 20, half + 100 :].sum() > 20 * axial[:, : half - 100].sum()
    assert axial[half + 80 :, half - 20 : half + 20].sum() > 100
    assert coronal[: half - 100, half - 20 : half + 20].sum() > 100
    assert coronal[half - 20 : half + 20, half + 100 :].sum() > 100
    assert sagittal[half - 20 : half + 20, half + 80 :].sum() > 100
    assert sagittal[: half - 100, half - 20 : half + 20].sum() > 100


def test_legend_names_colours_and_volumes(tmp_path, texts):
    volume, drawn, lesions = scene()
    drawn = [*drawn, overlay("PTV_boost", sections(volume.grid, {}), (200, 100, 50))]
    path = draw_lesion_montages(tmp_path, volume, drawn, lesions)[0]
    for item in drawn:
        assert item.name in texts
        side = np.asarray(Image.open(path))[HEADER : HEADER + 200, -(SIDE + EDGE) :]
        assert is_colour(side, item.colour, 0).sum() > 100
    assert f"{drawn[0].contours.volume_cc:.1f} cc" in texts
    assert "empty" in texts


def test_texts_say_draft_and_nothing_of_the_source(tmp_path, texts):
    volume, drawn, lesions = scene()
    draw_lesion_montages(tmp_path, volume, drawn, lesions)
    assert any(text.startswith("DRAFT") for text in texts)
    assert "GTV-T" in texts
    assert not any("tumour" in text for text in texts), "source ROI names may hold anything"
    assert "Window 400, level 40 HU" in texts
    assert "Slice spacing 3.00 mm" in texts
    assert "x, y, z: patient coordinates (LPS)" in texts


def test_oblique_scans_say_so(tmp_path, texts):
    from dataclasses import replace

    volume, _, _ = scene()
    turn = np.radians(5)
    c, s = float(np.cos(turn)), float(np.sin(turn))
    grid = replace(volume.grid, direction=(c, -s, 0.0, s, c, 0.0, 0.0, 0.0, 1.0))
    gtv = sections(grid, {20: disc(U, V, 8)})
    draw_lesion_montages(tmp_path, Volume(grid=grid, hu=volume.hu), [], [lesion(gtv)])
    assert "x, y, z: along the oblique image axes" in texts


@pytest.mark.slow
def test_many_overlays_and_long_names_stay_in_their_column(tmp_path, texts):
    volume, _, lesions = scene()
    name = "a very long name of a structure that no column could hold in full, even in the smallest print"
    drawn = [overlay(f"{name} {n}", lesions[0].contours, (9 * n, 0, 200)) for n in range(25)]
    path = draw_lesion_montages(tmp_path, volume, drawn, lesions)[0]
    shortened = [text for text in texts if text.endswith("…")]
    assert len(shortened) == 25
    assert all(name.startswith(text[:-1]) for text in shortened)
    gap = np.asarray(Image.open(path))[HEADER : HEADER + _LARGE, 3 - EDGE :]  # letters have an edge
    assert (gap == gap[0, 0]).all()


@pytest.mark.slow
def test_one_file_for_each_lesion_with_safe_names(tmp_path, texts):
    volume, drawn, lesions = scene()
    gtv = lesions[0].contours
    named = [lesion(gtv, name) for name in ("GTV-N1", "a/b: c", "a b c", "a:b c", "..")]
    paths = draw_lesion_montages(tmp_path / "new" / "pictures", volume, drawn, named)
    assert [path.name for path in paths] == [
        "GTV-N1.png",
        "a_b_c.png",
        "a_b_c_2.png",
        "a_b_c_3.png",
        "lesion.png",
    ]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == sorted(p.name for p in paths)
    assert "GTV-N1   lesion 1 of 5" in texts
    assert draw_lesion_montages(tmp_path, volume, drawn, []) == ()


def test_same_input_same_bytes(tmp_path):
    one = draw_lesion_montages(tmp_path / "one", *scene())[0]
    two = draw_lesion_montages(tmp_path / "two", *scene())[0]
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("k", [0, 39])
def test_lesion_at_the_end_of_the_scan(tmp_path, k):
    """The surroundings beyond the scan are told apart from air."""
    volume, _, _ = scene()
    gtv = sections(volume.grid, {k: disc(U, V, 8)})
    path = draw_lesion_montages(tmp_path, volume, [overlay("GTV-T", gtv, RED)], [lesion(gtv)])[0]
    coronal = large_pane(path, 1)
    outside = is_colour(coronal, OUTSIDE_SCAN, 0).mean(axis=1) > 0.8
    expected = outside[-100:-40] if k == 0 else outside[60:140]
    assert expected.mean() > 0.8
    assert is_colour(coronal, RED).any()


def test_lesion_at_the_side_of_the_scan(tmp_path):
    volume, _, _ = scene()
    gtv = sections(volume.grid, {20: disc(U + 56, V, 8)})
    path = draw_lesion_montages(tmp_path, volume, [overlay("GTV-T", gtv, RED)], [lesion(gtv)])[0]
    axial = large_pane(path, 0)
    assert is_colour(axial, OUTSIDE_SCAN, 0)[100:400, -60:].mean() > 0.7
    assert is_colour(axial, RED).any()


def test_contours_on_another_grid_are_refused(tmp_path):
    volume, drawn, lesions = scene()
    _, other, _ = scene("FFS")
    with pytest.raises(GeometryError, match="do not lie on the CT's grid; where: CTV"):
        draw_lesion_montages(tmp_path, volume, [drawn[0], other[1]], lesions)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file, no folder")
    with pytest.raises(OutputError, match=r"picture cannot be written; where: GTV-T\.png"):
        draw_lesion_montages(taken, *scene())
    (tmp_path / "GTV-T.png").mkdir()
    with pytest.raises(OutputError, match="picture cannot be written"):
        draw_lesion_montages(tmp_path, *scene())
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob(".*.part"))
