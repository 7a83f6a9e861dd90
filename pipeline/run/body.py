"""The patient's outline as a barrier: used only where the image shows the whole cross-section."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.anatomy.tissue import outside_like_lung
from pipeline.core.anatomy import Organ, OrganSource
from pipeline.core.case import Case, Lesion
from pipeline.core.margin import Margin
from pipeline.core.report import Finding, Severity

# More than this share of lung-like density outside the body: clothes and cushions do not explain it.
MOST_LUNG_OUTSIDE = 0.25


def doubts_about_body(case: Case, body: Organ, margins: Sequence[Margin]) -> tuple[Finding, ...]:
    """`BODY_OUTLINE_DOUBTFUL` (warning) where the outline that the image shows ends inside the chest.

    Args:
        case: lesions and CT.
        body: as known; an outline that somebody drew is trusted.
        margins: of the CTVs that are to be built.
    """
    if body.source is not OrganSource.IMAGE:
        return ()
    share = max(
        outside_like_lung(case.volume, body.mask, box_around(lesion, case, margins))
        for lesion in case.lesions
    )
    if share <= MOST_LUNG_OUTSIDE:
        return ()
    return (
        Finding(
            code="BODY_OUTLINE_DOUBTFUL",
            severity=Severity.WARNING,
            where="CTV",
            message=(
                f"{100 * share:.0f} % of what seems to lie outside the body near a lesion is as dense as "
                "lung: the image shows a part of the patient only. The body's outline is not known there and "
                "was not used; look whether the CTV leaves the skin, or give a CT with the whole body on it"
            ),
        ),
    )


def box_around(lesion: Lesion, case: Case, margins: Sequence[Margin]) -> tuple[slice, slice, slice]:
    """Slices, rows and columns that a lesion's CTV can reach."""
    grid = case.volume.grid
    bounds = np.array([section.bounds for section in lesion.contours.sections.values()])
    reach = max(max(margin.as_tuple()[:4]) for margin in margins)
    u0, v0 = bounds[:, :2].min(axis=0) - reach
    u1, v1 = bounds[:, 2:].max(axis=0) + reach
    w = float(grid.plane_positions_mm[0])
    corners = grid.frame.to_patient(np.array([(u, v, w) for u in (u0, u1) for v in (v0, v1)]))
    index = np.rint(grid.to_index(corners)[:, :2]).astype(int)
    (i0, j0), (i1, j1) = np.maximum(index.min(axis=0), 0), np.maximum(index.max(axis=0) + 1, 0)
    slices = slices_within_reach(case, margins)
    return (slice(slices.start, slices.stop), slice(int(j0), int(j1)), slice(int(i0), int(i1)))


def slices_within_reach(case: Case, margins: Sequence[Margin]) -> range:
    """The slices that an expansion of the lesions can meet, and two more on either side."""
    grid = case.volume.grid
    drawn = [k for lesion in case.lesions for k in lesion.contours.slices]
    tallest = max(max(margin.superior, margin.inferior) for margin in margins)
    reach = math.ceil(tallest / grid.slice_spacing_mm) + 2
    return range(max(0, min(drawn) - reach), min(grid.size[2], max(drawn) + reach + 1))
