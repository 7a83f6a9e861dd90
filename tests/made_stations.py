"""Stations made by hand: exact shapes on a small grid, and a whole set on the synthetic patient."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from shapely.geometry import MultiPolygon

from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.contour import Contours
from pipeline.core.grid import Grid
from pipeline.core.raster import contours_to_mask, mask_to_contours
from pipeline.core.regions import Region
from pipeline.core.report import Finding, Severity
from pipeline.core.solid import solid_from_contours
from pipeline.core.stations import Station, Stations
from pipeline.core.volume import Mask
from pipeline.phantom import Phantom

ATLAS = {
    "1R": Region.I,
    "1L": Region.I,
    "7": Region.III,
    "8Lo": Region.III,
    "20": Region.IV,
}
DOUBT = Finding(code="STATION_DOUBT", severity=Severity.INFO, where="station 7", message="look")


def landmark(name: str, point: tuple[float, float, float], *, inferred: bool = False) -> Landmark:
    return Landmark(name=name, point_mm=point, inferred=inferred, error_mm=3.0, how="seen")


def station(name: str, region: Region, drawn: Contours, **more: object) -> Station:
    return Station(name=name, region=region, solid=solid_from_contours(drawn), **more)


def slab(grid: Grid, section: shapely.Geometry, layers: range) -> Contours:
    """A section on some layers, counted from the feet."""
    slices = np.argsort(grid.plane_positions_mm)[list(layers)].tolist()
    return Contours(grid=grid, sections=dict.fromkeys(slices, MultiPolygon(section)))


def simple(grid: Grid, *, conduit: bool = True) -> Stations:
    """1R to the right and 1L to the left of the grid's middle, 7 with a hole between them; 8Lo, 20 missing.

    The hole of 7 is the conduit: with it, 7 has none.
    """
    middle = grid.frame.from_patient(grid.to_patient([[(n - 1) / 2 for n in grid.size]]))[0]
    u, v = float(middle[0]), float(middle[1])
    half = grid.size[2] // 2
    disc = shapely.Point(u, v).buffer(14, quad_segs=32)
    drawn = {
        "1R": slab(grid, MultiPolygon([shapely.box(u - 34, v - 8, u - 18, v + 5)]), range(half, half + 4)),
        "1L": slab(grid, MultiPolygon([shapely.box(u + 18, v - 8, u + 38, v + 5)]), range(half, half + 4)),
        "7": slab(
            grid, MultiPolygon([disc - shapely.Point(u, v).buffer(6, quad_segs=32)]), range(2, half - 1)
        ),
    }
    whole = solid_from_contours(slab(grid, MultiPolygon([disc]), range(2, half - 1)))
    built = {
        name: station(
            name,
            ATLAS[name],
            contours,
            with_conduit=whole if conduit and name == "7" else None,
            landmarks=("carina", "hiatus") if name == "7" else ("sternal_notch",),
            notes=("no azygos vein was given",) if name == "7" else (),
        )
        for name, contours in drawn.items()
    }
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for name, contours in drawn.items():
        labels[contours_to_mask(contours).voxels] = list(ATLAS).index(name) + 1
    return Stations(
        grid=grid,
        regions=ATLAS,
        built=built,
        not_built={"8Lo": "no pulmonary_vein and no carina", "20": "no aorta"},
        labels=labels,
        options={"boundary_1_2": "notch"},
        findings=(DOUBT,),
    )


def simple_landmarks(grid: Grid) -> Landmarks:
    """Carina two layers below the middle, notch at the middle, hiatus inferred at layer 2 from the feet."""
    layers = {"sternal_notch": grid.size[2] // 2, "carina": grid.size[2] // 2 - 2, "hiatus": 2}
    order = np.argsort(grid.plane_positions_mm)
    middle = [(grid.size[0] - 1) / 2, (grid.size[1] - 1) / 2]
    found = {
        name: landmark(
            name,
            tuple(grid.to_patient([[*middle, order[layer]]])[0].tolist()),
            inferred=name == "hiatus",
        )
        for name, layer in layers.items()
    }
    return Landmarks(found=found, missing={"SMA_origin": "not from an artery: no aorta"})


# ------------------------------------------------------------------------------------ the synthetic patient

# Centre (left, back, up) from the carina and half-axes, in mm; the region. Close enough to look at.
_BLOBS: Mapping[str, tuple[Region, tuple[float, float, float], tuple[float, float, float]]] = {
    "1R": (Region.I, (-17, -10, 70), (15, 14, 20)),
    "1L": (Region.I, (19, -10, 70), (15, 14, 20)),
    "SCV_R": (Region.I, (-47, -18, 72), (18, 14, 22)),
    "SCV_L": (Region.I, (49, -18, 72), (18, 14, 22)),
    "2R": (Region.II, (-16, -12, 38), (18, 16, 13)),
    "2L": (Region.II, (17, -10, 42), (14, 14, 9)),
    "4R": (Region.II, (-18, -11, 16), (20, 18, 14)),
    "4L": (Region.II, (14, -7, 10), (11, 14, 18)),
    "7": (Region.III, (-1, -2, -20), (20, 14, 20)),
    "8U": (Region.II, (2, 16, 25), (18, 13, 24)),
    "8M": (Region.III, (6, 21, -27), (20, 14, 26)),
    "8Lo": (Region.III, (10, 18, -88), (22, 16, 34)),
    "9R": (Region.III, (-28, 8, -82), (15, 18, 26)),
    "9L": (Region.III, (32, 14, -80), (12, 16, 24)),
    "15": (Region.IV, (4, 32, -140), (30, 12, 22)),
    "16": (Region.IV, (26, -8, -134), (15, 15, 15)),
    "17": (Region.IV, (18, -10, -158), (12, 12, 16)),
    "18": (Region.IV, (-12, -20, -180), (16, 11, 10)),
    "19": (Region.IV, (26, -8, -176), (14, 11, 10)),
    "20": (Region.IV, (6, -6, -174), (12, 12, 10)),
}
_BARRIERS = ("lung", "aorta", "heart", "vertebrae", "trachea", "vein", "artery", "trunk", "rib", "sternum")


def of_phantom(phantom: Phantom) -> Stations:
    """Ellipsoids about the places of the stations, less bones, lungs, heart and vessels; 19 is not built."""
    grid = phantom.volume.grid
    barrier = np.zeros(grid.shape, dtype=bool)
    for name in phantom.organs:
        if any(part in name for part in _BARRIERS):
            barrier |= phantom.organs[name].voxels
    labels = np.zeros(grid.shape, dtype=np.uint8)
    built = {}
    for value, (name, (region, centre, half)) in enumerate(_BLOBS.items(), start=1):
        box, inside = _blob(grid, np.add(centre, phantom.landmarks["carina"]), np.array(half))
        mine = np.zeros(grid.shape, dtype=bool)
        mine[box] = inside & ~barrier[box] & (labels[box] == 0)
        if name == "19" or not mine.any():
            continue
        labels[mine] = value
        drawn = mask_to_contours(Mask(grid=grid, voxels=mine))
        built[name] = station(name, region, drawn, landmarks=("carina",))
    return Stations(
        grid=grid,
        regions={name: region for name, (region, _, _) in _BLOBS.items()},
        built=built,
        not_built={name: "no splenic artery, no portal vein" for name in _BLOBS if name not in built},
        labels=labels,
        options={"boundary_1_2": "notch", "caudal_4R": "azygos_top"},
    )


def _blob(grid: Grid, centre: np.ndarray, half: np.ndarray) -> tuple[tuple[slice, ...], np.ndarray]:
    """A box of voxels (k, j, i), and which of them lie in a rounded box about an LPS point."""
    corners = grid.to_index([centre - half, centre + half])
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=0)) + 1, grid.size).astype(int)
    i, j, k = np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij")
    points = grid.to_patient(np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1))
    inside = (((points - centre) / half) ** 4).sum(axis=1) < 1
    box = tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))
    return box, inside.reshape(i.shape).transpose(2, 1, 0)


def landmarks_of_phantom(phantom: Phantom) -> Landmarks:
    """Its true landmarks; the hiatus and the arteries as if inferred."""
    inferred = {"hiatus", "celiac_axis_origin", "SMA_origin"}
    return Landmarks(
        found={
            name: landmark(name, point, inferred=name in inferred)
            for name, point in phantom.landmarks.items()
        }
    )
