"""Where the image shows a part of the patient, lung at its edge is not taken for air outside."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.volume import Volume
from pipeline.read.protocols import load_protocol
from pipeline.run.targets import make_targets
from tests.anatomy.test_tissue import scene
from tests.cases import POSITIONS, case_of, disc
from tests.known import known

pytestmark = pytest.mark.slow

# The body alone: what image processing takes for lung is another matter.
OTHERS = ("lung", "airway", "bone", "heart", "great_vessels")
IFI = Settings(arm=ArmChoice.IFI, barriers=dict.fromkeys(OTHERS, False))


def told(volume: Volume, u: float, v: float) -> tuple[list[str], float]:
    """Codes of the findings on the body, and the CTV in cc, for a lesion of 8 mm at a place."""
    case = case_of(volume.grid, [{k: disc(u, v, 8) for k in range(3, 5)}], hu=volume.hu)
    result = make_targets(case, known(case), load_protocol(), IFI)
    codes = [f.code for f in result.findings if "BODY" in f.code or f.code == "CTV_CUT_BY_BARRIER"]
    return codes, result.arms[0]["CTV"].contours.volume_cc


@pytest.mark.parametrize("position", POSITIONS)
def test_in_the_whole_patient_the_body_is_known(position: str) -> None:
    volume, _ = scene(position)
    assert told(volume, 60.0, 0.0)[0] == []
    assert told(volume, 0.0, -70.0)[0] == ["CTV_CUT_BY_BARRIER"], "at the skin"


@pytest.mark.parametrize("radius", [90.0, 70.0])
def test_a_round_field_of_view_through_the_lung_is_noticed(radius: float) -> None:
    volume, _ = scene("HFS")
    grid = volume.grid
    k, j, i = np.indices(grid.shape)
    points = grid.to_patient(np.stack([i, j, k], axis=-1).reshape(-1, 3).astype(float))
    x, y, _ = points.T.reshape(3, *grid.shape)
    hu = np.where(np.hypot(x + 20, y) > radius, -1024, volume.hu).astype(np.int16)
    whole = told(volume, 50.0, 0.0)[1]
    codes, ctv_cc = told(Volume(grid=grid, hu=hu), 50.0, 0.0)
    assert codes == ["BODY_OUTLINE_DOUBTFUL"]
    assert ctv_cc == pytest.approx(whole, rel=0.001)


def test_a_crop_inside_the_chest_is_noticed() -> None:
    volume, _ = scene("HFS")
    hu = np.full(volume.grid.shape, -820, dtype=np.int16)
    hu[:, 50:70, 60:100] = 40
    codes, ctv_cc = told(Volume(grid=volume.grid, hu=hu), 40.0, 0.0)
    assert codes == ["BODY_OUTLINE_DOUBTFUL"]
    assert ctv_cc == pytest.approx(told(volume, 60.0, 0.0)[1], rel=0.01)
