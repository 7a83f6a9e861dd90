"""A PTV kept off the skin, where the user asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import shapely

from pipeline.core.grid import Grid
from pipeline.core.raster import as_multipolygon, mask_to_contours
from pipeline.core.report import Finding, Severity
from pipeline.core.rules import BODY
from pipeline.core.volume import Mask
from pipeline.targets.assemble import Draft
from pipeline.targets.sections import Sections, volume_cc


def off_skin(draft: Draft, organs: Mapping[str, Mask], rim_mm: float | None) -> Draft:
    """A PTV without what lies outside the body or within so many mm of its surface on a slice.

    What it must hold, the CTV, is put back when it is assembled. Slices on which no body is known stay as
    they are; without any body, and without a rim, so does all of it.
    """
    if rim_mm is None or BODY not in organs:
        return draft
    body = mask_to_contours(organs[BODY]).sections
    left: Sections = {
        k: as_multipolygon(shapely.intersection(section, body[k].buffer(-rim_mm))) if k in body else section
        for k, section in draft.sections.items()
    }
    return replace(draft, sections={k: section for k, section in left.items() if not section.is_empty})


def skin_findings(
    before: Draft, after: Draft, grid: Grid, organs: Mapping[str, Mask], rim_mm: float | None, *, arm: str
) -> list[Finding]:
    """`PTV_CUT_AT_SKIN` (info), or `SKIN_RIM_NOT_APPLIED` (warning) where no body is known."""
    where = f"{arm}.{before.name}"
    if rim_mm is None:
        return []
    if BODY not in organs:
        return [
            Finding(
                code="SKIN_RIM_NOT_APPLIED",
                severity=Severity.WARNING,
                where=where,
                message=f"a rim of {rim_mm:g} mm under the skin was asked for, and no body is known",
            )
        ]
    taken = volume_cc(before.sections, grid) - volume_cc(after.sections, grid)
    return [
        Finding(
            code="PTV_CUT_AT_SKIN",
            severity=Severity.INFO,
            where=where,
            message=f"{taken:.1f} cc outside the body or within {rim_mm:g} mm of the skin were left out, but "
            "for what the CTV holds there",
        )
    ]
