"""What the app hands on of the reading room: values that a caller sees, and the protocols that come along."""

from __future__ import annotations

from pipeline.read import Inventory, RoiEntry, StructureSetEntry
from pipeline.read.protocols import (
    DEFAULT_PROTOCOL,
    checked_against_atlas,
    list_protocols,
    load_protocol,
    protocol_file,
)

__all__ = [
    "DEFAULT_PROTOCOL",
    "Inventory",
    "RoiEntry",
    "StructureSetEntry",
    "checked_against_atlas",
    "list_protocols",
    "load_protocol",
    "protocol_file",
]
