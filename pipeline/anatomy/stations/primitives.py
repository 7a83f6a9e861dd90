"""The primitives of station rules: one function each, and the table that names them.

Every primitive takes the scene, its term and a window, and gives a signed field on the window, above 0
inside, in mm near the surface. Levels, edges and distances are exact; masks are sampled to a fraction of a
lattice cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from pipeline.anatomy.organ_view import Floats
from pipeline.anatomy.stations.distances import hull_field, narrowed, near_axially, near_line
from pipeline.anatomy.stations.fields import (
    EVERYWHERE,
    around,
    box_inside,
    coordinates,
    embedded,
    field_of_mask,
    grown,
)
from pipeline.anatomy.stations.half_spaces import line_side, side, side_bounds, slab, slab_bounds
from pipeline.anatomy.stations.lacking import LackingError
from pipeline.anatomy.stations.points import path_named, point_named
from pipeline.anatomy.stations.scene import Scene, told
from pipeline.anatomy.stations.sloped import sloped_field
from pipeline.core.atlas import Term
from pipeline.core.lattice import Field, Lattice
from pipeline.core.margin import MAX_MARGIN_MM, Margin

Primitive = Callable[[Scene, Term, Lattice], Field]


def evaluate(scene: Scene, term: Term, window: Lattice) -> Field:
    """The field of a term on a window.

    Raises:
        LackingError: a structure, landmark, point or path that it cannot do without is not known.
        ConfigError: the term is not one of the table's, or has keys that it cannot do with.
    """
    if term.primitive not in PRIMITIVES:
        raise term.problem("unknown term", expected=f"one of {', '.join(PRIMITIVES)}", got=term.primitive)
    return PRIMITIVES[term.primitive](scene, term, window)


# ------------------------------------------------------------------------------------------ combinations


def in_box(scene: Scene, term: Term, window: Lattice) -> tuple[Field, Lattice]:
    """The field of a term on the part of a window that holds all of it; raises as `evaluate`."""
    if term.primitive == "all_of":
        return _all_in_box(scene, term, window)
    if term.primitive == "any_of":
        return _any_in_box(scene, term, window)
    field = evaluate(scene, term, window)
    box = box_inside(field)
    return (field, window) if box is None else (field[box], window.inner(box))


def _all_of(scene: Scene, term: Term, window: Lattice) -> Field:
    """Where all terms are; each is worked out only where the ones before it leave something."""
    return embedded(*_all_in_box(scene, term, window), window)


def _all_in_box(scene: Scene, term: Term, window: Lattice) -> tuple[Field, Lattice]:
    inner = window
    for one in term.terms:
        inner = bounds(scene, one, inner)
    field: Field = np.broadcast_to(EVERYWHERE, inner.shape)
    for one in term.terms:
        found = evaluate(scene, one, inner)
        field = np.minimum(field, found, out=found if found.flags.writeable else None)
        box = box_inside(field)
        if box is None:
            return field, inner
        inner, field = inner.inner(box), field[box]
    return field, inner


def _any_of(scene: Scene, term: Term, window: Lattice) -> Field:
    """Where one of the terms is; one that cannot be worked out is left out with a note."""
    return embedded(*_any_in_box(scene, term, window), window)


def _any_in_box(scene: Scene, term: Term, window: Lattice) -> tuple[Field, Lattice]:
    parts, reasons = [], []
    for one in term.terms:
        try:
            with scene.tracing() as trace:
                parts.append(in_box(scene, one, window))
        except LackingError as lacking:
            reasons.append(str(lacking))
            continue
        scene.trace.join(trace)
    if not parts:
        raise LackingError("; ".join(reasons))
    for reason in reasons:
        scene.trace.note(f"a part of it is left out: {reason}")
    outer = reduce(Lattice.joined, (lattice for _, lattice in parts))
    fields = [embedded(field, lattice, outer) for field, lattice in parts]
    return np.asarray(np.maximum.reduce(fields)), outer


def _not(scene: Scene, term: Term, window: Lattice) -> Field:
    """Where the term is not."""
    return -evaluate(scene, term.terms[0], window)


def _first_of(scene: Scene, term: Term, window: Lattice) -> Field:
    """The first term that can be worked out; any but the first is noted as inferred."""
    reasons: list[str] = []
    for one in term.terms:
        try:
            with scene.tracing() as trace:
                field = evaluate(scene, one, window)
        except LackingError as lacking:
            reasons.append(str(lacking))
            continue
        scene.trace.join(trace)
        if reasons:
            scene.trace.note(f"a border is inferred from the {told(one)}, for there is {'; '.join(reasons)}")
        return field
    raise LackingError("; ".join(reasons))


# -------------------------------------------------------------------------------- structures and distances


def _mask(scene: Scene, term: Term, window: Lattice) -> Field:
    """Inside a structure (`name`)."""
    mask = scene.structures.mask(scene.text(term, "name"), scene.trace)
    return field_of_mask(mask, scene.structures.crop, window)


def _space(scene: Scene, term: Term, window: Lattice) -> Field:
    """A named term of `spaces`."""
    name = scene.text(term, "name")
    if name not in scene.atlas.spaces:
        raise term.problem("unknown space", expected=f"one of {', '.join(scene.atlas.spaces)}", got=name)
    with scene.making(f"space {name}", term):
        return evaluate(scene, scene.atlas.spaces[name], window)


def _hull(scene: Scene, term: Term, window: Lattice) -> Field:
    """The convex hull of structures (`of`) in each plane; `hold: true` carries the lowest one down.

    Linear between planes.
    """
    mask = scene.structures.union(scene.names(term, "of"), scene.trace)
    return hull_field(mask, scene.structures.crop, window, hold=term.keys.get("hold") is True)


def _near(scene: Scene, term: Term, window: Lattice) -> Field:
    """Within `mm` of structures (`of`), a `space`, a `path` or a `point`; `axial: true`: in the plane.

    An axial distance to a path counts between its ends; `hold: true` carries the ends on. `sloped: true`
    takes the surface of structures as sloping from slice to slice, not in steps.
    """
    mm, axial = scene.figure(term, "mm"), term.keys.get("axial") is True
    line = None if axial else _line(scene, term)
    if line is not None:
        inner = _line_bounds(line, mm, window)
        return embedded(near_line(line, mm, inner), inner, window)
    if "path" in term.keys:
        with scene.tracing() as trace:
            path = path_named(scene, scene.text(term, "path"), term)
        trace.landmarks.clear()  # they tell where in the plane the path runs, and set no level
        scene.trace.join(trace)
        return near_axially(path, mm, window, hold=term.keys.get("hold") is True)
    if mm > MAX_MARGIN_MM:
        raise term.problem("distance too large", expected=f"at most {MAX_MARGIN_MM:g} mm", got=f"{mm:g} mm")
    margin = Margin.axial(horizontal=mm, craniocaudal=0.0 if axial else mm)
    outer = around(window, margin)
    if "space" in term.keys:
        space = Term(primitive="space", place=term.place, keys={"name": term.keys["space"]})
        field = evaluate(scene, space, outer)
    else:
        mask = scene.structures.union(scene.names(term, "of"), scene.trace)
        made = sloped_field if term.keys.get("sloped") is True else field_of_mask
        field = made(mask, scene.structures.crop, outer)
    return grown(field, outer, margin, window)


def _line(scene: Scene, term: Term) -> Floats | None:
    """The path, or the point as a path of one; None for other terms."""
    if "point" in term.keys:
        return point_named(scene, scene.text(term, "point"), term)[None, :]
    return path_named(scene, scene.text(term, "path"), term) if "path" in term.keys else None


def _line_bounds(line: Floats, mm: float, window: Lattice, *, axes: Sequence[int] = (0, 1, 2)) -> Lattice:
    for axis, places in ((axis, coordinates(window)[axis]) for axis in axes):
        low, high = line[:, 2 - axis].min() - mm, line[:, 2 - axis].max() + mm
        span = int(np.searchsorted(places, low)), int(np.searchsorted(places, high))
        window = narrowed(window, span, axis=axis)
    return window


# -------------------------------------------------------------------------------------------------- bounds
# What is known of where a term can be, before it is worked out: saves time, and changes nothing.


def bounds(scene: Scene, term: Term, window: Lattice) -> Lattice:
    """The part of a window outside which a term is nowhere."""
    if term.primitive == "space":
        name = scene.text(term, "name")
        inner = scene.atlas.spaces.get(name)
        if inner is None:
            return window
        with scene.making(f"space {name}", term):
            return bounds(scene, inner, window)
    if term.primitive == "all_of":
        for one in term.terms:
            window = bounds(scene, one, window)
        return window
    if term.primitive not in BOUNDS:
        return window
    with scene.tracing():
        try:
            return BOUNDS[term.primitive](scene, term, window)
        except LackingError:  # told when the term is worked out
            return window


def _near_bounds(scene: Scene, term: Term, window: Lattice) -> Lattice:
    """Around a path or point, in all directions or in the axial plane; around structures."""
    mm, axial = scene.figure(term, "mm"), term.keys.get("axial") is True
    if "space" in term.keys:
        return window
    line = _line(scene, term)
    if line is None:
        mask, crop = scene.structures.union(scene.names(term, "of")), scene.structures.crop
        box = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        ends = [
            axis[[found[0], found[-1]]]
            for axis, found in zip((crop.u, crop.v, crop.w), box[::-1], strict=True)
        ]
        line = np.column_stack(ends)
        mm += max(scene.structures.view.spacing_mm)
    return _line_bounds(line, mm, window, axes=(1, 2) if axial else (0, 1, 2))


BOUNDS: Mapping[str, Callable[[Scene, Term, Lattice], Lattice]] = {
    "slab": slab_bounds,
    "side": side_bounds,
    "near": _near_bounds,
}

PRIMITIVES: Mapping[str, Primitive] = {
    "all_of": _all_of,
    "any_of": _any_of,
    "not": _not,
    "first_of": _first_of,
    "slab": slab,
    "side": side,
    "line_side": line_side,
    "mask": _mask,
    "space": _space,
    "hull": _hull,
    "near": _near,
}
