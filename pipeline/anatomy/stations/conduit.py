"""What was drawn up into the chest: which way it takes, and whether its mask is whole.

Said only, with figures: no station hangs on it. Where a mask breaks off, the conduit is left in stations and
volumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.anatomy.organ_view import Bools, OrganView
from pipeline.core.anatomy import Landmarks
from pipeline.core.report import Finding, Severity
from pipeline.core.volume import Mask

_WHERE = "conduit"
# The way is told where it can be told apart: about the carina [I].
BELOW_CARINA_MM, ABOVE_CARINA_MM = 30.0, 20.0
# In the mediastinum its middle lies no further beside that of the spine, or of the airway [A].
MOST_ASIDE_MM = 35.0
# A conduit behind the sternum lies no further behind it than this [I].
BEHIND_STERNUM_MM = 40.0
# Smaller pieces are specks of a mask; a mask may end so far above the hiatus, whose level is not exact [A].
LEAST_PIECE_CC, ABOVE_HIATUS_MM = 1.0, 20.0


def check_conduit_mask(view: OrganView, conduit: Mask, landmarks: Landmarks) -> tuple[Finding, ...]:
    """`CONDUIT_ROUTE` (info), `CONDUIT_IN_PIECES` and `CONDUIT_ENDS_EARLY` (warnings).

    Args:
        view: the organs on the whole scan.
        conduit: its mask, on the organs' grid; not empty.
        landmarks: of the patient; without a carina no way is told, without a hiatus no early end.
    """
    levels = {name: view.level(one.point_mm) for name, one in landmarks.found.items()}
    mask = view.turned(conduit)
    return (
        *_route(view, mask, levels.get("carina")),
        *_pieces(conduit),
        *_early_end(view, mask, levels.get("hiatus")),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slab:
    """The planes about the carina.

    Attributes:
        view: the organs.
        planes: of the view.
    """

    view: OrganView
    planes: slice

    def middle(self, mask: Bools | None) -> tuple[float, float] | None:
        """Mean (u, v) in mm of a mask's voxels here; None where there are none, or no mask."""
        if mask is None:
            return None
        _, rows, columns = np.nonzero(mask[self.planes])
        if not len(rows):
            return None
        return float(self.view.u[columns].mean()), float(self.view.v[rows].mean())

    def span(self, mask: Bools, axis: int) -> tuple[float, float] | None:
        """First and last place in mm along v (1) or u (2) of a mask here; None where it has no voxel."""
        other = 2 if axis == 1 else 1
        found = np.flatnonzero(mask[self.planes].any(axis=(0, other)))
        if not len(found):
            return None
        places = self.view.v if axis == 1 else self.view.u
        return float(places[found[0]]), float(places[found[-1]])


def _route(view: OrganView, conduit: Bools, carina: float | None) -> Iterator[Finding]:
    if carina is None:
        return
    near = np.flatnonzero((view.w >= carina - BELOW_CARINA_MM) & (view.w <= carina + ABOVE_CARINA_MM))
    if not len(near):
        return
    slab = _Slab(view=view, planes=slice(int(near[0]), int(near[-1]) + 1))
    middle = slab.middle(conduit)
    if middle is None:
        told = "it is not seen about the carina, so which way it takes is not told"
    else:
        told = _way(slab, conduit, middle) or "which way it takes is not told: look at it"
    yield Finding(code="CONDUIT_ROUTE", severity=Severity.INFO, where=_WHERE, message=told)


def _way(slab: _Slab, conduit: Bools, middle: tuple[float, float]) -> str:
    """The way in words, with what tells it; empty where nothing does."""
    view, (u, v) = slab.view, middle
    bronchi = slab.span(view.mask("main_bronchi"), 2) if view.has("main_bronchi") else None
    if bronchi is not None and not bronchi[0] <= u <= bronchi[1]:
        side, beside = ("right", bronchi[0] - u) if u < bronchi[0] else ("left", u - bronchi[1])
        return f"through the {side} chest: its middle is {beside:.0f} mm {side} of the bronchi's {side} end"
    spine = view.union(("spinal_cord", *(name for name in view.organs if name.startswith("vertebrae_"))))
    airway = view.union(("trachea", "main_bronchi"))
    middles = [place for mask in (spine, airway) if (place := slab.middle(mask)) is not None]
    if not middles or abs(u - middles[0][0]) > MOST_ASIDE_MM:
        return ""
    aorta = slab.span(view.mask("aorta"), 1) if view.has("aorta") else None
    sternum = slab.span(view.mask("sternum"), 1) if view.has("sternum") else None
    front = slab.span(conduit, 1)
    if aorta is not None and sternum is not None and front is not None and v < aorta[0]:
        behind = max(0.0, front[0] - sternum[1])
        if behind <= BEHIND_STERNUM_MM:
            return (
                f"behind the sternum: its middle is {aorta[0] - v:.0f} mm in front of the aorta, "
                f"its front {behind:.0f} mm behind the sternum"
            )
    for name, mask in (("airway", airway), ("heart", view.union(("heart",)))):
        centre = slab.middle(mask)
        if centre is not None and v > centre[1]:
            behind = v - centre[1]
            return f"in the posterior mediastinum: its middle is {behind:.0f} mm behind that of the {name}"
    return ""


def _pieces(conduit: Mask) -> Iterator[Finding]:
    import cc3d

    box = conduit.box
    labels, count = cc3d.connected_components(
        np.ascontiguousarray(conduit.voxels[box]), connectivity=26, return_N=True
    )
    if count < 2:
        return
    cc = np.bincount(labels.ravel(), minlength=count + 1)[1:] * conduit.grid.voxel_volume_mm3 / 1000.0
    levels = conduit.grid.plane_positions_mm[box[0]]
    spans = []
    for label in np.flatnonzero(cc >= LEAST_PIECE_CC) + 1:
        met = levels[(labels == label).any(axis=(1, 2))]
        spans.append((float(met.min()), float(met.max()), float(cc[label - 1])))
    if len(spans) < 2:
        return
    spans.sort()
    told = ", ".join(f"{one:.0f} cc at {low:.0f} to {high:.0f} mm" for low, high, one in spans)
    tops = np.maximum.accumulate([high for _, high, _ in spans])
    if any(low > top for (low, _, _), top in zip(spans[1:], tops, strict=False)):
        what = "Between them it is left in stations and volumes: look at the mask, and close it"
    else:
        what = "They lie side by side: look whether all of them are the conduit, and whether it is whole"
    yield Finding(
        code="CONDUIT_IN_PIECES",
        severity=Severity.WARNING,
        where=_WHERE,
        message=f"its mask is in {len(spans)} pieces, along the patient: {told}. {what}",
    )


def _early_end(view: OrganView, conduit: Bools, hiatus: float | None) -> Iterator[Finding]:
    import cc3d

    if hiatus is None:
        return
    gut = view.union(("stomach", "duodenum", "colon", "small_bowel"))
    both = conduit.copy() if gut is None else conduit | gut  # writable: cc3d asks for it
    labels = cc3d.connected_components(np.ascontiguousarray(both), connectivity=26)
    goes_on = np.isin(labels, np.unique(labels[conduit]))
    lowest = int(np.flatnonzero(goes_on.any(axis=(1, 2)))[0])
    short = float(view.w[lowest]) - hiatus
    if lowest == 0 or short <= ABOVE_HIATUS_MM:
        return
    yield Finding(
        code="CONDUIT_ENDS_EARLY",
        severity=Severity.WARNING,
        where=_WHERE,
        message=f"its mask ends {short:.0f} mm above the hiatus, and no stomach or bowel that is known goes "
        "on from there: what of it is not in the mask is left in stations and volumes",
    )
