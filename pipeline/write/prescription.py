"""A prescription as JSON values, and as a sheet of its own: `<arm>/prescription.json`."""

from __future__ import annotations

from pathlib import Path

from pipeline.core.prescription import DoseLevel, OrganLimit, Prescription
from pipeline.write.atomic import whole_file
from pipeline.write.values import Json, json_text

PRESCRIPTION_FILE = "prescription.json"
_DRAFT = "DRAFT for a radiation oncologist to decide on: what the protocol's rules give, no prescription"


def write_prescription(path: Path, prescription: Prescription) -> None:
    """Write the sheet, whole or not at all.

    Raises:
        OutputError: a figure that is not finite, or the file system refused.
    """
    text = json_text({"draft": _DRAFT, **prescription_record(prescription)}, where=path.name)
    with whole_file(path) as scratch:
        scratch.write_text(text, encoding="utf-8")


def prescription_record(prescription: Prescription) -> dict[str, Json]:
    """Plan, levels, and what goes with them; doses in Gy to 0.01."""
    return {
        "plan": prescription.plan,
        "arm": prescription.arm,
        "technique": prescription.technique,
        "boost": prescription.boost.value,
        "rule": prescription.rule,
        "source": prescription.source,
        "alpha_beta_gy": prescription.alpha_beta_gy,
        "levels": [_level(level) for level in prescription.levels],
        "organ_limits": [_limit(limit) for limit in prescription.limits],
        "required_organs": list(prescription.required_organs),
        "follow_up": [{"rule": one.rule, "source": one.source} for one in prescription.instructions],
    }


def _level(level: DoseLevel) -> Json:
    return {
        "target": level.target,
        "dose_per_fraction_gy": _gy(level.dose_per_fraction_gy),
        "fractions": level.fractions,
        "total_gy": _gy(level.total_gy),
        "eqd2_gy": _gy(level.eqd2_gy),
        "cumulative_gy": _gy(level.cumulative_gy),
        "cumulative_eqd2_gy": _gy(level.cumulative_eqd2_gy),
    }


def _limit(limit: OrganLimit) -> Json:
    return {
        "organ": limit.organ,
        "measure": limit.measure,
        "limit": limit.limit,
        "unit": limit.unit,
        "limit_allowed": limit.inclusive,
        "rule": limit.rule,
        "source": limit.source,
    }


def _gy(value: float) -> float:
    return round(value, 2)
