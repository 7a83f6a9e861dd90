"""Left and right: lesions against their names, and unpaired organs against the side that is theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
import shapely

from pipeline.core.anatomy import UNPAIRED_SIDES, Organs
from pipeline.core.case import Case, Lesion
from pipeline.core.middle import Midline, Sample, midline, sample_of, tells_middle
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetSet

# A node called right may lie before the trachea, a little to the left of the spine's middle: stations 2R and
# 4R end at the trachea's left edge [A].
TOLERANCE_MM = 15.0
# An operation may move one organ. Nearer to the middle than this, a bent spine is reason enough [A].
LEAST_ORGANS = 2
LEAST_MM = 5.0

# TG-263 puts the side last (`GTVn_L`); nodes bear the side of their station (`N4R`, `10L`, `SCV_R`).
_SIDED = re.compile(
    r"(?<![a-z])(?:(?P<right>right|rechts)|(?P<left>left|links))(?![a-z])|[_ -](?P<end>[lr])$|"
    r"(?<![0-9])(?:1?[0-9]|scv_?)(?P<station>[lr])(?![a-z0-9])|[_ -]n(?P<node>[lr])$",
    re.IGNORECASE,
)


def check_sides(case: Case, targets: TargetSet, organs: Organs) -> tuple[Finding, ...]:
    """`LESION_ON_OTHER_SIDE` and `SIDES_MIRRORED` (warnings); nothing where the middle is not known.

    The first is for a lesion whose ROI is called right or left and lies more than 15 mm on the other side
    of the spine, cord or body. The second is for liver, spleen, heart and great veins of which at least
    two, and more than half, lie on the other side than in nearly everybody. That the targets lie about
    their lesions, margin by margin, is what the other checks hold.
    """
    del targets
    names = [name for name in organs if tells_middle(name) or name in UNPAIRED_SIDES]
    samples = {name: sample_of(organs.by_name[name]) for name in names if not organs[name].is_empty}
    middle = midline(samples)
    if middle is None:
        return ()
    return (*_mirrored(samples, middle), *_named_otherwise(case.lesions, middle))


def side_of_name(name: str) -> str | None:
    """`left` or `right` where a name says so, None where it says nothing or both.

    >>> side_of_name("GTVn_4R"), side_of_name("node left neck"), side_of_name("GTV-N2")
    ('right', 'left', None)
    """
    told = set()
    for found in _SIDED.finditer(name):
        letter = next(text for text in found.groups() if text)[0].casefold()
        told.add("left" if letter == "l" else "right")
    return told.pop() if len(told) == 1 else None


def _named_otherwise(lesions: tuple[Lesion, ...], middle: Midline) -> Iterator[Finding]:
    for lesion in lesions:
        side = side_of_name(lesion.source_roi)
        off = _centre_mm(lesion) - middle.u_mm
        if side is None or (off if side == "right" else -off) <= TOLERANCE_MM:
            continue
        yield Finding(
            code="LESION_ON_OTHER_SIDE",
            severity=Severity.WARNING,
            where=f"ROI {lesion.source_roi}",
            message=f"its name says {side}, and it lies {abs(off):.0f} mm to the {_other(side)} of the "
            f"{middle.of}. Check its name, and left and right of the images.",
        )


def _mirrored(samples: Mapping[str, Sample], middle: Midline) -> Iterator[Finding]:
    off = {name: samples[name].left_mm - middle.u_mm for name in UNPAIRED_SIDES if name in samples}
    wrong = [name for name, mm in off.items() if (mm if UNPAIRED_SIDES[name] == "right" else -mm) > LEAST_MM]
    if len(wrong) >= LEAST_ORGANS and 2 * len(wrong) > len(off):
        told = ", ".join(
            f"{name} {abs(off[name]):.0f} mm to the {_other(UNPAIRED_SIDES[name])}" for name in wrong
        )
        yield Finding(
            code="SIDES_MIRRORED",
            severity=Severity.WARNING,
            where="organs",
            message=f"They lie on the other side of the {middle.of} than in nearly everybody: {told}. "
            "Either the images or masks were mirrored on their way, or this is situs inversus.",
        )


def _centre_mm(lesion: Lesion) -> float:
    """Frame coordinate u of a lesion's centroid in mm; it grows to the patient's left."""
    sections = lesion.contours.sections.values()
    areas = np.array([section.area for section in sections])
    return float(areas @ [shapely.centroid(section).x for section in sections] / areas.sum())


def _other(side: str) -> str:
    return "left" if side == "right" else "right"
