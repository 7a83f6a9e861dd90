"""One case: read, run, write. Everything appears in the output folder, or nothing does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.anatomy import anatomy_of
from pipeline.app.files import provenance_of, read_options, with_headers
from pipeline.app.organs import check_sources
from pipeline.app.values import InputChoice, OnStage, RunOutcome, RunRequest, Stopwatch
from pipeline.core.report import Finding
from pipeline.core.rules import Protocol
from pipeline.read.protocols import DEFAULT_PROTOCOL, load_protocol

if TYPE_CHECKING:
    from pipeline.core.case import Case
    from pipeline.core.rules import Colour
    from pipeline.core.targets import Target, TargetSet
    from pipeline.read import Inventory, LoadedCase
    from pipeline.run.targets import RunResult
    from pipeline.write import RoiOut

_INTERPRETED_AS = {"GTV": "GTV", "PGTV": "PTV", "CTV": "CTV", "PTV": "PTV"}


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

    return take_inventory(source.path, read_options(source))


def checked_protocol(request: RunRequest) -> Protocol:
    """The protocol of a request, once it is known that the settings fit it.

    Raises:
        UsageError, ConfigError: as `run_case`.
    """
    from pipeline.run.targets import settle

    protocol = load_protocol(request.protocol or DEFAULT_PROTOCOL)
    settle(protocol, request.settings)
    return protocol


def carry_out(request: RunRequest, protocol: Protocol, folder: Path, watch: Stopwatch) -> RunOutcome:
    """Read, run, write into the staging folder."""
    from pipeline.read import LoadedScan, load_roles, read_case
    from pipeline.run.report import report_of
    from pipeline.run.targets import make_targets
    from pipeline.write import report_text, write_report

    watch("reading")
    loaded = read_case(request.source.path, read_options(request.source), load_roles())
    case = loaded.case
    anatomy = None
    if request.source.asks_for_anatomy:
        watch("anatomy")
        anatomy = anatomy_of(request.source, LoadedScan.of_case(loaded))
    result = make_targets(case, protocol, request.settings, on_stage=watch)
    watch("writing")
    told = _write_arms(request, protocol, loaded, result, folder)
    if request.pictures:
        watch("pictures")
        _draw(case, result, protocol, folder)
    provenance = provenance_of(case.source, watch.seconds(), protocol=protocol)
    findings = (*result.findings, *(anatomy.findings if anatomy else ()), *told)
    landmarks = anatomy.landmarks if anatomy else None
    report = report_of(case, replace(result, findings=findings), provenance, landmarks=landmarks)
    write_report(folder / "report.json", report)
    return RunOutcome(report=report, record=report_text(report), folder=request.out)


def _write_arms(
    request: RunRequest, protocol: Protocol, loaded: LoadedCase, result: RunResult, folder: Path
) -> list[Finding]:
    """The structure set of each arm, and masks when asked for; a CT series where the input has none."""
    from pipeline.core.raster import contours_to_mask
    from pipeline.read import LoadedScan
    from pipeline.write import StructureSetContext, write_masks, write_rtstruct

    scan, told = with_headers(LoadedScan.of_case(loaded), folder)
    findings = list(told)
    for arm in result.arms:
        place = folder / arm.arm
        place.mkdir()
        context = StructureSetContext(
            headers=scan.headers,
            label=f"DRAFT {arm.arm.upper()}",
            description=_description(protocol, arm),
            predecessor=scan.structure_header,
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


def _draw(case: Case, result: RunResult, protocol: Protocol, folder: Path) -> None:
    from pipeline.review import Overlay, draw_lesion_montages

    overlays = [
        Overlay(name=target.name, contours=target.contours, colour=_colour(target, case, protocol))
        for arm in result.arms
        for target in arm.targets
    ]
    draw_lesion_montages(folder / "pictures", case.volume, overlays, case.lesions)
