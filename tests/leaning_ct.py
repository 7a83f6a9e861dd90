"""A ball on a CT that leans or is unevenly spaced, with its structure set."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from tests.dicom_maker import CtSpec, MadeCt, RoiSpec, axes_of, make_ct, make_structure_set

CENTRE = np.array([9.3, -14.2, 42.7])  # of the ball, off the middle of the volume
RADIUS = 14.0
UNEVEN = (0, 3, 6, 9, 11, 13, 15, 19, 22, 25, 28, 31, 34.5, 38, 41, 44, 47, 50, 53, 56, 59)
ANGLE = math.radians(18.5)


def hu(points: np.ndarray) -> np.ndarray:
    """Water with a ball of bone, and a slope from left to right and from foot to head."""
    inside = np.linalg.norm(points - CENTRE, axis=1) < RADIUS
    return np.where(inside, 700.0, 2.0 * points[:, 0] + 3.0 * points[:, 2])


def ball_loops(ct: MadeCt) -> list[np.ndarray]:
    """Circles where the ball meets the planes of the slices, however they lie."""
    i, j, k = axes_of(ct.spec)
    loops = []
    for origin in ct.origins:
        off = float((CENTRE - origin) @ k)
        if abs(off) < RADIUS:
            r = math.sqrt(RADIUS**2 - off**2)
            angles = np.linspace(0, 2 * math.pi, 120, endpoint=False)
            middle = CENTRE - off * k
            loops.append(middle + r * (np.outer(np.cos(angles), i) + np.outer(np.sin(angles), j)))
    return loops


def spec(kind: str, position: str = "HFS") -> CtSpec:
    """`uneven`; `tilted`: images lean and the table moves along the patient; `sheared`: the stack leans."""
    common = {"size": (50, 44, 21), "spacing_mm": (2.0, 2.4, 3.0), "center_mm": (5.0, -10.0, 40.0), "hu": hu}
    if kind == "uneven":
        return CtSpec(**common, position=position, along_mm=UNEVEN)
    i, j, k = axes_of(CtSpec(position=position))
    if kind == "sheared":
        return CtSpec(**common, position=position, lean=tuple(0.2 * j))
    down = math.cos(ANGLE) * j + math.sin(ANGLE) * k
    lean = tuple(math.tan(ANGLE) * down)
    return CtSpec(**common, position=position, cosines=(*i, *down), lean=lean)


def made(folder: Path, of: CtSpec) -> tuple[Path, MadeCt]:
    ct = make_ct(folder / "ct", of)
    make_structure_set(folder / "rs.dcm", ct, [RoiSpec("GTV-N", ball_loops(ct))])
    return folder, ct
