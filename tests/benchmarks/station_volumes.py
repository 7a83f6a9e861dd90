"""Volumes of a synthetic patient's stations on thin and thick slices, and on lattices of half the pitch."""

from __future__ import annotations

from pipeline.anatomy.stations.fields import PITCH_MM
from pipeline.phantom import PhantomOptions, make_phantom
from tests.anatomy.organs_of import organs_of
from tests.anatomy.stations.patients import LARGE_CC, NAMES, built, volumes
from tests.benchmarks.tables import Limit, print_limits, print_table

SLICES_MM = (1.0, 2.0, 3.0, 5.0)
# On slices of up to 3 mm, and from 5 cc on; smaller stations.
MOST_CHANGE, MOST_OF_SMALL = 3.0, 8.0


def main() -> bool:
    """Print the tables; whether all limits hold."""
    stated: dict[float, dict[str, float]] = {}
    found: dict[float, dict[str, float]] = {}
    for slice_mm in SLICES_MM:
        options = PhantomOptions(spacing_mm=(1.0, 1.0, slice_mm), matrix=(190, 210), couch=False, lesions=())
        phantom = make_phantom(options)
        organs = organs_of(phantom)
        stated[slice_mm] = volumes(built(organs, pitch_mm=PITCH_MM, stated=phantom.landmarks))
        found[slice_mm] = volumes(built(organs, pitch_mm=PITCH_MM))
        if slice_mm == 3.0:
            half = volumes(built(organs, pitch_mm=PITCH_MM / 2, stated=phantom.landmarks))
    first = stated[1.0]
    _print("Landmarks given", first, {f"{mm:g} mm": stated[mm] for mm in SLICES_MM[1:]})
    _print("Landmarks found", first, {f"{mm:g} mm": found[mm] for mm in SLICES_MM})
    _print("Slices of 3 mm, landmarks given", stated[3.0], {"half the pitch": half})
    limits = []
    for what, changes in (
        ("slices of 2 and 3 mm", [(first, stated[2.0]), (first, stated[3.0])]),
        ("half the pitch", [(stated[3.0], half)]),
    ):
        for kind, names, limit in _kinds(first):
            most = max(abs(100 * (other[n] / one[n] - 1)) for one, other in changes for n in names)
            limits.append(Limit(what=f"{what}: {kind}", value=most, limit=limit, unit=" %"))
    return print_limits(limits)


def _kinds(first: dict[str, float]) -> list[tuple[str, list[str], float]]:
    small = [name for name in NAMES if first[name] < LARGE_CC]
    large = [name for name in NAMES if name not in small]
    return [
        ("stations from 5 cc on", large, MOST_CHANGE),
        ("stations below 5 cc", small, MOST_OF_SMALL),
    ]


def _print(title: str, first: dict[str, float], others: dict[str, dict[str, float]]) -> None:
    rows = [
        [
            name,
            f"{first[name]:.2f}",
            *(f"{100 * (one[name] / first[name] - 1):+.1f}" for one in others.values()),
        ]
        for name in NAMES
    ]
    print_table(f"{title}: cc, then the change in %", ["station", "cc", *others], rows)
