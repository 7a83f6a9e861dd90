"""Names that get in each other's way once a structure set is imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.core.report import Finding, Severity

# Planning systems cut longer names, or refuse them: what is alike up to here becomes the same.
COMPARED = 16


def check_names(written: Sequence[str], source: Sequence[str], *, arm: str) -> tuple[Finding, ...]:
    """`ROI_NAMES_COLLIDE` (stop) and `ROI_NAME_IN_SOURCE` (warning), whatever the case of the letters.

    Args:
        written: names of the ROIs that an arm writes.
        source: names of the ROIs of the source that are not the lesions' own.
        arm: for the report.
    """
    return (*_collide(written, arm), *_in_source(written, source, arm))


def _collide(written: Sequence[str], arm: str) -> Iterator[Finding]:
    counts = Counter(_folded(name) for name in written)
    for folded in sorted(name for name, count in counts.items() if count > 1):
        alike = ", ".join(repr(name) for name in written if _folded(name) == folded)
        yield Finding(
            code="ROI_NAMES_COLLIDE",
            severity=Severity.STOP,
            where=arm,
            message=f"Names that differ in case, or beyond {COMPARED} characters, at most: {alike}. A "
            "planning system may take them for one.",
        )


def _in_source(written: Sequence[str], source: Sequence[str], arm: str) -> Iterator[Finding]:
    theirs = {_folded(name) for name in source}
    if taken := [name for name in written if _folded(name) in theirs]:
        yield Finding(
            code="ROI_NAME_IN_SOURCE",
            severity=Severity.WARNING,
            where=arm,
            message=f"The source structure set has ROIs of these names too: {', '.join(taken)}. Where both "
            "are imported, take care which of them a plan uses.",
        )


def _folded(name: str) -> str:
    return name[:COMPARED].casefold().strip()
