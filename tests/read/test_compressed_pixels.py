"""Compressed CT slices: lossless transfer syntaxes give the Hounsfield units that they were made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

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


def by_pydicom(syntax: UID) -> Callable[[Path], None]:
    def compress(file: Path) -> None:
        slice_ = pydicom.dcmread(file)
        slice_.compress(syntax, generate_instance_uid=False)
        slice_.save_as(file)

    return compress


def by_gdcm(file: Path) -> None:
    """Lossless JPEG, which pydicom cannot write: the pixels as another writer's file holds them."""
    slice_ = pydicom.dcmread(file)
    writer = SimpleITK.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetFileName(str(file.with_suffix(".gdcm")))
    writer.UseCompressionOn()
    writer.SetCompressor("JPEG")
    writer.Execute(SimpleITK.GetImageFromArray(slice_.pixel_array[None]))
    other = pydicom.dcmread(file.with_suffix(".gdcm"))
    file.with_suffix(".gdcm").unlink()
    assert other.BitsStored == 16
    assert other.PixelRepresentation == slice_.PixelRepresentation
    slice_.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
    slice_["PixelData"] = other["PixelData"]
    slice_.save_as(file)


COMPRESS = {
    RLELossless: by_pydicom(RLELossless),
    JPEG2000Lossless: by_pydicom(JPEG2000Lossless),
    JPEGLSLossless: by_pydicom(JPEGLSLossless),
    JPEGLosslessSV1: by_gdcm,
}
SIZE = (72, 64, 4)  # the encoder of JPEG 2000 wants 64 pixels a side
each_syntax = pytest.mark.parametrize("syntax", COMPRESS, ids=lambda one: one.name.split("[")[0].strip())


@each_syntax
@pytest.mark.parametrize("stored", ["int16", "uint16"])
@pytest.mark.parametrize("slope", [1.0, 0.5])
def test_compressed_pixels_are_decoded(tmp_path: Path, syntax: UID, stored: str, slope: float) -> None:
    ct = make_ct(tmp_path, CtSpec(size=SIZE, hu=gradient, stored=stored, slope=slope))
    plain = volume_of(tmp_path)
    assert len(np.unique(plain.hu)) > 50
    for file in ct.files:
        COMPRESS[syntax](file)
        assert pydicom.dcmread(file).file_meta.TransferSyntaxUID == syntax
    compressed = volume_of(tmp_path)
    assert compressed.hu.dtype == plain.hu.dtype
    assert np.array_equal(compressed.hu, plain.hu)
    assert hash_pixels(compressed.hu) == hash_pixels(plain.hu)


@each_syntax
def test_one_compressed_slice_among_plain_ones(tmp_path: Path, syntax: UID) -> None:
    ct = make_ct(tmp_path, CtSpec(size=SIZE, hu=gradient))
    plain = volume_of(tmp_path)
    COMPRESS[syntax](ct.files[2])
    assert np.array_equal(volume_of(tmp_path).hu, plain.hu)


@each_syntax
@pytest.mark.parametrize("fault", ["cut", "garbled", "empty"])
def test_damaged_compressed_pixels_are_an_error_that_names_the_file(
    tmp_path: Path, syntax: UID, fault: str
) -> None:
    ct = make_ct(tmp_path, CtSpec(size=SIZE, hu=gradient))
    COMPRESS[syntax](ct.files[2])
    slice_ = pydicom.dcmread(ct.files[2])
    frame = next(pydicom.encaps.generate_frames(slice_.PixelData, number_of_frames=1))
    damaged = {"cut": frame[: len(frame) // 3], "garbled": b"\x07" * len(frame), "empty": bytes(2)}[fault]
    slice_.PixelData = pydicom.encaps.encapsulate([damaged])
    slice_.save_as(ct.files[2])
    with pytest.raises(SeriesError, match="CT slice cannot be read") as caught:
        volume_of(tmp_path)
    assert caught.value.got == f"pixels of {syntax.name} that no decoder here understands"
    assert ct.files[2].name in caught.value.where


def test_a_compressed_image_of_another_size_is_an_error(tmp_path: Path) -> None:
    ct = make_ct(tmp_path, CtSpec(size=SIZE, hu=gradient))
    slice_ = pydicom.dcmread(ct.files[2])
    slice_.compress(JPEG2000Lossless, generate_instance_uid=False)
    slice_.Rows, slice_.Columns = slice_.Columns, slice_.Rows
    slice_.save_as(ct.files[2])
    with pytest.raises(SeriesError):
        volume_of(tmp_path)
