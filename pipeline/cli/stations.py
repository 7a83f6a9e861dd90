"""`rt-targets stations`: landmarks and lymph-node stations of one case, without any target volume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import EXIT_STOP, errors_told, progress


def stations(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A folder with DICOM (anything mixed), or a CT file.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Output folder: new, empty, or with --overwrite.")],
    structures: Annotated[
        Path | None,
        typer.Option("--structures", metavar="FILE", help="The structure set to use; none is needed."),
    ] = None,
    ct_series: Annotated[
        str | None, typer.Option("--ct-series", metavar="UID", help="The CT series to use.")
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks", metavar="DIR|FILE", help="Masks of the lesions of a CT file; none is needed."
        ),
    ] = None,
    anatomy: Annotated[
        Path | None,
        typer.Option(
            "--anatomy",
            metavar="DIR|FILE",
            help="Organ masks (TotalSegmentator folder, label map with names), an RTSTRUCT or SEG of the CT.",
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
    resample: Annotated[
        bool,
        typer.Option(
            "--resample",
            help="Bring a CT that leans or is unevenly spaced onto even, upright slices, written too.",
        ),
    ] = False,
    gtv: Annotated[
        list[str] | None,
        typer.Option(
            "--gtv",
            metavar='"ROI NAME=GTV-T|GTV-N"',
            help="Which ROI is a lesion whose place is to be told; repeatable.",
        ),
    ] = None,
    atlas: Annotated[
        Path | None,
        typer.Option(
            "--atlas", metavar="FOLDER", help="Label maps of the stations that take the place of the rules."
        ),
    ] = None,
    segment: Annotated[
        bool,
        typer.Option(
            "--segment",
            help="Let TotalSegmentator (to be installed) find the organs that are not given; takes minutes.",
        ),
    ] = False,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A variant of the station map, for instance boundary_1_2=notch|apex; repeatable.",
        ),
    ] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Leave out the montages.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier run left.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json to stdout, nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs, seconds.")] = False,
) -> None:
    """Find landmarks and lymph-node stations of one case: a draft for a radiation oncologist to review."""
    from pipeline.cli.options import atlas_options, gtv_choices
    from pipeline.cli.summary import print_outcome

    with errors_told(verbose=verbose):
        options = atlas_options(setting or ())
        lesions = gtv_choices(gtv or ())
        from pipeline.app import InputChoice, StationsRequest, find_stations_of_case

        request = StationsRequest(
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
            options=options,
            atlas=atlas,
            pictures=not no_pictures,
            overwrite=overwrite,
        )
        with progress(quiet=quiet) as on_stage:
            outcome = find_stations_of_case(request, on_stage=on_stage)
        print_outcome(outcome, as_json=as_json, quiet=quiet, verbose=verbose)
    if outcome.has_stop:
        raise typer.Exit(EXIT_STOP)
