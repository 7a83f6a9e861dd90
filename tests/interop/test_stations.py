"""Structure sets and label maps of stations, before programs and libraries that are not ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.raster import contours_to_mask
from pipeline.read import load_station_colours
from pipeline.write import station_rois, write_rtstruct, write_station_maps
from tests.interop import judges
from tests.made_stations import simple, simple_landmarks
from tests.write.samples import AXES, context, make_grid, write_ct

pytestmark = [pytest.mark.interop, pytest.mark.slow]

Program = Callable[[str], str]


@pytest.fixture(scope="module", params=sorted(AXES))
def sample(request, tmp_path_factory):
    """The stations of one patient position as files: folder of the CT, folder of the outputs, stations."""
    folder = tmp_path_factory.mktemp(f"stations-{request.param}")
    grid = make_grid(request.param)
    headers = write_ct(folder / "ct", grid)
    stations, colours = simple(grid), load_station_colours()
    contours = {name: station.solid.contours() for name, station in stations.built.items()}
    rois, _ = station_rois(stations, contours, simple_landmarks(grid).found, colours)
    out = folder / "out"
    out.mkdir()
    write_rtstruct(out / "rtstruct.dcm", rois, context(headers, label="DRAFT STATIONS"))
    write_station_maps(out, stations, colours)
    return folder / "ct", out, stations


def test_the_validator_finds_no_error(sample, program: Program) -> None:
    _, out, _ = sample
    assert judges.errors_of_dciodvfy(program("dciodvfy"), out / "rtstruct.dcm") == []


def test_plastimatch_reads_the_stations_back(sample, program: Program, tmp_path: Path) -> None:
    ct, out, stations = sample
    found = judges.read_by_plastimatch(program("plastimatch"), out / "rtstruct.dcm", ct, tmp_path / "out")
    image = judges.ct_image(ct)
    assert set(found) == set(stations.built)
    for name, station in stations.built.items():
        contours = station.solid.contours()
        theirs = judges.on_grid(found[name], image, stations.grid)
        verdict = judges.verdict(theirs, contours_to_mask(contours), contours.volume_cc)
        assert verdict.dice >= 0.98, (name, verdict)


def test_the_label_map_lies_on_the_ct_as_itk_reads_both(sample) -> None:
    import SimpleITK as sitk

    ct, out, stations = sample
    image, labels = judges.ct_image(ct), sitk.ReadImage(str(out / "stations.nii.gz"))
    on_ct = sitk.Resample(labels, image, sitk.Transform(), sitk.sitkNearestNeighbor, 255)
    theirs = judges.on_grid(sitk.GetArrayFromImage(on_ct), image, stations.grid)
    assert np.array_equal(theirs, stations.labels)
