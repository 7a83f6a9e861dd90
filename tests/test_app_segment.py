"""`segment`: TotalSegmentator in the run of a case, beside what structure set and masks give."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.cli import app
from pipeline.core.errors import UsageError
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.volume import Mask
from pipeline.write import write_masks
from tests import made_case
from tests.fake_segmenter import VERSION, install_fake

GRID = made_case.GRID


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_case.write_dicom(tmp_path_factory.mktemp("made"))


def block(low: int, high: int) -> Mask:
    """Slices `low` up to `high` of the middle."""
    voxels = np.zeros(GRID.shape, dtype=bool)
    voxels[low:high, 28:36, 28:36] = True
    return Mask(grid=GRID, voxels=voxels)


def run(source: InputChoice, out: Path) -> dict:
    run_case(RunRequest(source=source, out=out, settings=Settings(arm=ArmChoice.IFI), pictures=False))
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_what_is_lacking_is_segmented(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = {"vertebrae_T1": block(10, 18), "spinal_cord": block(0, 24), "pulmonary_vein": block(4, 9)}
    classes = list(truth)
    fake = install_fake(tmp_path, monkeypatch, truth=truth, tasks={"total": classes})
    write_masks(tmp_path / "masks", {"vertebrae_T1": block(12, 20), "vertebrae_body": block(0, 24)})
    choice = InputChoice(path=made, anatomy=tmp_path / "masks", segment=True)
    report = run(choice, tmp_path / "out")
    # T1 from the masks, up to slice 19; the veins from the program; the cord is an ROI of the structure set.
    assert report["landmarks"]["T1_top"]["point_mm"][2] == pytest.approx(19.5 * 3.0, abs=1.6)
    assert report["landmarks"]["inferior_pulmonary_vein_lowest"]["point_mm"][2] == pytest.approx(
        3.5 * 3.0, abs=1.6
    )
    told = {f["where"]: f["message"] for f in report["findings"] if f["code"] == "ORGANS_SEGMENTED"}
    assert told["TotalSegmentator task total"].startswith(f"Version {VERSION} gave 1 organs")
    failed = [f for f in report["findings"] if f["code"] == "SEGMENTATION_TASK_FAILED"]
    assert len(failed) == 5  # the tasks that this one does not know
    assert "anatomy" in report["provenance"]["seconds"]
    assert fake.tasks_run == ["total"]


def test_without_the_program_nothing_is_read_and_nothing_is_left(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="TotalSegmentator is not installed"):
        run(InputChoice(path=tmp_path / "no such case", segment=True), tmp_path / "out")
    words = ["run", str(made), "--out", str(tmp_path / "out"), "--arm", "ifi", "--segment"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "pip install '.[segment]'" in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_segment_alone_asks_for_anatomy(made: Path) -> None:
    assert InputChoice(path=made, segment=True).asks_for_anatomy
    assert not InputChoice(path=made).asks_for_anatomy
