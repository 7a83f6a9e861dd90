"""The only place that opens inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.core.lazy import lazily

if TYPE_CHECKING:
    from pipeline.read.ahead import unpacked_ahead
    from pipeline.read.barrier_organs import load_barrier_organs
    from pipeline.read.case import LoadedCase, ReadOptions, read_case
    from pipeline.read.ct_pixels import hash_pixels
    from pipeline.read.facts import read_facts
    from pipeline.read.inventory import take_inventory
    from pipeline.read.inventory_entries import Inventory, RoiEntry, StructureSetEntry, Use
    from pipeline.read.landmark_rules import load_landmark_rules
    from pipeline.read.organ_masks import organ_files
    from pipeline.read.organ_names import OrganNames, load_organ_names
    from pipeline.read.organs import OrganInput, merge_organs, organ_sets, read_organs
    from pipeline.read.own_stations import read_own_stations
    from pipeline.read.reference_patient import read_reference_patient
    from pipeline.read.roles import GtvChoice, RoleRules, load_roles
    from pipeline.read.scan import LoadedScan, read_scan
    from pipeline.read.segmented_organs import segmented_organs
    from pipeline.read.segmenter import find_segmenter
    from pipeline.read.stated_landmarks import point_rois, read_landmark_file
    from pipeline.read.station_colours import load_station_colours
    from pipeline.read.station_names import StationNames, load_station_names
    from pipeline.read.station_rules import load_station_atlas
    from pipeline.read.structure_set import read_again
else:
    __getattr__ = lazily(
        __name__,
        {
            "ahead": ("unpacked_ahead",),
            "barrier_organs": ("load_barrier_organs",),
            "case": (
                "LoadedCase",
                "ReadOptions",
                "read_case",
            ),
            "ct_pixels": ("hash_pixels",),
            "facts": ("read_facts",),
            "inventory": ("take_inventory",),
            "inventory_entries": (
                "Inventory",
                "RoiEntry",
                "StructureSetEntry",
                "Use",
            ),
            "landmark_rules": ("load_landmark_rules",),
            "organ_masks": ("organ_files",),
            "organ_names": (
                "OrganNames",
                "load_organ_names",
            ),
            "organs": (
                "OrganInput",
                "merge_organs",
                "organ_sets",
                "read_organs",
            ),
            "own_stations": ("read_own_stations",),
            "reference_patient": ("read_reference_patient",),
            "roles": (
                "GtvChoice",
                "RoleRules",
                "load_roles",
            ),
            "scan": (
                "LoadedScan",
                "read_scan",
            ),
            "segmented_organs": ("segmented_organs",),
            "segmenter": ("find_segmenter",),
            "stated_landmarks": (
                "point_rois",
                "read_landmark_file",
            ),
            "station_colours": ("load_station_colours",),
            "station_names": (
                "StationNames",
                "load_station_names",
            ),
            "station_rules": ("load_station_atlas",),
            "structure_set": ("read_again",),
        },
    )

__all__ = [
    "GtvChoice",
    "Inventory",
    "LoadedCase",
    "LoadedScan",
    "OrganInput",
    "OrganNames",
    "ReadOptions",
    "RoiEntry",
    "RoleRules",
    "StationNames",
    "StructureSetEntry",
    "Use",
    "find_segmenter",
    "hash_pixels",
    "load_barrier_organs",
    "load_landmark_rules",
    "load_organ_names",
    "load_roles",
    "load_station_atlas",
    "load_station_colours",
    "load_station_names",
    "merge_organs",
    "organ_files",
    "organ_sets",
    "point_rois",
    "read_again",
    "read_case",
    "read_facts",
    "read_landmark_file",
    "read_organs",
    "read_own_stations",
    "read_reference_patient",
    "read_scan",
    "segmented_organs",
    "take_inventory",
    "unpacked_ahead",
]
