"""What a user may set of a protocol, beside margins, ends and barriers."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.errors import UsageError
from pipeline.core.report import Finding
from pipeline.core.rules import ENI, ArmChoice, Protocol, Settings
from pipeline.strategy.plan import MOST_SKIN_RIM_MM, SKIN_RIM_KEY, elective_of
from pipeline.strategy.prescribe import check_doses, dose_keys
from pipeline.strategy.ranges import Figure, in_range

CLOSE_KEY = "close_to_stomach"


def check_settings(protocol: Protocol, settings: Settings) -> None:
    """Refuse what the protocol does not have, before any file is opened.

    Raises:
        UsageError: an arm, figure or switch that the protocol does not have, or a dose outside its range.
    """
    if settings.arm in {ArmChoice.ENI, ArmChoice.BOTH}:
        elective_of(protocol)
    if settings.arm is ArmChoice.AUTO and protocol.decision is None:
        raise UsageError(
            "the protocol does not say which arm",
            where="--arm",
            expected="ifi" if protocol.eni is None else f"ifi, {ENI} or both",
            got="auto",
        )
    switches = tuple(protocol.eni.switches) if protocol.eni else ()
    distances = tuple(protocol.eni.distances) if protocol.eni else ()
    doses = dose_keys(protocol.doses) if protocol.doses else ()
    close = (CLOSE_KEY,) if protocol.decision else ()
    _known("switch", settings.switches, (*switches, "fill_ptv_holes", "keep_uncropped"))
    _known("figure", settings.figures, (*distances, *close, *doses, SKIN_RIM_KEY))
    _check_skin_rim(settings)
    if settings.arm is ArmChoice.IFI:
        _of_other_arm((*settings.switches, *settings.figures), (*switches, *distances))
    if protocol.doses:
        check_doses(protocol.doses, settings.figures, off_protocol=settings.off_protocol)
    close_distance(protocol, settings)


def _check_skin_rim(settings: Settings) -> None:
    rim = settings.figures.get(SKIN_RIM_KEY, 0.0)
    if not 0.0 <= rim <= MOST_SKIN_RIM_MM:
        raise UsageError(
            "rim under the skin out of range",
            where=f"setting {SKIN_RIM_KEY}",
            expected=f"0 to {MOST_SKIN_RIM_MM:g} mm",
            got=f"{rim:g} mm",
        )


def close_distance(protocol: Protocol, settings: Settings) -> tuple[float, Finding | None]:
    """Largest distance in mm that counts as close to stomach or intestine, and what has to be said about it.

    Raises:
        UsageError: a figure of the user's outside the protocol's range, without `off_protocol`.
    """
    if protocol.decision is None:
        return 0.0, None
    allowed = protocol.decision.close_mm
    mm = settings.figures.get(CLOSE_KEY, allowed.default)
    figure = Figure(
        what="distance", key=CLOSE_KEY, where=CLOSE_KEY, option=f"setting {CLOSE_KEY}", allowed=allowed
    )
    return mm, in_range(figure, mm, protocol, settings)


def _of_other_arm(given: Iterable[str], elective: tuple[str, ...]) -> None:
    for key in given:
        if key in elective:
            raise UsageError(
                "setting of an arm that is not built",
                where=f"setting {key}",
                expected=f"--arm {ENI}, both or auto",
                got="--arm ifi",
                todo="leave it out, or ask for that arm",
            )


def _known(what: str, given: Iterable[str], known: tuple[str, ...]) -> None:
    for key in given:
        if key not in known:
            raise UsageError(
                f"unknown {what}",
                where=f"setting {key}",
                expected=f"one of {', '.join(known)}" if known else f"the protocol has no {what}",
                got=key,
                todo="see `rt-targets protocol show`; margins are stated with --margin",
            )
