"""TotalSegmentator's part: what is asked of it, what becomes of its answer, and of its failures."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.anatomy import Organs, OrganSource
from pipeline.core.errors import ConfigError, UsageError
from pipeline.core.grid import Grid
from pipeline.core.report import Severity
from pipeline.core.volume import Mask, Volume
from pipeline.read import load_organ_names, merge_organs, segmented_organs
from pipeline.read.segment_tasks import load_segment_tasks
from pipeline.read.segmenter import Segmenter, find_segmenter
from tests.cases import POSITIONS, grid_of
from tests.fake_segmenter import VERSION, install_fake
from tests.phantoms import coarse

NAMES = load_organ_names()
TASKS = load_segment_tasks(NAMES)
LUNGS = ["lung_upper_lobe_left", "lung_lower_lobe_left"]
LEFT, RIGHT = (45.0, -35.0, 112.0), (-5.0, -35.0, 120.0)
LEFT_HANDED = (-1, 0, 0, 0, 1, 0, 0, 0, 1)


def ball(on: Grid, centre: Sequence[float], radius: float = 11.0) -> Mask:
    k, j, i = np.indices(on.shape)
    points = on.to_patient(np.column_stack([i.ravel(), j.ravel(), k.ravel()]))
    return Mask(grid=on, voxels=(np.linalg.norm(points - centre, axis=1) <= radius).reshape(on.shape))


def ct(on: Grid) -> Volume:
    return Volume(grid=on, hu=np.full(on.shape, 40, dtype=np.int16))


ON = grid_of(size=(52, 44, 20), spacing=(2.0, 2.5, 3.0))
TRUTH = {
    "lung_upper_lobe_left": ball(ON, LEFT),
    "lung_lower_lobe_left": ball(ON, (45.0, -35.0, 95.0), 6.0),
    "heart": ball(ON, RIGHT),
    "mediastinum": ball(ON, RIGHT, 14.0),
}


def run(*, given: Sequence[str] = (), tasks: Mapping[str, Sequence[str]] | None = None) -> Organs:
    return segmented_organs(ct(ON), NAMES, given=given, tasks=tasks)


def message(organs: Organs, code: str) -> str:
    return " | ".join(f"{one.where}: {one.message}" for one in organs.findings if one.code == code)


class TestResult:
    @pytest.mark.slow
    def test_organs_with_version_and_task(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        classes = {"total": [*LUNGS, "heart", "spleen"], "trunk_cavities": ["mediastinum"]}
        fake = install_fake(tmp_path, monkeypatch, truth=TRUTH, tasks=classes)
        organs = run(tasks=classes)
        assert set(organs) == {*TRUTH, "lung_left"}
        for name, mask in TRUTH.items():
            assert np.array_equal(organs[name].voxels, mask.voxels), name
        assert {one.source for one in organs.by_name.values()} == {OrganSource.SEGMENTATION}
        details = {name: one.detail for name, one in organs.by_name.items()}
        heart = f"version {VERSION}, task total, file total_labels.nii.gz, label 3 'heart'"
        assert details["heart"] == heart
        assert details["lung_left"] == f"version {VERSION}, task total, union of {', '.join(LUNGS)}"
        assert details["mediastinum"].startswith(f"version {VERSION}, task trunk_cavities")
        assert "gave 4 organs that nobody had given" in message(organs, "ORGANS_SEGMENTED")
        assert "not there: spleen." in message(organs, "ORGAN_EMPTY")
        assert fake.tasks_run == ["total", "trunk_cavities"]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "direction",
        [POSITIONS["HFS"], POSITIONS["FFP"], POSITIONS["HFDL"], LEFT_HANDED],
        ids=["HFS", "FFP", "HFDL", "left-handed"],
    )
    def test_left_is_left_however_the_ct_is_stored(
        self, direction: tuple[float, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        half = np.array(direction).reshape(3, 3) @ (np.array((2.0, 2.5, 3.0)) * (51, 43, 19) / 2)
        x, y, z = (float(value) for value in np.array((20.0, -35.0, 112.0)) - half)
        on = Grid(
            size=(52, 44, 20),
            spacing_mm=(2.0, 2.5, 3.0),
            origin_mm=(x, y, z),
            direction=direction,  # type: ignore[arg-type]
        )
        fine = grid_of(size=(120, 120, 100), spacing=(1.0, 1.0, 1.0))
        truth = {"kidney_left": ball(fine, LEFT), "kidney_right": ball(fine, RIGHT)}
        install_fake(tmp_path, monkeypatch, truth=truth, tasks={"total": list(truth)})
        organs = segmented_organs(ct(on), NAMES, tasks={"total": list(truth)})
        for name, centre in (("kidney_left", LEFT), ("kidney_right", RIGHT)):
            found, meant = organs[name].voxels, ball(on, centre).voxels
            assert 2 * np.count_nonzero(found & meant) / (found.sum() + meant.sum()) > 0.9

    @pytest.mark.cohort
    def test_the_synthetic_patient(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = coarse()
        classes = {task: [one for one in organs if one in made.organs] for task, organs in TASKS.items()}
        truth = {name: made.organs[name] for organs in classes.values() for name in organs}
        fake = install_fake(tmp_path, monkeypatch, truth=truth, tasks=classes)
        organs = merge_organs(made.volume.grid, [segmented_organs(made.volume, NAMES)], NAMES)
        assert truth.keys() <= set(organs)
        assert fake.tasks_run == list(TASKS)
        for name, mask in truth.items():
            assert np.array_equal(organs[name].voxels, mask.voxels), name
        assert {f.code for f in organs.findings} <= {"ORGANS_SEGMENTED", "SEGMENTATION_TASK_FAILED"}

    def test_the_command_on_the_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = install_fake(tmp_path, monkeypatch, truth=TRUTH, tasks={"total": ["heart"]}, as_command=True)
        assert set(run(tasks={"total": ["heart"]})) == {"heart"}
        assert fake.tasks_run == ["total"]

    def test_the_ct_is_handed_over_in_a_folder_that_is_gone_afterwards(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake = install_fake(tmp_path, monkeypatch, tasks={"total": "crash"})
        run(tasks={"total": ["heart"]})
        (call,) = fake.calls
        path = Path(call["input"])
        assert path.name == "ct.nii.gz"
        assert Path(call["cwd"]) == path.parent
        assert not path.parent.exists()


CLASSES = {"total": [*LUNGS, "heart"], "trunk_cavities": ["mediastinum"]}


class TestWhatIsLacking:
    def test_what_is_given_is_left_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = install_fake(tmp_path, monkeypatch, truth=TRUTH, tasks=CLASSES)
        organs = run(given=["heart", "mediastinum", "lung_left"], tasks=CLASSES)
        assert set(organs) == set(LUNGS)
        assert fake.tasks_run == ["total"]

    def test_with_everything_given_it_is_not_started(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake = install_fake(tmp_path, monkeypatch, tasks=CLASSES)
        organs = run(given=[*LUNGS, "heart", "mediastinum"], tasks=CLASSES)
        assert not len(organs)
        assert not organs.findings
        assert not fake.calls

    @pytest.mark.slow
    def test_an_organ_of_two_tasks_is_the_first_one_s(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        classes = {"total": ["heart"], "trunk_cavities": ["heart", "mediastinum"]}
        install_fake(tmp_path, monkeypatch, truth=TRUTH, tasks=classes)
        organs = run(tasks=classes)
        assert "task total" in organs.by_name["heart"].detail
        assert set(organs) == {"heart", "mediastinum"}


class TestFailures:
    @pytest.mark.slow
    def test_a_task_that_fails_is_told_and_the_others_are_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tasks = {
            "total": "crash",
            "vertebrae_body": "licence",
            "headneck_muscles": "silent",
            "headneck_bones_vessels": [],  # a label map without names
            "trunk_cavities": ["mediastinum"],
        }
        install_fake(tmp_path, monkeypatch, truth=TRUTH, tasks=tasks)
        organs = run()
        assert set(organs) == {"mediastinum"}
        told = {f.where: f.message for f in organs.findings if f.code == "SEGMENTATION_TASK_FAILED"}
        assert (
            "exit code 1: RuntimeError: CUDA out of memory, ct.nii.gz." in told["TotalSegmentator task total"]
        )
        assert "not openly available" in told["TotalSegmentator task vertebrae_body"]
        assert "it wrote no result" in told["TotalSegmentator task headneck_muscles"]
        assert "label map without names" in told["TotalSegmentator task headneck_bones_vessels"]
        assert "invalid choice: 'lung_vessels'" in told["TotalSegmentator task lung_vessels"]
        assert len(told) == len(TASKS) - 1
        failed = [f for f in organs.findings if f.code == "SEGMENTATION_TASK_FAILED"]
        assert {f.severity for f in failed} == {Severity.WARNING}

    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(
            UsageError, match=r"TotalSegmentator is not installed.*pip install '\.\[segment\]'"
        ):
            run()

    @pytest.mark.parametrize("command", ["/no/such/program", "false"])
    def test_it_does_not_start(self, command: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"TotalSegmentator does not start; where: --segment"):
            Segmenter(command=(command,)).version(tmp_path)

    def test_it_does_not_say_its_version(self, tmp_path: Path) -> None:
        assert Segmenter(command=(sys.executable, "-c", "pass")).version(tmp_path) == "unknown"

    def test_the_package_goes_before_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install_fake(tmp_path, monkeypatch, tasks={})
        assert find_segmenter().command[1:] == ("-m", "totalsegmentator.bin.TotalSegmentator")


class TestTable:
    def test_the_tasks_in_their_order(self) -> None:
        assert list(TASKS) == [
            "total",
            "lung_vessels",
            "trunk_cavities",
            "headneck_bones_vessels",
            "headneck_muscles",
            "vertebrae_body",
        ]
        assert len(set(TASKS["total"])) == 117

    def test_an_organ_that_the_atlas_does_not_know(self, tmp_path: Path) -> None:
        path = tmp_path / "segmenter.yaml"
        path.write_text('edition: "1"\ntasks:\n  total: [heart, snout]\n')
        with pytest.raises(ConfigError, match=r"task gives an unknown organ.*got: snout"):
            load_segment_tasks(NAMES, path)
