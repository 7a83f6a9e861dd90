"""Patients made of boxes, with the truth of their elective CTV from polygons alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from pipeline.core.anatomy import Landmark, Landmarks
from pipeline.core.case import Case, Lesion, LesionKind, Source
from pipeline.core.contour import Contours
from pipeline.core.elective import ElectivePlan, ElectiveRow
from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon
from pipeline.core.regions import Region
from pipeline.core.rules import ArmPlan, Barrier, Settings
from pipeline.core.solid import Solid, solid_from_contours
from pipeline.core.stations import Station, Stations
from pipeline.core.volume import Mask, Volume
from pipeline.read.protocols import load_protocol
from pipeline.strategy import plan_eni
from pipeline.targets import EniBuilt, PatientMap, build_eni, gross_volumes, involved_rows, what_lacks
from pipeline.targets.rows import Expanded, RowSections, row_sections
from tests.anatomy.places import Box, box_contours
from tests.cases import grid_of

PROTOCOL = load_protocol()
ROWS = {row.name: row for row in PROTOCOL.eni.rows}
N, T = LesionKind.NODE, LesionKind.TUMOUR

# u to the left, v to the back, w to the head. On planes at -88.5, -85.5, ... 88.5 what begins and ends at
# multiples of 3 is exact. Nothing is as large on the left as on the right.
REGION = {
    "1R": Region.I, "1L": Region.I, "2R": Region.II, "2L": Region.II, "7": Region.III, "8M": Region.III,
    "16": Region.IV, "20": Region.IV,
}  # fmt: skip
BOXES: Mapping[str, Box] = {
    "1R": ((-30, -15), (-6, 6), (39, 75)),
    "1L": ((13, 35), (-6, 6), (39, 69)),
    "2R": ((-26, -6), (-6, 6), (9, 39)),
    "2L": ((8, 20), (-6, 6), (9, 39)),
    "7": ((-12, 12), (-6, 8), (-30, 9)),
    "8M": ((-6, 10), (10, 24), (-42, 9)),
    "16": ((0, 16), (-8, 6), (-60, -42)),
    "20": ((-10, 10), (0, 12), (-81, -60)),
}
LEVELS = {"T1_top": 60.0, "clavicular_head_top": 30.0, "carina": 0.0}
LISTED = {"I-II": ("1R", "1L", "2R", "2L", "7", "8M"), "III": ("2R", "2L", "7", "8M"), "IV": ("16", "20")}


def boxes_grid(position: str = "HFS") -> Grid:
    return grid_of(position, size=(90, 90, 60), spacing=(1.0, 1.0, 3.0), centre=(0.0, 0.0, 0.0))


GRID = boxes_grid()


def rectangle(box: Box) -> shapely.Polygon:
    (u0, u1), (v0, v1), _ = box
    return shapely.box(u0, v0, u1, v1)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A lesion: a box, its kind, and the regions that it counts for."""

    box: Box
    regions: tuple[Region, ...]
    kind: LesionKind = N


@dataclass(frozen=True, kw_only=True)
class Patient:
    """All that is known of a patient of boxes."""

    lesions: tuple[Drawn, ...]
    boxes: Mapping[str, Box] = field(default_factory=lambda: BOXES)
    levels: Mapping[str, float] = field(default_factory=lambda: LEVELS)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: LISTED)
    organs: Mapping[str, Box] = field(default_factory=dict)
    conduit: Box | None = None
    position: str = "HFS"

    @property
    def grid(self) -> Grid:
        return boxes_grid(self.position)

    def rows(self) -> tuple[ElectiveRow, ...]:
        """The protocol's, with the stations that there are."""
        return tuple(replace(row, stations=self.listed[name]) for name, row in ROWS.items())

    def plan(self, *, settings: Settings | None = None, **changes: object) -> ArmPlan:
        plan = plan_eni(PROTOCOL, settings or Settings()).plan
        barriers = tuple(Barrier(structure=name, overlap_mm=0.0, on=True, source="C") for name in self.organs)
        elective = replace(plan.elective, rows=self.rows(), **changes)
        return replace(plan, elective=elective, barriers=barriers)

    def case(self) -> Case:
        lesions = tuple(
            Lesion(
                name=name,
                kind=one.kind,
                source_roi=name,
                contours=box_contours(self.grid, one.box),
            )
            for name, one in self.named().items()
        )
        volume = Volume(grid=self.grid, hu=np.full(self.grid.shape, 40, dtype=np.int16))
        return Case(volume=volume, lesions=lesions, structures=(), source=Source(kind="dicom"))

    def named(self) -> dict[str, Drawn]:
        return {f"{one.kind.value}{n}": one for n, one in enumerate(self.lesions, start=1)}

    def map(self, **changes: object) -> PatientMap:
        given = {
            "stations": self.stations(),
            "landmarks": landmarks(self.grid, self.levels),
            "regions": {name: one.regions for name, one in self.named().items()},
        }
        return PatientMap(**{**given, **changes})

    def stations(self, **changes: object) -> Stations:
        rooms = {name: _solid(box_contours(self.grid, box)) for name, box in self.boxes.items()}
        made = {name: self._station(name, rooms[name]) for name in self.boxes}
        built = {name: one for name, one in made.items() if one is not None}
        given = {
            "grid": self.grid,
            "regions": REGION,
            "built": built,
            "not_built": {name: "organs take all of it" for name in REGION if name not in built},
            "labels": np.zeros(self.grid.shape, dtype=np.uint8),
            "rooms": rooms,
            "levels": dict.fromkeys(rooms, ("carina",)),
            "conduit": None if self.conduit is None else mask_of(self.grid, self.conduit),
        }
        return Stations(**{**given, **changes})

    def _station(self, name: str, room: Solid) -> Station | None:
        left = self._left_of(name, without=(*self.organs.values(), self.conduit))
        if left.is_empty:
            return None
        whole = self._left_of(name, without=self.organs.values())
        return Station(
            name=name,
            region=REGION[name],
            solid=_solid(left),
            with_conduit=None if self.conduit is None else _solid(whole),
            landmarks=("carina",),
        )

    def _left_of(self, name: str, *, without: Iterable[Box | None]) -> Contours:
        drawn = box_contours(self.grid, self.boxes[name])
        planes, left = self.grid.plane_positions_mm, {}
        for k, section in drawn.sections.items():
            taken = [rectangle(box) for box in without if box and box[2][0] < planes[k] < box[2][1]]
            rest = as_multipolygon(section.difference(shapely.union_all(taken)))
            if not rest.is_empty:
                left[k] = rest
        return Contours(grid=self.grid, sections=left)

    def built(self, *, settings: Settings | None = None, **changes: object) -> EniBuilt:
        plan = self.plan(settings=settings, **changes)
        patient = self.map()
        assert what_lacks(plan.elective.rows, patient) == ()
        return build_eni(self.case(), plan=plan, patient=patient, organs=self.masks())

    def boundaries(self, *, settings: Settings | None = None) -> dict[str, RowSections]:
        """The involved rows, without the volumes: in a tenth of the time."""
        plan, patient, case = self.plan(settings=settings), self.map(), self.case()
        gross = gross_volumes(case, ends=plan.ends, pgtv=None)
        expanded = [Expanded(gross=one, sections={}) for one in gross]
        rows = involved_rows(plan.elective.rows, patient)
        return {row.name: row_sections(row, plan.elective, patient, expanded, {}) for row in rows}

    def masks(self) -> dict[str, Mask]:
        return {name: mask_of(self.grid, box) for name, box in self.organs.items()}

    # --------------------------------------------------------------------------- the truth, by polygons alone

    def truth(
        self, w: float, ends: Mapping[str, tuple[float, float]], plan: ElectivePlan
    ) -> shapely.Geometry:
        """The CTV at a height, for boundaries (lower, upper) of each involved row, before smoothing."""
        parts = [grown(one, w, 6.0, 10.0) for one in self.lesions]
        for name, (low, high) in ends.items():
            row = next(row for row in self.rows() if row.name == name)
            kept = (
                [self._station_at(station, w, plan) for station in row.stations] if low <= w <= high else []
            )
            parts += kept
            for one in self.lesions:
                if not set(one.regions) & set(row.regions):
                    continue
                if plan.expansion_beyond_boundaries or low <= w <= high:
                    whole = grown(one, w, 6.0, 40.0).intersection(self.envelope(w, plan.envelope_gap_mm))
                    if one.kind is N or not plan.conduit_in_tumour_expansion:
                        whole = whole.difference(self._conduit_at(w))
                    parts.append(whole)
        whole = shapely.union_all(parts)
        for name, box in self.organs.items():
            inside = rectangle(box) if box[2][0] < w < box[2][1] else shapely.Polygon()
            whole = whole.intersection(inside) if name == "body" else whole.difference(inside)
        return shapely.union_all([whole, *(_at(one.box, w) for one in self.lesions)])

    def envelope(self, w: float, gap: float) -> shapely.Geometry:
        top = max(box[2][1] for name, box in self.boxes.items() if REGION[name] is Region.I)
        level = min(w, top - 0.1)
        # Corners as a lattice of 0.5 mm has them: what closes a gap leans on them.
        whole = shapely.union_all(
            [
                _at(box, level).buffer(-0.5, join_style="mitre").buffer(0.5, join_style="bevel")
                for box in self.boxes.values()
            ]
        )
        return whole.buffer(gap, quad_segs=64).buffer(-gap, quad_segs=64).union(whole)

    def _station_at(self, name: str, w: float, plan: ElectivePlan) -> shapely.Geometry:
        gone = [_at(box, w) for structure, box in self.organs.items() if structure != "body"]
        gone += [] if plan.conduit_in_stations else [self._conduit_at(w)]
        return _at(self.boxes[name], w).difference(shapely.union_all(gone))

    def _conduit_at(self, w: float) -> shapely.Geometry:
        return shapely.Polygon() if self.conduit is None else _at(self.conduit, w)


def mask_of(grid: Grid, box: Box) -> Mask:
    """Voxels with their centres in a box."""
    ends = grid.to_index(grid.frame.to_patient(np.array(box).T)) - 1e-6
    voxels = np.zeros(grid.shape, dtype=bool)
    low, high = np.ceil(ends.min(axis=0)).astype(int), np.ceil(ends.max(axis=0)).astype(int)
    i, j, k = (slice(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True))
    voxels[k, j, i] = True
    return Mask(grid=grid, voxels=voxels)


def landmarks(grid: Grid, levels: Mapping[str, float], *, inferred: Iterable[str] = ()) -> Landmarks:
    found = {
        name: Landmark(
            name=name,
            point_mm=tuple(grid.frame.to_patient([(31.0, -12.0, w)])[0].tolist()),
            inferred=name in set(inferred),
            error_mm=2.0,
            how="from the bones beside it",
        )
        for name, w in levels.items()
    }
    return Landmarks(found=found)


def grown(one: Drawn, w: float, horizontal: float, craniocaudal: float) -> shapely.Geometry:
    """A box and an ellipsoid added, at a height."""
    low, high = one.box[2]
    beyond = max(low - w, w - high, 0.0) / craniocaudal
    if beyond >= 1.0:
        return shapely.Polygon()
    return rectangle(one.box).buffer(horizontal * math.sqrt(1.0 - beyond**2), quad_segs=64)


def levels_of(grid: Grid, sections: Iterable[int]) -> list[float]:
    return sorted(round(float(grid.plane_positions_mm[k]), 3) for k in sections)


def _at(box: Box, w: float) -> shapely.Geometry:
    return rectangle(box) if box[2][0] < w < box[2][1] else shapely.Polygon()


def _solid(contours: Contours) -> Solid:
    return solid_from_contours(contours, pitch_mm=0.5)
