"""The form of protocol files as a JSON schema, for editors that complete and check while one types."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.read.protocol_document import Document
from pipeline.read.resources import resource_folder

SCHEMA_FILE = "protocol.schema.json"


def protocol_schema() -> str:
    """The schema as text; `configs/protocol.schema.json` holds it.

    What must fit together beyond the form of each key (defaults in their ranges, sources declared, stations
    known) only `rt-targets protocol check` tells.
    """
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Document.model_json_schema(by_alias=True),
        "title": "Protocol of rt-targets",
    }
    return json.dumps(schema, indent=2) + "\n"


def schema_path() -> Path:
    """Where the schema lies."""
    return resource_folder("configs") / SCHEMA_FILE
