"""Stations of a patient from the atlas's rules: built one by one, told apart, rid of specks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from pipeline.anatomy.organ_view import Bools, OrganView
from pipeline.anatomy.stations.apart import bordered, without, without_specks
from pipeline.anatomy.stations.barriers import Barriers
from pipeline.anatomy.stations.checks import check_stations
from pipeline.anatomy.stations.conduit import check_conduit_mask
from pipeline.anatomy.stations.derived import DERIVED
from pipeline.anatomy.stations.doubts import FILLED, doubts_about
from pipeline.anatomy.stations.fields import (
    PITCH_MM,
    box_inside,
    field_of_mask,
    field_of_part,
    grown,
    span_of,
    station_lattice,
    voxels_inside,
)
from pipeline.anatomy.stations.lacking import LackingError, Trace
from pipeline.anatomy.stations.primitives import in_box
from pipeline.anatomy.stations.scene import Scene
from pipeline.anatomy.stations.structures import Crop, Structures
from pipeline.anatomy.views import AnatomicalView
from pipeline.core.anatomy import Landmark, Landmarks, Organs
from pipeline.core.atlas import StationAtlas, StationRule
from pipeline.core.blank import blank
from pipeline.core.lattice import Field, Lattice
from pipeline.core.margin import Margin
from pipeline.core.solid import FAR, Solid, solid_from_contours
from pipeline.core.stations import OwnStation, OwnStations, Station, StationOrigin, Stations
from pipeline.core.threads import workers
from pipeline.core.volume import Mask

# Less than this share of a station's room left by the organs in it: nothing to rely on [A].
LEAST_LEFT = 0.1
# Stations worked on at one time, as numpy holds no lock over arrays; each takes some ten megabytes.
MOST_AT_ONCE = 4
_BODY = "body"


@dataclass(slots=True)
class _Draft:
    """A station on its way: its room, with the conduit left in, and without it where there is one."""

    rule: StationRule
    trace: Trace
    filled: Solid
    bare: Solid | None
    room: Solid | None = None
    reason: str = ""


def build_stations(
    organs: Organs,
    landmarks: Landmarks,
    atlas: StationAtlas,
    *,
    options: Mapping[str, str] | None = None,
    own: OwnStations | None = None,
    labels: Mapping[str, Mask] | None = None,
    pitch_mm: float = PITCH_MM,
    on_built: Callable[[Stations], None] = lambda _: None,
) -> Stations:
    """Every station of the atlas on this patient, or the reason why it could not be built.

    Args:
        organs: what is known of the patient.
        landmarks: as found with the atlas's levels among them.
        atlas: the rules.
        options: choices other than the defaults.
        own: stations that the user gives; nothing is cut from them, and the others give way to them.
        labels: station to where another patient's label lies on this one; in place of the rules' spaces. The
            rest is done in the same way: organs are taken out, and stations told apart.
        pitch_mm: of the lattice in the axial plane.
        on_built: given the stations before they are checked, which takes as long as placing lesions in them.

    Raises:
        ConfigError: an option that the atlas does not have, or a rule that cannot be carried out.
    """
    chosen = atlas.chosen(options or {})
    view = OrganView(organs)
    structures = Structures(view, landmarks.found, atlas.groups, DERIVED)
    scene = Scene(atlas, chosen, structures, station_lattice(organs.grid, structures.crop, pitch_mm))
    barriers = Barriers(structures)
    given = {name: _given(atlas.stations[name], one, scene.lattice) for name, one in _known(own, atlas)}
    names = [name for name in atlas.priority if name not in given]
    with ThreadPoolExecutor(max_workers=min(workers(), MOST_AT_ONCE)) as pool:
        made = pool.map(lambda name: _drafted(scene.twin(), atlas.stations[name], barriers, labels), names)
        drafts = dict(zip(names, made, strict=True))
    _settle(drafts.values(), [station.solid for station in given.values()], atlas.least_cc)
    origin = StationOrigin.RULES if labels is None else StationOrigin.LABEL_ATLAS
    ready = {
        name: _station(draft, landmarks.found, origin) for name, draft in drafts.items() if not draft.reason
    }
    built = {name: {**ready, **given}[name] for name in atlas.stations if name in ready or name in given}
    rooms = {name: draft.room for name, draft in drafts.items() if draft.room is not None}
    stations = Stations(
        grid=organs.grid,
        regions={name: rule.region for name, rule in atlas.stations.items()},
        built=built,
        not_built={name: drafts[name].reason for name in atlas.stations if name not in built},
        rooms={**rooms, **{name: station.solid for name, station in given.items()}},
        labels=_labels(view, structures, atlas, built, barriers),
        levels={name: tuple(drafts[name].trace.landmarks) for name in rooms},
        conduit=_on_grid(view, structures.crop, barriers.conduit),
        options=chosen if labels is None else {},
    )
    on_built(stations)
    taken = [name for station in built for name in atlas.stations[station].minus]
    doubts = doubts_about(stations, landmarks, organs, barriers.lacking(taken))
    checked = check_stations(stations, atlas.checks, scene.midline())
    seen = () if stations.conduit is None else check_conduit_mask(view, stations.conduit, landmarks)
    return replace(stations, findings=(*(own.findings if own else ()), *doubts, *seen, *checked))


# -------------------------------------------------------------------------------------------- one by one


def _drafted(
    scene: Scene, rule: StationRule, barriers: Barriers, labels: Mapping[str, Mask] | None
) -> _Draft:
    """A station by its own rule, or by its label, its barriers taken out."""
    window = scene.lattice
    nothing = Solid(lattice=window.inner((slice(0, 1),) * 3), field=np.full((1, 1, 1), FAR, dtype=np.float32))
    with scene.tracing() as trace:
        draft = _Draft(rule=rule, trace=trace, filled=nothing, bare=None)
        try:
            if labels is None:
                field, window = in_box(scene, rule.space, window)
            else:
                field, window = _labelled(scene, rule.name, labels)
                if not (field > 0).any():
                    raise LackingError("its label lies further from the spine than stations do")
        except LackingError as lacking:
            draft.reason = str(lacking)
            return draft
        if not (field > 0).any():
            notes = f" ({'; '.join(trace.notes)})" if trace.notes else ""
            draft.reason = f"its borders leave no room between them{notes}"
            return draft
        draft.room = bordered(field, window)
        crop = scene.structures.crop
        field = _without_barriers(scene, rule, barriers, field, window)
        field = _within_body(scene, rule, field, window)
        draft.filled = bordered(field, window)
        if barriers.conduit is not None:
            conduit = field_of_mask(barriers.conduit, crop, window)
            if bool(((field > 0) & (conduit > 0)).any()):
                draft.bare = bordered(np.minimum(field, -conduit), window)
        if draft.filled.is_empty:
            draft.reason = "organs fill all of it"
    return draft


def _without_barriers(
    scene: Scene, rule: StationRule, barriers: Barriers, field: Field, window: Lattice
) -> Field:
    """A station's room without the organs in it; notes what is not known, and when little is left."""
    unknown = barriers.lacking(rule.needs)
    if unknown:
        scene.trace.note(f"what fills it is left in where there is no mask: {', '.join(unknown)}")
    crop = scene.structures.crop
    taken, room = barriers.inside(rule.minus, span_of(crop, window)), np.count_nonzero(field > 0)
    if taken is None:
        return field
    field = np.minimum(field, -field_of_part(taken, crop, window))
    left = np.count_nonzero(field > 0) / room
    if left < LEAST_LEFT:
        scene.trace.note(f"{FILLED}: {100 * left:.0f} % of the room between its borders is left")
    return field


def _labelled(scene: Scene, name: str, labels: Mapping[str, Mask]) -> tuple[Field, Lattice]:
    if name not in labels:
        raise LackingError("the reference patient has no such label, or it lies beyond this scan")
    crop, window = scene.structures.crop, scene.lattice
    field = field_of_mask(scene.structures.view.turned(labels[name])[crop.where], crop, window)
    box = box_inside(field)
    return (field, window) if box is None else (field[box], window.inner(box))


def _within_body(scene: Scene, rule: StationRule, field: Field, window: Lattice) -> Field:
    """Clipped to the body, or to what lies deeper than the station's inset."""
    if not scene.structures.known(_BODY):
        return field
    margin = Margin.axial(horizontal=rule.inset_mm, craniocaudal=0.0)
    outer = window.padded(margin)
    outside = -field_of_mask(scene.structures.mask(_BODY), scene.structures.crop, outer)
    _cut_by_image(outside, outer, scene)
    if rule.inset_mm:
        return np.minimum(field, -grown(outside, outer, margin, window))
    return np.minimum(field, -outside[window.offset_in(outer)])


def _cut_by_image(outside: Field, outer: Lattice, scene: Scene) -> None:
    """Beyond the crop nothing is known of the body: it does not end there."""
    crop = scene.structures.crop
    points = [
        start + np.arange(count) * pitch
        for start, count, pitch in zip(
            outer.origin_mm[::-1], outer.shape, outer.pitches_mm[::-1], strict=True
        )
    ]
    for axis, (place, centres) in enumerate(zip(points, (crop.w, crop.v, crop.u), strict=True)):
        beyond = (place < centres[0]) | (place > centres[-1])
        np.moveaxis(outside, axis, 0)[beyond] = FAR


# -------------------------------------------------------------------------- told apart, without specks


def _settle(drafts: Iterable[_Draft], before: list[Solid], least_cc: float) -> None:
    """Let drafts share nothing with each other and with what goes before, and drop their specks."""
    before = list(before)
    for draft in drafts:
        if draft.reason:
            continue
        whole = draft.filled
        alone = without(whole, before)
        bare = None if draft.bare is None else without(draft.bare, before)
        if alone.is_empty:
            draft.reason = "stations ahead of it take all of it"
            continue
        draft.filled = without_specks(alone, least_cc)
        draft.bare = None if bare is None else without_specks(bare, least_cc)
        if draft.filled.is_empty:
            draft.reason = f"what is left of it has no part of {least_cc:g} cc"
        elif draft.bare is not None and draft.bare.is_empty:
            draft.reason = "the conduit fills it"
        else:
            before.append(whole)


def _station(draft: _Draft, landmarks: Mapping[str, Landmark], origin: StationOrigin) -> Station:
    levels = [
        f"{name} is inferred: {landmarks[name].how}, expected error {landmarks[name].error_mm:.0f} mm"
        for name in draft.trace.landmarks
        if landmarks[name].inferred
    ]
    return Station(
        name=draft.rule.name,
        region=draft.rule.region,
        solid=draft.filled if draft.bare is None else draft.bare,
        with_conduit=None if draft.bare is None else draft.filled,
        origin=origin,
        landmarks=tuple(draft.trace.landmarks),
        notes=(*levels, *draft.trace.notes),
    )


def _on_grid(view: OrganView, crop: Crop, voxels: Bools | None) -> Mask | None:
    """Voxels of the crop on the CT's grid."""
    if voxels is None:
        return None
    grid = view.organs.grid
    whole = blank(grid.shape).view(np.bool_)
    AnatomicalView(grid=grid).of(whole)[crop.where] = voxels
    return Mask(grid=grid, voxels=whole)


def _known(own: OwnStations | None, atlas: StationAtlas) -> Iterable[tuple[str, OwnStation]]:
    """The user's stations that the atlas has."""
    return [(name, one) for name, one in (own.by_name if own else {}).items() if name in atlas.stations]


def _given(rule: StationRule, own: OwnStation, lattice: Lattice) -> Station:
    solid = solid_from_contours(
        own.contours, pitch_mm=lattice.pitch_mm, steps_per_slice=lattice.steps_per_slice
    )
    return Station(
        name=rule.name,
        region=rule.region,
        solid=solid,
        origin=StationOrigin.PATIENT,
        notes=(f"given by the user ({own.source}, {own.detail})",),
    )


def _labels(
    view: OrganView,
    structures: Structures,
    atlas: StationAtlas,
    built: Mapping[str, Station],
    barriers: Barriers,
) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """The label of the station at each voxel centre; none where a barrier of that station is."""
    grid = view.organs.grid
    labels = np.zeros(grid.shape, dtype=np.uint8)
    seen = AnatomicalView(grid=grid).of(labels)
    scan = Crop(where=(slice(None), slice(None), slice(None)), w=view.w, v=view.v, u=view.u)
    number = {name: n for n, name in enumerate(atlas.stations, start=1)}
    for name in sorted(built, key=atlas.priority.index):
        station = built[name]
        ours = station.origin is not StationOrigin.PATIENT
        crop = structures.crop if ours else scan  # what the user gives may reach further
        where, inside = voxels_inside(station.solid, crop)
        taken = barriers.inside(atlas.stations[name].minus, where) if ours else None
        if taken is not None:
            inside &= ~taken
        if ours and barriers.conduit is not None:
            inside &= ~barriers.conduit[where]
        place = seen[crop.where][where]
        place[inside & (place == 0)] = number[name]
    return labels
