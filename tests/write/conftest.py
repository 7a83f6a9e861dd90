"""One CT and one structure set that most tests of writing look at."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset

from pipeline.core.grid import Grid
from pipeline.write import write_rtstruct
from tests.write.samples import context, four_rois, make_grid, write_ct


@pytest.fixture(scope="session")
def grid() -> Grid:
    return make_grid()


@pytest.fixture(scope="session")
def headers(grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, ...]:
    return write_ct(tmp_path_factory.mktemp("ct") / "series", grid)


@pytest.fixture(scope="session")
def structure_set(
    grid: Grid, headers: tuple[Dataset, ...], tmp_path_factory: pytest.TempPathFactory
) -> Dataset:
    path: Path = tmp_path_factory.mktemp("rtstruct") / "rtstruct.dcm"
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    source.SOPInstanceUID = "1.2.3.4.5"
    assert write_rtstruct(path, four_rois(grid), context(headers, predecessor=source)) == ()
    return pydicom.dcmread(path)
