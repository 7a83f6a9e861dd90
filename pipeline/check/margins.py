"""Whether margins were reached, and whether slices are fine enough for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import shapely
from shapely.geometry import MultiPolygon, Polygon

from pipeline.core.case import Case
from pipeline.core.contour import Contours
from pipeline.core.fewer_points import simplified
from pipeline.core.margin import Margin
from pipeline.core.raster import image_outline
from pipeline.core.report import Finding, Severity
from pipeline.core.targets import TargetKind, TargetSet

TOLERANCE_MM = 0.3
# What corners lose between lattice lines, and polygons of the outlines among themselves.
OUTLINE_TOLERANCE_MM, OUTLINE_MM2 = 0.5, 0.5
# Points of an outline this near to a line are left out before it is widened: that takes time by point.
_THIN_MM = 0.05


def check_margins_reached(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_NOT_REACHED` (stop) where a measured margin differs from the one asked for.

    Measured on the uncut expansion: what barriers took is another finding.
    """
    del case
    found = []
    for target in targets.targets:
        if target.requested is None or target.measured is None:
            continue
        off = [
            f"{name} {got:.2f} of {wanted:g} mm"
            for name, wanted, got in _directions(target.requested, target.measured)
            if abs(got - wanted) > TOLERANCE_MM
        ]
        if off:
            found.append(
                Finding(
                    code="MARGIN_NOT_REACHED",
                    severity=Severity.STOP,
                    where=f"{targets.arm}.{target.name}",
                    message=f"{target.name} measures {', '.join(off)}; do not use it before it is explained",
                )
            )
    return tuple(found)


def check_margins_around_outlines(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_NOT_AROUND` (stop) where a written outline comes nearer than its margin to what it grew from.

    In-plane, polygon against polygon, apart from the geometry that made them; volumes that barriers, the
    scan's end or the image's edge have cut are left out.
    """
    image = image_outline(case.volume.grid)
    drawn = [target.contours for target in targets.of_kind(TargetKind.GTV)]
    ctv = [target.contours for target in targets.of_kind(TargetKind.CTV)]
    found = []
    for target in targets.targets:
        margin = target.requested
        if margin is None or target.is_cut:
            continue
        mm = min(margin.left, margin.right, margin.anterior, margin.posterior) - OUTLINE_TOLERANCE_MM
        inner = ctv if target.kind is TargetKind.PTV else drawn
        near = _slices_too_near(inner, target.contours, max(0.0, mm), image)
        if near:
            found.append(
                Finding(
                    code="MARGIN_NOT_AROUND",
                    severity=Severity.STOP,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"{target.name} comes nearer than {mm:g} mm to what it grew from on {len(near)} "
                        f"slices, the first k {near[0]}; do not use it before it is explained"
                    ),
                )
            )
    return tuple(found)


def _slices_too_near(inner: Sequence[Contours], outer: Contours, mm: float, image: Polygon) -> list[int]:
    near = set()
    for contours in inner:
        for k, section in contours.sections.items():
            around = outer.sections.get(k)
            if around is not None and _keeps_off(around, section, mm):
                continue
            wanted = shapely.intersection(simplified(section, _THIN_MM).buffer(mm, quad_segs=4), image)
            if around is None or shapely.difference(wanted, around).area > OUTLINE_MM2:
                near.add(k)
    return sorted(near)


def _keeps_off(around: MultiPolygon, section: MultiPolygon, mm: float) -> bool:
    """Whether an outline runs around a section and nowhere within `mm` of it: told in a tenth of the time."""
    edge = around.boundary
    shapely.prepare(edge)
    shapely.prepare(around)
    return not shapely.dwithin(edge, section, mm) and bool(shapely.covers(around, section))


def check_ends_on_slices(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_ENDS_ON_SLICE` (info) where half a slice and the margin are whole slices.

    Common: 12.5 mm on slices of 5 mm. The volume then just reaches a slice plane, and gets a full contour
    there; a hair less, and the slice is empty.
    """
    spacing = case.volume.grid.slice_spacing_mm
    found = []
    for target in targets.targets:
        margin = target.requested
        if margin is None or targets.ends_at_boundaries(target):
            continue
        slices = [(spacing / 2.0 + mm) / spacing for mm in (margin.superior, margin.inferior) if mm > 0]
        if any(abs(count - round(count)) < 0.01 for count in slices):
            found.append(
                Finding(
                    code="MARGIN_ENDS_ON_SLICE",
                    severity=Severity.INFO,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"half a slice of {spacing:g} mm and the craniocaudal margin end on a slice plane: "
                        "the end slices carry a contour of full size, and would carry none for a hair less"
                    ),
                )
            )
    return tuple(found)


def check_thin_margins(case: Case, targets: TargetSet) -> tuple[Finding, ...]:
    """`MARGIN_BELOW_SLICE` (info) where a craniocaudal margin is less than the slice spacing.

    The volume is right on every slice; but whether one more slice carries a contour then hangs on
    where the slices lie.
    """
    spacing = case.volume.grid.slice_spacing_mm
    found = []
    for target in targets.targets:
        margin = target.requested
        if margin is not None and 0 < min(margin.superior, margin.inferior) < spacing:
            found.append(
                Finding(
                    code="MARGIN_BELOW_SLICE",
                    severity=Severity.INFO,
                    where=f"{targets.arm}.{target.name}",
                    message=(
                        f"craniocaudal margin of {min(margin.superior, margin.inferior):g} mm is less than "
                        f"the slice spacing of {spacing:g} mm: the end slices depend on where slices lie"
                    ),
                )
            )
    return tuple(found)


def _directions(wanted: Margin, got: Margin) -> list[tuple[str, float, float]]:
    return [(f.name, float(getattr(wanted, f.name)), float(getattr(got, f.name))) for f in fields(Margin)]
