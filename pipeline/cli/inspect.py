"""`rt-targets inspect`: what is there, what a run would use, what is wrong. Writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import EXIT_ERROR, error_block, errors_told, say, table

if TYPE_CHECKING:
    from pipeline.app import Inventory, RoiEntry, StructureSetEntry


def inspect(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A folder with DICOM (anything mixed), or a CT file with --masks."
        ),
    ],
    *,
    structures: Annotated[
        Path | None, typer.Option("--structures", metavar="FILE", help="The structure set to use.")
    ] = None,
    ct_series: Annotated[
        str | None, typer.Option("--ct-series", metavar="UID", help="The CT series to use.")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", metavar="DIR|FILE", help="Masks of a CT file.")
    ] = None,
    gtv: Annotated[
        list[str] | None,
        typer.Option("--gtv", metavar='"ROI NAME=GTV-T|GTV-N"', help="Which ROI is a lesion; repeatable."),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option("--resample", help="As `run` would, bring a CT that leans or is uneven onto slices."),
    ] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs.")] = False,
) -> None:
    """Show series, structure sets and ROIs, what a run would use, and what is wrong; write nothing.

    Exit code 1 whenever a run with the same options could not read the CT or the lesions.
    """
    from pipeline.cli.options import gtv_choices

    with errors_told(verbose=verbose):
        lesions = gtv_choices(gtv or ())
        from pipeline.app import InputChoice, inspect_case

        choice = InputChoice(
            path=source,
            structures=structures,
            ct_series=ct_series,
            masks=masks,
            gtv=lesions,
            resample=resample,
        )
        inventory = inspect_case(choice)
        say(inventory_text(inventory))
    if inventory.use is None:
        raise typer.Exit(EXIT_ERROR)


def inventory_text(inventory: Inventory) -> str:
    """The inventory in paragraphs: CT, structure sets, the rest, what a run would do, doubts."""
    from pipeline.cli.summary import findings_text

    parts = [_series_text(inventory), *map(_set_text, inventory.structure_sets)]
    if inventory.others:
        counted = ", ".join(f"{count} {kind}" for kind, count in inventory.others.items())
        parts.append(f"Other files: {counted}")
    parts.append(_use_text(inventory))
    if inventory.findings:
        parts.append(findings_text(inventory.findings))
    return "\n\n".join(parts)


def _series_text(inventory: Inventory) -> str:
    if not inventory.series:
        return "CT: none"
    lines = []
    for one in inventory.series:
        pixels = one.pixel_spacing_mm
        told = [str(one)]
        told += [f"pixels {pixels[0]:g} x {pixels[1]:g} mm"] if pixels else []
        told += [one.patient_position] if one.patient_position else []
        lines.append(f"CT {', '.join(told)}")
        lines += [f"  problem: {problem}" for problem in one.problems]
    return "\n".join(lines)


def _set_text(entry: StructureSetEntry) -> str:
    label = f" {entry.label!r}" if entry.label else ""
    title = f"Structures{label}, file {entry.file}"
    if entry.series_uids:
        title += f", of series {', '.join(entry.series_uids)}"
    if entry.problem:
        return f"{title}\n  problem: {entry.problem}"
    rows = [_roi_row(roi) for roi in entry.rois]
    text = f"{title}\n{table(['no', 'ROI', 'type', 'contours', 'slices', 'cc', 'by name'], rows)}"
    problems = [f"  problem with {roi.name!r}: {roi.problem}" for roi in entry.rois if roi.problem]
    return "\n".join([text, *problems])


def _roi_row(roi: RoiEntry) -> list[str]:
    slices = "-" if roi.slices is None else str(roi.slices)
    volume = "-" if roi.volume_cc is None else f"{roi.volume_cc:.2f}"
    return [
        str(roi.number),
        roi.name,
        roi.interpreted_type or "-",
        str(roi.contours),
        slices,
        volume,
        roi.role or "-",
    ]


def _use_text(inventory: Inventory) -> str:
    if inventory.refusal is not None:
        return f"A run would stop:\n{error_block(inventory.refusal)}"
    if inventory.use is None:
        return "A run would have nothing to use."
    use = inventory.use
    lesions = "".join(f"\n  {name} from ROI {roi!r}" for roi, name in use.lesions)
    return f"A run would use CT {use.series_uid} with {use.structure_set}{lesions}"
