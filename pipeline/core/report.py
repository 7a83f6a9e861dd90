"""What a run says about itself: findings, provenance, and the report of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: `stop` means that a person must decide before use."""

    INFO = "info"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One doubt or remark.

    Attributes:
        code: stable upper-case name, for instance `MARGIN_CUT_BY_SCAN`.
        severity: info, warning or stop.
        where: file, ROI, slice, rule key, arm.
        message: one sentence with figures and what to do; no patient data.
    """

    code: str
    severity: Severity
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made the result.

    Attributes:
        version: of rt-targets.
        protocol, protocol_sha256: name and hash of the protocol file.
        input_uids, input_hashes: by role, for instance `ct_series`, `structure_set`.
        dependencies: package name to version.
        seconds: stage name to elapsed seconds.
    """

    version: str
    protocol: str
    protocol_sha256: str
    input_uids: Mapping[str, str]
    input_hashes: Mapping[str, str]
    dependencies: Mapping[str, str]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One step of a decision: the rule, the value it met, and the rule's source."""

    rule: str
    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which arm (and later which dose plan) was carried out, and why."""

    arm: str
    plan: str | None
    reasons: tuple[Reason, ...]
