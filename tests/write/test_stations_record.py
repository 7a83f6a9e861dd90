from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.regions import Region
from pipeline.core.report import Finding, LandmarkReport, Provenance, Severity, StationReport
from pipeline.core.stations import LesionPlace, RegionShare, StationShare
from pipeline.core.volume import Mask
from pipeline.write import StationsOut, stations_record, write_stations_record
from tests.made_stations import simple
from tests.write.samples import make_grid


def out() -> StationsOut:
    grid = make_grid()
    stations = simple(grid)
    aorta = Organ(
        name="aorta",
        mask=Mask(grid=grid, voxels=np.ones(grid.shape, dtype=bool)),
        source=OrganSource.MASKS,
        detail="aorta.nii.gz",
    )
    place = LesionPlace(
        roi="GTV-N1",
        level=None,
        shares=(StationShare(station="7", fraction=0.51234567),),
        nearest="7",
        nearest_mm=0.0,
        second="8Lo",
        second_mm=np.float64(4.00049),
        regions=(Region.III,),
        region_shares=(RegionShare(region=Region.III, fraction=0.75),),
        in_conduit=0.1,
        notes=("by station",),
    )
    return StationsOut(
        stations=stations,
        reports={
            name: StationReport(volume_cc=2.5, built=name in stations.built, region=region.value)
            for name, region in stations.regions.items()
        },
        landmarks={"carina": LandmarkReport(point_mm=(1.0, 2.0, 3.0), inferred=False, how="seen")},
        missing={"SMA_origin": "no aorta"},
        organs=Organs(grid=grid, by_name={"aorta": aorta}),
        places=(place,),
        findings=(Finding(code="A", severity=Severity.INFO, where="w", message="m"),),
        provenance=Provenance(
            version="1",
            protocol="",
            protocol_sha256="",
            input_uids={},
            input_hashes={"ct_pixels": "ab"},
            dependencies={},
            seconds={},
        ),
    )


def test_the_record_says_everything(tmp_path) -> None:
    write_stations_record(tmp_path / "stations.json", out())
    found = json.loads((tmp_path / "stations.json").read_text(encoding="utf-8"))
    assert found == stations_record(out())
    assert list(found)[:3] == ["schema_version", "program", "draft"]
    assert found["labels"] == {"1R": 1, "1L": 2, "7": 3, "8Lo": 4, "20": 5}
    assert found["options"] == {"boundary_1_2": "notch"}
    seven = found["stations"]["7"]
    whole = out().stations.built["7"].with_conduit
    assert seven.pop("volume_with_conduit_cc") == pytest.approx(whole.volume_cc, rel=0.03)
    assert seven == {
        "built": True,
        "region": "III",
        "volume_cc": 2.5,
        "origin": "rules of the atlas",
        "landmarks": ["carina", "hiatus"],
        "notes": ["no azygos vein was given"],
    }
    assert found["stations"]["1R"]["volume_with_conduit_cc"] is None
    assert found["stations"]["20"] == {"built": False, "region": "IV", "reason": "no aorta"}
    assert found["landmarks"]["carina"]["point_mm"] == [1.0, 2.0, 3.0]
    assert found["landmarks_not_found"] == {"SMA_origin": "no aorta"}
    assert found["organs"] == {"aorta": {"source": "masks", "detail": "aorta.nii.gz"}}
    assert found["lesions"] == [
        {
            "roi": "GTV-N1",
            "level": None,
            "regions": ["III"],
            "region_shares": [{"region": "III", "fraction": 0.75}],
            "in_conduit": 0.1,
            "stations": [{"station": "7", "fraction": 0.5123}],
            "nearest": {"station": "7", "distance_mm": 0.0},
            "second_nearest": {"station": "8Lo", "distance_mm": 4.0},
            "notes": ["by station"],
        }
    ]
    assert [one["code"] for one in found["findings"]] == ["A"]
    assert found["provenance"]["input_hashes"] == {"ct_pixels": "ab"}
