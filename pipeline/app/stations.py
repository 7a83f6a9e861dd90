"""The stations of one case, from files to files: no lesion is needed, and no arm is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.anatomy import PatientAnatomy, anatomy_of
from pipeline.app.files import read_options
from pipeline.app.organs import check_sources, masks_ahead, organ_input
from pipeline.app.reference import moved_labels
from pipeline.app.values import InputChoice, OnStage, RunOutcome, Stopwatch
from pipeline.core.errors import ConfigError, UsageError
from pipeline.core.frozen import FrozenMap
from pipeline.core.threads import begun

if TYPE_CHECKING:
    from pipeline.core.atlas import StationAtlas
    from pipeline.core.regions import Region
    from pipeline.core.report import Finding
    from pipeline.core.stations import LesionPlace, LesionPlaces, Stations
    from pipeline.read import LoadedScan

# Written outlines lose points that lie this near to a line: levels and edges are straight for centimetres.
THINNED_MM = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StationsRequest:
    """One case whose stations are to be found.

    Attributes:
        source: what to read.
        out: output folder; missing or empty, or an earlier run with `overwrite`.
        options: variant of the atlas to the choice made (`boundary_1_2`: `apex`); others keep their default.
        atlas: folder of label maps that take the place of the rules.
        pictures: whether montages are drawn.
        overwrite: whether an earlier run in `out` is replaced.
    """

    source: InputChoice
    out: Path
    options: Mapping[str, str] = field(default_factory=dict)
    atlas: Path | None = None
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
        placing: where the lesions lie, one place for each of them, or none; may still be worked out.
        fit: doubts about how well a reference patient fits.
        sha256: of what else was used, by role.
    """

    stations: Stations
    placing: Future[LesionPlaces]
    fit: tuple[Finding, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def places(self) -> tuple[LesionPlace, ...]:
        """Where the lesions lie."""
        return self.placing.result().places

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Doubts about the fit and the places."""
        return (*self.fit, *self.placing.result().findings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationsTask:
    """What a finder works on.

    Attributes:
        scan: the CT, the lesions, and the structure set that may hold stations of the patient's own.
        anatomy: organs, and landmarks with the levels of the atlas among them.
        atlas: the rules.
        request: the user's choices.
        stated: lesion to the region that the user states for it.
    """

    scan: LoadedScan
    anatomy: PatientAnatomy
    atlas: StationAtlas
    request: StationsRequest
    stated: Mapping[str, Region] = field(default_factory=dict)


StationFinder = Callable[[StationsTask], FoundStations]


def stations_by_rules(task: StationsTask) -> FoundStations:
    """The stations of the atlas's rules, the patient's own in their place, and where the lesions lie.

    Raises:
        InputError: stations of the patient's own that cannot be read.
    """
    from pipeline.read import load_station_names, read_own_stations
    from pipeline.run.anatomy import find_stations, tell_places

    anatomy, request = task.anatomy, task.request
    sources = organ_input(request.source, task.scan)
    own = read_own_stations(sources, load_station_names(), anatomy.organs)
    moved = None if request.atlas is None else moved_labels(request.atlas, anatomy)
    placing: list[Future[LesionPlaces]] = []

    def place(stations: Stations) -> None:
        placing.append(
            begun(lambda: tell_places(task.scan.lesions, stations, anatomy.landmarks, stated=task.stated))
        )

    stations = find_stations(
        anatomy.organs,
        anatomy.landmarks,
        task.atlas,
        options=request.options,
        own=own,
        labels=None if moved is None else moved.labels,
        on_built=place,
    )
    return FoundStations(
        stations=stations,
        placing=placing[0],
        fit=() if moved is None else moved.findings,
        sha256={} if moved is None else moved.sha256,
    )


def find_stations_of_case(
    request: StationsRequest, *, finder: StationFinder | None = None, on_stage: OnStage = lambda _: None
) -> RunOutcome:
    """Read a case, find its stations and write them: everything appears in `out`, or nothing does.

    Args:
        request: what to do.
        finder: makes the stations; by default `stations_by_rules`.
        on_stage: told the name of each stage as it begins.

    Raises:
        UsageError: options that the input or the atlas does not know, or `segment` without TotalSegmentator.
        InputError: input that is missing, broken, ambiguous or does not fit.
        OutputError: an output folder that is not free or not writable, or a file that reads back wrong.
    """
    watch = Stopwatch(on_stage)
    watch("settings")
    check_sources(request.source)
    with masks_ahead(request.source):
        from pipeline.write import check_apart, staged

        atlas = checked_atlas(request.options, request.atlas)
        check_apart(request.out, request.inputs)
        with staged(request.out, overwrite=request.overwrite) as folder:
            return _carry_out(request, atlas, finder or stations_by_rules, folder, watch=watch)


def checked_atlas(options: Mapping[str, str], reference: Path | None) -> StationAtlas:
    """The atlas, once it is known that the options fit it.

    Raises:
        UsageError: an option that the atlas does not have, or any beside a reference patient.
    """
    from pipeline.read import load_station_atlas

    if reference is not None and options:
        raise UsageError(
            "options of the rules do not apply to a reference patient's labels",
            where=f"--set {next(iter(options))}",
            expected="--atlas or --set",
            got="both",
        )
    atlas = load_station_atlas()
    try:
        atlas.chosen(options)
    except ConfigError as error:
        raise UsageError(
            error.what,
            where=f"--set {error.where}",
            expected=error.expected,
            got=error.got,
            todo="of the protocol there are barriers.NAME=on|off, ends=flat|tapered, its switches and its "
            "figures: see `rt-targets protocol show`",
        ) from error
    return atlas


def _carry_out(
    request: StationsRequest, atlas: StationAtlas, finder: StationFinder, folder: Path, *, watch: Stopwatch
) -> RunOutcome:
    """Read, find, write into the staging folder."""
    from pipeline.app.station_outputs import StationsResult
    from pipeline.read import load_roles, load_station_colours, read_scan
    from pipeline.write import report_text, write_report

    watch("reading")
    scan = read_scan(request.source.path, read_options(request.source), load_roles())
    watch("anatomy")
    anatomy = anatomy_of(request.source, scan, levels=atlas.levels)
    watch("stations")
    found = finder(StationsTask(scan=scan, anatomy=anatomy, atlas=atlas, request=request))
    contours = {
        name: station.solid.contours().thinned(THINNED_MM) for name, station in found.stations.built.items()
    }
    result = StationsResult(
        scan=scan,
        anatomy=anatomy,
        found=found,
        contours=contours,
        colours=load_station_colours(),
        atlas_sha256=atlas.sha256,
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
