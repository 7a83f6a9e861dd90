"""Left and right of the station atlas on the synthetic patient: x grows to the patient's left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from pipeline.anatomy.landmarks import find_landmarks
from pipeline.anatomy.organ_view import OrganView
from pipeline.anatomy.stations.derived import DERIVED
from pipeline.anatomy.stations.fields import coordinates, station_lattice
from pipeline.anatomy.stations.points import path_named, point_named
from pipeline.anatomy.stations.primitives import evaluate
from pipeline.anatomy.stations.scene import Scene
from pipeline.anatomy.stations.structures import Structures
from pipeline.core.atlas import Term
from pipeline.core.lattice import Lattice
from pipeline.phantom import Phantom, Reconstruction
from tests.anatomy.organs_of import PARTS, organs_of
from tests.anatomy.stations.made import term
from tests.anatomy.stations.patients import ATLAS, RULES, built
from tests.phantoms import coarse

PITCH = 2.0
ARTERIES = ("common_hepatic_artery", "splenic_artery")
ASKED = term({"near": {"of": "anything"}})


def patient() -> Phantom:
    return coarse(reconstruction=Reconstruction.NATIVE, lesions=())


@lru_cache(maxsize=6)
def scene(*without: str) -> Scene:
    """The patient under the atlas, at his true landmarks, less some organs."""
    parts = (*PARTS, *ARTERIES, "bronchus_intermedius")
    organs = organs_of(patient(), without=without, parts=parts)
    view = OrganView(organs)
    found = find_landmarks(view, RULES, dict(patient().landmarks)).found
    structures = Structures(view, found, ATLAS.groups, DERIVED)
    lattice = station_lattice(organs.grid, structures.crop, PITCH)
    return Scene(ATLAS, ATLAS.chosen({}), structures, lattice)


def slice_at(z: float) -> int:
    grid = patient().volume.grid
    return int(np.argmin(np.abs(grid.plane_positions_mm - z)))


def columns(name: str, z: float, around_mm: float = 0.0) -> np.ndarray:
    """x of each voxel of an organ on the slice at a height, or on those about it."""
    grid = patient().volume.grid
    mask = {**patient().parts, **patient().organs}[name].voxels
    planes = np.flatnonzero(
        np.abs(grid.plane_positions_mm - grid.plane_positions_mm[slice_at(z)]) <= around_mm
    )
    return grid.origin_mm[0] + np.nonzero(mask[planes])[2] * grid.spacing_mm[0]


def edge_of(name: str, edge: str, z: float) -> float:
    """x of a structure's middle, left or right edge; `midline` is the middle of the vertebral bodies."""
    if name == "midline":
        return float(columns("vertebrae_body", z, around_mm=15.0).mean())
    if name == "bronchi_both":
        crop = scene().structures.crop
        plane = scene().structures.mask(name)[int(np.argmin(np.abs(crop.w - z)))]
        x = crop.u[np.nonzero(plane)[1]]
    else:
        x = columns(name, z)
    half = patient().volume.grid.spacing_mm[0] / 2
    return {"left": float(x.max()) + half, "right": float(x.min()) - half, "centre": float(x.mean())}[edge]


# ----------------------------------------------------------------------------------------- sides of stations

# What is kept, of what, which edge of it, and how far to the left of that edge the border lies.
Side = tuple[str, str, str, float]
SIDES: dict[str, tuple[Side, ...]] = {
    "SCV_R": (
        ("right", "common_carotid_artery_right", "right", 0.0),
        ("right", "midline", "centre", -22.0),
        ("left", "anterior_scalene_right", "right", 0.0),
        ("left", "midline", "centre", -60.0),
    ),
    "SCV_L": (
        ("left", "common_carotid_artery_left", "left", 0.0),
        ("left", "midline", "centre", 22.0),
        ("right", "anterior_scalene_left", "left", 0.0),
        ("right", "midline", "centre", 60.0),
    ),
    "1R": (
        ("right", "trachea", "centre", 0.0),
        ("right", "midline", "centre", 0.0),
        ("left", "common_carotid_artery_right", "right", 0.0),
        ("left", "midline", "centre", -22.0),
        ("left", "midline", "centre", -43.0),
    ),
    "1L": (
        ("left", "trachea", "centre", 0.0),
        ("left", "midline", "centre", 0.0),
        ("right", "common_carotid_artery_left", "left", 0.0),
        ("right", "midline", "centre", 22.0),
        ("right", "midline", "centre", 43.0),
    ),
    "2R": (("right", "trachea", "left", 0.0), ("right", "midline", "centre", 8.0)),
    "2L": (("left", "trachea", "left", 0.0), ("left", "midline", "centre", 8.0)),
    "4R": (("right", "trachea", "left", 0.0), ("right", "midline", "centre", 8.0)),
    "4L": (("left", "trachea", "left", 0.0), ("left", "midline", "centre", 8.0)),
    "7": (
        ("left", "bronchi_both", "right", 0.0),
        ("right", "bronchi_both", "left", 0.0),
        ("right", "midline", "centre", 20.0),
        ("left", "midline", "centre", -20.0),
        ("right", "midline", "centre", 30.0),
        ("left", "midline", "centre", -30.0),
    ),
    "9R": (("right", "midline", "centre", -10.0),),
    "9L": (("left", "midline", "centre", 0.0),),
}
# A height within each of them: a landmark and mm above it.
HEIGHT = {
    "SCV_R": ("sternal_notch", 25.0), "SCV_L": ("sternal_notch", 25.0), "1R": ("sternal_notch", 25.0),
    "1L": ("sternal_notch", 25.0), "2R": ("sternal_notch", -10.0), "2L": ("sternal_notch", -10.0),
    "4R": ("carina", 15.0), "4L": ("carina", 15.0), "7": ("carina", -10.0), "9R": ("hiatus", 30.0),
    "9L": ("hiatus", 30.0),
}  # fmt: skip


def sides_in(space: Term) -> Iterator[Term]:
    """Terms that keep the left or the right of a structure, those of shared spaces among them."""
    if space.primitive == "space":
        yield from sides_in(ATLAS.spaces[str(space.keys["name"])])
    elif space.primitive == "side" and space.keys["keep"] in {"left", "right"}:
        yield space
    for inner in space.terms:
        yield from sides_in(inner)


def plane(of: Scene, z: float) -> Lattice:
    lattice = of.lattice
    w, _, _ = coordinates(lattice)
    at = int(np.argmin(np.abs(w - z)))
    return lattice.inner((slice(at, at + 1), *(slice(0, count) for count in lattice.shape[1:])))


def height_of(station: str) -> float:
    landmark, above = HEIGHT[station]
    z = patient().landmarks[landmark][2] + above
    return float(patient().volume.grid.plane_positions_mm[slice_at(z)])


def test_the_sides_are_all_that_the_atlas_has() -> None:
    assert patient().volume.grid.frame.from_patient([(3.0, 4.0, 5.0)])[0] == pytest.approx([3.0, 4.0, 5.0])
    counted = {name: len(list(sides_in(rule.space))) for name, rule in ATLAS.stations.items()}
    assert counted == {name: len(SIDES.get(name, ())) for name in ATLAS.stations}


@pytest.mark.parametrize(
    "station, number, side",
    [
        pytest.param(station, number, side, id=f"{station}-{side[0]} of {side[1]} {side[3]:+g}-{number}")
        for station, sides in SIDES.items()
        for number, side in enumerate(sides)
    ],
)
def test_a_station_keeps_to_its_side(station: str, number: int, side: Side) -> None:
    keep, name, edge, further = side
    z = height_of(station)
    where = plane(scene(), z)
    _, _, u = coordinates(where)
    inside = (evaluate(scene(), list(sides_in(ATLAS.stations[station].space))[number], where)[0] > 0).all(
        axis=0
    )
    kept, border = u[inside], edge_of(name, edge, z) + further
    if keep == "left":
        assert kept.max() == u.max()
        assert kept.min() == pytest.approx(border, abs=PITCH + 1.0)
    else:
        assert kept.min() == u.min()
        assert kept.max() == pytest.approx(border, abs=PITCH + 1.0)


def test_4L_ends_6_mm_left_of_the_line_between_the_aortae() -> None:  # noqa: N802 - the station's name
    (line,) = (
        one
        for inner in ATLAS.stations["4L"].space.terms
        for one in inner.terms
        if one.primitive == "line_side"
    )
    still = replace(line, keys={key: value for key, value in line.keys.items() if key not in {"move", "by"}})
    where = plane(scene(), height_of("4L"))
    moved, unmoved = (evaluate(scene(), one, where)[0] for one in (line, still))
    # What is kept lies to the right: there, the border is further off by as much as it was moved to the left.
    assert (moved - unmoved) == pytest.approx(np.full(moved.shape, 6.0), abs=1e-3)
    assert (moved[:, 0] > 0).all()
    assert (moved[:, -1] < 0).all()


# --------------------------------------------------------------------------------------- points and paths


def test_the_junction_lies_to_the_left_of_the_aorta() -> None:
    point = point_named(scene(), "junction", ASKED)
    hiatus = patient().landmarks["hiatus"][2]
    assert point[2] == pytest.approx(hiatus - 15.0)
    assert point[0] - edge_of("aorta", "centre", hiatus - 15.0) == pytest.approx(12.0, abs=1.5)


SIDE_OF_BRANCH = {"hepatic_point": -1.0, "splenic_point": 1.0}


@pytest.mark.parametrize("name, artery", [("hepatic_point", ARTERIES[0]), ("splenic_point", ARTERIES[1])])
def test_branches_run_to_their_side_of_the_celiac_axis(name: str, artery: str) -> None:
    for along, without in ((artery, ()), ("portal_vein_and_splenic_vein", ARTERIES)):
        of = scene(*without)
        tip = point_named(of, "celiac_tip", ASKED)
        with of.tracing() as trace:
            point = point_named(of, name, ASKED)
        assert (point[0] - tip[0]) * SIDE_OF_BRANCH[name] > 10.0, along
        assert bool(trace.notes) is bool(without), along
        if without:
            assert trace.notes == [f"{name} is inferred (no {artery})"]
        grid = patient().volume.grid
        mask = {**patient().parts, **patient().organs}[along].voxels
        places = grid.to_patient(np.argwhere(mask)[:, ::-1])
        assert np.linalg.norm(places - point, axis=1).min() < 6.0, along


@pytest.mark.parametrize(
    "name, shift", [("hepatic_point", (-30.0, -5.0, -5.0)), ("splenic_point", (30.0, 10.0, 0.0))]
)
def test_branches_of_which_nothing_is_known_run_to_their_side_too(name: str, shift) -> None:
    of = scene(*ARTERIES, "portal_vein_and_splenic_vein")
    moved = point_named(of, name, ASKED) - point_named(of, "celiac_tip", ASKED)
    assert moved == pytest.approx(shift)


@pytest.mark.slow
def test_the_bed_passes_3_mm_left_of_the_midline_at_the_pulmonary_vein() -> None:
    path = path_named(scene("esophagus"), "esophageal_bed", ASKED)
    z = patient().landmarks["inferior_pulmonary_vein_lowest"][2]
    (at,) = (point for point in path if point[2] == pytest.approx(z))
    assert at[0] - edge_of("midline", "centre", z) == pytest.approx(3.0, abs=1.5)


# -------------------------------------------------------------------------------------------- all of it


@pytest.mark.slow
def test_abdominal_stations_lie_to_their_side() -> None:
    stations = built(organs_of(patient(), parts=(*PARTS, *ARTERIES)))

    def middle(name: str) -> float:
        grid = stations.grid
        return float(
            grid.to_patient(np.argwhere(stations.labels == stations.label_of[name])[:, ::-1])[:, 0].mean()
        )

    aorta = edge_of("aorta", "centre", patient().landmarks["hiatus"][2] - 15.0)
    assert middle("16") > aorta + 6.0
    assert middle("17") > middle("20")
    assert middle("18") < middle("20") - 6.0
    assert middle("19") > middle("20") + 6.0
