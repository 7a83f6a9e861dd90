"""Stored values to Hounsfield units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from pipeline.core.errors import SeriesError
from pipeline.core.volume import Volume
from pipeline.read.ct_pixels import hash_pixels, read_volume
from pipeline.read.ct_series import find_ct_series, place_series
from pipeline.read.dicom_index import index_folder
from tests.dicom_maker import CtSpec, make_ct


def volume_of(folder: Path) -> Volume:
    (series,) = find_ct_series(index_folder(folder))
    return read_volume(place_series(series))[0]


def gradient(points: np.ndarray) -> np.ndarray:
    return np.round(points[:, 0] * 40 + points[:, 2])


@pytest.mark.parametrize("stored", ["int16", "uint16"])
@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("intercept", [-1024.0, 0.0, -8192.0])
def test_whole_rescaling_gives_int16(tmp_path: Path, stored: str, implicit: bool, intercept: float) -> None:
    if stored == "uint16" and intercept == 0.0:
        pytest.skip("unsigned values without intercept hold no air")
    make_ct(tmp_path / "a", CtSpec(hu=gradient, stored=stored, implicit=implicit, intercept=intercept))
    make_ct(tmp_path / "b", CtSpec(hu=gradient))
    volume, plain = volume_of(tmp_path / "a"), volume_of(tmp_path / "b")
    assert volume.hu.dtype == np.int16
    assert np.array_equal(volume.hu, plain.hu)
    assert volume.hu.min() < -500
    assert hash_pixels(volume.hu) == hash_pixels(plain.hu)


def test_fractions_give_float32(tmp_path: Path) -> None:
    make_ct(tmp_path, CtSpec(hu=gradient, slope=0.5, intercept=-1000.25))
    volume = volume_of(tmp_path)
    assert volume.hu.dtype == np.float32
    assert volume.hu.max() == pytest.approx(gradient(np.array([[28.0, 0, 47.5]]))[0], abs=2)


def test_values_beyond_int16_are_kept(tmp_path: Path) -> None:
    make_ct(tmp_path, CtSpec(hu=lambda p: np.where(p[:, 2] > 45, 40000.0, 10.0), stored="uint16"))
    volume = volume_of(tmp_path)
    assert (volume.hu[0].max(), volume.hu[-1].max()) == (10, 40000)


def test_a_rescaling_that_changes_between_slices(tmp_path: Path) -> None:
    ct = make_ct(tmp_path, CtSpec(hu=100.0))
    header = pydicom.dcmread(ct.files[4])
    header.RescaleSlope = 2
    header.save_as(ct.files[4])
    volume = volume_of(tmp_path)
    assert volume.hu[3].max() == 100
    assert volume.hu[4].max() == 2 * 1124 - 1024


def test_padding_beyond_tissue_becomes_air(tmp_path: Path) -> None:
    def ringed(points: np.ndarray) -> np.ndarray:
        return np.where(np.abs(points[:, 0] - 5) > 15, -3000.0, 50.0)

    make_ct(tmp_path, CtSpec(hu=ringed, extra={"PixelPaddingValue": -1976}))
    assert sorted(np.unique(volume_of(tmp_path).hu)) == [-1024, 50]


def test_a_padding_value_that_may_be_tissue_is_left_alone(tmp_path: Path) -> None:
    make_ct(tmp_path, CtSpec(hu=0.0, intercept=0.0, extra={"PixelPaddingValue": 0}))
    assert np.unique(volume_of(tmp_path).hu) == [0]


def test_unused_high_bits_are_masked(tmp_path: Path) -> None:
    ct = make_ct(tmp_path, CtSpec(hu=100.0, stored="uint16", extra={"BitsStored": 12, "HighBit": 11}))
    header = pydicom.dcmread(ct.files[0])
    header.PixelData = (np.frombuffer(header.PixelData, "<u2") | 0xF000).tobytes()
    header.save_as(ct.files[0])
    assert np.unique(volume_of(tmp_path).hu) == [100]


def test_pixels_cut_short_are_an_error_that_names_the_file(tmp_path: Path) -> None:
    ct = make_ct(tmp_path)
    whole = ct.files[2].read_bytes()
    ct.files[2].write_bytes(whole[:-200])
    with pytest.raises(
        SeriesError, match=r"cannot be read.*pixel data cut short: 760 of 960 bytes"
    ) as caught:
        volume_of(tmp_path)
    assert ct.files[2].name in caught.value.where


def test_a_slice_without_pixels(tmp_path: Path) -> None:
    ct = make_ct(tmp_path)
    header = pydicom.dcmread(ct.files[2])
    del header.PixelData
    header.save_as(ct.files[2])
    with pytest.raises(SeriesError, match="no pixel data"):
        volume_of(tmp_path)
