"""JSON values as files hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipeline.core.errors import OutputError

Json = Mapping[str, "Json"] | list["Json"] | str | float | int | bool | None


# Adding 0.0 turns -0.0 into 0.0; float() because numpy's own floats are no JSON.
def mm(value: float) -> float:
    """A length as written."""
    return round(float(value), 3) + 0.0


def cc(value: float) -> float:
    """A volume as written."""
    return round(float(value), 4) + 0.0


def json_text(record: Mapping[str, Json], *, where: str) -> str:
    """JSON values as the text of a file.

    Raises:
        OutputError: a figure that is not finite.
    """
    try:
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise OutputError(
            "a figure of the report is not a finite number",
            where=where,
            todo="this is a bug in rt-targets: report it without patient data",
        ) from error
