"""Points and paths of the atlas: one small function a way to make them, and the tables that name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pipeline.anatomy.organ_view import Bools, Floats
from pipeline.anatomy.stations.lacking import LackingError
from pipeline.anatomy.stations.scene import Scene, direction
from pipeline.core.atlas import Term

PointMaker = Callable[[Scene, Term], Floats]

# Key of a shift to the frame axis and the sense along it.
_SHIFTS: Mapping[str, tuple[int, float]] = {
    "leftward": (0, 1.0),
    "rightward": (0, -1.0),
    "backward": (1, 1.0),
    "forward": (1, -1.0),
    "up": (2, 1.0),
    "down": (2, -1.0),
}


# A point told from voxels is the middle of all that fit nearly as well: no single one decides [I].
NEARLY_MM = 4.0


def point_named(scene: Scene, name: str, term: Term) -> Floats:
    """A point of the atlas in frame coordinates, by the first way that works.

    Raises:
        LackingError: none works.
        ConfigError: the atlas has no such point, or a way that there is not.
    """
    if name not in scene.atlas.points:
        raise term.problem("unknown point", expected=f"one of {', '.join(scene.atlas.points)}", got=name)
    with scene.making(f"point {name}", term):
        return _first(scene, name, scene.atlas.points[name], _point)


def path_named(scene: Scene, name: str, term: Term) -> Floats:
    """A path of the atlas as points in frame coordinates, shape (n, 3), by the first way that works.

    Raises:
        LackingError: none works.
        ConfigError: the atlas has no such path.
    """
    if name not in scene.atlas.paths:
        raise term.problem("unknown path", expected=f"one of {', '.join(scene.atlas.paths)}", got=name)
    if name not in scene.paths:
        with scene.tracing() as trace:
            try:
                scene.paths[name] = (_first(scene, name, scene.atlas.paths[name], _path), "", trace)
            except LackingError as lacking:
                scene.paths[name] = (None, str(lacking), trace)
    points, reason, trace = scene.paths[name]
    if points is None:
        raise LackingError(reason)
    scene.trace.join(trace)
    return points


def _first(scene: Scene, name: str, ways: tuple[Term, ...], make: PointMaker) -> Floats:
    reasons: list[str] = []
    for way in ways:
        try:
            with scene.tracing() as trace:
                made = make(scene, way)
        except LackingError as lacking:
            reasons.append(str(lacking))
            continue
        scene.trace.join(trace)
        if reasons:
            scene.trace.note(f"{name} is inferred ({'; '.join(reasons)})")
        return made
    raise LackingError(f"{name}: {'; '.join(reasons)}")


def _point(scene: Scene, way: Term) -> Floats:
    if way.primitive not in POINTS:
        raise way.problem("unknown way to a point", expected=f"one of {', '.join(POINTS)}", got=way.primitive)
    return POINTS[way.primitive](scene, way)


def _shifted_by(scene: Scene, way: Term, start: Floats) -> Floats:
    point = np.array(start, dtype=float)
    for key, (axis, sense) in _SHIFTS.items():
        point[axis] += sense * scene.figure(way, key)
    return point


# ---------------------------------------------------------------------------------------------- points


def _centre(scene: Scene, way: Term) -> Floats:
    """The middle of a structure at a level."""
    level = scene.level(way, "at")
    u, v = scene.centre(scene.text(way, "of"))
    at = np.array([level])
    return _shifted_by(scene, way, np.array([u.at(at)[0], v.at(at)[0], level]))


def _beside(scene: Scene, way: Term) -> Floats:
    """At the middle of an edge of a structure at a level, shifted."""
    level = np.array([scene.level(way, "at")])
    name, edge = scene.text(way, "of"), scene.text(way, "edge")
    axis, _ = direction(way, "edge", edge)
    u, v = scene.centre(name)
    place = [u.at(level)[0], v.at(level)[0], level[0]]
    place[axis] = scene.edge(name, edge).at(level)[0]
    return _shifted_by(scene, way, np.array(place))


def _farthest(scene: Scene, way: Term) -> Floats:
    """The end of a structure away from another one."""
    mine, other = (_places(scene, scene.text(way, key)) for key in ("along", "from"))
    from scipy.spatial import cKDTree

    tree = cKDTree(other)
    distances, _ = tree.query(mine)
    return _shifted_by(scene, way, mine[distances >= distances.max() - NEARLY_MM].mean(axis=0))


def _nearest(scene: Scene, way: Term) -> Floats:
    """The part of a structure nearest to a point, on one side of it, and not nearer than a figure."""
    name, side = scene.text(way, "along"), scene.text(way, "side")
    axis, sense = direction(way, "side", side)
    start = point_named(scene, scene.text(way, "to"), way)
    places = _places(scene, name)
    distances = np.linalg.norm(places - start, axis=1)
    fits = ((places[:, axis] - start[axis]) * sense > 0) & (distances >= scene.figure(way, "least"))
    if not fits.any():
        raise LackingError(f"no {name} to the {side}")
    places, distances = places[fits], distances[fits]
    return _shifted_by(scene, way, places[distances <= distances.min() + NEARLY_MM].mean(axis=0))


def _shifted(scene: Scene, way: Term) -> Floats:
    """Another point, shifted."""
    return _shifted_by(scene, way, point_named(scene, scene.text(way, "from"), way))


def _places(scene: Scene, name: str) -> Floats:
    """Voxel centres of a structure, shape (n, 3) in frame coordinates."""
    mask: Bools = scene.structures.mask(name, scene.trace)
    crop = scene.structures.crop
    w, v, u = np.nonzero(mask)
    return np.column_stack([crop.u[u], crop.v[v], crop.w[w]])


POINTS: Mapping[str, PointMaker] = {
    "centre": _centre,
    "beside": _beside,
    "farthest": _farthest,
    "nearest": _nearest,
    "shifted": _shifted,
}


# ----------------------------------------------------------------------------------------------- paths


def _path(scene: Scene, way: Term) -> Floats:
    if way.primitive not in PATHS:
        raise way.problem("unknown way to a path", expected=f"one of {', '.join(PATHS)}", got=way.primitive)
    points = PATHS[way.primitive](scene, way)
    first = scene.figure(way, "first")
    return _first_part(points, first) if first else points


def _centreline(scene: Scene, way: Term) -> Floats:
    """The smoothed middle of a structure."""
    name = scene.text(way, "of")
    u, v = (curve.smoothed(scene.figure(way, "smooth")) for curve in scene.centre(name))
    return np.column_stack([u.values, v.values, u.w])


def _knots(scene: Scene, way: Term) -> Floats:
    """A broken line through knots; one that cannot be placed is left out with a note, two must be there."""
    listed = way.keys.get("knots")
    if not isinstance(listed, tuple):
        raise way.problem("no knots", expected="a list", got=str(listed))
    points: list[Floats] = []
    for number, keys in enumerate(listed):
        if not isinstance(keys, Mapping):
            raise way.problem("knot without keys", expected="a mapping", got=str(keys))
        knot = Term(primitive="knot", place=f"{way.place}.{number}", keys=keys)
        try:
            with scene.tracing() as trace:
                points.append(_knot(scene, knot))
        except LackingError as lacking:
            scene.trace.note(f"a path goes straight past a knot that is not known: {lacking}")
            continue
        scene.trace.join(trace)
    if len(points) < 2:
        raise LackingError("fewer than two of its points are known")
    return np.array(points)


def _knot(scene: Scene, knot: Term) -> Floats:
    if "point" in knot.keys:
        return point_named(scene, scene.text(knot, "point"), knot)
    level = np.array([scene.level(knot, "at")])
    if "behind" in knot.keys:
        name, edge, sense = scene.text(knot, "behind"), "posterior", 1.0
        middle = scene.centre(name)[0]
    elif "before" in knot.keys:
        name, edge, sense = scene.text(knot, "before"), "anterior", -1.0
        middle = scene.centre("midline")[0]
    else:
        raise knot.problem("unknown knot", expected="point, behind or before", got=", ".join(knot.keys))
    v = scene.edge(name, edge).at(level)[0] + sense * scene.figure(knot, "by")
    return _shifted_by(scene, knot, np.array([middle.at(level)[0], v, level[0]]))


def _first_part(points: Floats, mm: float) -> Floats:
    """The first `mm` of a broken line."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    if lengths[-1] <= mm:
        return points
    end = np.array([np.interp(mm, lengths, points[:, axis]) for axis in range(3)])
    return np.vstack([points[lengths < mm], end])


PATHS: Mapping[str, PointMaker] = {"centreline": _centreline, "knots": _knots}
