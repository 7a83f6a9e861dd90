"""What the pictures of stations show: contours, levels of the landmarks, and the planes worth seeing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.core.anatomy import Landmarks
from pipeline.core.case import Lesion
from pipeline.core.contour import Contours
from pipeline.core.station_colours import StationColours
from pipeline.core.stations import Stations
from pipeline.core.volume import Volume
from pipeline.review.planes import Overlay, Scan, in_patient_order

CARINA = "carina"
# Middles of stations this near to each other share one plane; further apart than this, planes stand between.
SAME_PLANE_MM, APART_MM = 5.0, 12.0

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationPicture:
    """What is to be drawn, all on the CT's grid.

    Attributes:
        stations: of the patient.
        contours: of each built station.
        landmarks: those found.
        colours: of stations, regions and lesions.
        lesions: as drawn; may be empty.
    """

    stations: Stations
    contours: Mapping[str, Contours]
    landmarks: Landmarks
    colours: StationColours
    lesions: Sequence[Lesion] = ()

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """Lesions, then stations that have contours, in the order of the atlas: the first lies on top."""
        colours = self.colours
        lesions = [
            Overlay(name=one.name, contours=one.contours, colour=colours.lesions[one.kind.value])
            for one in self.lesions
        ]
        stations = [
            Overlay(name=name, contours=self.contours[name], colour=colours.of(name, region))
            for name, region in self.stations.regions.items()
            if name in self.contours and not self.contours[name].is_empty
        ]
        return (*lesions, *stations)

    @property
    def drawn(self) -> dict[str, Contours]:
        """The stations that have contours."""
        return {name: one for name, one in self.contours.items() if not one.is_empty}


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelMark:
    """A landmark's level.

    Attributes:
        text: its name in words.
        w_mm: craniocaudal coordinate in the grid's frame.
        inferred: whether it was told from something else.
    """

    text: str
    w_mm: float
    inferred: bool


def level_marks(picture: StationPicture) -> tuple[LevelMark, ...]:
    """The landmarks' levels, head first."""
    frame = picture.stations.grid.frame
    marks = [
        LevelMark(
            text=name.replace("_", " "),
            w_mm=float(frame.from_patient([one.point_mm])[0][2]),
            inferred=one.inferred,
        )
        for name, one in picture.landmarks.found.items()
    ]
    return tuple(sorted(marks, key=lambda mark: -mark.w_mm))


def carina_mm(picture: StationPicture) -> float | None:
    """Level of the carina; None where it was not found."""
    return next((mark.w_mm for mark in level_marks(picture) if mark.text == CARINA), None)


def level_text(w_mm: float, carina: float | None) -> str:
    """A level as a reader thinks of it: from the carina, where that is known.

    >>> level_text(-180.0, -200.0), level_text(-200.2, -200.0), level_text(12.34, None)
    ('carina +20 mm', 'carina', 'z 12.3 mm')
    """
    if carina is None:
        return f"z {w_mm:.1f} mm"
    away = round(w_mm - carina)
    return f"carina {away:+d} mm" if away else "carina"


def axial_slices(scan: Scan, drawn: Mapping[str, Contours]) -> tuple[int, ...]:
    """Slices to show, head first: the ends of all structures, the middle of each, and some between.

    Each structure is met within `SAME_PLANE_MM` of its middle, the level that halves its volume; no two
    neighbouring slices are further apart than `APART_MM`, unless the CT's are.
    """
    if not drawn:
        return ()
    middles = {name: scan.level_mm(_middle(scan, one)) for name, one in drawn.items()}
    chosen: list[int] = []
    waiting = sorted(drawn, key=lambda name: -middles[name])
    while waiting:
        k, met = _plane_of_most(scan, drawn, middles, waiting)
        chosen.append(k)
        waiting = [name for name in waiting if name not in met]
    everywhere = [scan.layer(k) for one in drawn.values() for k in one.slices]
    layers = sorted({min(everywhere), max(everywhere), *(scan.layer(k) for k in chosen)})
    step = scan.step_mm[2]
    filled = set(layers)
    for low, high in pairwise(layers):
        parts = -(-(high - low) // max(1, int(APART_MM / step + 1e-9)))
        filled |= {low + round((high - low) * part / parts) for part in range(1, parts)}
    return tuple(scan.layer(layer) for layer in sorted(filled, reverse=True))


def _middle(scan: Scan, contours: Contours) -> int:
    """The slice that halves a structure's volume."""
    slices = sorted(contours.slices, key=scan.layer)
    areas = np.cumsum([contours.sections[k].area for k in slices])
    return slices[int(np.searchsorted(areas, areas[-1] / 2))]


def _plane_of_most(
    scan: Scan, drawn: Mapping[str, Contours], middles: Mapping[str, float], waiting: Sequence[str]
) -> tuple[int, set[str]]:
    """Of the slices near the middle of the first structure, the one near the middles of most."""
    best: tuple[int, float, int] | None = None
    served: set[str] = set()
    for k in drawn[waiting[0]].slices:
        level = scan.level_mm(k)
        near = {
            name: abs(middles[name] - level)
            for name in waiting
            if abs(middles[name] - level) <= SAME_PLANE_MM and k in drawn[name].sections
        }
        rank = (-len(near), sum(near.values()), scan.layer(k))
        if waiting[0] in near and (best is None or rank < best):
            best, chosen, served = rank, k, set(near)
    return chosen, served


def best_planes(picture: StationPicture, axis: int, count: int) -> tuple[float, ...]:
    """Planes along `axis` (0: u, sagittal; 1: v, coronal) that together show the stations at their widest.

    Each next one adds the most: the sum over the stations of their widest cut as a share of what any plane
    shows of them.

    Returns:
        At most `count` frame coordinates in mm, ascending.
    """
    labels = in_patient_order(Volume(grid=picture.stations.grid, hu=picture.stations.labels))
    shares = _shares(labels.hu.swapaxes(0, 2 - axis), len(picture.stations.regions))
    seen = np.zeros(shares.shape[1])
    chosen: list[int] = []
    for _ in range(count):
        gain = np.maximum(shares, seen).sum(axis=1) - seen.sum()
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        chosen.append(best)
        seen = np.maximum(seen, shares[best])
    return tuple(labels.first_mm[axis] + index * labels.step_mm[axis] for index in sorted(chosen))


def _shares(planes: npt.NDArray[np.uint8], count: int) -> Shares:
    """Voxels of each label on each plane, as a share of the most on any; shape (planes, labels)."""
    counts = np.array([np.bincount(plane.ravel(), minlength=count + 1)[1 : count + 1] for plane in planes])
    return np.asarray(counts / np.maximum(counts.max(axis=0), 1))
