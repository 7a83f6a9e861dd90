"""Masks that are unpacked before they are asked for are those that would be read then."""

from __future__ import annotations

import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.read.ahead import opened, unpacked_ahead
from pipeline.read.image_grid import read_image
from pipeline.read.organ_masks import organ_files
from pipeline.read.organ_names import load_organ_names


def save(folder: Path, number: int) -> Path:
    voxels = np.random.default_rng(number).integers(0, 2, size=(20, 30, 10), dtype=np.uint8)
    path = folder / f"{number}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4), dtype=np.uint8), path)
    return path


def test_masks_are_the_same(tmp_path: Path) -> None:
    paths = [save(tmp_path, number) for number in range(6)]
    plain = [read_image(path).array for path in paths]
    interval = sys.getswitchinterval()
    with unpacked_ahead(paths[:4]):
        ahead = [read_image(path).array for path in reversed(paths)][::-1]
        again = read_image(paths[0]).array
    assert sys.getswitchinterval() == interval
    for one, other in zip([*plain, plain[0]], [*ahead, again], strict=True):
        assert np.array_equal(one, other)


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    with unpacked_ahead([path]):
        pass
    path.unlink()
    with pytest.raises(InputError, match="image cannot be read"):
        opened(path)


def test_a_damaged_mask_is_told_to_whoever_opens_it(tmp_path: Path) -> None:
    path = save(tmp_path, 2)
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF
    path.write_bytes(data)
    with unpacked_ahead([path]), pytest.raises(InputError, match="incorrect data check"):
        opened(path)


def test_blocks_that_overlap_leave_the_interpreter_as_it_was(tmp_path: Path) -> None:
    paths = [save(tmp_path, number) for number in range(2)]
    interval = sys.getswitchinterval()
    first, second = unpacked_ahead(paths[:1]), unpacked_ahead(paths[1:])
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert sys.getswitchinterval() < interval
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == pytest.approx(interval)


def test_a_folder_that_cannot_be_looked_at_has_nothing_to_unpack_ahead(tmp_path):
    names = load_organ_names()
    (tmp_path / "liver.nii.gz").touch()
    assert organ_files(tmp_path, names) == [tmp_path / "liver.nii.gz"]
    assert organ_files(tmp_path / "nowhere", names) == []
    assert organ_files(tmp_path / ("x" * 300), names) == []
