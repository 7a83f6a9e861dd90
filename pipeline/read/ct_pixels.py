"""Pixel data of a CT series to Hounsfield units, each file's pixels read once."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.core.errors import SeriesError
from pipeline.core.volume import Volume
from pipeline.read.ct_series import PlacedSeries, Slice
from pipeline.read.dicom_index import BROKEN, DicomFile
from pipeline.read.resampled import AIR_HU, resampled

# A padding value whose Hounsfield units lie in this range could be tissue as well: some exporters
# write 0 without thought. Only padding beyond it is set to air.
_TISSUE_HU = (-1000.0, 4000.0)
_PIXEL_DATA = b"\xe0\x7f\x10\x00"

Array = npt.NDArray[Any]


def read_volume(series: PlacedSeries) -> tuple[Volume, str]:
    """The CT on its grid, and the hash of the slices' own pixels.

    Raises:
        SeriesError: a slice whose pixel data is missing, cut short or cannot be decoded.
    """
    stack = _stack(series)
    if series.scanned is None:
        volume = Volume(grid=series.grid, hu=stack)
        return volume, hash_pixels(volume.hu)
    return resampled(stack, series.scanned, series.slices[0].spacing_mm, series.grid), hash_pixels(stack)


def _stack(series: PlacedSeries) -> Array:
    """Hounsfield units as int16 where every slice's rescaling keeps them whole and in range, else float32."""
    columns, rows = series.slices[0].size
    out: Array = np.empty((len(series.slices), rows, columns), dtype=np.int16)
    for k, one in enumerate(series.slices):
        stored = _stored(one)
        slope, intercept = _rescale(one)
        whole = slope == 1.0 and intercept.is_integer()
        if out.dtype == np.int16 and not (whole and _fits(stored, int(intercept))):
            out = out.astype(np.float32)
        if out.dtype == np.int16:
            np.add(stored, np.int64(intercept).astype(stored.dtype), out=out[k], casting="unsafe")
        else:
            out[k] = stored * np.float32(slope) + np.float32(intercept)
        padding = _padding(one, slope, intercept)
        if padding is not None:
            low, high = padding
            out[k][(stored >= low) & (stored <= high)] = AIR_HU
    return out


def hash_pixels(hu: Array) -> str:
    """SHA-256 of Hounsfield units in slice order: the same whatever the files' transfer syntax."""
    return hashlib.sha256(np.ascontiguousarray(hu).data).hexdigest()


def _stored(one: Slice) -> Array:
    """Stored values of one slice, shape (rows, columns)."""
    file = one.file
    header = file.header
    try:
        shape = (one.size[1], one.size[0])
        plain = (
            file.header.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
            in {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
            and header.BitsAllocated == 16
            and header.get("SamplesPerPixel", 1) == 1
        )
        stored = _plain_pixels(file, shape) if plain else _decoded(file)
        if stored.shape != shape:
            raise ValueError(f"an image of shape {stored.shape}")
        return _in_stored_bits(stored, int(header.get("BitsStored", 16)))
    except BROKEN as error:
        raise SeriesError(
            "CT slice cannot be read",
            where=f"file {file.label}",
            expected=f"{one.size[0]} x {one.size[1]} pixels",
            got=str(error) or type(error).__name__,
            todo="export the series again, uncompressed if your system lets you choose",
        ) from error


def _plain_pixels(file: DicomFile, shape: tuple[int, int]) -> Array:
    """Uncompressed 16-bit pixels, straight from the file."""
    dtype = np.dtype("<i2" if file.header.PixelRepresentation == 1 else "<u2")
    pixels = np.empty(shape, dtype=dtype)
    with file.path.open("rb") as stream:
        stream.seek(file.pixel_offset)
        implicit, _ = file.header.original_encoding
        start = stream.read(8 if implicit else 12)
        if start[:4] != _PIXEL_DATA:
            raise ValueError("no pixel data")
        length = struct.unpack("<L", start[-4:])[0]
        got = min(stream.readinto(pixels.data.cast("B")), length)
    if got < pixels.nbytes:
        raise ValueError(f"pixel data cut short: {got} of {pixels.nbytes} bytes")
    return pixels


def _decoded(file: DicomFile) -> Array:
    """Pixels of any other transfer syntax: by pydicom, or by the GDCM inside SimpleITK."""
    whole = pydicom.dcmread(file.path, force=True)
    try:
        return np.asarray(whole.pixel_array).astype(np.int32)
    except (NotImplementedError, RuntimeError):
        import SimpleITK
    try:
        image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file.path)))[0]
    except RuntimeError as error:
        syntax = whole.file_meta.TransferSyntaxUID
        raise ValueError(f"pixels of {syntax.name} that no decoder here understands") from error
    slope, intercept = float(whole.get("RescaleSlope", 1)), float(whole.get("RescaleIntercept", 0))
    return np.asarray(np.round((image - intercept) / slope)).astype(np.int32)


def _in_stored_bits(stored: Array, bits: int) -> Array:
    """Stored values without what older scanners keep in the unused high bits."""
    width = 8 * stored.dtype.itemsize
    if bits >= width or stored.dtype.kind not in "iu" or stored.dtype.itemsize > 2:
        return stored
    signed = stored.dtype.kind == "i"
    lowest, highest = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if stored.min() >= lowest and stored.max() <= highest:
        return stored
    return np.asarray((stored << (width - bits)) >> (width - bits))


def _rescale(one: Slice) -> tuple[float, float]:
    header = one.file.header
    try:
        return float(header.get("RescaleSlope", 1) or 1), float(header.get("RescaleIntercept", 0) or 0)
    except BROKEN as error:
        raise SeriesError(
            "CT slice without readable rescaling",
            where=f"file {one.file.label}",
            expected="RescaleSlope and RescaleIntercept as numbers",
            got=str(error),
            todo="export the series again",
        ) from error


def _fits(stored: Array, intercept: int) -> bool:
    limits = np.iinfo(np.int16)
    low, high = int(stored.min()) + intercept, int(stored.max()) + intercept
    return stored.dtype.kind in "iu" and limits.min <= low and high <= limits.max


def _padding(one: Slice, slope: float, intercept: float) -> tuple[int, int] | None:
    """Lowest and highest stored value that mean `no image here`, if the slice tells them."""
    header = one.file.header
    value = _integer(header, "PixelPaddingValue")
    if value is None:
        return None
    limit = _integer(header, "PixelPaddingRangeLimit")
    low, high = sorted((value, value if limit is None else limit))
    hu = (low * slope + intercept, high * slope + intercept)
    if any(_TISSUE_HU[0] <= one_hu <= _TISSUE_HU[1] for one_hu in hu):
        return None
    return low, high


def _integer(header: pydicom.Dataset, keyword: str) -> int | None:
    try:
        value = header.get(keyword)
        return None if value is None else int(value)
    except BROKEN:
        return None
