"""Margin errors of our geometry beside the open tools', against exact Minkowski sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.core.raster import contours_to_mask, mask_to_contours
from pipeline.core.rules import Ends
from pipeline.core.volume import Mask
from tests.benchmarks.peers import peers
from tests.benchmarks.scenes import HorizontalAndCraniocaudal, Scene, Spacing, grown, make_scene, places
from tests.benchmarks.shapes import SHAPES
from tests.benchmarks.tables import Limit, print_limits, print_table

SPACINGS: tuple[Spacing, ...] = ((0.98, 0.98, 3.0), (1.17, 1.17, 5.0), (1.0, 1.0, 1.0))
MARGINS: tuple[HorizontalAndCraniocaudal, ...] = ((5.0, 5.0), (7.0, 12.0), (6.0, 40.0))
PLACES = 6

OURS = "rt-targets, mask to mask"
CONTOURS = "rt-targets, contours: continuous"
SLICED = "rt-targets, contours: on the slices"
STACKED = "rt-targets, contours: of the stack"
TAPERED = "rt-targets, contours, tapered ends: continuous"
LARGEST_STACKED = 1.5  # percent

WHAT_IS_WHAT = f"""
Volume error in % (mean over shapes; worst shape in brackets) and Dice with the exact mask. Each shape
lies at {PLACES} places between voxels; its error is the mean over them.
  Truth of masks      voxel count x voxel volume against the closed-form volume of the Minkowski sum of
                      the continuous shape and the ellipsoid of the margin. Every method is given the
                      voxels whose centres the shape holds, and gives voxels.
  contours:           the shape's exact sections in, polygon area x slice spacing out, against
    continuous        the same volume: also holds what slicing the lesion changes;
    on the slices     the exact section areas of the sum on the slice planes x spacing;
    of the stack      the same of what the contours say (linear between slices, flat ends half a slice
                      on): the error of the margin itself."""


@dataclass(slots=True)
class Figures:
    """One method's volume errors in percent and Dice, by shape."""

    volume: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    dice: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, shape: str, volume: float, truth: float, *, dice: float | None = None) -> None:
        self.volume[shape].append(100.0 * (volume / truth - 1.0))
        if dice is not None:
            self.dice[shape].append(dice)

    @property
    def mean(self) -> float:
        return float(np.mean([np.mean(values) for values in self.volume.values()]))

    @property
    def worst(self) -> float:
        """Of the shapes' means over their places."""
        return max((float(np.mean(values)) for values in self.volume.values()), key=abs)

    @property
    def worst_case(self) -> float:
        return max((value for values in self.volume.values() for value in values), key=abs)

    def cells(self) -> list[str]:
        dice = [np.mean(values) for values in self.dice.values()]
        return [f"{self.mean:+.1f} ({self.worst:+.1f})", f"{np.mean(dice):.3f}" if dice else "-"]


def measure(spacing: Spacing, margin: HorizontalAndCraniocaudal) -> Mapping[str, Figures]:
    """Every method's figures on one grid with one margin."""
    found: dict[str, Figures] = defaultdict(Figures)
    for shape in SHAPES:
        continuous = shape.volume_mm3(*margin)
        for place in places(PLACES):
            scene = make_scene(shape, spacing, place, margin)
            truth = scene.voxels(*margin)
            for name, voxels in _masks(scene, margin).items():
                count = int(np.count_nonzero(voxels))
                dice = 2.0 * np.count_nonzero(voxels & truth) / (count + np.count_nonzero(truth))
                volume = count * scene.grid.voxel_volume_mm3
                found[name].add(shape.name, volume, continuous, dice=float(dice))
            cut = 1000.0 * grown(scene.contours(), margin).contours().volume_cc
            found[CONTOURS].add(shape.name, cut, continuous)
            tapered = 1000.0 * grown(scene.contours(), margin, ends=Ends.TAPERED).contours().volume_cc
            found[TAPERED].add(shape.name, tapered, continuous)
            found[SLICED].add(shape.name, cut, scene.sliced_volume_mm3(margin))
            found[STACKED].add(shape.name, cut, scene.stack_volume_mm3(margin))
    return found


def _masks(scene: Scene, margin: HorizontalAndCraniocaudal) -> dict[str, npt.NDArray[np.bool_]]:
    """What each method makes of the same voxels."""
    a, c = margin
    drawn = Mask(grid=scene.grid, voxels=scene.voxels())
    ours = contours_to_mask(grown(mask_to_contours(drawn), margin).contours()).voxels
    spacing = scene.grid.spacing_mm
    return {OURS: ours} | {name: grow(drawn.voxels, spacing, (a, a, c)) for name, grow in peers().items()}


def _limits(where: str, figures: Mapping[str, Figures]) -> list[Limit]:
    ours, usual = figures[OURS], figures["SciPy distance transform"]
    # Masks say nothing of what lies between slices: all that can be asked is to be nearer than the usual way.
    rows = (
        ("mask, mean (SciPy's)", abs(ours.mean), abs(usual.mean)),
        ("mask, worst shape (SciPy's)", abs(ours.worst), abs(usual.worst)),
        ("of the stack, worst", abs(figures[STACKED].worst_case), LARGEST_STACKED),
    )
    return [
        Limit(what=f"{what}, {where}", value=value, limit=limit, unit=" %") for what, value, limit in rows
    ]


def main() -> bool:
    """Print the tables; whether all limits hold."""
    print(WHAT_IS_WHAT)
    limits: list[Limit] = []
    head = ["method", *(text for a, c in MARGINS for text in (f"{a:g}/{c:g} mm", "Dice"))]
    for spacing in SPACINGS:
        label = " x ".join(f"{s:g}" for s in spacing)
        by_margin = {margin: measure(spacing, margin) for margin in MARGINS}
        rows = [
            [name, *(cell for figures in by_margin.values() for cell in figures[name].cells())]
            for name in (OURS, *peers(), CONTOURS, SLICED, STACKED, TAPERED)
        ]
        print_table(f"Grid {label} mm; margin horizontal/craniocaudal", head, rows)
        for (a, c), figures in by_margin.items():
            limits += _limits(f"{label}, {a:g}/{c:g}", figures)
    return print_limits(limits)
