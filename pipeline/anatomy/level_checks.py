"""Doubts about landmark levels: their order along the patient, distances, and what was only inferred."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pipeline.anatomy.derived import vertebral_body
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.grid import Vector
from pipeline.core.report import Finding, Severity

# From the feet to the head [I]. A lung's apex may lie on either side of T1's top: chains of their own.
ORDER = (
    (
        "SMA_origin",
        "celiac_axis_origin",
        "hiatus",
        "inferior_pulmonary_vein_lowest",
        "carina",
        "brachiocephalic_artery_trachea",
        "aortic_arch_top",
        "sternal_notch",
        "T1_top",
        "C7_top",
    ),
    ("carina", "left_brachiocephalic_vein_trachea", "aortic_arch_top"),
    ("carina", "azygos_vein_top", "aortic_arch_top"),
    ("sternal_notch", "lung_apex", "C7_top"),
)
# Vessels cross the trachea below the top of the arch or about level with it: so much above is no fault [I].
LEVEL_WITH_MM = {
    ("brachiocephalic_artery_trachea", "aortic_arch_top"): 5.0,
    ("left_brachiocephalic_vein_trachea", "aortic_arch_top"): 5.0,
}
# A stated landmark so far above or below where it is seen is worth a look, or a mistake of it or of the mask;
# so far beside it, it was not clicked on what it names [A].
FAR_MM, STOP_MM, ASIDE_MM = 10.0, 25.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How far one landmark lies above another in most people."""

    upper: str
    lower: str
    least_mm: float
    most_mm: float


# Means where they are known: carina to vein 53, carina to hiatus 121 mm (Lu 2021, n = 305, endoscopy); celiac
# axis to SMA 15 to 18 mm (Rusu 2021), above 30 in 0.4 % (Yan 1994). The ranges about them are ours [I].
GATES = (
    Gate(upper="sternal_notch", lower="carina", least_mm=40.0, most_mm=90.0),
    Gate(upper="carina", lower="inferior_pulmonary_vein_lowest", least_mm=30.0, most_mm=80.0),
    Gate(upper="carina", lower="hiatus", least_mm=85.0, most_mm=160.0),
    Gate(upper="celiac_axis_origin", lower="SMA_origin", least_mm=5.0, most_mm=35.0),
)
# The celiac trunk leaves the aorta between the lower end of T11 and the upper end of L2 (Yan 1994).
CELIAC, CELIAC_BELOW, CELIAC_ABOVE = "celiac_axis_origin", "vertebrae_T11", "vertebrae_L2"


def check_levels(view: OrganView, landmarks: Landmarks) -> tuple[Finding, ...]:
    """Whether the levels of a patient's landmarks fit each other.

    Args:
        view: the organs; vertebrae among them are compared with the celiac axis.
        landmarks: found in them, or stated. Those that are missing are not compared.

    Returns:
        `LANDMARKS_OUT_OF_ORDER` (stop), `LANDMARK_SPACING_UNUSUAL` (warning), and the remark
        `LANDMARK_UNCERTAIN` on what was inferred with a large expected error; none where nothing is doubtful.
    """
    levels = {name: view.level(one.point_mm) for name, one in landmarks.found.items()}
    return (
        *_out_of_order(levels, landmarks.found),
        *_unusual(levels, landmarks.found),
        *_celiac_and_spine(view, levels),
        *_uncertain(landmarks.found),
    )


def _out_of_order(levels: Mapping[str, float], found: Mapping[str, Landmark]) -> Iterator[Finding]:
    # Neighbours among those that are known: a chain out of order has two of them out of order.
    pairs = [pair for chain in ORDER for pair in pairwise(name for name in chain if name in levels)]
    for lower, upper in dict.fromkeys(pairs):
        above = levels[lower] - levels[upper]
        if above > LEVEL_WITH_MM.get((lower, upper), 0.0):
            yield Finding(
                code="LANDMARKS_OUT_OF_ORDER",
                severity=Severity.STOP,
                where=f"landmarks {lower}, {upper}",
                message=f"{_named(lower, found)} lies {above:.1f} mm above {_named(upper, found)}, and "
                "belongs below it: one of them, or a mask that it was read from, is wrong; look at both, and "
                "state the right one with --landmarks",
            )


def _unusual(levels: Mapping[str, float], found: Mapping[str, Landmark]) -> Iterator[Finding]:
    for gate in GATES:
        if gate.upper not in levels or gate.lower not in levels:
            continue
        above = levels[gate.upper] - levels[gate.lower]
        if not gate.least_mm <= above <= gate.most_mm:
            yield Finding(
                code="LANDMARK_SPACING_UNUSUAL",
                severity=Severity.WARNING,
                where=f"landmarks {gate.upper}, {gate.lower}",
                message=f"{_named(gate.upper, found)} lies {above:.1f} mm above {_named(gate.lower, found)}; "
                f"{gate.least_mm:g} to {gate.most_mm:g} mm are usual: look whether both are right",
            )


def _celiac_and_spine(view: OrganView, levels: Mapping[str, float]) -> Iterator[Finding]:
    """The celiac axis between T11 and L2, as far as they are known and the scan shows their ends."""
    if CELIAC not in levels:
        return
    for name, upper, end in ((CELIAC_BELOW, False, "lower"), (CELIAC_ABOVE, True, "upper")):
        near = view.around((name,))
        body = vertebral_body(near, name)
        place = None if body is None else near.end(body, upper=upper)
        if place is None:
            continue
        above = levels[CELIAC] - place[2]
        if above * (-1 if upper else 1) > 0:
            yield Finding(
                code="LANDMARK_SPACING_UNUSUAL",
                severity=Severity.WARNING,
                where=f"landmark {CELIAC}, organ {name}",
                message=f"{CELIAC} lies {abs(above):.1f} mm {'below' if upper else 'above'} the {end} end of "
                f"the body of {name}; between T11 and L2 is usual: look whether the vertebrae are counted "
                "right",
            )


def _uncertain(found: Mapping[str, Landmark]) -> Iterator[Finding]:
    for name, one in found.items():
        if one.is_uncertain:
            yield Finding(
                code="LANDMARK_UNCERTAIN",
                severity=Severity.INFO,
                where=f"landmark {name}",
                message=f"{name} was not seen but inferred ({one.how}) and may lie {one.error_mm:.0f} mm "
                "off; look at it, and state it with --landmarks where you see it",
            )


def _named(name: str, found: Mapping[str, Landmark]) -> str:
    one = found[name]
    return f"{name} (inferred: {one.how})" if one.inferred else name


def check_stated(view: OrganView, stated: Mapping[str, Vector], own: Landmarks) -> tuple[Finding, ...]:
    """Landmarks that the user states far from where the masks show them.

    Args:
        view: for levels.
        stated: LPS points that the user gave.
        own: what would have been found without them; what is inferred is not compared.

    Returns:
        `LANDMARKS_STATED_MIRRORED` (stop) where points would fit with the signs of x and y exchanged;
        `LANDMARK_STATED_FAR` (a warning, from 25 mm on a stop) above or below, `LANDMARK_STATED_ASIDE`
        (warning) beside where it is seen.
    """
    seen = {name: own.found[name] for name in stated if name in own.found and not own.found[name].inferred}
    points = {name: stated[name] for name in seen}
    if mirrored := _mirrored(points, seen):
        return (mirrored,)
    return tuple(finding for name in points for finding in _stated_far(view, points[name], seen[name]))


def _mirrored(points: Mapping[str, Vector], seen: Mapping[str, Landmark]) -> Finding | None:
    """Points of an RAS viewer: x and y have the other sign there."""
    apart = {name: math.dist(points[name][:2], one.point_mm[:2]) for name, one in seen.items()}
    turned = {
        name: math.dist((-points[name][0], -points[name][1]), one.point_mm[:2]) for name, one in seen.items()
    }
    if not apart or max(apart.values()) <= ASIDE_MM or sum(turned.values()) > sum(apart.values()) / 2.0:
        return None
    return Finding(
        code="LANDMARKS_STATED_MIRRORED",
        severity=Severity.STOP,
        where=f"landmarks {', '.join(apart)}",
        message=f"They were stated up to {max(apart.values()):.0f} mm beside where they are seen, and with "
        f"the signs of x and y exchanged it would be {max(turned.values()):.0f} mm: the points seem to be "
        "RAS, as some viewers show them, and LPS is wanted",
    )


def _stated_far(view: OrganView, point: Vector, seen: Landmark) -> Iterator[Finding]:
    apart = view.level(point) - view.level(seen.point_mm)
    if abs(apart) > FAR_MM:
        yield Finding(
            code="LANDMARK_STATED_FAR",
            severity=Severity.STOP if abs(apart) > STOP_MM else Severity.WARNING,
            where=f"landmark {seen.name}",
            message=f"Stated {abs(apart):.0f} mm {'above' if apart > 0 else 'below'} where it is "
            f"seen ({seen.how}). The statement was used for levels; what is built around masks "
            "follows the masks. Look at both",
        )
    aside = math.dist(point[:2], seen.point_mm[:2])
    if aside > ASIDE_MM:
        yield Finding(
            code="LANDMARK_STATED_ASIDE",
            severity=Severity.WARNING,
            where=f"landmark {seen.name}",
            message=f"Stated {aside:.0f} mm beside where it is seen ({seen.how}): look whether the point is "
            "in LPS mm",
        )
