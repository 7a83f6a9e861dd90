"""A patient's own stations: which ROIs and masks are taken, in what form, and what is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely

from pipeline.core.anatomy import Organs, OrganSource
from pipeline.core.errors import StructureError
from pipeline.core.raster import contours_to_mask
from pipeline.core.report import Severity
from pipeline.core.solid import solid_from_contours
from pipeline.core.stations import OwnStations
from pipeline.read import (
    OrganInput,
    load_organ_names,
    load_station_names,
    read_organs,
    read_own_stations,
)
from tests.dicom_maker import COSINES, CtSpec, RoiSpec, make_ct, make_structure_set
from tests.read.organ_scenes import (
    GRID,
    LEFT,
    MIDDLE,
    NOTHING,
    RIGHT,
    SPEC,
    UP,
    ball,
    organ,
    plan,
    ring,
    write,
)

NAMES = load_station_names()


def of_plan(
    folder: Path, *rois: tuple[str, str, tuple[float, ...]], lesions: Sequence[str] = ("GTV",)
) -> OwnStations:
    """The stations of a structure set of circles: name, type and centre of each ROI."""
    ct = make_ct(folder / "ct", SPEC)
    on, structure_set = plan(folder, ct, [RoiSpec(name, ring(ct, at), kind) for name, kind, at in rois])
    given = OrganInput(grid=on, structure_set=structure_set, lesions=frozenset(lesions))
    return read_own_stations(given, NAMES)


def read(anatomy: Path) -> OwnStations:
    return read_own_stations(OrganInput(grid=GRID, anatomy=anatomy), NAMES)


def codes(stations: OwnStations) -> dict[str, Severity]:
    return {finding.code: finding.severity for finding in stations.findings}


def message(stations: OwnStations, code: str) -> str:
    return " | ".join(f"{one.where}: {one.message}" for one in stations.findings if one.code == code)


class TestStructureSet:
    @pytest.mark.parametrize("position", sorted(COSINES))
    def test_contours_stay_as_drawn_in_every_position(self, position: str, tmp_path: Path) -> None:
        spec = CtSpec(size=(40, 40, 8), spacing_mm=(4.0, 4.0, 3.0), center_mm=(0, 0, 0), position=position)
        ct = make_ct(tmp_path / "ct", spec)
        rois = [
            RoiSpec("Station 4L", ring(ct, LEFT, 9.0)),
            RoiSpec("Station 4R", ring(ct, RIGHT, 7.3, slices=[2, 3])),
        ]
        on, structure_set = plan(tmp_path, ct, rois)
        stations = read_own_stations(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(stations.by_name) == {"4L", "4R"}
        assert not stations.findings
        right = stations.by_name["4R"]
        assert (right.source, right.detail) == (OrganSource.STRUCTURE_SET, "ROI 'Station 4R' of file rs.dcm")
        u, v = shapely.centroid(shapely.union_all(list(right.contours.sections.values()))).coords[0]
        assert (u, v) == pytest.approx((-30.0, 0.0), abs=1e-3)
        # 4 mm voxels would tell 5 % less or more; a polygon of 72 points has 0.1 % less than its circle.
        true = np.pi * 7.3**2 * 6 / 1000
        assert right.contours.volume_cc == pytest.approx(true, rel=0.002)
        assert solid_from_contours(right.contours, pitch_mm=0.5).volume_cc == pytest.approx(true, rel=0.005)

    def test_what_is_no_station(self, tmp_path: Path) -> None:
        stations = of_plan(
            tmp_path,
            ("2R", "CTV", RIGHT),
            ("PTV 20", "PTV", LEFT),
            ("Station 20", "PTV", LEFT),
            ("Station 7", "GTV", LEFT),
            ("Station 15", "EXTERNAL", LEFT),
            ("GTV-N4L", "", LEFT),
            ("Station 9L", "", LEFT),
            ("Heart", "ORGAN", MIDDLE),
            lesions=("GTV", "Station 9L"),
        )
        assert set(stations.by_name) == {"2R"}
        assert not stations.findings

    def test_a_number_alone_is_told(self, tmp_path: Path) -> None:
        stations = of_plan(tmp_path, ("7", "", LEFT), ("8M", "", RIGHT))
        assert set(stations.by_name) == {"7", "8M"}
        assert codes(stations) == {"STATION_BY_NUMBER_ALONE": Severity.WARNING}
        assert "ROI '7' of file rs.dcm was taken as the station" in stations.findings[0].message

    def test_two_rois_of_one_station(self, tmp_path: Path) -> None:
        stations = of_plan(
            tmp_path, ("Station 4L", "", LEFT), ("4L", "", RIGHT), ("2R", "", RIGHT), ("2r", "", (-34.0, 0.0))
        )
        assert stations.by_name["4L"].detail == "ROI '4L' of file rs.dcm"
        assert set(stations.by_name) == {"4L"}
        assert codes(stations) == {
            "STATION_SEVERAL_NAMES": Severity.INFO,
            "STATION_NAME_AMBIGUOUS": Severity.WARNING,
        }

    def test_numbers_of_two_maps(self, tmp_path: Path) -> None:
        stations = of_plan(tmp_path, ("JES 108", "", LEFT), ("Station 7", "", RIGHT), ("4L", "", MIDDLE))
        assert set(stations.by_name) == {"8M", "4L"}
        assert codes(stations) == {"STATION_NUMBERING_UNCLEAR": Severity.WARNING}
        assert "these may be JES or AJCC ones: Station 7" in stations.findings[0].message

    def test_stations_that_overlap(self, tmp_path: Path) -> None:
        stations = of_plan(tmp_path, ("8M", "", LEFT), ("8U", "", (45.0, 0.0)), ("4R", "", RIGHT))
        assert codes(stations) == {"OWN_STATIONS_OVERLAP": Severity.WARNING}
        r, d = 14.0, 15.0
        lens = 2 * r**2 * np.arccos(d / (2 * r)) - d / 2 * np.sqrt(4 * r**2 - d**2)
        share = 100 * lens / (np.pi * r**2)
        assert (
            f"share {lens * 24 / 1000:.1f} cc, {share:.0f} % of the smaller" in stations.findings[0].message
        )
        beside = tmp_path / "beside"
        assert not of_plan(beside, ("8M", "", LEFT), ("8U", "", (57.0, 0.0))).findings

    def test_rois_that_cannot_be_used(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        loops = ring(ct, LEFT)
        on, structure_set = plan(
            tmp_path,
            ct,
            [
                RoiSpec("Station 7", [loop + UP for loop in loops]),
                RoiSpec("8U", [*ring(ct, LEFT, slices=[1, 2, 5]), loops[3] + UP]),
                RoiSpec("8M", ring(ct, (32.0, 0.0), 1.0)),
                RoiSpec("4L", [[[0, 0, loops[3][0, 2]]]], kinds="POINT"),
            ],
        )
        stations = read_own_stations(OrganInput(grid=on, structure_set=structure_set), NAMES)
        assert set(stations.by_name) == {"8U"}
        assert "used as a station: all its 8 planes" in message(stations, "STATION_OFF_SLICES")
        assert "used as a station: it has no closed contour" in message(stations, "STATION_ROI_NOT_USED")
        assert message(stations, "STATION_INCOMPLETE").endswith("left out of the station: 1.")
        assert "the station's first and last one" in message(stations, "STATION_SLICE_MISSING")
        assert message(stations, "STATION_EMPTY").endswith("not there: 8M.")


class TestSides:
    @pytest.mark.parametrize("middle", ["vertebrae_T4", "spinal_cord", "body"])
    def test_by_the_middle_of_the_patient(self, middle: str, tmp_path: Path) -> None:
        write(tmp_path / "Station 4R.nii.gz", ball((11.0, 0.0, 0.0), 6.0))
        about = organ(middle, ball((0.0, 0.0, 0.0), 40.0))
        far = organ("lung_left", ball(RIGHT))  # not asked for
        organs = Organs(grid=GRID, by_name={one.name: one for one in (about, far)})
        stations = read_own_stations(OrganInput(grid=GRID, anatomy=tmp_path), NAMES, organs)
        assert codes(stations) == {"STATION_ON_WRONG_SIDE": Severity.WARNING}
        assert message(stations, "STATION_ON_WRONG_SIDE").startswith(
            "station 4R: masks (file Station 4R.nii.gz) is called right and lies 11 mm to the left of the"
        )

    def test_a_pair_the_wrong_way_round(self, tmp_path: Path) -> None:
        stations = of_plan(
            tmp_path, ("SCV_L", "", RIGHT), ("SCV_R", "", LEFT), ("9R", "", RIGHT), ("1L", "", LEFT)
        )
        found = message(stations, "STATION_SIDES_SWAPPED")
        assert found.startswith(
            "station SCV_L: structure set (ROI 'SCV_L' of file rs.dcm) is called left and lies 60 mm to the "
            "right of structure set (ROI 'SCV_R' of file rs.dcm)"
        )
        assert sum(one.code == "STATION_SIDES_SWAPPED" for one in stations.findings) == 1  # 9R, 1L: no pair

    def test_a_pair_the_wrong_way_round_near_the_middle(self, tmp_path: Path) -> None:
        write(tmp_path / "2R.nii.gz", ball((3.0, 0.0, 0.0), 4.0))
        write(tmp_path / "2L.nii.gz", ball((-3.0, 0.0, 12.0), 4.0))
        organs = Organs(grid=GRID, by_name={"body": organ("body", ball((0.0, 0.0, 0.0), 40.0))})
        stations = read_own_stations(OrganInput(grid=GRID, anatomy=tmp_path), NAMES, organs)
        assert codes(stations) == {"STATION_SIDES_SWAPPED": Severity.WARNING}
        assert "is called left and lies 8 mm to the right" in message(stations, "STATION_SIDES_SWAPPED")

    def test_outside_the_body(self, tmp_path: Path) -> None:
        write(tmp_path / "8M.nii.gz", ball(LEFT, 6.0))
        body = organ("body", ball(RIGHT, 30.0))
        organs = Organs(grid=GRID, by_name={"body": body})
        stations = read_own_stations(OrganInput(grid=GRID, anatomy=tmp_path), NAMES, organs)
        assert codes(stations) == {"STATION_OUTSIDE_BODY": Severity.WARNING}


class TestAnatomy:
    @pytest.mark.parametrize("storage", ["LPS", "RAS", "SLP"])
    def test_a_folder_of_masks(self, storage: str, tmp_path: Path) -> None:
        write(tmp_path / "station_4L.nii.gz", ball(LEFT), storage=storage)
        write(tmp_path / "heart.nii.gz", ball(MIDDLE), storage=storage)
        write(tmp_path / "St_7.nii.gz", NOTHING, storage=storage)
        stations = read(tmp_path)
        (station,) = stations.by_name.values()
        assert (station.name, station.source) == ("4L", OrganSource.MASKS)
        assert np.array_equal(contours_to_mask(station.contours).voxels, ball(LEFT))
        assert codes(stations) == {"STATION_EMPTY": Severity.INFO}

    def test_a_label_map(self, tmp_path: Path) -> None:
        path = write(tmp_path / "seg.nii.gz", np.where(ball(LEFT), 3, np.where(ball(RIGHT), 7, 0)))
        (tmp_path / "seg.json").write_text(json.dumps({"3": "LN_Station_9L", "7": "SCV_R", "8": "aorta"}))
        for given in (path, tmp_path):
            stations = read(given)
            assert {name: one.detail for name, one in stations.by_name.items()} == {
                "9L": "file seg.nii.gz, label 3 'LN_Station_9L'",
                "SCV_R": "file seg.nii.gz, label 7 'SCV_R'",
            }

    def test_one_file(self, tmp_path: Path) -> None:
        assert set(read(write(tmp_path / "Subcarinal.nrrd", ball(MIDDLE))).by_name) == {"7"}
        assert not read(write(tmp_path / "heart.nrrd", ball(MIDDLE))).by_name
        with pytest.raises(StructureError, match="no such file or folder"):
            read(tmp_path / "absent")

    def test_a_structure_set(self, tmp_path: Path) -> None:
        ct = make_ct(tmp_path / "ct", SPEC)
        on, structure_set = plan(tmp_path, ct, [RoiSpec("4L", ring(ct, LEFT))])
        rois = [
            RoiSpec("Station 4L", ring(ct, (60.0, 0.0))),
            RoiSpec("16", ring(ct, RIGHT)),
            RoiSpec("GTV", []),
        ]
        make_structure_set(tmp_path / "more" / "stations.dcm", ct, rois)
        given = OrganInput(grid=on, structure_set=structure_set, anatomy=tmp_path / "more")
        stations = read_own_stations(given, NAMES)
        assert stations.by_name["4L"].source is OrganSource.STRUCTURE_SET
        assert stations.by_name["16"].detail == "ROI '16' of file stations.dcm"
        assert "hardly overlap: Dice 0.00" in message(stations, "STATION_SOURCES_DIFFER")

    def test_organs_beside_stations(self, tmp_path: Path) -> None:
        organ_names = load_organ_names()

        def organs(anatomy: Path) -> Organs:
            return read_organs(OrganInput(grid=GRID, anatomy=anatomy, others=(NAMES,)), organ_names)

        path = write(tmp_path / "Station 7.nii.gz", ball(LEFT))
        assert (len(organs(tmp_path)), organs(tmp_path).findings) == (0, ())
        assert (len(organs(path)), organs(path).findings) == (0, ())
        write(tmp_path / "heart.nii.gz", ball(MIDDLE))
        write(tmp_path / "couch.nii.gz", ball(MIDDLE))
        found = organs(tmp_path)
        assert set(found) == {"heart"}
        assert [one.message for one in found.findings] == [
            "Not the name of an organ that rt-targets knows: couch."
        ]


def test_nothing_at_all() -> None:
    stations = read_own_stations(OrganInput(grid=GRID), NAMES)
    assert (dict(stations.by_name), stations.findings) == ({}, ())
