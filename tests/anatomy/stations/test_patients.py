"""Thirty synthetic patients: every station is built, keeps out of its barriers, and lies where it should."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.anatomy.stations.fields import PITCH_MM
from pipeline.core.case import LesionKind
from pipeline.phantom import LesionChoice, PhantomOptions, Reconstruction
from tests.anatomy.organs_of import organs_of
from tests.anatomy.stations.kept_out import NEVER_IN
from tests.anatomy.stations.patients import (
    COARSE_PITCH,
    NAMES,
    ROUTES,
    built,
    codes,
    volumes,
    voxels_of,
)
from tests.phantoms import COARSE
from tests.phantoms import phantom as phantom_of

pytestmark = pytest.mark.slow

COHORT = [pytest.param(seed, marks=() if seed < 3 else pytest.mark.cohort) for seed in range(30)]
# Doubts that a whole patient may have: organs that a source lacks, volumes beside provisional bands.
HARMLESS = {"BARRIER_ORGANS_NOT_KNOWN", "STATION_VOLUME_UNUSUAL", "GULLET_TAKEN_AS_IN_PLACE", "CONDUIT_ROUTE"}
# How the way of the conduit is told, by reconstruction.
WAYS = {"native": [], "posterior": ["in the posterior mediastinum"], "retrosternal": ["behind the sternum"]}


@pytest.mark.parametrize("seed", COHORT)
def test_every_station_is_built_where_it_should_be(seed: int) -> None:
    # Height, girth and all the rest come from the seed; the place in the scanner too.
    phantom = phantom_of(
        PhantomOptions(
            seed=seed,
            reconstruction=ROUTES[seed % 3],
            spacing_mm=COARSE,
            carina_mm=(3.0 * seed - 40.0, 11.3 - 2.0 * seed, 13.0 * seed - 214.7),
            lesions=(),
        )
    )
    organs = organs_of(phantom)
    stations = built(organs, pitch_mm=COARSE_PITCH if seed < 3 else PITCH_MM)
    assert stations.not_built == {}
    # None in another, each on its side, neighbours face to face: `check_stations` finds nothing.
    assert set(codes(stations)) <= HARMLESS, stations.findings
    ways = [one.message.split(":")[0] for one in stations.findings if one.code == "CONDUIT_ROUTE"]
    assert ways == WAYS[ROUTES[seed % 3]]
    for name in NAMES:
        mine = voxels_of(stations, name)
        assert mine.any(), name
        for organ in NEVER_IN[name]:
            if organ in organs:
                assert not (mine & organs[organ].voxels).any(), (name, organ)
    _check_conduit(phantom, stations)


def _check_conduit(phantom, stations) -> None:
    hiatus = phantom.volume.grid.to_index([phantom.landmarks["hiatus"]])[0, 2]
    conduit = phantom.organs["stomach"].voxels.copy()
    conduit[: int(np.ceil(hiatus))] = False
    if phantom.options.reconstruction is Reconstruction.NATIVE:
        assert all(one.with_conduit is None for one in stations.built.values())
        return
    assert conduit.any()
    assert not (conduit & (stations.labels > 0)).any()
    for name in ("8U", "8M", "8Lo"):
        one = stations.built[name]
        if one.with_conduit is not None:
            assert one.with_conduit.volume_cc >= one.solid.volume_cc, name
    if phantom.options.reconstruction is Reconstruction.POSTERIOR:
        assert all(stations.built[name].with_conduit is not None for name in ("8U", "8M", "8Lo"))


# ------------------------------------------------------------------------------------------------- lesions

SITES = [pytest.param(seed, marks=() if seed == 0 else pytest.mark.cohort) for seed in range(12)]


@pytest.mark.parametrize("seed", SITES)
def test_a_node_put_into_a_station_lies_in_it_or_nearest_to_it(seed: int) -> None:
    nodes = tuple(
        LesionChoice(site=name, kind=LesionKind.NODE, half_axes_mm=(3.0, 3.0, 3.0)) for name in NAMES
    )
    phantom = phantom_of(
        PhantomOptions(
            seed=seed,
            reconstruction=ROUTES[seed % 3],
            spacing_mm=(2.0, 2.0, 3.0),
            matrix=(130, 120),
            lesions=nodes,
        )
    )
    stations = built(phantom)
    nearest = {site.site: _nearest(stations, site.centre_mm) for site in phantom.sites.values()}
    assert {name: found for name, (found, _) in nearest.items()} == {name: name for name in NAMES}
    inside = [name for name, (_, mm) in nearest.items() if mm < 2.0]
    assert len(inside) >= 17, sorted(set(NAMES) - set(inside))


def _nearest(stations, point) -> tuple[str, float]:
    """The station whose voxels are nearest to a point, and how far: 0 for the voxel that holds it."""
    grid = stations.grid
    i, j, k = np.rint(grid.to_index([point])[0]).astype(int)
    box = tuple(slice(max(0, n - 12), n + 13) for n in (k, j, i))
    places = np.argwhere(stations.labels[box] > 0) + [part.start for part in box]
    away = (places - [k, j, i]) * np.array(grid.spacing_mm)[::-1]
    best = int(np.argmin(np.linalg.norm(away, axis=1)))
    return NAMES[stations.labels[tuple(places[best])] - 1], float(np.linalg.norm(away[best]))


def test_volumes_are_those_of_the_solids() -> None:
    stations = built(phantom_of(PhantomOptions(spacing_mm=(2.0, 2.0, 3.0), matrix=(130, 120), lesions=())))
    voxel_cc = np.prod(stations.grid.spacing_mm) / 1000
    for name, volume in volumes(stations).items():
        counted = voxels_of(stations, name).sum() * voxel_cc
        assert counted == pytest.approx(volume, rel=0.12, abs=0.4), name
