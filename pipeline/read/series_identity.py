"""What every slice must say of patient, study and itself, before anything can refer to it."""

from __future__ import annotations

from collections import Counter

from pipeline.core.errors import SeriesError
from pipeline.read.dicom_index import DicomFile
from pipeline.read.series_checks import problem
from pipeline.read.slices import CtSeries

_AGAIN = "export the series again"


def identity(series: CtSeries) -> list[SeriesError]:
    """Slices of several patients or studies, slices without UIDs of their own, slices without rescaling."""
    return [*_several(series), *_without_uids(series), *_without_rescaling(series)]


def _several(series: CtSeries) -> list[SeriesError]:
    found = []
    for keyword, what in (("PatientID", "patient"), ("StudyInstanceUID", "study")):
        values = _values(series, keyword)
        named = [value for value in values if value]
        if len(named) > 1:
            odd = min(named, key=lambda value: values[value])
            file = next(file for file in series.files if file.text(keyword) == odd)
            found.append(
                problem(
                    series,
                    f"{what} changes within the CT series",
                    file=file,
                    expected=f"one {keyword}",
                    got=f"{len(named)} different ones",
                    todo=_AGAIN,
                )
            )
    return found


def _without_uids(series: CtSeries) -> list[SeriesError]:
    found = []
    for keyword in ("StudyInstanceUID", "SOPInstanceUID"):
        empty = [file for file in series.files if not file.text(keyword)]
        if empty:
            found.append(
                problem(
                    series,
                    f"CT slices without a {keyword}",
                    file=empty[0],
                    expected="one in every slice, for structure sets to refer to",
                    got=f"none in {len(empty)} of {len(series.files)}",
                    todo=_AGAIN,
                )
            )
    uid, count = _values(series, "SOPInstanceUID").most_common(1)[0]
    if uid and count > 1:
        first, second = [file.label for file in series.files if file.text("SOPInstanceUID") == uid][:2]
        found.append(
            problem(
                series,
                "several CT slices with one SOPInstanceUID",
                expected="a UID that no other slice has",
                got=f"the same in {count} files, {first} and {second} among them",
                todo=_AGAIN,
            )
        )
    return found


def _without_rescaling(series: CtSeries) -> list[SeriesError]:
    """Where none has any, that is a finding; where some lack it, they are off by what the others state."""
    lacking = [file for file in series.files if not has_rescaling(file)]
    if not 0 < len(lacking) < len(series.files):
        return []
    return [
        problem(
            series,
            "CT slices without rescaling",
            file=lacking[0],
            expected="RescaleIntercept and RescaleSlope in every slice, as in the others",
            got=f"none in {len(lacking)} of {len(series.files)}",
            todo=_AGAIN,
        )
    ]


def has_rescaling(file: DicomFile) -> bool:
    """Whether a slice says how stored values become Hounsfield units."""
    return "RescaleIntercept" in file.header and "RescaleSlope" in file.header


def _values(series: CtSeries, keyword: str) -> Counter[str]:
    return Counter(file.text(keyword) for file in series.files)
