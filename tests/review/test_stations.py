"""The sheets of stations: planes, levels, names, sides, and the same patient in every position."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from PIL import Image, ImageDraw
from shapely.geometry import MultiPolygon, box

from pipeline.core.anatomy import Landmarks
from pipeline.core.case import Lesion, LesionKind
from pipeline.core.errors import GeometryError
from pipeline.read import load_station_colours
from pipeline.review import StationPicture, canvas, draw_station_montages
from pipeline.review.areas import fill_areas
from pipeline.review.canvas import Region
from pipeline.review.names import Named, write_names
from pipeline.review.planes import in_patient_order
from pipeline.review.sheet import EDGE, HEADER
from pipeline.review.station_scene import APART_MM, SAME_PLANE_MM, axial_slices, best_planes, level_marks
from pipeline.review.station_sheets import _GUTTER, _PANE, _long_region, axial_panes, spread
from tests.cases import POSITIONS
from tests.made_stations import landmark, of_phantom, simple, simple_landmarks
from tests.phantoms import coarse
from tests.review.scenes import CENTRE, GREEN, RED, is_colour, patient_grid, stack, volume_of

pytestmark = pytest.mark.slow

U, V, W = CENTRE
COLOURS = load_station_colours()


def scene(position="HFS", **changes):
    grid, _ = patient_grid(position)
    stations = simple(grid)
    picture = StationPicture(
        stations=stations,
        contours={name: station.solid.contours() for name, station in stations.built.items()},
        landmarks=simple_landmarks(grid),
        colours=COLOURS,
    )
    return volume_of(grid, [(U + 45, V, W)]), replace(picture, **changes)


def drawn_to(folder, *args):
    return {path.stem: np.asarray(Image.open(path)) for path in draw_station_montages(folder, *args)}


@pytest.fixture
def texts(monkeypatch):
    drawn: list[str] = []
    real = ImageDraw.ImageDraw.text

    def spy(self, xy, text, *args, **kwargs):
        drawn.append(text)
        return real(self, xy, text, *args, **kwargs)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", spy)
    return drawn


# ------------------------------------------------------------------------------------------------- planes


def middle_of(scan, contours) -> float:
    areas = {scan.level_mm(k): section.area for k, section in contours.sections.items()}
    levels = sorted(areas)
    half = sum(areas.values()) / 2
    return next(w for n, w in enumerate(levels) if sum(areas[v] for v in levels[: n + 1]) >= half)


@pytest.mark.parametrize("position", ["HFS", "FFP"])
def test_every_station_is_shown_near_its_middle_and_no_gap_is_wide(position):
    phantom = coarse(position=position)
    scan = in_patient_order(phantom.volume)
    drawn = {name: one.solid.contours() for name, one in of_phantom(phantom).built.items()}
    slices = axial_slices(scan, drawn)
    levels = [scan.level_mm(k) for k in slices]
    assert levels == sorted(levels, reverse=True)
    for name, contours in drawn.items():
        shown = [scan.level_mm(k) for k in slices if k in contours.sections]
        off = min(abs(level - middle_of(scan, contours)) for level in shown)
        assert off <= SAME_PLANE_MM, name
    assert all(high - low <= APART_MM + 1e-6 for high, low in pairwise(levels))
    everywhere = [scan.level_mm(k) for one in drawn.values() for k in one.slices]
    assert (levels[0], levels[-1]) == (max(everywhere), min(everywhere))


def test_planes_are_the_patient_s_whatever_the_position():
    wanted = None
    for position in POSITIONS:
        volume, picture = scene(position)
        scan = in_patient_order(volume)
        got = (
            [scan.level_mm(k) for k in axial_slices(scan, picture.drawn)],
            best_planes(picture, 0, 3),
            best_planes(picture, 1, 3),
        )
        wanted = wanted or got
        for one, other in zip(got, wanted, strict=True):
            assert one == pytest.approx(other, abs=1e-6), position


def test_the_best_planes_show_each_station_at_its_widest():
    _, picture = scene()
    right, middle, left = best_planes(picture, 0, 3)
    assert U - 34 < right < U - 18
    assert U - 14 < middle < U + 14
    assert U + 18 < left < U + 38
    assert len(best_planes(picture, 1, 9)) < 9  # once all are seen, no more planes


def test_no_station_no_planes_and_no_pictures(tmp_path):
    volume, picture = scene()
    labels = np.zeros_like(picture.stations.labels)
    missing = dict.fromkeys(picture.stations.regions, "no organ")
    none = replace(picture.stations, built={}, not_built=missing, labels=labels)
    empty = replace(picture, stations=none, contours={})
    assert best_planes(empty, 0, 3) == ()
    assert axial_panes(in_patient_order(volume), empty) == ()
    assert draw_station_montages(tmp_path / "pictures", volume, empty) == ()
    assert not (tmp_path / "pictures").exists()


def test_a_landmark_stands_on_the_pane_nearest_to_it_and_far_ones_on_none():
    volume, picture = scene()
    scan = in_patient_order(volume)
    found = dict(picture.landmarks.found)
    found["C7_top"] = landmark("C7_top", (U, V, W + 55))
    panes = axial_panes(scan, replace(picture, landmarks=Landmarks(found=found)))
    shown = {mark.text: scan.level_mm(pane.k) for pane in panes for mark in pane.marks}
    levels = {mark.text: mark.w_mm for mark in level_marks(picture)}
    assert set(shown) == {"sternal notch", "carina", "hiatus"}
    for name, level in shown.items():
        nearest = min(abs(scan.level_mm(pane.k) - levels[name]) for pane in panes)
        assert abs(level - levels[name]) == nearest


# ------------------------------------------------------------------------------------------------- sheets


def test_the_same_patient_gives_the_same_pictures_in_every_position(tmp_path):
    wanted = drawn_to(tmp_path / "HFS", *scene("HFS"))
    for position in POSITIONS:
        for name, picture in drawn_to(tmp_path / position, *scene(position)).items():
            # Rounding of a coordinate may move a px of an edge; a flip would change thousands.
            different = np.abs(picture.astype(int) - wanted[name]).max(axis=2) > 40
            assert different.sum() < 400, (position, name)


def test_right_is_on_the_left_and_the_head_on_top(tmp_path):
    volume, picture = scene()
    pictures = drawn_to(tmp_path, volume, picture)
    assert list(pictures) == ["stations_axial_1", "stations_coronal", "stations_sagittal"]
    width = _long_region(picture, 0)[1][0]
    shadows = pictures["stations_coronal"][:, EDGE + _GUTTER : EDGE + _GUTTER + width]
    first = pictures["stations_axial_1"][HEADER:, EDGE : EDGE + _PANE]  # the uppermost slice
    for pane in (shadows, first):
        columns = [np.argwhere(is_colour(pane, COLOURS.stations[name], 0))[:, 1] for name in ("1R", "1L")]
        assert min(map(len, columns)) > 50
        assert columns[0].max() < columns[1].min()
    rows = {
        name: np.argwhere(is_colour(shadows, COLOURS.stations[name], 0))[:, 0].mean() for name in ("1R", "7")
    }
    assert rows["1R"] < rows["7"]


def test_texts_tell_levels_landmarks_regions_and_what_is_missing(tmp_path, texts):
    drawn_to(tmp_path, *scene())
    assert any(re.fullmatch(r"carina(, \d+ mm (above|below))?", text) for text in texts)
    assert any(text.startswith("carina +") for text in texts)
    assert any(re.fullmatch(r"hiatus \(inferred\)(, \d+ mm (above|below))?", text) for text in texts)
    assert any(text.startswith("hiatus (inferred)  -") for text in texts)
    assert {"Region I", "Region III", "Region IV"} <= set(texts)
    assert "Region II" not in texts  # this atlas has no station of it
    assert texts.count("not built") == 2 * 3
    assert "20 not built: no aorta" in texts
    assert {"1R", "1L", "7", "8Lo", "20"} <= set(texts)
    assert any(text.startswith("DRAFT") for text in texts)
    assert "Not confirmed by a clinician" in texts


def test_without_a_carina_levels_are_coordinates(tmp_path, texts):
    volume, picture = scene()
    draw_station_montages(tmp_path, volume, replace(picture, landmarks=Landmarks(found={})))
    assert not any(text.startswith(("carina +", "carina -")) for text in texts)
    assert any(text.startswith("z ") for text in texts)


def test_lesions_are_drawn_and_named_without_the_source_s_names(tmp_path, texts):
    volume, picture = scene()
    drawn = stack(volume.grid, MultiPolygon([box(U - 5, V - 5, U + 5, V + 5)]), low=W - 9, high=W + 9)
    lesion = Lesion(name="GTV-N1", kind=LesionKind.NODE, source_roi="Smith node", contours=drawn)
    pictures = drawn_to(tmp_path, volume, replace(picture, lesions=(lesion,)))
    assert "GTV-N1" in texts
    assert "GTV-N1 (as drawn)" in texts
    assert not any("Smith" in text for text in texts)
    assert is_colour(pictures["stations_axial_1"], COLOURS.lesions["GTV-N"], 0).sum() > 100


def test_the_level_of_a_landmark_is_a_line_where_it_lies(tmp_path):
    volume, picture = scene()
    sheet = drawn_to(tmp_path, volume, picture)["stations_coronal"]
    levels = {mark.text: mark.w_mm for mark in level_marks(picture)}
    column = sheet[:, 280]
    rows = np.flatnonzero(is_colour(column[:, None], canvas.GUIDE, 0)[:, 0]).tolist()
    # Solid lines of carina and notch, the broken one of the hiatus: one px each, to one scale.
    assert len(rows) == 3
    scale = (rows[1] - rows[0]) / (levels["sternal notch"] - levels["carina"])
    assert (rows[2] - rows[1]) / scale == pytest.approx(levels["carina"] - levels["hiatus"], abs=1.0)


def test_same_input_same_bytes(tmp_path):
    one, two = (draw_station_montages(tmp_path / name, *scene()) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_many_panes_take_several_sheets(tmp_path):
    phantom = coarse()
    stations = of_phantom(phantom)
    picture = StationPicture(
        stations=stations,
        contours={name: one.solid.contours() for name, one in stations.built.items()},
        landmarks=Landmarks(found={}),
        colours=COLOURS,
        lesions=phantom.gtvs,
    )
    names = [path.name for path in draw_station_montages(tmp_path, phantom.volume, picture)]
    assert names[:2] == ["stations_axial_1.png", "stations_axial_2.png"]
    assert names[-2:] == ["stations_coronal.png", "stations_sagittal.png"]


def test_another_grid_is_refused(tmp_path):
    volume, _ = scene()
    _, other = scene("FFS")
    with pytest.raises(GeometryError, match="stations do not lie on the CT's grid"):
        draw_station_montages(tmp_path, volume, other)


# ------------------------------------------------------------------------------------------ areas and names


def test_areas_are_filled_see_through_but_for_their_holes():
    pane = Image.new("RGB", (100, 100), (100, 100, 100))
    ring = box(10, 10, 90, 90).difference(box(30, 30, 70, 70)).union(box(45, 45, 55, 55))
    fill_areas(pane, [ring], [GREEN], corner=(0.0, 0.0), scale=1.0, opacity=0.5)
    pixels = np.asarray(pane)
    assert pixels[20, 20] == pytest.approx([50, 150, 50], abs=2)
    assert pixels[50, 50] == pytest.approx([50, 150, 50], abs=2)
    assert tuple(pixels[38, 50]) == (100, 100, 100)
    assert tuple(pixels[5, 5]) == (100, 100, 100)


def test_the_first_area_lies_on_top_and_those_outside_do_no_harm():
    pane = Image.new("RGB", (50, 50))
    shapes = [box(0, 0, 20, 20), box(0, 0, 40, 40), box(500, 500, 600, 600), MultiPolygon()]
    fill_areas(pane, shapes, [RED, GREEN, RED, RED], corner=(0.0, 0.0), scale=1.0, opacity=1.0)
    assert tuple(np.asarray(pane)[10, 10]) == RED
    assert tuple(np.asarray(pane)[30, 30]) == GREEN


def boxes_of(monkeypatch, named, *, size=(400, 300), taken=()):
    """Where the names are written: text to box in px."""
    found = {}
    real = canvas.write

    def spy(draw, xy, text, *, size, colour, anchor):
        left, top, right, bottom = draw.textbbox(xy, text, font=canvas.font(size), anchor=anchor)
        found[text] = box(left, top, right, bottom)
        real(draw, xy, text, size=size, colour=colour, anchor=anchor)

    monkeypatch.setattr("pipeline.review.names.write", spy)
    region = Region(left=0.0, top=0.0, width=size[0] / 2, height=size[1] / 2)
    write_names(Image.new("RGB", size), named, region, taken=taken)
    return found


def test_names_stand_beside_their_own_structures_and_over_no_other_name(monkeypatch):
    named = [
        Named(text=f"station {n}", shape=box(60 + 22 * n, 60, 80 + 22 * n, 80), colour=GREEN)
        for n in range(4)
    ]
    found = boxes_of(monkeypatch, named)
    assert set(found) == {one.text for one in named}
    frame = box(0, 0, 400, 300)
    for name, place in found.items():
        assert frame.contains(place)
        assert not any(place.intersects(other) for text, other in found.items() if text != name)
    for one in named:
        own = shapely.transform(one.shape, lambda points: points * 2)
        assert found[one.text].distance(own) < 70


def test_names_keep_off_what_is_taken_and_structures_out_of_sight_have_none(monkeypatch):
    taken = box(0, 0, 400, 118)
    named = [
        Named(text="seen", shape=box(90, 60, 110, 80), colour=RED),
        Named(text="unseen", shape=box(900, 900, 950, 950), colour=RED),
        Named(text="empty", shape=MultiPolygon(), colour=RED),
    ]
    found = boxes_of(monkeypatch, named, taken=[taken])
    assert set(found) == {"seen"}
    assert not found["seen"].intersects(taken)


def test_without_room_a_name_stands_on_its_structure(monkeypatch):
    found = boxes_of(monkeypatch, [Named(text="all", shape=box(0, 0, 200, 150), colour=RED)])
    assert found["all"].centroid.distance(shapely.Point(200, 150)) < 5


def test_places_are_spread_and_kept_inside():
    assert spread([], least=10, low=0, high=50) == []
    assert spread([1.0, 1.0, 1.0], least=10, low=0, high=50) == [0, 10, 20]
    assert spread([49.0, 49.0], least=10, low=0, high=50) == [40, 50]
