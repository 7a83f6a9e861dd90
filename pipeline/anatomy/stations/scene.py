"""What the terms of the atlas can ask for: levels, figures, structures, curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy

from pipeline.anatomy.organ_view import Floats
from pipeline.anatomy.stations.edges import Curve, centre_curves, edge_curve
from pipeline.anatomy.stations.lacking import LackingError, Trace
from pipeline.anatomy.stations.structures import Structures
from pipeline.core.atlas import StationAtlas, Term, Value
from pipeline.core.lattice import Lattice

# The middle of the patient: the vertebral bodies' centroids, as a running mean over this length [I].
MIDLINE_SMOOTHING_MM = 30.0
_MIDLINE = "midline"

# Direction to the frame axis (0: u, 1: v, 2: w) and the sense along it.
DIRECTIONS: Mapping[str, tuple[int, float]] = {
    "left": (0, 1.0),
    "right": (0, -1.0),
    "posterior": (1, 1.0),
    "anterior": (1, -1.0),
}


class Scene:
    """One patient under one atlas.

    Attributes:
        atlas: the rules.
        options: every option's choice.
        structures: the patient's.
        lattice: on which stations are made.
        trace: what the rule at hand made use of.
        paths: paths by name, as they are made.
    """

    def __init__(
        self, atlas: StationAtlas, options: Mapping[str, str], structures: Structures, lattice: Lattice
    ) -> None:
        self.atlas = atlas
        self.options = options
        self.structures = structures
        self.lattice = lattice
        self.trace = Trace()
        self.paths: dict[str, tuple[Floats | None, str, Trace]] = {}
        self._open: list[str] = []
        self._edges: dict[tuple[str, str], Curve] = {}
        self._centres: dict[str, tuple[Curve, Curve]] = {}

    def twin(self) -> Scene:
        """The same scene for another thread: what is known is shared, what is being made is not.

        Curves and paths depend on nothing but the patient: made by two threads at once, they are equal.
        """
        other = copy(self)
        other.trace, other._open = Trace(), []
        return other

    @contextmanager
    def tracing(self) -> Iterator[Trace]:
        """A trace of its own for what is done inside the block; the outer one does not hear of it."""
        outer, self.trace = self.trace, Trace()
        try:
            yield self.trace
        finally:
            self.trace = outer

    @contextmanager
    def making(self, name: str, term: Term) -> Iterator[None]:
        """While a named point or space is made.

        Raises:
            ConfigError: it is being made already, and so starts from itself.
        """
        if name in self._open:
            raise term.problem("point or space starts from itself", expected="no circle", got=name)
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()

    def figure(self, term: Term, key: str) -> float:
        """The figure that a key names, in mm; 0 where the key does not stand.

        Raises:
            ConfigError: the atlas has no such figure.
        """
        name = term.keys.get(key)
        if name is None:
            return 0.0
        if not isinstance(name, str) or name not in self.atlas.figures:
            raise term.problem(
                f"unknown figure at {key}", expected="the name of one of `figures`", got=str(name)
            )
        return self.atlas.figures[name].mm

    def level(self, term: Term, key: str) -> float:
        """The level that a key names, in mm along the patient.

        Raises:
            LackingError: the landmark is not known.
            ConfigError: no level stands there, or it is neither a landmark nor an option.
        """
        value = term.keys.get(key)
        if isinstance(value, Mapping):
            inner = Term(primitive=term.primitive, place=f"{term.place}.{key}", keys=value)
            return self.level(inner, "level") + self.figure(inner, "above") - self.figure(inner, "below")
        if not isinstance(value, str):
            raise term.problem(f"no level at {key}", expected="a landmark or option", got=str(value))
        name = value
        if value in self.atlas.options:
            name = self.atlas.options[value].choices[self.options[value]]
        found = self.structures.level(name)
        if found is None:
            raise LackingError(f"landmark {name} is not known")
        self.trace.uses(name)
        return found

    def text(self, term: Term, key: str) -> str:
        """The text at a key.

        Raises:
            ConfigError: there is none.
        """
        value = term.keys.get(key)
        if not isinstance(value, str):
            raise term.problem(f"no name at {key}", expected="text", got=str(value))
        return value

    def names(self, term: Term, key: str) -> tuple[str, ...]:
        """The names listed at a key; a single one counts as a list.

        Raises:
            ConfigError: there is none, or something else than names.
        """
        value: Value | None = term.keys.get(key)
        listed = (value,) if isinstance(value, str) else value
        if not isinstance(listed, tuple) or not listed:
            raise term.problem(f"no names at {key}", expected="a list of structures", got=str(value))
        names = tuple(name for name in listed if isinstance(name, str))
        if len(names) != len(listed):
            raise term.problem(f"no names at {key}", expected="a list of structures", got=str(value))
        return names

    def edge(self, name: str, edge: str) -> Curve:
        """The edge of a structure on one side.

        Raises:
            LackingError: the structure is not known.
        """
        if (name, edge) not in self._edges:
            self._edges[name, edge] = edge_curve(self.structures.mask(name), self.structures.crop, edge)
        self.structures.mask(name, self.trace)
        return self._edges[name, edge]

    def centre(self, name: str) -> tuple[Curve, Curve]:
        """The middle of a structure along u and v; `midline` is that of the patient.

        Raises:
            LackingError: the structure is not known.
        """
        if name == _MIDLINE:
            return self._midline()
        if name not in self._centres:
            self._centres[name] = centre_curves(self.structures.mask(name), self.structures.crop)
        self.structures.mask(name, self.trace)
        return self._centres[name]

    def midline(self) -> Callable[[Floats], Floats] | None:
        """Levels to the place of the patient's middle across it; None where nothing tells it."""
        try:
            return self.centre(_MIDLINE)[0].at
        except LackingError:
            return None

    def _midline(self) -> tuple[Curve, Curve]:
        if _MIDLINE not in self._centres:
            for name in ("spine_body", "body"):
                if self.structures.known(name):
                    u, v = centre_curves(self.structures.mask(name), self.structures.crop)
                    self._centres[_MIDLINE] = (u.smoothed(MIDLINE_SMOOTHING_MM), v)
                    break
            else:
                raise LackingError("no vertebra and no body to tell the midline from")
        if not self.structures.known("spine_body"):
            self.trace.note("the midline was taken from the body, as no vertebra is known")
        return self._centres[_MIDLINE]


def direction(term: Term, key: str, name: str) -> tuple[int, float]:
    """Frame axis of a direction that stands at a key, and the sense along it.

    Raises:
        ConfigError: there is no such direction.
    """
    if name not in DIRECTIONS:
        raise term.problem(
            f"unknown direction at {key}", expected=f"one of {', '.join(DIRECTIONS)}", got=name
        )
    return DIRECTIONS[name]


def told(term: Term) -> str:
    """A term in a few words, for notes."""
    if term.terms:
        return told(term.terms[0])
    named = term.keys.get("of", term.keys.get("name", term.keys.get("path", term.keys.get("through", ""))))
    names = named if isinstance(named, tuple) else (named,)
    return f"{term.primitive} of {', '.join(name for name in names if isinstance(name, str))}"
