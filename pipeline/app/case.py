"""One case: read, run, write. Everything appears in the output folder, or nothing does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.organs import check_sources, organs_given
from pipeline.app.values import InputChoice, OnStage, RunOutcome, RunRequest, Stopwatch
from pipeline.core.report import Finding, Provenance, Severity
from pipeline.core.rules import Protocol
from pipeline.read.protocols import DEFAULT_PROTOCOL, load_protocol

if TYPE_CHECKING:
    from pipeline.core.anatomy import Landmarks
    from pipeline.core.case import Case, Source
    from pipeline.core.rules import Colour
    from pipeline.core.targets import Target, TargetSet
    from pipeline.read import Inventory, LoadedCase, ReadOptions
    from pipeline.run import RunResult
    from pipeline.write import CtIdentity, RoiOut

_INTERPRETED_AS = {"GTV": "GTV", "PGTV": "PTV", "CTV": "CTV", "PTV": "PTV"}
_DEPENDENCIES = (
    "SimpleITK",
    "connected-components-3d",
    "highdicom",
    "nibabel",
    "numba",
    "numpy",
    "pillow",
    "pydantic",
    "pydicom",
    "PyYAML",
    "rt-utils",
    "scikit-image",
    "scipy",
    "shapely",
)


def run_case(request: RunRequest, *, on_stage: OnStage = lambda _: None) -> RunOutcome:
    """Read a case, build its volumes and write them: everything appears in `out`, or nothing does.

    Args:
        request: what to do.
        on_stage: told the name of each stage as it begins.

    Raises:
        UsageError: settings that the protocol or this version does not allow; known before reading.
        ConfigError: a protocol file that does not keep to its form.
        InputError: input that is missing, broken, ambiguous or does not fit.
        OutputError: an output folder that is not free or not writable, or a file that reads back wrong.
    """
    from pipeline.write import check_apart, staged

    watch = Stopwatch(on_stage)
    watch("settings")
    protocol = checked_protocol(request)
    check_sources(request.source)
    check_apart(request.out, request.source.inputs)
    with staged(request.out, overwrite=request.overwrite) as folder:
        return carry_out(request, protocol, folder, watch)


def inspect_case(source: InputChoice) -> Inventory:
    """What an input holds, what a run would use of it, and what is wrong. Writes nothing.

    Raises:
        InputError: there is no such file or folder.
    """
    from pipeline.read import take_inventory

    return take_inventory(source.path, _read_options(source))


def checked_protocol(request: RunRequest) -> Protocol:
    """The protocol of a request, once it is known that the settings fit it.

    Raises:
        UsageError, ConfigError: as `run_case`.
    """
    from pipeline.run import settle

    protocol = load_protocol(request.protocol or DEFAULT_PROTOCOL)
    settle(protocol, request.settings)
    return protocol


def carry_out(request: RunRequest, protocol: Protocol, folder: Path, watch: Stopwatch) -> RunOutcome:
    """Read, run, write into the staging folder."""
    from pipeline.read import load_roles, read_case
    from pipeline.run import make_targets, report_of
    from pipeline.write import report_text, write_report

    watch("reading")
    loaded = read_case(request.source.path, _read_options(request.source), load_roles())
    case = loaded.case
    if request.source.segment:
        watch("segmentation")
    landmarks, doubts = _landmarks(request.source, loaded) if request.source.asks_for_anatomy else (None, ())
    result = make_targets(case, protocol, request.settings, on_stage=watch)
    watch("writing")
    told = _write_arms(request, protocol, loaded, result, folder)
    if request.pictures:
        watch("pictures")
        _draw(case, result, protocol, folder)
    provenance = _provenance(protocol, case.source, watch.seconds())
    findings = (*result.findings, *doubts, *told)
    report = report_of(case, replace(result, findings=findings), provenance, landmarks=landmarks)
    write_report(folder / "report.json", report)
    return RunOutcome(report=report, record=report_text(report), folder=request.out)


def _landmarks(choice: InputChoice, loaded: LoadedCase) -> tuple[Landmarks, tuple[Finding, ...]]:
    """The landmarks of the atlas on this patient, and the doubts about organs and landmarks."""
    from pipeline.read import load_landmark_rules, point_rois, read_landmark_file
    from pipeline.run import find_anatomy

    case, rules = loaded.case, load_landmark_rules()
    given = organs_given(choice, loaded)
    names, grid = [rule.name for rule in rules], case.volume.grid
    stated = point_rois(loaded.structure_set, names, grid) if loaded.structure_set else {}
    if choice.landmarks is not None:
        stated |= read_landmark_file(choice.landmarks, names, grid)
    organs, landmarks = find_anatomy(case.volume, given, rules, stated)
    missing = [
        Finding(
            code="LANDMARK_NOT_FOUND",
            severity=Severity.INFO,
            where=f"landmark {name}",
            message=f"{reason}; state it in a file with --landmarks if you need it",
        )
        for name, reason in landmarks.missing.items()
    ]
    return landmarks, (*organs.findings, *missing)


def _read_options(choice: InputChoice) -> ReadOptions:
    from pipeline.read import GtvChoice, ReadOptions

    return ReadOptions(
        structures=choice.structures,
        ct_series=choice.ct_series,
        masks=choice.masks,
        gtv=tuple(GtvChoice(roi_name=name, kind=kind) for name, kind in choice.gtv),
        keep_structures=False,  # the involved field is grown from the lesions alone
    )


def _write_arms(
    request: RunRequest, protocol: Protocol, loaded: LoadedCase, result: RunResult, folder: Path
) -> list[Finding]:
    """The structure set of each arm, and masks when asked for; a CT series where the input has none."""
    from pipeline.core.raster import contours_to_mask
    from pipeline.write import StructureSetContext, write_ct_series, write_masks, write_rtstruct

    findings: list[Finding] = []
    headers = loaded.headers
    if not headers:
        headers = write_ct_series(folder / "ct", loaded.case.volume, _identity(loaded.case))
        findings.append(
            Finding(
                code="CT_WRITTEN_AS_DICOM",
                severity=Severity.INFO,
                where="ct",
                message="The input is no DICOM, so its CT was written as a DICOM series, without the "
                "patient's identity, and the structure set refers to that series. Import both together.",
            )
        )
    for arm in result.arms:
        place = folder / arm.arm
        place.mkdir()
        context = StructureSetContext(
            headers=headers,
            label=f"DRAFT {arm.arm.upper()}",
            description=_description(protocol, arm),
            predecessor=loaded.structure_header,
        )
        rois = [_roi(target, loaded.case, protocol) for target in arm.targets]
        findings += write_rtstruct(place / "rtstruct.dcm", rois, context)
        if "nifti" in request.formats:
            masks = {target.name: contours_to_mask(target.contours) for target in arm.targets}
            write_masks(place / "masks", masks)
    return findings


def _roi(target: Target, case: Case, protocol: Protocol) -> RoiOut:
    from pipeline.core.targets import TargetKind
    from pipeline.write import Algorithm, RoiOut

    drawn = target.kind is TargetKind.GTV
    return RoiOut(
        name=target.name,
        contours=target.contours,
        interpreted_type=_INTERPRETED_AS[target.kind],
        colour=_colour(target, case, protocol),
        description=target.recipe,
        algorithm=Algorithm.MANUAL if drawn else Algorithm.AUTOMATIC,
    )


def _colour(target: Target, case: Case, protocol: Protocol) -> Colour:
    kinds = {lesion.name: lesion.kind.value for lesion in case.lesions}
    return protocol.colours[kinds.get(target.name, target.kind.value)]


def _description(protocol: Protocol, arm: TargetSet) -> str:
    recipes = "; ".join(f"{target.name}: {target.recipe}" for target in arm.targets)
    return (
        f"DRAFT for review by a radiation oncologist. rt-targets {__version__}, "
        f"protocol {protocol.name} version {protocol.version}, arm {arm.arm}. {recipes}"
    )


def _identity(case: Case) -> CtIdentity:
    from pipeline.write import CtIdentity

    seed = case.source.ct_sha256
    # Planning systems ask for an identifier: one that says nothing of the patient.
    alias = f"CT-{seed[:12]}"
    return CtIdentity(seed=seed, patient_name=alias, patient_id=alias, series_description="CT for DRAFT")


def _draw(case: Case, result: RunResult, protocol: Protocol, folder: Path) -> None:
    from pipeline.review import Overlay, draw_lesion_montages

    overlays = [
        Overlay(name=target.name, contours=target.contours, colour=_colour(target, case, protocol))
        for arm in result.arms
        for target in arm.targets
    ]
    draw_lesion_montages(folder / "pictures", case.volume, overlays, case.lesions)


def _provenance(protocol: Protocol, source: Source, seconds: Mapping[str, float]) -> Provenance:
    uids = {
        "study": source.study_uid,
        "ct_series": source.series_uid,
        "structure_set": source.structure_set_uid,
    }
    hashes = {"ct_pixels": source.ct_sha256}
    for file in source.files:
        numbered = sum(1 for role in hashes if role.split(" ")[0] == file.role)
        hashes[f"{file.role} {numbered + 1}" if numbered else file.role] = file.sha256
    return Provenance(
        version=__version__,
        protocol=protocol.name,
        protocol_sha256=protocol.sha256,
        input_uids={role: uid for role, uid in uids.items() if uid},
        input_hashes=hashes,
        dependencies={
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: metadata.version(name) for name in _DEPENDENCIES},
        },
        seconds=seconds,
    )
