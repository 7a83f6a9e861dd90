"""What the solid of a contour stack differs from the ideal sphere it was drawn on."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.scenes import grown, make_scene, places
from tests.benchmarks.shapes import SHAPES, Floats
from tests.benchmarks.tables import Limit, print_limits, print_table

SPACING = (0.98, 0.98, 3.0)
MARGIN = (5.0, 5.0)
PLACES = 12

# Percent; how far the stack's own expansion may lie from the ideal one follows from the convention.
LARGEST_OF_STACK = 1.5
FROM_IDEAL = {"sphere R5": (8.0, 12.0), "sphere R15": (1.0, 3.0)}


def main() -> bool:
    """Print the table; whether all limits hold."""
    rows, limits = [], []
    for shape in SHAPES:
        if not shape.is_sphere:
            continue
        of_ideal, of_stack, drawn = [], [], []
        for place in places(PLACES):
            scene = make_scene(shape, SPACING, place, MARGIN)
            contours = scene.contours()
            cut = 1000.0 * grown(contours, MARGIN).contours().volume_cc
            drawn.append(_percent(1000.0 * contours.volume_cc, shape.volume_mm3(0.0, 0.0)))
            of_ideal.append(_percent(cut, shape.volume_mm3(*MARGIN)))
            of_stack.append(_percent(cut, scene.stack_volume_mm3(MARGIN)))
        rows.append([shape.name, *(_cell(values) for values in (drawn, of_ideal, of_stack))])
        low, high = FROM_IDEAL[shape.name]
        mean, worst = float(np.mean(of_ideal)), float(np.max(np.abs(of_stack)))
        limits += [
            Limit(
                what=f"{shape.name}: PGTV of the stack, worst", value=worst, limit=LARGEST_OF_STACK, unit=" %"
            ),
            Limit(what=f"{shape.name}: PGTV of the ideal", value=mean, limit=low, at_least=True, unit=" %"),
            Limit(what=f"{shape.name}: PGTV of the ideal", value=mean, limit=high, unit=" %"),
        ]
    print(
        f"\nSpheres drawn on slices {SPACING[2]:g} mm apart, grown by {MARGIN[0]:g} mm;\n"
        f"polygon area x spacing, mean and range over {PLACES} places between slices, in % of the truth.\n"
        "The ideal: the sphere itself. The stack: the solid of its contours, linear between slices,\n"
        "its end contours going on for half a slice (flat)."
    )
    print_table(
        "Contour-stack solids and ideal spheres",
        ["lesion", "GTV / ideal", "PGTV / ideal", "PGTV / stack, exact"],
        rows,
    )
    return print_limits(limits)


def _percent(value: float, truth: float) -> float:
    return 100.0 * (value / truth - 1.0)


def _cell(values: list[float] | Floats) -> str:
    return f"{np.mean(values):+.1f} [{np.min(values):+.1f}, {np.max(values):+.1f}]"
