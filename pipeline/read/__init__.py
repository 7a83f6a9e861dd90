"""The only place that opens inputs."""

from __future__ import annotations

from pipeline.read.case import LoadedCase, ReadOptions, read_case
from pipeline.read.inventory import take_inventory
from pipeline.read.inventory_entries import Inventory, RoiEntry, StructureSetEntry, Use
from pipeline.read.landmark_rules import load_landmark_rules
from pipeline.read.organ_names import OrganNames, load_organ_names
from pipeline.read.organs import OrganInput, merge_organs, organ_sets, read_organs
from pipeline.read.reference_patient import read_reference_patient
from pipeline.read.roles import GtvChoice, RoleRules, load_roles
from pipeline.read.stated_landmarks import point_rois, read_landmark_file

__all__ = [
    "GtvChoice",
    "Inventory",
    "LoadedCase",
    "OrganInput",
    "OrganNames",
    "ReadOptions",
    "RoiEntry",
    "RoleRules",
    "StructureSetEntry",
    "Use",
    "load_landmark_rules",
    "load_organ_names",
    "load_roles",
    "merge_organs",
    "organ_sets",
    "point_rois",
    "read_case",
    "read_landmark_file",
    "read_organs",
    "read_reference_patient",
    "take_inventory",
]
