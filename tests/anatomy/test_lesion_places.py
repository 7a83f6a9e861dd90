"""Which station and region a lesion lies in, on shapes whose overlaps and distances are known."""

from __future__ import annotations

import pytest
from shapely.geometry import MultiPolygon

from pipeline.anatomy.places.place import FAR_FROM_STATIONS_MM, PlaceOptions, place_lesions
from pipeline.core.contour import Contours
from pipeline.core.errors import GeometryError, UsageError
from pipeline.core.grid import Grid
from pipeline.core.raster import contours_to_mask
from pipeline.core.regions import Region
from pipeline.core.report import Severity
from pipeline.core.stations import LesionPlace, LesionPlaces, Stations
from tests import oracles
from tests.anatomy.places import (
    Box,
    ball_contours,
    box_contours,
    landmarks_of,
    lesion,
    station,
    stations_of,
)
from tests.closed_forms import IMAGE_AXES, make_grid

I, II, III, IV = Region  # noqa: E741 - the protocol's own names

# Slice planes at -58.5, -55.5, ... 58.5: boxes that begin and end at multiples of 3 are exact.
GRID = make_grid(size=(70, 90, 40), spacing_mm=(1.3, 0.9, 3.0), centre_mm=(4.3, -7.7, 0.0))
LEVELS = {"sternal_notch": 40.0, "hiatus": -40.0}


def boxes(grid: Grid, **named: Box) -> Stations:
    """Stations by name with an underscore in front."""
    return stations_of(grid, *(station(name[1:], box_contours(grid, box)) for name, box in named.items()))


def place(
    box: Box | Contours, stations: Stations, levels: dict[str, float] = LEVELS, **options
) -> LesionPlaces:
    contours = box if isinstance(box, Contours) else box_contours(stations.grid, box)
    return place_lesions(
        [lesion(contours)], stations, landmarks_of(stations.grid, levels), PlaceOptions(**options)
    )


def one(places: LesionPlaces) -> LesionPlace:
    (found,) = places.places
    return found


def shares(place: LesionPlace) -> dict[str, float]:
    return {share.station: share.fraction for share in place.shares}


def region_shares(place: LesionPlace) -> dict[Region, float]:
    return {share.region: share.fraction for share in place.region_shares}


def codes(places: LesionPlaces) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in places.findings}


class TestOverlap:
    @pytest.mark.parametrize("position", IMAGE_AXES)
    @pytest.mark.parametrize("flip_k", [False, True])
    def test_a_box_across_two_stations(self, position: str, flip_k: bool) -> None:
        grid = make_grid(
            size=(70, 110, 40),
            spacing_mm=(1.3, 0.9, 3.0),
            centre_mm=(4.3, -7.7, 100.0),
            position=position,
            flip_k=flip_k,
        )
        # The left border of 4L is its higher u; 7 lies below.
        stations = boxes(grid, _4L=((-3.3, 9.3), (-20, 0), (91, 121)), _7=((-12.0, 20.0), (-20, 0), (70, 91)))
        found = one(
            place(((4.1, 14.3), (-11.4, -4.2), (85, 100)), stations, {"sternal_notch": 140.0, "hiatus": 60.0})
        )
        assert shares(found) == pytest.approx({"7": 6 / 15, "4L": 9 / 15 * 5.2 / 10.2}, abs=0.008)
        assert region_shares(found) == pytest.approx({III: 6 / 15, II: 9 / 15 * 5.2 / 10.2}, abs=0.008)
        assert found.regions == (II, III)
        assert (found.nearest, found.nearest_mm, found.second, found.second_mm) == ("7", 0.0, "4L", 0.0)
        assert found.level is None

    @pytest.mark.parametrize("pitch", [0.3, 0.8, 1.1])
    def test_stations_of_any_pitch(self, pitch: float) -> None:
        half = station("8M", box_contours(GRID, ((0.37, 30), (-30, 20), (-30, 30))), pitch=pitch)
        found = one(place(((-4.63, 5.37), (-9, 3), (-6, 9)), stations_of(GRID, half)))
        assert shares(found) == pytest.approx({"8M": 0.5}, abs=0.008)

    @pytest.mark.parametrize("radius", [3.0, 6.0, 14.0])
    def test_a_ball_cut_by_a_plane(self, radius: float) -> None:
        grid = make_grid(size=(60, 60, 80), spacing_mm=(1.0, 1.0, 0.5), centre_mm=(5.5, 6.5, 7.25))
        w = float(grid.plane_positions_mm[40])
        depth = 0.6 * radius  # of a cap of height h a ball has h²(3r - h) / 4r³
        cap = depth**2 * (3 * radius - depth) / (4 * radius**3)
        station_box = ((6.2 + radius - depth, 40.0), (-30, 40), (w - 17.75, w + 17.75))
        found = one(place(ball_contours(grid, (6.2, 7.1, w), radius), boxes(grid, _7=station_box), {}))
        assert shares(found) == pytest.approx({"7": cap}, abs=0.008)

    def test_a_ball_below_a_level_within_a_slice(self) -> None:
        grid = make_grid(size=(60, 60, 80), spacing_mm=(1.0, 1.0, 0.5), centre_mm=(0.0, 0.0, 0.0))
        w, radius = float(grid.plane_positions_mm[40]), 8.0
        depth = 3.37
        cap = depth**2 * (3 * radius - depth) / (4 * radius**3)
        levels = {"sternal_notch": w + radius - depth}
        found = one(
            place(
                ball_contours(grid, (1.2, 2.1, w), radius),
                boxes(grid, _2R=((-9, 9), (-9, 9), (-9, 9))),
                levels,
            )
        )
        assert region_shares(found)[I] == pytest.approx(cap, abs=0.004)

    def test_a_lesion_on_one_slice(self) -> None:
        ring = Contours(grid=GRID, sections={20: MultiPolygon([oracles.rectangle(3, 4, (1, -6))])})
        w = float(GRID.plane_positions_mm[20])
        stations = boxes(GRID, _7=((-10, 10), (-20, 20), (-30, 30)), _1R=((-10, 10), (-20, 20), (30, 60)))
        for up in (-1.0, -0.21, 0.6):
            found = one(place(ring, stations, {"sternal_notch": w + up}))
            above = (1.5 - up) / 3.0
            assert region_shares(found) == pytest.approx({I: above, III: 1 - above}, abs=1e-3)
            assert found.regions == (I, III)

    def test_a_small_share_involves_no_region(self) -> None:
        stations = boxes(GRID, _4L=((-20, 4.7), (-20, 20), (-30, 30)), _7=((4.7, 30), (-20, 20), (-30, 30)))
        small = one(place(((-5, 5), (-5, 5), (-6, 6)), stations))
        assert shares(small) == pytest.approx({"4L": 0.97, "7": 0.03}, abs=0.008)
        assert small.regions == (II,)
        assert one(place(((-4, 6), (-5, 5), (-6, 6)), stations)).regions == (II, III)

    def test_conduit_or_not_the_station_itself_counts_first(self) -> None:
        stations = boxes(GRID, _8M=((-20, 20), (-20, 20), (-30, 30)))
        found = one(place(((-5, 5), (-5, 5), (-6, 6)), stations))
        assert found.in_conduit == 0.0
        assert found.notes == ()
        assert (found.nearest, found.second) == ("8M", None)


class TestNearest:
    @pytest.mark.parametrize("position", IMAGE_AXES)
    def test_distances_from_surface_to_surface(self, position: str) -> None:
        grid = make_grid(
            size=(90, 110, 40), spacing_mm=(0.9, 1.2, 3.0), centre_mm=(-31.0, 17.3, 200.0), position=position
        )
        stations = boxes(
            grid,
            _2R=((-60.0, -38.21), (0, 30), (191, 230)),
            _7=((-40, -20), (10, 30), (161, 182)),
            _20=((-20, 5), (0, 30), (143, 161)),
        )
        found = one(place(((-34.0, -26.0), (13.1, 20.9), (194, 203)), stations, {}))
        assert found.shares == ()
        assert found.nearest == "2R"
        assert found.nearest_mm == pytest.approx(38.21 - 34.0, abs=0.02)
        assert found.second == "7"
        assert found.second_mm == pytest.approx(194 - 182, abs=0.02)
        assert found.regions == (II,)
        assert "nearest station, 2R, 4.2 mm" in found.notes[0]

    @pytest.mark.parametrize("away", [FAR_FROM_STATIONS_MM - 0.1, FAR_FROM_STATIONS_MM + 0.1])
    def test_a_lesion_far_from_every_station_is_in_none(self, away: float) -> None:
        stations = boxes(GRID, _4L=((-20, 5), (-20, 20), (-30, 30)))
        told = place(((5 + away, 12 + away), (-5, 5), (-6, 6)), stations)
        assert one(told).nearest_mm == pytest.approx(away, abs=0.02)
        if away < FAR_FROM_STATIONS_MM:
            assert (one(told).regions, told.findings) == ((II,), ())
        else:
            assert one(told).regions == ()
            assert codes(told) == {"LESION_IN_NO_REGION": Severity.STOP}
            assert told.findings[0].where == "lesion GTV-N"
            assert "4L, is 15.1 mm away" in told.findings[0].message
            assert "State its region" in told.findings[0].message

    def test_a_stated_region_goes_first(self) -> None:
        stations = boxes(GRID, _4L=((-20, 5), (-20, 20), (-30, 30)))
        told = place(((22, 30), (-5, 5), (-6, 6)), stations, stated={"GTV-N": III})
        assert (one(told).regions, told.findings) == ((III,), ())
        assert "region III was stated" in one(told).notes
        told = place(((0, 8), (-5, 5), (-6, 6)), stations, stated={"GTV-N": III})
        assert one(told).regions == (III,)
        assert codes(told) == {"REGION_STATED_OTHERWISE": Severity.WARNING}
        assert "levels and stations give II" in told.findings[0].message

    def test_a_lesion_about_as_near_to_another_region(self) -> None:
        stations = boxes(GRID, _4L=((-20, -3), (-20, 20), (-30, 30)), _7=((9, 30), (-20, 20), (-30, 30)))
        told = place(((0, 5), (-5, 5), (-6, 6)), stations)
        assert one(told).regions == (II,)
        assert codes(told) == {"LESION_BETWEEN_REGIONS": Severity.WARNING}
        assert "4L of region II, is 3.0 mm away, and 7 of region III 4.0 mm" in told.findings[0].message

    @pytest.mark.parametrize("further, told", [(2.9, True), (3.1, False)])
    def test_another_region_is_about_as_near_up_to_3_mm_further(self, further: float, told: bool) -> None:
        stations = boxes(
            GRID, _4L=((-20, -3), (-20, 20), (-30, 30)), _7=((8 + further, 30), (-20, 20), (-30, 30))
        )
        found = place(((0, 5), (-5, 5), (-6, 6)), stations)
        assert (one(found).nearest, one(found).regions) == ("4L", (II,))
        assert one(found).nearest_mm == pytest.approx(3.0, abs=0.02)
        assert one(found).second_mm == pytest.approx(3.0 + further, abs=0.02)
        assert codes(found) == ({"LESION_BETWEEN_REGIONS": Severity.WARNING} if told else {})

    def test_without_stations(self) -> None:
        told = place(((0, 5), (-5, 5), (-6, 6)), stations_of(GRID))
        assert (one(told).nearest, one(told).second, one(told).regions) == (None, None, ())
        assert codes(told) == {"LESION_REGION_NOT_KNOWN": Severity.WARNING}
        assert "no station was built" in told.findings[0].message


class TestLevels:
    STATIONS = boxes(
        GRID,
        _1R=((-20, 0), (-20, 20), (45, 60)),
        _2R=((-20, 20), (-20, 20), (12, 57)),
        _20=((-20, 20), (-20, 20), (-57, -48)),
    )

    def test_above_the_notch_is_region_one_whatever_station_is_there(self) -> None:
        told = place(((3, 9), (-5, 5), (45, 54)), self.STATIONS)
        found = one(told)
        assert (found.level, found.regions, found.shares) == (I, (I,), ())
        assert found.nearest == "1R"
        assert found.nearest_mm == pytest.approx(3.0, abs=0.02)
        assert (found.second, found.second_mm) == ("2R", 0.0)
        assert region_shares(found) == {I: 1.0}
        assert codes(told) == {"STATION_ACROSS_LEVEL": Severity.WARNING}
        assert "100 % of it lies in station 2R" in told.findings[0].message

    def test_far_above_every_station_too(self) -> None:
        told = place(((60, 66), (-5, 5), (45, 54)), self.STATIONS)
        assert one(told).regions == (I,)
        assert codes(told) == {"LESION_FAR_FROM_STATIONS": Severity.STOP}  # it may be axillary
        assert one(told).nearest_mm == pytest.approx(60.0, abs=0.02)

    def test_below_the_hiatus(self) -> None:
        told = place(((60, 66), (-5, 5), (-54, -45)), self.STATIONS)
        found = one(told)
        assert (found.level, found.regions, found.nearest) == (IV, (IV,), "20")
        assert "100 % of it lies below the hiatus" in found.notes

    @pytest.mark.parametrize("notch", [38.1, 40.0, 41.7])
    def test_across_the_notch_it_has_both(self, notch: float) -> None:
        told = place(((-9, -3), (-5, 5), (36, 48)), self.STATIONS, {"sternal_notch": notch, "hiatus": -40.0})
        above, in_1 = (48 - notch) / 12, 3 / 12
        found = one(told)
        assert (found.level, found.regions) == (None, (I, II))
        assert region_shares(found) == pytest.approx({I: above, II: 1 - above}, abs=0.008)
        assert shares(found) == pytest.approx({"2R": 1 - above, "1R": in_1}, abs=0.008)
        assert codes(told) == {"STATION_ACROSS_LEVEL": Severity.WARNING}

    @pytest.mark.slow
    def test_across_the_notch_and_beside_the_stations(self) -> None:
        box = ((25, 32), (-5, 5), (36, 45))
        found = one(place(box, self.STATIONS))
        assert found.regions == (I, II)
        assert region_shares(found) == pytest.approx({I: 5 / 9}, abs=0.008)
        assert "region II was told by the nearest station, 2R, 5.0 mm away" in found.notes
        told = place(((45, 52), (-5, 5), (36, 45)), self.STATIONS)
        assert one(told).regions == (I,)
        assert codes(told) == {
            "LESION_PARTLY_IN_NO_REGION": Severity.WARNING,
            "LESION_FAR_FROM_STATIONS": Severity.STOP,
        }
        assert any("44 % of it lies in no region" in finding.message for finding in told.findings)
        told = place(box, boxes(GRID, _1R=((-20, 0), (-20, 20), (45, 60))))
        assert codes(told) == {
            "LESION_PARTLY_IN_NO_REGION": Severity.WARNING,
            "LESION_FAR_FROM_STATIONS": Severity.STOP,
        }

    def test_a_thin_part_across_a_level(self) -> None:
        """Thinner than the distance of lattice planes: it is judged by the whole lesion."""
        told = place(((25, 32), (-5, 5), (39, 42)), self.STATIONS, {"sternal_notch": 39.2})
        assert one(told).regions == (I, II)

    def test_a_station_of_region_one_that_begins_below_the_notch(self) -> None:
        stations = boxes(GRID, _1R=((-20, 20), (-20, 20), (33, 57)), _2R=((-20, 20), (-20, 20), (0, 33)))
        found = one(place(((-5, 5), (-5, 5), (36, 45)), stations))
        assert (found.regions, shares(found)) == ((I,), {"1R": 1.0})

    @pytest.mark.parametrize("error, told", [(1.0, False), (2.0, True)])
    def test_a_level_known_less_well_than_the_lesion_is_far(self, error: float, told: bool) -> None:
        for inferred, severity in ((False, Severity.INFO), (True, Severity.WARNING)):
            landmarks = landmarks_of(
                GRID, {"sternal_notch": 37.3, "hiatus": -40.0}, error_mm=error, inferred=inferred
            )
            places = place_lesions(
                [lesion(box_contours(GRID, ((-5, 5), (-5, 5), (24, 36))))], self.STATIONS, landmarks
            )
            assert one(places).regions == (II,)
            assert codes(places) == ({"LESION_NEAR_LEVEL": severity} if told else {})
            if told:
                assert "0 % of it lies above the sternal notch" in places.findings[0].message
                assert "it may be 0 % to 6 %" in places.findings[0].message

    def test_levels_that_are_not_known(self) -> None:
        told = place(((3, 9), (-5, 5), (45, 54)), self.STATIONS, {})
        assert one(told).regions == (II,)
        assert [finding.where for finding in told.findings] == ["landmark sternal_notch", "landmark hiatus"]
        assert codes(told) == {"LEVEL_NOT_KNOWN": Severity.WARNING}

    def test_levels_the_wrong_way_round(self) -> None:
        told = place(((3, 9), (-5, 5), (0, 9)), self.STATIONS, {"sternal_notch": 10.0, "hiatus": 40.0})
        assert codes(told)["LEVELS_CONTRADICT"] is Severity.STOP
        assert one(told).regions == (II,)


class TestConduit:
    WHOLE: Box = ((-20, 20), (-20, 20), (-30, 30))
    RIM: Box = ((-20, -10), (-20, 20), (-30, 30))
    STATIONS = stations_of(
        GRID,
        station("8M", box_contours(GRID, RIM), with_conduit=box_contours(GRID, WHOLE)),
        station("4L", box_contours(GRID, ((21, 30), (-20, 20), (-30, 30)))),
    )
    LESION: Box = ((6, 16), (-5, 5), (-6, 6))

    @pytest.mark.parametrize("given", [False, True])
    def test_a_lesion_inside_it(self, given: bool) -> None:
        mask = contours_to_mask(box_contours(GRID, ((-10, 20), (-20, 20), (-30, 30)))) if given else None
        told = place(self.LESION, self.STATIONS, conduit=mask)
        found = one(told)
        assert found.in_conduit == pytest.approx(1.0)
        assert (found.nearest, found.regions) == ("8M", (III,))
        assert found.second_mm == pytest.approx(5.0, abs=0.02)
        assert found.notes == ("100 % of it lies inside the conduit, which is left in the stations told",)
        assert not told.findings

    def test_a_lesion_with_less_than_half_of_it_inside(self) -> None:
        found = one(place(((-16, -6), (-5, 5), (-6, 6)), self.STATIONS))
        assert found.in_conduit == pytest.approx(0.4, abs=0.008)
        assert shares(found) == pytest.approx({"8M": 0.6}, abs=0.008)

    @pytest.mark.parametrize("inside, mainly", [(0.48, False), (0.52, True)])
    def test_the_conduit_is_left_in_for_a_lesion_with_more_than_half_of_it_inside(
        self, inside: float, mainly: bool
    ) -> None:
        first = 10 * inside - 20  # of the 10 mm of the lesion, so many lie left of the rim's end at -10
        found = one(place(((first, first + 10), (-5, 5), (-6, 6)), self.STATIONS))
        assert found.in_conduit == pytest.approx(inside, abs=0.008)
        assert shares(found) == pytest.approx({"8M": 1.0 if mainly else 1.0 - inside}, abs=0.008)
        assert any("inside the conduit" in note for note in found.notes) is mainly

    def test_part_of_a_voxel_inside_a_mask(self) -> None:
        mask = contours_to_mask(box_contours(GRID, ((1.0, 20), (-20, 20), (-30, 30))))
        columns = GRID.frame.from_patient(GRID.to_patient([(i, 40, 20) for i in range(70)]))[:, 0]
        edge = columns[columns > 1.0].min() - 0.65  # half-way to the voxel that is outside
        found = one(place(((edge - 2.0, edge + 8.0), (-5, 5), (-6, 6)), self.STATIONS, conduit=mask))
        assert found.in_conduit == pytest.approx(0.8, abs=0.008)


def test_several_lesions_and_their_regions() -> None:
    stations = TestLevels.STATIONS
    lesions = [
        lesion(box_contours(GRID, ((-9, -3), (-5, 5), (w, w + 9))), f"GTV-N{number}")
        for number, w in enumerate((-54, 21), start=1)
    ]
    places = place_lesions(lesions, stations, landmarks_of(GRID, LEVELS))
    assert [one.roi for one in places.places] == ["GTV-N1", "GTV-N2"]
    assert places.regions == (II, IV)


def test_the_centre_of_the_image_does_not_matter() -> None:
    """The same patient far from the origin, and turned by 9 degrees in the scanner."""
    found = []
    for centre, yaw in (((0.0, 0.0, 0.0), 0.0), ((311.1, -222.2, 999.0), 9.0)):
        grid = make_grid(size=(90, 70, 20), spacing_mm=(0.9, 1.2, 3.0), centre_mm=centre, yaw_deg=yaw)
        u, v, w = grid.frame.from_patient([centre])[0]
        stations = boxes(grid, _7=((u - 20, u + 1.3), (v - 9, v + 20), (w - 15, w + 15)))
        box = ((u - 4, u + 6), (v - 5, v + 5), (w - 6, w + 6))
        found.append(shares(one(place(box, stations, {})))["7"])
    assert found[0] == pytest.approx(0.53, abs=0.008)
    assert found[1] == pytest.approx(found[0], abs=0.008)


def test_refusals() -> None:
    stations = boxes(GRID, _7=((-10, 10), (-20, 20), (-30, 30)))
    with pytest.raises(UsageError, match=r"lesion that there is not; expected: one of GTV-N; got: GTV-N7"):
        place(((0, 5), (-5, 5), (-6, 6)), stations, stated={"GTV-N7": I})
    other = make_grid(size=(70, 90, 41), spacing_mm=(1.3, 0.9, 3.0))
    with pytest.raises(GeometryError, match="another grid"):
        place(box_contours(other, ((0, 5), (-5, 5), (-6, 6))), stations)
    with pytest.raises(GeometryError, match="no contours"):
        place(Contours(grid=GRID, sections={}), stations)
