"""ROI names of a structure set: the paper's, or AAPM TG-263 with dose levels where a plan is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.core.case import LesionKind
from pipeline.core.prescription import Prescription
from pipeline.core.rules import Naming
from pipeline.core.targets import Target, TargetKind

_GTV = {LesionKind.TUMOUR: "GTVp", LesionKind.NODE: "GTVn"}
# A PGTV is a PTV by its type: what it grew from is told where no dose tells it from the other PTV.
_WITHOUT_DOSE = {"PGTV": "PTV_GTV", "CTV": "CTV", "PTV": "PTV", "CTV_uncropped": "zCTV_uncropped"}


def roi_names(
    targets: Sequence[Target],
    kinds: Mapping[str, LesionKind],
    naming: Naming,
    prescription: Prescription | None = None,
) -> dict[str, str]:
    """Target name to ROI name, at most 16 characters, unique.

    In TG-263, GTVs are `GTVp` and `GTVn` (numbered where there are several); volumes with a dose carry their
    total in cGy (`PTV_5040`, `CTV_5040`, the PGTV as `PTV_5992`), with a sequential boost the sum of both
    courses.

    Args:
        targets: of an arm.
        kinds: lesion to what it is.
        naming: the scheme.
        prescription: of the arm, where it is known.
    """
    if naming is Naming.PROTOCOL:
        return {target.name: target.name for target in targets}
    names = {target.name: _name(target, kinds, prescription) for target in targets}
    if "PGTV" in names and names["PGTV"] == names.get("PTV"):
        names["PGTV"] = names["PGTV"].replace("PTV", _WITHOUT_DOSE["PGTV"])
    return names


def _name(target: Target, kinds: Mapping[str, LesionKind], prescription: Prescription | None) -> str:
    if target.kind is TargetKind.GTV:
        return _GTV[kinds[target.name]] + target.name.removeprefix(kinds[target.name].value)
    dose = _dose(target.name, prescription)
    if dose is None:
        return _WITHOUT_DOSE[target.name]
    kind = "CTV" if target.kind is TargetKind.CTV else "PTV"
    return f"{kind}_{round(100 * dose)}"


def _dose(name: str, prescription: Prescription | None) -> float | None:
    """Total dose of a target in Gy; a CTV has that of its PTV."""
    if prescription is None or name not in {"PGTV", "CTV", "PTV"}:
        return None
    return prescription.dose_of("PTV" if name == "CTV" else name)
