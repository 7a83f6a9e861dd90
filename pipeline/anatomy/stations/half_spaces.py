"""Primitives that keep one side of something: levels, edges, broken lines. Exact at any point."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.anatomy.organ_view import Floats
from pipeline.anatomy.stations.distances import narrowed
from pipeline.anatomy.stations.edges import Curve, nearest_curves
from pipeline.anatomy.stations.fields import EVERYWHERE, coordinates
from pipeline.anatomy.stations.lacking import LackingError
from pipeline.anatomy.stations.scene import Scene, direction, told
from pipeline.core.atlas import Term, Value
from pipeline.core.lattice import Field, Lattice

# A point on a level or edge belongs to what lies above, left of or behind it, so that no gap is left:
# levels and edges are taken so much lower, further right and further to the front.
_BEFORE_MM = 1e-3


# An edge that is carried further than this beyond the end of its structure is told [I].
MOST_HELD_MM = 12.0


def slab(scene: Scene, term: Term, window: Lattice) -> Field:
    """Between two levels: `from` below, `to` above."""
    low, high = (scene.level(term, key) - _BEFORE_MM for key in ("from", "to"))
    w, _, _ = coordinates(window)
    return _whole(np.minimum(w - low, high - w)[:, None, None], window)


def slab_bounds(scene: Scene, term: Term, window: Lattice) -> Lattice:
    """The planes that a slab can meet."""
    low, high = (scene.level(term, key) - _BEFORE_MM for key in ("from", "to"))
    w, _, _ = coordinates(window)
    return narrowed(window, (int(np.searchsorted(w, low)), int(np.searchsorted(w, high))), axis=0)


def side(scene: Scene, term: Term, window: Lattice) -> Field:
    """One side (`keep`) of an `edge` of a structure (`of`), level by level; the edge moved (`move`, `by`).

    Without `edge`, or with `centre`, the structure's middle. Between planes of the structure the edge is
    linear, beyond them the last one holds.
    """
    axis, sense, curve = _edge(scene, term)
    w, v, u = coordinates(window)
    beyond = max(float(curve.w[0] - w[0]), float(w[-1] - curve.w[-1]))
    if beyond > MOST_HELD_MM and term.keys.get("of") != "midline":
        scene.trace.note(
            f"the edge of {told(term)} goes straight on where it ends, for up to {beyond:.0f} mm"
        )
    along = u[None, None, :] if axis == 0 else v[None, :, None]
    return _whole(sense * (along - curve.at(w)[:, None, None]), window)


def side_bounds(scene: Scene, term: Term, window: Lattice) -> Lattice:
    """What of a window lies on the side that is kept, on any plane."""
    axis, sense, curve = _edge(scene, term)
    w, v, u = coordinates(window)
    edge, along = curve.at(w), (u, v)[axis]
    if sense > 0:
        span = int(np.searchsorted(along, edge.min())), len(along)
    else:
        span = 0, int(np.searchsorted(along, edge.max()))
    return narrowed(window, span, axis=2 - axis)


def _edge(scene: Scene, term: Term) -> tuple[int, float, Curve]:
    """The axis of what is kept, the sense along it, and the edge, moved."""
    keep = scene.text(term, "keep")
    axis, sense = direction(term, "keep", keep)
    name, edge = scene.text(term, "of"), str(term.keys.get("edge", "centre"))
    if edge == "centre":
        curve = scene.centre(name)[axis]
    elif direction(term, "edge", edge)[0] == axis:
        curve = scene.edge(name, edge)
    else:
        raise term.problem("edge lies across what is kept", expected=f"an edge along {keep}", got=edge)
    return axis, sense, curve.moved(_moved(scene, term, axis) - _BEFORE_MM)


def line_side(scene: Scene, term: Term, window: Lattice) -> Field:
    """One side of the broken line through the middles of structures (`through`), plane by plane.

    An entry may be `{along: A, nearest_to: B}`, the point of A nearest to B. Beyond its last points the line
    keeps their place; a plane that has none is not cut.
    """
    axis, sense = direction(term, "keep", scene.text(term, "keep"))
    anchors = _anchors(scene, term)
    w, v, u = coordinates(window)
    across = (v, u)[axis]  # the coordinate along which the line runs
    lines = np.full((len(w), len(across)), np.nan)
    for plane, level in enumerate(w):
        at = np.array([level])
        here = [
            (pair[1 - axis].at(at)[0], pair[axis].at(at)[0]) for pair in anchors if pair[0].present(at)[0]
        ]
        if here:
            here.sort()
            lines[plane] = np.interp(across, [place for place, _ in here], [value for _, value in here])
    if np.isnan(lines).all():
        raise LackingError(f"none of the structures of the line of {told(term)} is met at these levels")
    lines += _moved(scene, term, axis) - _BEFORE_MM
    along = u[None, None, :] if axis == 0 else v[None, :, None]
    line = lines[:, :, None] if axis == 0 else lines[:, None, :]
    return _whole(np.nan_to_num(sense * (along - line), nan=float(EVERYWHERE)), window)


def _anchors(scene: Scene, term: Term) -> list[tuple[Curve, Curve]]:
    through = term.keys.get("through")
    if not isinstance(through, tuple):
        raise term.problem("no line", expected="a list at through", got=str(through))
    anchors, lacking = [], []
    for entry in through:
        try:
            anchors.append(_anchor(scene, term, entry))
        except LackingError as reason:
            lacking.append(str(reason))
    # Both ends of a shortest line are needed; of a chain of middles, those that are known.
    if not anchors or (lacking and any(isinstance(entry, Mapping) for entry in through)):
        raise LackingError("; ".join(lacking))
    if lacking:
        scene.trace.note(
            f"the line of {told(term)} does without some of its structures: {'; '.join(lacking)}"
        )
    return anchors


def _anchor(scene: Scene, term: Term, entry: Value) -> tuple[Curve, Curve]:
    if isinstance(entry, str):
        return scene.centre(entry)
    if not isinstance(entry, Mapping):
        raise term.problem(
            "unknown point of a line", expected="a structure, or along and nearest_to", got=str(entry)
        )
    inner = Term(primitive=term.primitive, place=term.place, keys=entry)
    mask, other = (
        scene.structures.mask(scene.text(inner, key), scene.trace) for key in ("along", "nearest_to")
    )
    pair = nearest_curves(mask, other, scene.structures.crop)
    if not len(pair[0].w):
        raise LackingError(f"{entry['along']} and {entry['nearest_to']} share no plane")
    return pair


def _moved(scene: Scene, term: Term, axis: int) -> float:
    """By how much an edge is moved along an axis."""
    if "move" not in term.keys:
        return 0.0
    along, sense = direction(term, "move", scene.text(term, "move"))
    if along != axis:
        raise term.problem(
            "edge is moved along itself", expected="a direction across it", got=str(term.keys["move"])
        )
    return sense * scene.figure(term, "by")


def _whole(field: Floats, window: Lattice) -> Field:
    return np.array(np.broadcast_to(field, window.shape), dtype=np.float32)
