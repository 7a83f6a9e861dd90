"""One case from files to files: read, run, write. The command line and the Python API sit on this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.lazy import lazily

if TYPE_CHECKING:
    from pipeline.app.anatomy import PatientAnatomy
    from pipeline.app.case import inspect_case, run_case
    from pipeline.app.demo import DemoRequest, run_demo
    from pipeline.app.stations import (
        FoundStations,
        StationFinder,
        StationsRequest,
        StationsTask,
        find_stations_of_case,
    )
    from pipeline.app.values import InputChoice, RunOutcome, RunRequest
    from pipeline.read import Inventory, RoiEntry, StructureSetEntry
    from pipeline.read.protocols import (
        DEFAULT_PROTOCOL,
        checked_against_atlas,
        list_protocols,
        load_protocol,
        protocol_file,
    )
else:
    __getattr__ = lazily(
        __name__,
        {
            "anatomy": ("PatientAnatomy",),
            "case": (
                "inspect_case",
                "run_case",
            ),
            "demo": (
                "DemoRequest",
                "run_demo",
            ),
            "stations": (
                "FoundStations",
                "StationFinder",
                "StationsRequest",
                "StationsTask",
                "find_stations_of_case",
            ),
            "values": (
                "InputChoice",
                "RunOutcome",
                "RunRequest",
            ),
            "readers": (
                "Inventory",
                "RoiEntry",
                "StructureSetEntry",
                "DEFAULT_PROTOCOL",
                "checked_against_atlas",
                "list_protocols",
                "load_protocol",
                "protocol_file",
            ),
        },
    )

__all__ = [
    "DEFAULT_PROTOCOL",
    "DemoRequest",
    "FoundStations",
    "InputChoice",
    "Inventory",
    "PatientAnatomy",
    "RoiEntry",
    "RunOutcome",
    "RunRequest",
    "StationFinder",
    "StationsRequest",
    "StationsTask",
    "StructureSetEntry",
    "checked_against_atlas",
    "find_stations_of_case",
    "inspect_case",
    "list_protocols",
    "load_protocol",
    "protocol_file",
    "run_case",
    "run_demo",
]
