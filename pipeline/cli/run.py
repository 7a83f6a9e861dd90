"""`rt-targets run`: one case from a folder to a draft structure set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import EXIT_STOP, errors_told, progress
from pipeline.core.rules import ArmChoice, Holes, Naming


def run(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A folder with DICOM (anything mixed), or a CT file with --masks."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Output folder: new, empty, or with --overwrite.")],
    arm: Annotated[
        ArmChoice,
        typer.Option(
            "--arm",
            case_sensitive=False,
            help="Which arm to build; auto lets the protocol's rules decide from --facts.",
        ),
    ] = ArmChoice.AUTO,
    facts: Annotated[
        Path | None,
        typer.Option(
            "--facts",
            metavar="FILE",
            help="What the choice of arm needs: YAML or JSON with resection (R0, R1, R2), "
            "months_to_recurrence, and, if stated rather than measured, largest_diameter_mm, regions, "
            "close_to_stomach.",
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option("--protocol", metavar="NAME|FILE", help="See `rt-targets protocol list`.")
    ] = None,
    structures: Annotated[
        Path | None,
        typer.Option(
            "--structures", metavar="FILE", help="The structure set to use, or a SEG of the lesions."
        ),
    ] = None,
    ct_series: Annotated[
        str | None, typer.Option("--ct-series", metavar="UID", help="The CT series to use.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks", metavar="DIR|FILE", help="Masks of a CT file: one file a structure, or a map."
        ),
    ] = None,
    anatomy: Annotated[
        Path | None,
        typer.Option(
            "--anatomy",
            metavar="DIR|FILE",
            help="Organ masks (TotalSegmentator folder, label map with names), or an RTSTRUCT or SEG of "
            "the CT: the report then tells the patient's landmarks.",
        ),
    ] = None,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            "--landmarks",
            metavar="FILE",
            help="Landmarks that you state: YAML, JSON (name: [x, y, z] in LPS mm) or 3D Slicer markups.",
        ),
    ] = None,
    segment: Annotated[
        bool,
        typer.Option(
            "--segment",
            help="Let TotalSegmentator (to be installed) find the organs that are not given; takes minutes.",
        ),
    ] = False,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample",
            help="Bring a CT that leans or is unevenly spaced onto even, upright slices, written too.",
        ),
    ] = False,
    gtv: Annotated[
        list[str] | None,
        typer.Option("--gtv", metavar='"ROI NAME=GTV-T|GTV-N"', help="Which ROI is a lesion; repeatable."),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            "--margin",
            metavar="[ifi.|eni.]NAME=MM",
            help="CTV margin inside the protocol's range: horizontal, craniocaudal, left, right, anterior, "
            "posterior, superior or inferior; the arm is named with both and auto; repeatable.",
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other figure or switch of the protocol (eni.I-II.lower.carina=20, "
            "barriers.lung=off, plan1.PGTV.dose_per_fraction=2.2; see `rt-targets protocol show`), "
            "keep_uncropped=true, or a variant of the station map (boundary_1_2=apex); repeatable.",
        ),
    ] = None,
    off_protocol: Annotated[
        bool, typer.Option("--off-protocol", help="Take figures outside the range; the report says so.")
    ] = False,
    allow_inferred: Annotated[
        bool,
        typer.Option(
            "--allow-inferred/--no-allow-inferred",
            help="Whether landmarks that are only inferred may set boundaries and station levels.",
        ),
    ] = True,
    atlas: Annotated[
        Path | None,
        typer.Option(
            "--atlas",
            metavar="FOLDER",
            help="A reference patient with label maps of the stations that take the place of the rules.",
        ),
    ] = None,
    naming: Annotated[
        Naming,
        typer.Option(
            "--naming", case_sensitive=False, help="ROI names: the paper's, or AAPM TG-263 with dose levels."
        ),
    ] = Naming.PROTOCOL,
    holes: Annotated[
        Holes,
        typer.Option(
            "--holes",
            help="Holes as contours inside contours, by keyholes (one contour with a channel of no width), "
            "or as CLOSEDPLANAR_XOR: whichever your planning system reads.",
        ),
    ] = Holes.EVEN_ODD,
    formats: Annotated[
        str,
        typer.Option(
            "--formats",
            metavar="LIST",
            help="rtstruct (always written) and, when named, nifti masks and seg (DICOM segmentation).",
        ),
    ] = "rtstruct",
    append_to_source: Annotated[
        bool,
        typer.Option(
            "--append-to-source",
            help="Also write a copy of the source structure set with the new ROIs behind its own.",
        ),
    ] = False,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Leave out the montages.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier run left.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json to stdout, nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs, seconds.")] = False,
) -> None:
    """Build PGTV, CTV and PTV of one case: a draft for a radiation oncologist to review."""
    from pipeline.cli.options import chosen_from, formats_from, gtv_choices
    from pipeline.cli.summary import print_outcome

    with errors_told(verbose=verbose):
        chosen = chosen_from(
            arm=arm,
            margins=margin or (),
            switches=setting or (),
            off_protocol=off_protocol,
            allow_inferred=allow_inferred,
        )
        written = formats_from(formats)
        lesions = gtv_choices(gtv or ())
        from pipeline.app import InputChoice, RunRequest, run_case

        request = RunRequest(
            source=InputChoice(
                path=source,
                structures=structures,
                ct_series=ct_series,
                masks=masks,
                gtv=lesions,
                anatomy=anatomy,
                landmarks=landmarks,
                segment=segment,
                resample=resample,
            ),
            out=out,
            settings=chosen.settings,
            protocol=protocol,
            facts=facts,
            options=chosen.options,
            atlas=atlas,
            naming=naming,
            holes=holes,
            formats=written,
            append_to_source=append_to_source,
            pictures=not no_pictures,
            overwrite=overwrite,
        )
        with progress(quiet=quiet) as on_stage:
            outcome = run_case(request, on_stage=on_stage)
        print_outcome(outcome, as_json=as_json, quiet=quiet, verbose=verbose)
    if outcome.has_stop:
        raise typer.Exit(EXIT_STOP)
