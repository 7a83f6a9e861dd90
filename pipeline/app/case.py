"""One case: read, run, write. Everything appears in the output folder, or nothing does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.appended import check_has_source
from pipeline.app.arm_outputs import ArmOutputs, arm_outputs
from pipeline.app.files import provenance_of, read_options
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
    from pipeline.core.regions import Region
    from pipeline.read import Inventory
    from pipeline.run.targets import RunResult


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
    from pipeline.read import load_roles, read_case, read_facts
    from pipeline.run.gullet import asked_once
    from pipeline.run.report import report_of
    from pipeline.run.targets import make_targets
    from pipeline.write import report_text, write_report

    facts = None if request.facts is None else read_facts(request.facts)
    atlas = checked_atlas(request.options, request.atlas) if request.asks_for_stations else None
    watch("reading")
    loaded = read_case(request.source.path, read_options(request.source), load_roles())
    if request.append_to_source:
        check_has_source(loaded)
    case = loaded.case
    stated, gullet = _stated_regions(facts, case), facts.gullet if facts else None
    found = known_of(request, protocol, loaded, atlas, watch, stated=stated, gullet=gullet)
    stations = found.stations
    with arm_outputs(request, protocol, loaded, folder) as outputs:
        if stations is not None:
            outputs.also(partial(stations.write_maps, folder))
        result = make_targets(
            case,
            found.known,
            protocol,
            request.settings,
            facts=facts,
            ahead=found.ahead,
            on_stage=watch,
            on_arm=outputs.begin,
        )
        watch("writing")
        told = outputs.findings([arm.arm for arm in result.arms])
    findings = (*result.findings, *asked_once(found.findings, result.findings, gullet), *told)
    if request.pictures:
        watch("pictures")
        _draw(case, result, outputs, folder, findings=findings)
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


def _draw(
    case: Case,
    result: RunResult,
    outputs: ArmOutputs,
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
                name=outputs.names[arm.arm][target.name],
                contours=target.contours,
                colour=outputs.colour_of(target),
            )
            for target in arm.targets
        ]
        draw_lesion_montages(folder / "pictures", case.volume, overlays, case.lesions, arm=arm.arm)
        if arm.arm == ENI:  # it reaches far beyond the lesions
            whole = next(one for one in overlays if one.name == outputs.names[arm.arm]["CTV"])
            draw_axial_sheet(folder / "pictures", case.volume, overlays, whole, arm=arm.arm)
    draw_decision_sheet(folder / "pictures", result.decision, result.prescriptions, findings)
