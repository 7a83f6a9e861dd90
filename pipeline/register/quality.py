"""What the figures of a registration mean: which of them ask for a look, and which forbid its use.

The limits are our judgement. Synthetic patients of different size fit with Dice 0.88, surfaces 1 mm apart and
a correlation of 0.95; two real patients, one with a collapsed lobe, matched by Hounsfield units came to lie
80 mm off with a correlation of 0.77.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.core.reference import FIT_FAILED, RegistrationQuality
from pipeline.core.report import Finding, Severity
from pipeline.register.sides import FLIPPED

# Of correlation: between synthetic patients a mirrored reference gains 0.02 to 0.2, and a sound one loses it.
_MIRRORED = 0.01
_LEAST_OVERLAP = 0.25
_MOST_FOLDED = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Of a figure: beyond `warning` it wants a look, beyond `stop` the labels are no use.

    Attributes:
        figure: attribute of `RegistrationQuality`.
        called: in words.
        high_is_good: else low is.
        unit: of the figure.
    """

    figure: str
    called: str
    warning: float
    stop: float
    high_is_good: bool = True
    unit: str = ""


LIMITS = (
    Limit(figure="organ_dice", called="mean Dice of the organs", warning=0.8, stop=0.6),
    Limit(
        figure="organ_distance_mm",
        called="mean distance of the organs' surfaces",
        warning=4.0,
        stop=8.0,
        high_is_good=False,
        unit=" mm",
    ),
    Limit(figure="body_dice", called="Dice of the bodies", warning=0.85, stop=0.7),
    Limit(figure="correlation", called="correlation of Hounsfield units", warning=0.9, stop=0.8),
)


def quality_findings(quality: RegistrationQuality, where: str) -> Iterator[Finding]:
    """A finding for each figure beyond its limit."""
    for limit in LIMITS:
        value: float | None = getattr(quality, limit.figure)
        if value is not None:
            yield from _beyond(limit, value, where)
    yield from _sides(quality.mirrored_gain, where)
    if quality.overlap < _LEAST_OVERLAP:
        yield Finding(
            code="ATLAS_OTHER_BODY_PART",
            severity=Severity.STOP,
            where=where,
            message=f"The reference scan reaches {100 * quality.overlap:.0f} % of the body on this CT. "
            "Give a reference of the same part of the body.",
        )
    if quality.folded > _MOST_FOLDED:
        yield Finding(
            code="ATLAS_FOLDED",
            severity=Severity.WARNING,
            where=where,
            message=f"The transform folds over itself in {100 * quality.folded:.1f} % of the stations' "
            "volume. Check the stations' shapes.",
        )


def _sides(gain: float, where: str) -> Iterator[Finding]:
    if gain > _MIRRORED:
        yield Finding(
            code=FLIPPED,
            severity=Severity.STOP,
            where=where,
            message="The reference fits better when left and right are exchanged (correlation higher by "
            f"{gain:.2f}). Check the orientation of its images and of the patient's.",
        )
    elif gain > -_MIRRORED:
        yield Finding(
            code="ATLAS_SIDES_UNSURE",
            severity=Severity.WARNING,
            where=where,
            message="The reference fits as well when left and right are exchanged (correlation lower by "
            f"{-gain:.3f}). Check that its images are not mirrored.",
        )


def label_findings(lost: Sequence[str], cut: Sequence[str], where: str) -> Iterator[Finding]:
    """Labels that are not on the CT, or only in part."""
    if lost:
        yield Finding(
            code="ATLAS_LABELS_LOST",
            severity=Severity.WARNING,
            where=where,
            message=f"Not on this CT: {', '.join(lost)}.",
        )
    if cut:
        yield Finding(
            code="ATLAS_LABELS_CUT",
            severity=Severity.WARNING,
            where=where,
            message=f"The end of the reference's scan or of this one cuts through {', '.join(cut)}.",
        )


def _beyond(limit: Limit, value: float, where: str) -> Iterator[Finding]:
    sense = 1.0 if limit.high_is_good else -1.0
    if sense * value >= sense * limit.warning:
        return
    stop = sense * value < sense * limit.stop
    kept = limit.stop if stop else limit.warning
    wanted = f"{'at least' if limit.high_is_good else 'at most'} {kept:g}{limit.unit}"
    todo = "Do not use these stations" if stop else "Check the stations on the CT"
    yield Finding(
        code=FIT_FAILED if stop else "ATLAS_FIT_POOR",
        severity=Severity.STOP if stop else Severity.WARNING,
        where=where,
        message=f"After registration the {limit.called} is {value:.2f}{limit.unit}, expected {wanted}. "
        f"{todo}.",
    )
