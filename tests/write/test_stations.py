"""Stations as a structure set and as label maps, read back by readers that are not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from pipeline.core.errors import OutputError
from pipeline.core.raster import contours_to_mask
from pipeline.core.stations import StationOrigin
from pipeline.read import load_station_colours
from pipeline.read.image_case import find_masks
from pipeline.read.label_names import label_names
from pipeline.write import (
    labels_with_conduit,
    station_description,
    station_rois,
    write_rtstruct,
    write_station_maps,
)
from pipeline.write.label_map import LabelOut, write_label_map
from tests.made_stations import ATLAS, simple, simple_landmarks
from tests.write.samples import AXES, CENTRE, context, make_grid, write_ct

COLOURS = load_station_colours()


def rois_of(stations, landmarks=None):
    drawn = {name: station.solid.contours() for name, station in stations.built.items()}
    return station_rois(stations, drawn, landmarks or {}, COLOURS)


# ---------------------------------------------------------------------------------------------- label maps


@pytest.mark.parametrize("position", sorted(AXES))
def test_the_map_lies_where_the_stations_are_for_every_reader(tmp_path: Path, position: str) -> None:
    grid = make_grid(position)
    stations = simple(grid)
    write_station_maps(tmp_path, stations, COLOURS)
    by_itk = sitk.ReadImage(str(tmp_path / "stations.nii.gz"))
    assert by_itk.GetPixelID() == sitk.sitkUInt8
    voxels = sitk.GetArrayFromImage(by_itk)
    by_nibabel = nibabel.load(tmp_path / "stations.nii.gz")
    assert np.array_equal(voxels, np.asarray(by_nibabel.dataobj).transpose(2, 1, 0))
    assert np.array_equal(voxels, stations.labels)
    for name, side in (("1R", -26.0), ("1L", 28.0)):
        k, j, i = (float(axis.mean()) for axis in np.nonzero(voxels == stations.label_of[name]))
        lps = by_itk.TransformContinuousIndexToPhysicalPoint((i, j, k))
        ras = by_nibabel.affine @ [i, j, k, 1]
        assert lps[0] == pytest.approx(CENTRE[0] + side, abs=1.0)  # x grows to the patient's left
        assert ras[:3] == pytest.approx([-lps[0], -lps[1], lps[2]], abs=0.01)
        assert lps[2] > CENTRE[2]


def test_names_and_colours_travel_in_the_header(tmp_path: Path) -> None:
    stations = simple(make_grid())
    write_station_maps(tmp_path, stations, COLOURS)
    assert label_names(tmp_path / "stations.nii.gz") == {1: "1R", 2: "1L", 3: "7", 4: "8Lo", 5: "20"}
    # As TotalSegmentator's own reader goes about it.
    table = nibabel.load(tmp_path / "stations.nii.gz").header.extensions[0].get_content()
    root = ET.fromstring(table.rstrip(b"\0"))
    labels = root.findall("./VolumeInformation/LabelTable/Label")
    assert {int(one.get("Key")): one.text for one in labels} == {n: s for s, n in stations.label_of.items()}
    assert round(float(labels[2].get("Green")) * 255) == COLOURS.of("7", ATLAS["7"])[1]


def test_a_record_beside_the_map_does_not_confuse_its_names(tmp_path: Path) -> None:
    stations = simple(make_grid())
    write_station_maps(tmp_path, stations, COLOURS)
    (tmp_path / "stations.json").write_text(json.dumps({"labels": dict(stations.label_of), "more": [1, 2]}))
    assert label_names(tmp_path / "stations.nii.gz")[3] == "7"
    found = {
        place.name: place.value for place in find_masks(tmp_path / "stations.nii.gz", tmp_path / "ct.nii")
    }
    assert found == dict(stations.label_of)


def test_the_conduit_comes_back_in_a_map_of_its_own(tmp_path: Path) -> None:
    stations = simple(make_grid())
    paths = write_station_maps(tmp_path, stations, COLOURS)
    assert [path.name for path in paths] == ["stations.nii.gz", "stations_with_conduit.nii.gz"]
    whole = np.asarray(nibabel.load(paths[1]).dataobj).transpose(2, 1, 0)
    assert label_names(paths[1]) == label_names(paths[0])
    there = stations.labels > 0
    assert np.array_equal(whole[there], stations.labels[there])
    added = (whole == 3) & ~there
    cc = np.count_nonzero(added) * stations.grid.voxel_volume_mm3 / 1000
    slices = len(stations.built["7"].solid.contours().slices)
    assert cc == pytest.approx(np.pi * 6**2 * slices * 3 / 1000, rel=0.05)
    assert set(np.unique(whole[added])) == {3}


def test_a_voxel_of_the_conduit_goes_to_the_first_station_that_claims_it() -> None:
    stations = simple(make_grid())
    seven = stations.built["7"]
    rival = replace(stations.built["1R"], with_conduit=seven.with_conduit)
    both = labels_with_conduit(replace(stations, built={**stations.built, "1R": rival}))
    assert set(np.unique(both[(stations.labels == 0) & (both > 0)])) == {1}


def test_without_a_conduit_there_is_one_map(tmp_path: Path) -> None:
    write_station_maps(tmp_path, simple(make_grid(), conduit=False), COLOURS)
    assert [path.name for path in tmp_path.iterdir()] == ["stations.nii.gz"]


def test_a_value_without_a_name_is_refused(tmp_path: Path) -> None:
    grid = make_grid()
    label = LabelOut(value=1, name="7", colour=(1, 2, 3))
    with pytest.raises(OutputError, match=r"label without a name; where: map\.nii\.gz; got: 2"):
        write_label_map(tmp_path / "map.nii.gz", grid, np.full(grid.shape, 2, dtype=np.uint8), (label,))


def test_a_map_that_reads_back_wrong_is_not_kept(tmp_path: Path, monkeypatch) -> None:
    from pipeline.write import label_map

    grid = make_grid()
    one = np.ones(grid.shape, dtype=np.uint8)
    monkeypatch.setattr(label_map, "read_back", lambda path, grid: (np.zeros(grid.shape), True))
    with pytest.raises(OutputError, match="reads back wrong"):
        write_label_map(tmp_path / "map.nii.gz", grid, one, (LabelOut(value=1, name="7", colour=(1, 2, 3)),))
    assert list(tmp_path.iterdir()) == []


def test_names_with_signs_of_xml_travel_too(tmp_path: Path) -> None:
    grid = make_grid()
    label = LabelOut(value=1, name='4R < "azygos" & more', colour=(1, 2, 3))
    write_label_map(tmp_path / "map.nii.gz", grid, np.ones(grid.shape, dtype=np.uint8), (label,))
    assert label_names(tmp_path / "map.nii.gz") == {1: label.name}


# ------------------------------------------------------------------------------------------- structure set


@pytest.mark.parametrize("position", sorted(AXES))
def test_the_structure_set_has_each_station_as_a_control_roi(tmp_path: Path, position: str) -> None:
    grid = make_grid(position)
    headers = write_ct(tmp_path / "ct", grid)
    stations = simple(grid)
    rois, findings = rois_of(stations)
    assert findings == ()
    write_rtstruct(tmp_path / "rs.dcm", rois, context(headers, label="DRAFT STATIONS"))
    written = pydicom.dcmread(tmp_path / "rs.dcm")
    assert written.ApprovalStatus == "UNAPPROVED"
    assert written.StructureSetLabel == "DRAFT STATIONS"
    assert [item.ROIName for item in written.StructureSetROISequence] == ["1R", "1L", "7"]
    kinds = {item.RTROIInterpretedType for item in written.RTROIObservationsSequence}
    assert kinds == {"CONTROL"}
    sides = {}
    for item, named in zip(written.ROIContourSequence, written.StructureSetROISequence, strict=True):
        points = np.concatenate([np.reshape(c.ContourData, (-1, 3)) for c in item.ContourSequence])
        sides[named.ROIName] = float(points[:, 0].mean()) - CENTRE[0]
        solid = stations.built[named.ROIName].solid
        assert float(named.ROIVolume) == pytest.approx(solid.volume_cc, rel=0.03)
    assert sides["1R"] < -15
    assert sides["1L"] > 15
    assert sides["7"] == pytest.approx(0, abs=1)


def test_the_contours_are_the_labels(tmp_path: Path) -> None:
    stations = simple(make_grid())
    rois, _ = rois_of(stations)
    for roi in rois:
        ours = contours_to_mask(roi.contours).voxels
        labelled = stations.labels == stations.label_of[roi.name]
        assert np.count_nonzero(ours ^ labelled) < 0.03 * np.count_nonzero(labelled), roi.name


def test_the_description_says_region_inferred_levels_and_that_nobody_confirmed_it() -> None:
    stations = simple(make_grid())
    known = simple_landmarks(make_grid()).found
    text = station_description(stations.built["7"], known)
    assert text == (
        "DRAFT, not confirmed by a clinician. Station 7, region III; inferred levels: hiatus; "
        "from rules of the atlas; no azygos vein was given"
    )
    assert "inferred levels" not in station_description(stations.built["1R"], known)


def test_colours_and_algorithm_follow_the_station() -> None:
    stations = simple(make_grid())
    given = replace(stations.built["7"], origin=StationOrigin.PATIENT)
    rois, _ = rois_of(replace(stations, built={**stations.built, "7": given}))
    assert {roi.name: roi.colour for roi in rois} == {name: COLOURS.stations[name] for name in stations.built}
    assert {roi.name: roi.algorithm.value for roi in rois} == {
        "1R": "AUTOMATIC",
        "1L": "AUTOMATIC",
        "7": "MANUAL",
    }


def test_a_station_that_no_slice_shows_is_left_out_and_told() -> None:
    stations = simple(make_grid())
    drawn = {name: station.solid.contours() for name, station in stations.built.items()}
    drawn["1L"] = replace(drawn["1L"], sections={})
    rois, (finding,) = station_rois(stations, drawn, {}, COLOURS)
    assert [roi.name for roi in rois] == ["1R", "7"]
    assert (finding.code, finding.where) == ("STATION_NOT_DRAWN", "station 1L")
