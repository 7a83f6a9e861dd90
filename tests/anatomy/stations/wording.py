"""Rules of the station atlas in words, with every figure as a number: what a table of them is held against.

Distances are signed as in LPS: + to the left, to the back, to the head.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.core.atlas import StationAtlas, Term

# Where each key of a shift and each direction of a move points.
AXES = {
    "leftward": "x+", "rightward": "x-", "backward": "y+", "forward": "y-", "up": "z+", "down": "z-",
    "left": "+", "right": "-", "posterior": "+", "anterior": "-",
}  # fmt: skip
COMBINED = {"all_of": " and ", "first_of": " else ", "any_of": " or "}


class Wording:
    """The terms of an atlas in words."""

    def __init__(self, atlas: StationAtlas) -> None:
        self._figures = atlas.figures

    def of(self, term: Term) -> str:
        if term.primitive == "not":
            return f"not {self.of(term.terms[0])}"
        if term.terms:
            parts = [self.of(one) for one in term.terms]
            return f"({COMBINED[term.primitive].join(parts)})"
        return getattr(self, f"_{term.primitive}")(term.keys)

    def lines(self, space: Term) -> tuple[str, ...]:
        """A line for each of the terms that a station is the intersection of."""
        return tuple(self.of(one) for one in (space.terms if space.primitive == "all_of" else (space,)))

    def _mm(self, name: Any) -> str:
        return f"{self._figures[name].mm:g}"

    def _level(self, level: Any) -> str:
        if isinstance(level, str):
            return level
        signs = {"above": "+", "below": "-"}
        return level["level"] + "".join(
            f" {signs[key]}{self._mm(name)}" for key, name in level.items() if key != "level"
        )

    def _moved(self, keys: Mapping[str, Any]) -> str:
        return f" {AXES[keys['move']]}{self._mm(keys['by'])}" if "move" in keys else ""

    def _shifts(self, keys: Mapping[str, Any]) -> str:
        return "".join(f", {AXES[key]}{self._mm(name)}" for key, name in keys.items() if key in AXES)

    def _slab(self, keys: Mapping[str, Any]) -> str:
        return f"from {self._level(keys['from'])} to {self._level(keys['to'])}"

    def _side(self, keys: Mapping[str, Any]) -> str:
        return f"{keys['keep']} of {keys['of']} {keys.get('edge', 'centre')}{self._moved(keys)}"

    def _line_side(self, keys: Mapping[str, Any]) -> str:
        through = [one if isinstance(one, str) else self._nearest_of(one) for one in keys["through"]]
        return f"{keys['keep']} of the line {', '.join(through)}{self._moved(keys)}"

    @staticmethod
    def _nearest_of(entry: Mapping[str, Any]) -> str:
        return f"{entry['along']} nearest to {entry['nearest_to']}"

    @staticmethod
    def _switches(keys: Mapping[str, Any]) -> str:
        return "".join(f" {key}" for key in ("axial", "hold", "sloped") if keys.get(key))

    def _near(self, keys: Mapping[str, Any]) -> str:
        (kind,) = {"of", "path", "point", "space"} & set(keys)
        what = ", ".join(keys["of"]) if kind == "of" else f"{kind} {keys[kind]}"
        return f"within {self._mm(keys['mm'])} of {what}{self._switches(keys)}"

    def _hull(self, keys: Mapping[str, Any]) -> str:
        return f"hull of {', '.join(keys['of'])}{self._switches(keys)}"

    @staticmethod
    def _space(keys: Mapping[str, Any]) -> str:
        return f"in {keys['name']}"

    def _centre(self, keys: Mapping[str, Any]) -> str:
        return f"middle of {keys['of']} at {self._level(keys['at'])}{self._shifts(keys)}"

    def _beside(self, keys: Mapping[str, Any]) -> str:
        return f"{keys['edge']} edge of {keys['of']} at {self._level(keys['at'])}{self._shifts(keys)}"

    @staticmethod
    def _farthest(keys: Mapping[str, Any]) -> str:
        return f"{keys['along']} farthest from {keys['from']}"

    def _nearest(self, keys: Mapping[str, Any]) -> str:
        least = self._mm(keys["least"])
        return f"{keys['along']} nearest to {keys['to']}, to the {keys['side']}, {least} off or more"

    def _shifted(self, keys: Mapping[str, Any]) -> str:
        return f"{keys['from']}{self._shifts(keys)}"

    def _centreline(self, keys: Mapping[str, Any]) -> str:
        return f"middle line of {keys['of']} over {self._mm(keys['smooth'])}"

    def _knots(self, keys: Mapping[str, Any]) -> str:
        first = f"; the first {self._mm(keys['first'])}" if "first" in keys else ""
        return "; ".join(self._knot(one) for one in keys["knots"]) + first

    def _knot(self, keys: Mapping[str, Any]) -> str:
        if "point" in keys:
            return str(keys["point"])
        (way,) = {"behind", "before"} & set(keys)
        sign = "+" if way == "behind" else "-"
        by = f", y{sign}{self._mm(keys['by'])}"
        return f"{way} {keys[way]} at {self._level(keys['at'])}{by}{self._shifts(keys)}"
