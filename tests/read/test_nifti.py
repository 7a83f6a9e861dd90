"""Masks from NIfTI: the quick way gives what SimpleITK gives, and steps back where it does not apply."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.errors import InputError
from pipeline.read import nifti
from pipeline.read.image_grid import read_image
from pipeline.read.nifti import whole_nifti

VOXELS = np.random.default_rng(1).integers(0, 3, size=(6, 7, 8), dtype=np.uint8)
AFFINE = np.array([[0, -2, 0, 5], [0, 0, 3, -7], [1.5, 0, 0, 11], [0, 0, 0, 1]], dtype=float)


def save(path: Path, array: np.ndarray, *, slope: float = 1.0, inter: float = 0.0) -> Path:
    image = nibabel.Nifti1Image(array, AFFINE, dtype=array.dtype)
    image.header.set_slope_inter(slope, inter)
    nibabel.save(image, path)
    return path


def as_simpleitk_reads(path: Path) -> None:
    ours, theirs = read_image(path), sitk.ReadImage(path)
    assert np.array_equal(ours.array, sitk.GetArrayFromImage(theirs))
    assert tuple(ours.origin) == theirs.GetOrigin()
    assert tuple(ours.spacing) == theirs.GetSpacing()
    assert ours.axes.ravel() == pytest.approx(theirs.GetDirection(), abs=1e-6)


def test_a_compressed_mask_goes_the_quick_way(tmp_path: Path) -> None:
    path = save(tmp_path / "m.nii.gz", VOXELS)
    quick = whole_nifti(path).quick_bytes()
    assert quick is not None
    assert np.array_equal(quick.voxels, VOXELS.T)
    assert quick.highest == VOXELS.max()
    as_simpleitk_reads(path)


@pytest.mark.parametrize(
    "name, array, slope, inter",
    [
        ("m.nii", VOXELS, 1.0, 0.0),
        ("m.nii.gz", VOXELS.astype(np.int16), 1.0, 0.0),
        ("m.nii.gz", VOXELS.astype(np.float32), 1.0, 0.0),
        ("m.nii.gz", VOXELS, 2.0, 0.0),
        ("m.nii.gz", VOXELS, 1.0, -1.0),
    ],
)
def test_others_are_read_by_simpleitk(
    name: str, array: np.ndarray, slope: float, inter: float, tmp_path: Path
) -> None:
    path = save(tmp_path / name, array, slope=slope, inter=inter)
    assert whole_nifti(path).quick_bytes() is None
    as_simpleitk_reads(path)


def test_a_file_of_several_members(tmp_path: Path) -> None:
    path = save(tmp_path / "m.nii", VOXELS)
    packed = tmp_path / "packed.nii.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()[:400]) + gzip.compress(path.read_bytes()[400:]))
    assert whole_nifti(packed).quick_bytes() is None
    as_simpleitk_reads(packed)


def test_a_checksum_that_does_not_fit(tmp_path: Path) -> None:
    many = np.random.default_rng(2).integers(0, 2, size=(80, 80, 80), dtype=np.uint8)
    path = save(tmp_path / "m.nii.gz", many)
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"image cannot be read; where: file m.nii.gz.*incorrect data check"):
        read_image(path)


@pytest.mark.parametrize("crc32", [nifti._crc32, None])
def test_unpacked_with_either_checksum(
    crc32: Callable[[bytes], int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nifti, "_crc32", crc32)
    data = VOXELS.tobytes() * 50
    packed = gzip.compress(data)
    assert nifti._unpacked(packed, len(data)) == data
    assert nifti._unpacked(packed, 10) == data  # the length is a guess only
    assert nifti._unpacked(packed + gzip.compress(b"more"), len(data)) == data
    assert nifti._unpacked(packed + b"no gzip", len(data)) == data
    named = io.BytesIO()
    with gzip.GzipFile("mask.nii", "wb", fileobj=named) as stream:
        stream.write(data)
    assert nifti._unpacked(named.getvalue(), len(data)) == data
    for place in (0, 3, len(packed) // 2, len(packed) - 8):
        damaged = bytearray(packed)
        damaged[place] ^= 0xFF
        with pytest.raises(zlib.error):
            nifti._unpacked(bytes(damaged), len(data))
    with pytest.raises(zlib.error):
        nifti._unpacked(packed[: len(packed) // 2], len(data))
    with pytest.raises(zlib.error):
        nifti._unpacked(b"", len(data))


def test_four_dimensions(tmp_path: Path) -> None:
    path = save(tmp_path / "m.nii.gz", np.stack([VOXELS, VOXELS], axis=-1))
    with pytest.raises(InputError, match=r"image of the wrong form.*got: 4 dimensions and 1 values"):
        read_image(path)


@pytest.mark.parametrize("at_once", [1 << 26, 1])
@given(data=st.data())
def test_an_unpacked_mask_knows_a_box_that_holds_it(at_once: int, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*(st.integers(1, most) for most in (90, 70, 5))))
    array = np.zeros(shape, dtype=np.uint8)
    for _ in range(data.draw(st.integers(0, 4))):
        array[tuple(data.draw(st.integers(0, count - 1)) for count in shape)] = data.draw(st.integers(1, 3))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(nifti, "_AT_ONCE_BYTES", at_once)
        patch.setattr(nifti, "_BLOCK_BYTES", 1 << 13)
        path = save(Path(folder, "m.nii.gz"), array)
        quick = whole_nifti(path).quick_bytes()
        image = read_image(path)
    assert quick is not None
    assert np.array_equal(quick.voxels, array.T)
    assert quick.highest == array.max()
    for axis in range(3):
        turned = image.flipped(axis).ordered((2, 0, 1))
        rest = np.array(turned.array)
        assert turned.within is not None
        rest[turned.within] = 0
        assert not rest.any()
