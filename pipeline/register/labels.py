"""The labels of a reference patient on this patient: the sentence of this room."""

from __future__ import annotations

import numpy as np

from pipeline.core.anatomy import Organs
from pipeline.core.errors import GeometryError, InputError
from pipeline.core.grid import Vector
from pipeline.core.reference import (
    ReferencePatient,
    RegisteredLabels,
    RegistrationMethod,
    RegistrationQuality,
)
from pipeline.core.volume import Mask, Volume
from pipeline.register.channel import CommonOrgans, common_organs
from pipeline.register.coarse import CoarsePatient, Floats, coarse_patient, within
from pipeline.register.fit import fit_affine, fit_bends, fit_rigid
from pipeline.register.images import moved
from pipeline.register.match import HuMatch, Match, OrganMatch
from pipeline.register.measures import hu_figures, organ_fits
from pipeline.register.move import WarpField, move_labels
from pipeline.register.quality import label_findings, quality_findings
from pipeline.register.sides import mirrored_gain, side_findings
from pipeline.register.start import start_from_bodies, start_from_organs

# Fewer organs do not hold the patient from all sides; Hounsfield units do better.
_FEWEST_ORGANS = 3
# The bend is fitted so far around the labels: beyond it moves nothing that is asked for.
_AROUND_MM = 60.0


def register_labels(reference: ReferencePatient, volume: Volume, organs: Organs) -> RegisteredLabels:
    """Bring a reference patient's labels to this patient's CT.

    Rigid, then affine, then B-splines; on distance maps of the organs where both patients have three or more
    of `ORGANS_USED`, else on Hounsfield units. Equal input gives equal output.

    Args:
        reference: with labels, and organs as far as there are.
        volume: the patient's CT.
        organs: the patient's, as far as there are, on the CT's grid.

    Returns:
        The labels, and how far to trust them: a reference that is mirrored, shows another part of the body or
        does not fit gives a `stop` finding.

    Raises:
        GeometryError: organs on another grid than the CT.
        InputError: a CT without a body.
    """
    if organs.grid != volume.grid:
        raise GeometryError("organs lie on another grid than the CT", where="registration of the atlas")
    patient, model = coarse_patient(volume), coarse_patient(reference.volume)
    for where, one in (("CT", patient), (f"reference {reference.name}", model)):
        if not one.body.any():
            raise InputError("no body on the CT", where=where, expected="a patient", got="air")
    common = common_organs(patient, organs, model, reference.organs)
    union = _union(reference, model)
    match, start = _way(common, patient, model)
    pair = match.at_first()
    linear = fit_affine(pair, fit_rigid(pair, start))
    region = within(moved(union, model.grid, patient.grid, linear) > 0.5, patient.grid, _AROUND_MM)
    warp = WarpField(fit_bends(match, linear, region), patient)
    labels, lost = move_labels(reference.labels, warp, patient=patient, reference=model, grid=volume.grid)
    quality = RegistrationQuality(
        organs=organ_fits(common, patient, model, warp.transform, region),
        **hu_figures(patient, model, warp.transform, region),
        mirrored_gain=mirrored_gain(patient, model, start),
        folded=_folded(warp, moved(union, model.grid, patient.grid, warp.transform)),
    )
    where = f"atlas {reference.name}"
    cut = [name for name in labels if _cut(reference.labels[name]) or _cut(labels[name])]
    return RegisteredLabels(
        grid=volume.grid,
        labels=labels,
        not_moved=lost,
        method=RegistrationMethod.ORGANS if isinstance(match, OrganMatch) else RegistrationMethod.HU,
        quality=quality,
        findings=(
            *side_findings({"patient": organs, where: reference.organs}, reference.labels),
            *quality_findings(quality, where),
            *label_findings(list(lost), cut, where),
        ),
    )


def _way(common: CommonOrgans, patient: CoarsePatient, reference: CoarsePatient) -> tuple[Match, Vector]:
    """What to compare, and the shift to begin with."""
    if sum(name != "body" for name in common.patient) < _FEWEST_ORGANS:
        return HuMatch(patient=patient, reference=reference), start_from_bodies(patient, reference)
    start = start_from_organs(common, patient, reference)
    match = OrganMatch(patient=patient, reference=reference, common=common)
    return match, start or start_from_bodies(patient, reference)


def _union(reference: ReferencePatient, model: CoarsePatient) -> Floats:
    total = np.zeros(model.grid.shape, dtype=np.float32)
    for mask in reference.labels.values():
        total += model.share(mask.voxels)
    return total


def _folded(warp: WarpField, union: Floats) -> float:
    where = union > 0.5
    return float(np.mean(warp.jacobian[where] <= 0)) if where.any() else 0.0


def _cut(mask: Mask) -> bool:
    """Whether a label meets the first or the last slice."""
    return bool(mask.voxels[[0, -1]].any())
