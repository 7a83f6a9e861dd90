"""One case: read, run, write. Everything appears in the output folder, or nothing does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.appended import append_to_source, check_has_source
from pipeline.app.files import provenance_of, read_options, with_headers
from pipeline.app.known import known_of
from pipeline.app.organs import check_sources, masks_ahead
from pipeline.app.station_outputs import StationsResult, station_reports
from pipeline.app.stations import checked_atlas
from pipeline.app.values import InputChoice, OnStage, RunOutcome, RunRequest, Stopwatch
from pipeline.core.report import Finding
from pipeline.core.rules import ENI, Protocol
from pipeline.read.protocols import DEFAULT_PROTOCOL, checked_against_atlas, list_protocols, load_protocol

if TYPE_CHECKING:
    from pipeline.core.case import Case
    from pipeline.core.decision import Facts
    from pipeline.core.prescription import Prescription
    from pipeline.core.regions import Region
    from pipeline.core.rules import Colour
    from pipeline.core.targets import Target, TargetSet
    from pipeline.read import Inventory, LoadedCase
    from pipeline.run.targets import RunResult
    from pipeline.write import RoiOut

# Arm to target name to ROI name.
Names = Mapping[str, Mapping[str, str]]

_INTERPRETED_AS = {"GTV": "GTV", "PGTV": "PTV", "CTV": "CTV", "PTV": "PTV", "uncropped": "CONTROL"}


def run_case(request: RunRequest, *, on_stage: OnStage = lambda _: None) -> RunOutcome:
    """Read a case, build its volumes and write them: everything appears in `out`, or nothing does.

    Args:
        request: what to do.
        on_stage: told the name of each stage as it begins.

    Raises:
        UsageError: settings that the protocol or this version does not allow; known before the case is read.
        ConfigError: a protocol file that does not keep to its form.
        InputError: input that is missing, broken, ambiguous or does not fit.
        OutputError: an output folder that is not free or not writable, or a file that reads back wrong.
    """
    watch = Stopwatch(on_stage)
    watch("settings")
    with masks_ahead(request.source):
        from pipeline.write import check_apart, staged

        protocol = checked_protocol(request)
        check_sources(request.source)
        check_apart(request.out, request.inputs)
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

    named = request.protocol or DEFAULT_PROTOCOL
    # Those that come along have been looked through by the tests.
    protocol = (load_protocol if str(named) in list_protocols() else checked_against_atlas)(named)
    settle(protocol, request.settings)
    return protocol


def carry_out(request: RunRequest, protocol: Protocol, folder: Path, watch: Stopwatch) -> RunOutcome:
    """Read, run, write into the staging folder."""
    from pipeline.read import LoadedScan, load_roles, read_case, read_facts
    from pipeline.run.report import report_of
    from pipeline.run.targets import make_targets
    from pipeline.write import report_text, write_report

    facts = None if request.facts is None else read_facts(request.facts)
    atlas = checked_atlas(request.options, request.atlas) if request.asks_for_stations else None
    watch("reading")
    loaded = read_case(request.source.path, read_options(request.source), load_roles())
    if request.append_to_source:
        check_has_source(loaded)
    case, scan = loaded.case, LoadedScan.of_case(loaded)
    stated, gullet = _stated_regions(facts, case), facts.gullet if facts else None
    found = known_of(request, scan, atlas, watch, stated=stated, gullet=gullet)
    result = make_targets(case, found.known, protocol, request.settings, facts=facts, on_stage=watch)
    watch("writing")
    names = _names(request, result, case)
    told = _name_findings(names, loaded)
    told += _write_arms(request, protocol, loaded, result, folder, names=names)
    if found.stations is not None:
        found.stations.write_maps(folder)
    findings = (*result.findings, *found.findings, *told)
    if request.pictures:
        watch("pictures")
        _draw(case, result, names, protocol, folder, findings=findings)
    stations = found.stations
    report = report_of(
        case,
        replace(result, findings=findings),
        provenance_of(case.source, watch.seconds(), protocol=protocol, data=_data(stations, facts)),
        landmarks=stations.anatomy.landmarks if stations else None,
        stations=station_reports(stations.found.stations) if stations else None,
    )
    if stations is not None:
        stations.write_record(report, folder)
    write_report(folder / "report.json", report)
    return RunOutcome(report=report, record=report_text(report), folder=request.out)


def _stated_regions(facts: Facts | None, case: Case) -> dict[str, Region]:
    """Lesion to the region that the user states for it."""
    return {} if facts is None else facts.region_of([lesion.name for lesion in case.lesions])


def _data(found: StationsResult | None, facts: Facts | None) -> dict[str, str]:
    """Hashes of further files that the result stands on."""
    hashes = {} if found is None else {"station_atlas": found.atlas_sha256, **found.found.sha256}
    return hashes if facts is None else {**hashes, "facts": facts.sha256}


def _write_arms(
    request: RunRequest,
    protocol: Protocol,
    loaded: LoadedCase,
    result: RunResult,
    folder: Path,
    *,
    names: Names,
) -> list[Finding]:
    """Structure set and prescription of each arm, masks when asked for; a CT where the input has none."""
    from pipeline.core.raster import contours_to_mask
    from pipeline.read import LoadedScan
    from pipeline.write import (
        PRESCRIPTION_FILE,
        SEG_FILE,
        StructureSetContext,
        write_masks,
        write_prescription,
        write_rtstruct,
        write_segmentation,
    )

    scan, told = with_headers(LoadedScan.of_case(loaded), folder)
    findings = list(told)
    for arm in result.arms:
        place = folder / arm.arm
        place.mkdir()
        context = StructureSetContext(
            headers=scan.headers,
            label=f"DRAFT {arm.arm.upper()}",
            description=_description(protocol, arm, result.prescriptions.get(arm.arm)),
            predecessor=scan.structure_header,
            holes=request.holes,
        )
        rois = [
            _roi(target, names[arm.arm][target.name], loaded.case, protocol, dose=_dose(result, arm, target))
            for target in arm.targets
        ]
        findings += write_rtstruct(place / "rtstruct.dcm", rois, context)
        if request.append_to_source:
            findings += append_to_source(place, rois, context, loaded)
        if arm.arm in result.prescriptions:
            write_prescription(place / PRESCRIPTION_FILE, result.prescriptions[arm.arm])
        if "seg" in request.formats:
            write_segmentation(place / SEG_FILE, rois, context)
        if "nifti" in request.formats:
            masks = {names[arm.arm][target.name]: contours_to_mask(target.contours) for target in arm.targets}
            write_masks(place / "masks", masks)
    return findings


def _names(request: RunRequest, result: RunResult, case: Case) -> Names:
    """Arm to target name to ROI name."""
    from pipeline.run.targets import roi_names

    kinds = {lesion.name: lesion.kind for lesion in case.lesions}
    return {
        arm.arm: roi_names(arm.targets, kinds, request.naming, result.prescriptions.get(arm.arm))
        for arm in result.arms
    }


def _name_findings(names: Names, loaded: LoadedCase) -> list[Finding]:
    """Names of each arm that collide with each other, or with those of the source's other ROIs."""
    from pipeline.check import check_names

    own = {lesion.source_roi for lesion in loaded.case.lesions}
    rois = () if loaded.structure_set is None else loaded.structure_set.rois
    others = [roi.name for roi in rois if roi.name and roi.name not in own]
    return [
        finding
        for arm, by_target in names.items()
        for finding in check_names(tuple(by_target.values()), others, arm=arm)
    ]


def _dose(result: RunResult, arm: TargetSet, target: Target) -> float | None:
    """Total dose of a target in Gy, as far as a plan is known."""
    prescription = result.prescriptions.get(arm.arm)
    return None if prescription is None else prescription.dose_of(target.name)


def _roi(target: Target, name: str, case: Case, protocol: Protocol, *, dose: float | None) -> RoiOut:
    from pipeline.core.targets import TargetKind
    from pipeline.write import Algorithm, RoiOut

    drawn = target.kind is TargetKind.GTV
    return RoiOut(
        name=name,
        contours=target.contours,
        interpreted_type=_INTERPRETED_AS[target.kind],
        colour=_colour(target, case, protocol),
        description=target.recipe + ("" if dose is None else f"; draft dose {dose:.2f} Gy"),
        algorithm=Algorithm.MANUAL if drawn else Algorithm.AUTOMATIC,
    )


def _colour(target: Target, case: Case, protocol: Protocol) -> Colour:
    from pipeline.core.targets import TargetKind

    if target.kind is TargetKind.UNCROPPED:
        red, green, blue = ((255 + one) // 2 for one in protocol.colours[TargetKind.CTV.value])
        return red, green, blue  # a pale CTV, to look at
    kinds = {lesion.name: lesion.kind.value for lesion in case.lesions}
    return protocol.colours[kinds.get(target.name, target.kind.value)]


def _description(protocol: Protocol, arm: TargetSet, prescription: Prescription | None) -> str:
    plan = "" if prescription is None else f", draft dose plan {prescription.plan} ({prescription.technique})"
    recipes = "; ".join(f"{target.name}: {target.recipe}" for target in arm.targets)
    return (
        f"DRAFT for review by a radiation oncologist. rt-targets {__version__}, "
        f"protocol {protocol.name} version {protocol.version}, arm {arm.arm}{plan}. {recipes}"
    )


def _draw(
    case: Case,
    result: RunResult,
    names: Names,
    protocol: Protocol,
    folder: Path,
    *,
    findings: Iterable[Finding],
) -> None:
    """Montages of each arm, and the sheet that says why."""
    from pipeline.review import (
        Overlay,
        draw_axial_sheet,
        draw_decision_sheet,
        draw_lesion_montages,
    )

    for arm in result.arms:
        overlays = [
            Overlay(
                name=names[arm.arm][target.name],
                contours=target.contours,
                colour=_colour(target, case, protocol),
            )
            for target in arm.targets
        ]
        draw_lesion_montages(folder / "pictures", case.volume, overlays, case.lesions, arm=arm.arm)
        if arm.arm == ENI:  # it reaches far beyond the lesions
            whole = next(one for one in overlays if one.name == names[arm.arm]["CTV"])
            draw_axial_sheet(folder / "pictures", case.volume, overlays, whole, arm=arm.arm)
    draw_decision_sheet(folder / "pictures", result.decision, result.prescriptions, findings)
