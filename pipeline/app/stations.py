"""The stations of one case, from files to files: no lesion is needed, and no arm is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.app.anatomy import PatientAnatomy, anatomy_of
from pipeline.app.files import read_options
from pipeline.app.values import InputChoice, OnStage, RunOutcome, Stopwatch
from pipeline.core.errors import UsageError
from pipeline.core.frozen import FrozenMap

if TYPE_CHECKING:
    from pipeline.core.case import Lesion
    from pipeline.core.stations import LesionPlace, Stations


@dataclass(frozen=True, slots=True, kw_only=True)
class StationsRequest:
    """One case whose stations are to be found.

    Attributes:
        source: what to read.
        out: output folder; missing or empty, or an earlier run with `overwrite`.
        options: variant of the atlas to the choice made (`boundary_1_2`: `apex`); others keep their default.
        atlas: folder of label maps that take the place of the rules.
        segment: whether organs that are missing are segmented.
        pictures: whether montages are drawn.
        overwrite: whether an earlier run in `out` is replaced.
    """

    source: InputChoice
    out: Path
    options: Mapping[str, str] = field(default_factory=dict)
    atlas: Path | None = None
    segment: bool = False
    pictures: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", FrozenMap(self.options))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file and folder that is read."""
        return (*self.source.inputs, *([] if self.atlas is None else [self.atlas]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoundStations:
    """What a finder gives.

    Attributes:
        stations: of the patient; their findings go into the report.
        places: where the lesions lie; one for each of them, or none.
        data: hashes of the files of knowledge that were used, by role (`atlas`), for the provenance.
    """

    stations: Stations
    places: Sequence[LesionPlace] = ()
    data: Mapping[str, str] = field(default_factory=dict)


class StationFinder(Protocol):
    """Makes stations of a patient's anatomy."""

    def __call__(
        self, anatomy: PatientAnatomy, lesions: Sequence[Lesion], request: StationsRequest
    ) -> FoundStations:
        """The stations, on the CT's grid.

        Raises:
            UsageError: options that the atlas does not know.
        """
        ...


def rules_of_the_atlas(
    anatomy: PatientAnatomy, lesions: Sequence[Lesion], request: StationsRequest
) -> FoundStations:
    """The finder of the command line: not there yet.

    Raises:
        UsageError: always.
    """
    del anatomy, lesions, request
    raise UsageError("stations cannot be built in this version", todo="use a later version")


def find_stations_of_case(
    request: StationsRequest, *, finder: StationFinder | None = None, on_stage: OnStage = lambda _: None
) -> RunOutcome:
    """Read a case, find its stations and write them: everything appears in `out`, or nothing does.

    Args:
        request: what to do.
        finder: makes the stations; by default that of the atlas's rules.
        on_stage: told the name of each stage as it begins.

    Raises:
        UsageError: options that the input or the atlas does not know.
        InputError: input that is missing, broken, ambiguous or does not fit.
        OutputError: an output folder that is not free or not writable, or a file that reads back wrong.
    """
    from pipeline.write import check_apart, staged

    watch = Stopwatch(on_stage)
    watch("settings")
    check_apart(request.out, request.inputs)
    with staged(request.out, overwrite=request.overwrite) as folder:
        return _carry_out(request, finder or rules_of_the_atlas, folder, watch)


def _carry_out(request: StationsRequest, finder: StationFinder, folder: Path, watch: Stopwatch) -> RunOutcome:
    """Read, find, write into the staging folder."""
    from pipeline.app.station_outputs import StationsResult
    from pipeline.read import load_roles, load_station_colours, read_scan
    from pipeline.write import report_text, write_report

    watch("reading")
    scan = read_scan(request.source.path, read_options(request.source), load_roles())
    watch("anatomy")
    anatomy = anatomy_of(request.source, scan)
    watch("stations")
    found = finder(anatomy, scan.lesions, request)
    contours = {name: station.solid.contours() for name, station in found.stations.built.items()}
    result = StationsResult(
        scan=scan, anatomy=anatomy, found=found, contours=contours, colours=load_station_colours()
    )
    watch("writing")
    told = result.write(folder)
    if request.pictures:
        watch("pictures")
        result.draw(folder / "pictures")
    report = result.report(told, watch.seconds())
    result.write_record(report, folder)
    write_report(folder / "report.json", report)
    return RunOutcome(report=report, record=report_text(report), folder=request.out)
