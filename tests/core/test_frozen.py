"""Values travel: to another process and back, and into sets and keys."""

from __future__ import annotations

import copy
import pickle

import pytest
from shapely.geometry import MultiPolygon, box

from pipeline.core.anatomy import Landmark, Landmarks, Organ, Organs, OrganSource
from pipeline.core.contour import Contours
from pipeline.core.frozen import FrozenMap
from pipeline.core.rules import ArmChoice, MarginName, Settings
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from tests.cases import case_of, disc, grid_of
from tests.closed_forms import make_grid

GRID = make_grid(size=(8, 7, 5))


def test_a_frozen_map_is_a_mapping_that_cannot_be_changed() -> None:
    source = {"a": 1, "b": 2}
    frozen = FrozenMap(source)
    source["c"] = 3
    assert frozen == {"a": 1, "b": 2}
    assert (list(frozen), len(frozen), frozen["b"]) == (["a", "b"], 2, 2)
    assert hash(frozen) == hash(FrozenMap({"b": 2, "a": 1}))
    assert repr(frozen) == "FrozenMap({'a': 1, 'b': 2})"
    with pytest.raises(TypeError):
        frozen["a"] = 5  # type: ignore[index]


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_values_travel(travel) -> None:
    contours = Contours(grid=GRID, sections={2: MultiPolygon([box(0, 0, 3, 2)])})
    assert travel(contours).sections[2].area == 6.0
    protocol = load_protocol("esophagus-salvage-2020")
    assert travel(protocol) == protocol
    settings = Settings(arm=ArmChoice.IFI, margins={MarginName.HORIZONTAL: 6.0})
    assert travel(settings) == settings
    mask = Mask(grid=GRID, voxels=contours_voxels())
    organs = Organs(
        grid=GRID, by_name={"heart": Organ(name="heart", mask=mask, source=OrganSource.MASKS, detail="x")}
    )
    assert travel(organs)["heart"].volume_cc == mask.volume_cc
    assert (list(organs), len(organs), "heart" in organs) == (["heart"], 1, True)
    landmark = Landmark(name="carina", point_mm=(1.0, 2.0, 3.0), inferred=False, error_mm=3.0, how="seen")
    assert travel(Landmarks(found={"carina": landmark})).found == {"carina": landmark}
    case = case_of(grid_of(), [{k: disc(20, -35, 10) for k in range(12, 18)}])
    assert travel(case).lesions[0].contours.volume_cc == case.lesions[0].contours.volume_cc


def contours_voxels():
    import numpy as np

    voxels = np.zeros(GRID.shape, dtype=bool)
    voxels[1:3, 2:4, 2:5] = True
    return voxels


def test_settings_and_protocols_can_be_keys() -> None:
    settings = Settings(arm=ArmChoice.IFI, margins={MarginName.HORIZONTAL: 6.0})
    assert {settings: 1}[Settings(arm=ArmChoice.IFI, margins={MarginName.HORIZONTAL: 6.0})] == 1
    protocol = load_protocol("esophagus-salvage-2020")
    assert len({protocol, load_protocol("esophagus-salvage-2020")}) == 1


def test_organs_on_another_grid_are_refused() -> None:
    from pipeline.core.errors import GeometryError

    other = make_grid(size=(8, 7, 5), centre_mm=(0, 0, 1))
    mask = Mask(grid=GRID, voxels=contours_voxels())
    organ = Organ(name="heart", mask=mask, source=OrganSource.MASKS)
    with pytest.raises(GeometryError, match="organ lies on another grid than the CT; where: heart"):
        Organs(grid=other, by_name={"heart": organ})
    assert OrganSource.STRUCTURE_SET.rank < OrganSource.MASKS.rank < OrganSource.IMAGE.rank
