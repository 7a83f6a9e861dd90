"""The only place that opens inputs."""

from __future__ import annotations

from pipeline.read.case import LoadedCase, ReadOptions, read_case
from pipeline.read.inventory import take_inventory
from pipeline.read.inventory_entries import Inventory, RoiEntry, StructureSetEntry, Use
from pipeline.read.roles import GtvChoice, RoleRules, load_roles

__all__ = [
    "GtvChoice",
    "Inventory",
    "LoadedCase",
    "ReadOptions",
    "RoiEntry",
    "RoleRules",
    "StructureSetEntry",
    "Use",
    "load_roles",
    "read_case",
    "take_inventory",
]
