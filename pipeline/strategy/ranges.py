"""A figure that a user chose, held against the protocol's range."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.core.errors import UsageError
from pipeline.core.margin import MAX_MARGIN_MM
from pipeline.core.ranged import Ranged
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import Protocol, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A length that a user may choose.

    Attributes:
        what: `margin` or `distance`.
        key: of the setting.
        where: of a finding.
        option: of an error.
        allowed: the protocol's range.
    """

    what: str
    key: str
    where: str
    option: str
    allowed: Ranged


def in_range(figure: Figure, mm: float, protocol: Protocol, settings: Settings) -> Finding | None:
    """None inside the range, a finding outside it when the user declared the case off protocol.

    Raises:
        UsageError: a value below 0, above 100 mm or not finite; or outside the range otherwise.
    """
    allowed = figure.allowed
    if not (math.isfinite(mm) and 0 <= mm <= MAX_MARGIN_MM):
        raise UsageError(
            f"{figure.what} cannot be used",
            where=figure.option,
            expected=f"0 to {MAX_MARGIN_MM:g} mm; the protocol allows {allowed}",
            got=f"{mm:g} mm",
        )
    if allowed.holds(mm):
        return None
    if not settings.off_protocol:
        raise UsageError(
            f"{figure.what} outside the protocol's range",
            where=figure.option,
            expected=f"{allowed} (protocol {protocol.name}, source {allowed.source})",
            got=f"{mm:g} mm",
            todo="choose a value inside the range, or say --off-protocol; the report will then say so",
        )
    return Finding(
        code="MARGIN_OFF_PROTOCOL",
        severity=Severity.WARNING,
        where=figure.where,
        message=f"The {figure.what} of {mm:g} mm is outside the protocol's range of "
        f"{allowed}; it was taken because the user declared the case off protocol.",
    )
