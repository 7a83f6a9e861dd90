"""`rt-targets demo`: a synthetic patient, and the pipeline on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import EXIT_STOP, errors_told, progress


def demo(
    *,
    out: Annotated[
        Path, typer.Option("--out", help="Output folder: new, empty, or with --overwrite.")
    ] = Path("demo-output"),
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed is another patient.")] = 0,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Leave out the montages.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier run left.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print report.json to stdout, nothing else.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Tracebacks of bugs, seconds.")] = False,
) -> None:
    """Make a synthetic patient (DICOM CT, structure set, organ masks) and build both arms."""
    from pipeline.cli.summary import print_outcome

    with errors_told(verbose=verbose):
        from pipeline.app import DemoRequest, run_demo

        request = DemoRequest(out=out, seed=seed, pictures=not no_pictures, overwrite=overwrite)
        with progress(quiet=quiet) as on_stage:
            outcome = run_demo(request, on_stage=on_stage)
        print_outcome(outcome, as_json=as_json, quiet=quiet, verbose=verbose)
    if outcome.has_stop:
        raise typer.Exit(EXIT_STOP)
