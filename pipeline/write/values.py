"""JSON values as files hold them."""

from __future__ import annotations

from collections.abc import Mapping

Json = Mapping[str, "Json"] | list["Json"] | str | float | int | bool | None


# Adding 0.0 turns -0.0 into 0.0; float() because numpy's own floats are no JSON.
def mm(value: float) -> float:
    """A length as written."""
    return round(float(value), 3) + 0.0


def cc(value: float) -> float:
    """A volume as written."""
    return round(float(value), 4) + 0.0
