"""Landmarks from organ masks: one small function a method, and the table that names them.

Every finder takes the view and an attempt of the atlas and gives a frame position (u, v, w) in mm, or None
when it does not find the landmark. A mask ends half a slice beyond its last plane: levels are voxel faces, so
that they do not depend on where the slices lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import numpy as np

from pipeline.anatomy.derived import vertebral_body
from pipeline.anatomy.organ_view import Bools, Floats, OrganView
from pipeline.core.anatomy import Attempt, Landmark, LandmarkRule, Landmarks
from pipeline.core.grid import Vector

Place = tuple[float, float, float]
Known = Mapping[str, Landmark]
Finder = Callable[[OrganView, Attempt, Known], Place | None]


class Needs(StrEnum):
    """Which of an attempt's organs must be known."""

    ANY = "any"
    FIRST = "first"
    FIRST_THREE = "first three"
    ALL = "all"


# Parts of the airway below this are no lumen; parts must stay apart for this long, by this much [I].
LUMEN_MM2, APART_MM, PERSIST_MM = 20.0, 2.0, 5.0
# The bed is looked at in a square of twice this width [I].
BED_SPOT_MM = 5.0
# An artery further from the aorta than this has no root there [I].
ROOT_MM = 2.0


def find_landmarks(view: OrganView, rules: Iterable[LandmarkRule], stated: Mapping[str, Vector]) -> Landmarks:
    """Try each landmark's attempts in their order; the first that works wins.

    Args:
        view: the patient's organs.
        rules: of the atlas; a landmark that others start from stands before them.
        stated: LPS points that the user gave; they take the place of any attempt.
    """
    found: dict[str, Landmark] = {}
    missing: dict[str, str] = {}
    for rule in rules:
        if rule.name in stated:
            found[rule.name] = Landmark(
                name=rule.name,
                point_mm=stated[rule.name],
                inferred=False,
                error_mm=0.0,
                how="stated by the user",
            )
            continue
        notes: list[str] = []
        for attempt in rule.attempts:
            lacking = _lacking(view, attempt, found)
            near = view.around(attempt.organs)
            place = None if lacking else METHODS[attempt.method][0](near, attempt, found)
            if place is None:
                notes.append(f"not from {attempt.how}: {lacking or 'not seen there'}")
                continue
            error = attempt.error_mm
            if attempt.landmark:
                error = float(np.hypot(error, found[attempt.landmark].error_mm))
            found[rule.name] = Landmark(
                name=rule.name,
                point_mm=view.point(*place),
                inferred=attempt.inferred,
                error_mm=error,
                how=attempt.how,
                notes=tuple(notes),
            )
            break
        else:
            missing[rule.name] = "; ".join(notes)
    return Landmarks(found=found, missing=missing)


def _lacking(view: OrganView, attempt: Attempt, found: Known) -> str:
    """What an attempt needs and the case does not have."""
    if attempt.landmark and attempt.landmark not in found:
        return f"{attempt.landmark} is not known"
    needs = METHODS[attempt.method][1]
    if needs is Needs.ANY:
        absent = [name for name in attempt.organs if name not in view.organs]
        return f"no {' or '.join(absent)}" if absent and len(absent) == len(attempt.organs) else ""
    count = {Needs.FIRST: 1, Needs.FIRST_THREE: 3}.get(needs)
    absent = [name for name in attempt.organs[:count] if name not in view.organs]
    return f"no {' and no '.join(absent)}" if absent else ""


# ------------------------------------------------------------------------------------------ tops, bottoms


def _top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Upper end of the organs together."""
    del known
    return _end(view, view.union(attempt.organs), upper=True)


def _bottom(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Lower end of the organs together."""
    del known
    return _end(view, view.union(attempt.organs), upper=False)


def _end(view: OrganView, mask: Bools | None, *, upper: bool) -> Place | None:
    return None if mask is None else view.end(mask, upper=upper)


def _body_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Upper end of a vertebra's body, without arch and processes."""
    del known
    return _end(view, vertebral_body(view, attempt.organs[0]), upper=True)


def _body_bottom(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Lower end of a vertebra's body."""
    del known
    return _end(view, vertebral_body(view, attempt.organs[0]), upper=False)


def _midline_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Upper end of the first organ within `mm` of the middle of the others, or of its own without them."""
    del known
    bone = view.mask(attempt.organs[0])
    spine = view.union(attempt.organs[1:])
    middle = float(view.u[np.nonzero((bone if spine is None else spine).any(axis=(0, 1)))[0]].mean())
    near = np.abs(view.u - middle) <= attempt.mm
    return view.end(bone & near, upper=True)


def _medial_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """The higher upper end of the medial `mm` of organs on the left and on the right."""
    del known
    ends = []
    for name in attempt.organs:
        mask = view.mask(name)
        columns = np.flatnonzero(mask.any(axis=(0, 1)))
        inner = view.u[columns[0]] if name.endswith("_left") else -view.u[columns[-1]]
        lateral = view.u if name.endswith("_left") else -view.u
        end = view.end(mask & (lateral < inner + attempt.mm), upper=True)
        if end is not None:
            ends.append(end)
    return max(ends, key=lambda end: end[2]) if ends else None


def _lower_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """The lower of the left and the right organs' upper ends; both sides must be known."""
    del known
    ends = []
    for side in ("left", "right"):
        end = _end(view, view.union(name for name in attempt.organs if side in name), upper=True)
        if end is None:
            return None
        ends.append(end)
    return min(ends, key=lambda end: end[2])


def _wide_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Highest level at which the organ's section still has `mm` mm2, between slices by its areas."""
    del known
    mask = view.mask(attempt.organs[0])
    areas = np.count_nonzero(mask, axis=(1, 2)) * view.pixel_mm2
    planes = np.flatnonzero(areas >= attempt.mm)
    if not len(planes) or planes[-1] == len(view.w) - 1:
        return None
    k = int(planes[-1])
    share = _crossing(areas, k, attempt.mm)
    return (*view.centroid(mask, k), float(view.w[k] + share * view.spacing_mm[2]))


def _crossing(areas: Floats, k: int, least: float) -> float:
    """How far above plane k, in slices, a falling section has `least` left."""
    if areas[k + 1] > 0 or k < 2:
        return float((areas[k] - least) / (areas[k] - areas[k + 1]))
    # The section ends somewhere before the next plane: the planes below tell how fast it falls.
    slope, bend = areas[k] - areas[k - 1], areas[k] - 2 * areas[k - 1] + areas[k - 2]
    a, b, c = min(bend, 0.0) / 2.0, slope + min(bend, 0.0) / 2.0, areas[k] - least
    if b >= 0 and a == 0:
        return 0.5
    share = -c / b if a == 0 else (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    return float(min(share, 1.0))


# ------------------------------------------------------------------------------------- airway and vessels


def _split(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Where the airway divides, going down: half-way between the last plane with one lumen and the next."""
    del known
    import cc3d

    airway = view.union(attempt.organs)
    if airway is None:
        return None
    persist = max(1, round(PERSIST_MM / view.spacing_mm[2]))
    planes = np.flatnonzero(airway.any(axis=(1, 2)))
    divided = 0
    for k in planes[::-1].tolist():
        labels = cc3d.connected_components(airway[k].copy(), connectivity=8)  # refuses read-only arrays
        areas = np.bincount(labels.ravel())[1:] * view.pixel_mm2
        parts = [labels == 1 + n for n in np.flatnonzero(areas >= LUMEN_MM2)]
        divided = divided + 1 if len(parts) >= 2 and _apart(view, parts) else 0
        if divided == persist:
            first = k + persist - 1
            if first + 1 >= len(view.w) or not airway[first + 1].any():
                return None
            u, v = view.centroid(airway, first + 1)
            return (u, v, float(view.w[first] + view.spacing_mm[2] / 2.0))
    return None


def _apart(view: OrganView, parts: list[Bools]) -> bool:
    """Whether the two largest parts leave a gap between them, left to right."""
    one, other = sorted(parts, key=np.count_nonzero)[-2:]
    first, second = (np.flatnonzero(part.any(axis=0)) for part in (one, other))
    gap = max(view.u[second[0]] - view.u[first[-1]], view.u[first[0]] - view.u[second[-1]])
    return bool(gap - view.spacing_mm[0] >= APART_MM)


def _lowest_over(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Lower end of the first organ where it lies within the second one's width and `mm` on either side."""
    del known
    vessel, trachea = (view.mask(name) for name in attempt.organs)
    for k in np.flatnonzero(vessel.any(axis=(1, 2))).tolist():
        columns = np.flatnonzero(trachea[k].any(axis=0))
        if not len(columns):
            continue
        low, high = view.u[columns[0]] - attempt.mm, view.u[columns[-1]] + attempt.mm
        over = vessel[k] & (view.u >= low) & (view.u <= high)
        if over.any():
            rows, found = np.nonzero(over)
            half = view.spacing_mm[2] / 2.0
            return (float(view.u[found].mean()), float(view.v[rows].mean()), float(view.w[k] - half))
    return None


def _left_top(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Upper end of the first organ left of the second one's middle."""
    del known
    vessel, trachea = (view.mask(name) for name in attempt.organs)
    columns = np.flatnonzero(trachea.any(axis=(0, 1)))
    return _end(view, vessel & (view.u > view.u[columns].mean()), upper=True)


def _root(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Mean position of those voxels of the first organ that are nearest to the second one (the aorta)."""
    del known
    from scipy import ndimage

    artery, aorta = (view.mask(name) for name in attempt.organs)
    where = np.nonzero(artery)
    box = tuple(slice(max(0, int(axis.min()) - 6), int(axis.max()) + 7) for axis in where)
    sampling = view.spacing_mm[::-1]
    around = aorta[box]
    if not around.any():
        return None
    distance = np.where(artery[box], ndimage.distance_transform_edt(~around, sampling=sampling), np.inf)
    # Voxel centres of touching voxels lie a voxel apart: half of one belongs to either surface.
    half = max(sampling[1:]) / 2.0
    nearest = float(distance.min())
    if nearest > ROOT_MM + half:
        return None
    planes, rows, columns = np.nonzero(distance <= nearest + half)
    planes = planes + box[0].start
    # A root that the scan cuts off has its middle elsewhere.
    if planes.min() == 0 or planes.max() == len(view.w) - 1:
        return None
    return (
        float(view.u[box[2]][columns].mean()),
        float(view.v[box[1]][rows].mean()),
        float(view.w[planes].mean()),
    )


def _root_above(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """`mm` above the first organ's root on the second one."""
    root = _root(view, attempt, known)
    return None if root is None else (root[0], root[1], root[2] + attempt.mm)


def _bed_leaves_chest(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """Where the bed of the gullet passes from the chest into the abdomen, between slices by its shares.

    The organs are the thoracic cavity, the abdominal cavity and the aorta; vertebrae after them where there
    are some. The bed lies `mm` in front of the aorta, half-way from its middle to the spine's: what carries
    the food now, and where it crosses the diaphragm, does not matter.
    """
    del known
    chest, abdomen, aorta = (view.mask(name) for name in attempt.organs[:3])
    spine = view.union(attempt.organs[3:])
    below: tuple[float, int] | None = None
    for k in np.flatnonzero(aorta.any(axis=(1, 2))).tolist():
        u, _ = view.centroid(aorta, k)
        if spine is not None and spine[k].any():
            u = (u + view.centroid(spine, k)[0]) / 2.0
        v = float(view.v[np.flatnonzero(aorta[k].any(axis=1))[0]]) - attempt.mm
        spot = np.ix_(np.abs(view.v - v) <= BED_SPOT_MM, np.abs(view.u - u) <= BED_SPOT_MM)
        more = int(np.count_nonzero(chest[k][spot])) - int(np.count_nonzero(abdomen[k][spot]))
        if below is not None and more > 0:
            level, less = below
            share = more / (more - less)
            return (u, v, float(view.w[k] - share * (view.w[k] - level)))
        if abdomen[k][spot].any() and more <= 0:
            below = (float(view.w[k]), more)
    return None


def _above(view: OrganView, attempt: Attempt, known: Known) -> Place | None:
    """`mm` above another landmark (below it when negative)."""
    grid = view.organs.grid
    u, v, w = grid.frame.from_patient(np.array([known[attempt.landmark].point_mm]))[0]
    return (float(u), float(v), float(w) + attempt.mm)


METHODS: Mapping[str, tuple[Finder, Needs]] = {
    "top": (_top, Needs.ANY),
    "bottom": (_bottom, Needs.ANY),
    "body_top": (_body_top, Needs.ALL),
    "body_bottom": (_body_bottom, Needs.ALL),
    "midline_top": (_midline_top, Needs.FIRST),
    "medial_top": (_medial_top, Needs.ALL),
    "lower_top": (_lower_top, Needs.ANY),
    "wide_top": (_wide_top, Needs.ALL),
    "split": (_split, Needs.ANY),
    "lowest_over": (_lowest_over, Needs.ALL),
    "left_top": (_left_top, Needs.ALL),
    "root": (_root, Needs.ALL),
    "root_above": (_root_above, Needs.ALL),
    "bed_leaves_chest": (_bed_leaves_chest, Needs.FIRST_THREE),
    "above": (_above, Needs.ANY),
}
