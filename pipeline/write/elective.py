"""How the CTV of elective irradiation came about, as JSON values."""

from __future__ import annotations

from pipeline.core.elective import Boundary, ElectiveBuilt, RowBuilt
from pipeline.write.values import Json, cc, mm


def elective_record(built: ElectiveBuilt) -> dict[str, Json]:
    """Rows with their boundaries and parts, and what barriers and smoothing took."""
    return {
        "rows": [_row(row) for row in built.rows],
        "core_cc": cc(built.core_cc),
        "uncropped_cc": cc(built.uncropped_cc),
        "taken_by_barriers_cc": {name: cc(taken) for name, taken in built.barriers_cc.items()},
        "taken_by_smoothing_cc": cc(built.smoothing_cc),
        "in_conduit_cc": {name: cc(shared) for name, shared in built.conduit_cc.items()},
    }


def _row(row: RowBuilt) -> Json:
    return {
        "row": row.row.name,
        "rule": row.row.rule,
        "source": row.row.source,
        "regions": [region.value for region in row.row.regions],
        "lesions": list(row.lesions),
        "upper_boundary": _boundary(row.upper),
        "lower_boundary": _boundary(row.lower),
        "stations_cc": {name: cc(volume) for name, volume in row.stations_cc.items()},
        "stations_whole_cc": {name: cc(volume) for name, volume in row.stations_whole_cc.items()},
        "expansion_cc": cc(row.expansion_cc),
    }


def _boundary(boundary: Boundary) -> Json:
    term = boundary.term
    return {
        "level_mm": mm(boundary.level_mm),
        "decided_by": term.name or term.sense.value,
        "key": term.key,
        "rule": term.rule,
        "source": term.source,
        "inferred": boundary.inferred,
        "others_mm": {key: mm(level) for key, level in boundary.others.items()},
        "reached": boundary.reached,
        "ended_by": boundary.ended_by,
    }
