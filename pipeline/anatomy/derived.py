"""Structures told from organs: what no source gives by name, each with its fallback."""

from __future__ import annotations

import numpy as np

from pipeline.anatomy.organ_view import Bools, OrganView
from pipeline.core.blank import blank

# Where neither a mask of the bodies nor the cord is known: the front of a vertebra, as part of its depth [I].
BODY_SHARE_OF_DEPTH = 0.45
# So much lies at least between a body's back wall and the cord; slips of the arch come closer [I].
BEFORE_CORD_MM = 3.0


def vertebral_body(view: OrganView, name: str) -> Bools | None:
    """The body of a vertebra without arch and processes, shape (w, v, u); None when it is not known.

    From the mask of all vertebral bodies where there is one; else what lies in front of the spinal cord and
    within its reach to the sides; else the front part of the vertebra's own depth.
    """
    if name not in view.organs:
        return None
    whole = view.mask(name)
    if "vertebrae_body" in view.organs:
        return whole & view.mask("vertebrae_body")
    if "spinal_cord" in view.organs:
        return _before_cord(view, whole, "spinal_cord")
    rows = np.flatnonzero(whole.any(axis=(0, 2)))
    depth = rows[0] + BODY_SHARE_OF_DEPTH * (rows[-1] - rows[0])
    front = np.arange(len(view.v)) <= depth
    return np.asarray(whole & front[:, None])


def _before_cord(view: OrganView, whole: Bools, cord: str) -> Bools:
    body = blank(whole.shape).view(np.bool_)
    front, middle = view.fronts_and_middles(cord)
    for k in np.flatnonzero(whole.any(axis=(1, 2))).tolist():
        if np.isnan(front[k]):
            continue
        # The body is at most three cords wide to either side of the canal's middle.
        near = np.abs(view.u - middle[k]) <= 18.0
        stop = int(np.searchsorted(view.v, front[k] - BEFORE_CORD_MM))
        body[k, :stop] = whole[k, :stop] & near
    return body
