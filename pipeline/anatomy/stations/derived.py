"""Structures told from others: one small function each, and the table that names them.

Each gives voxels of the crop, or None, and a sentence when they were inferred rather than seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pipeline.anatomy.derived import vertebral_body
from pipeline.anatomy.organ_view import Bools, joined
from pipeline.anatomy.stations.lacking import Trace
from pipeline.anatomy.stations.structures import SPINE, Derived, Structures, present


def _spine_body(of: Structures) -> Derived:
    """Vertebral bodies without arches and processes."""
    bodies, some = np.zeros(of.crop.shape, dtype=bool), False
    for name in SPINE:
        near = of.view.around((name,))
        body = vertebral_body(near, name)
        if body is not None:
            of.crop.put(body, near.where, bodies)
            some = True
    if not some:
        return None, ""
    told = {"vertebrae_body", "spinal_cord"} & set(of.view.organs)
    note = "" if told else "the front 45 % of each vertebra were taken as its body"
    return bodies, note


# Two vertebral bodies are at most this far apart [I].
DISC_MM = 12.0


def _discs(of: Structures) -> Derived:
    """What lies between two vertebral bodies, straight up from one to the next."""
    if not of.known("spine_body"):
        return None, ""
    whole = of.mask("spine_body")
    rows, columns = (np.flatnonzero(whole.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    box = (slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    bodies = whole[box]
    planes = np.arange(len(bodies), dtype=np.int32)[:, None, None]
    below = np.maximum.accumulate(np.where(bodies, planes, np.int32(-len(bodies))), axis=0)
    above = np.minimum.accumulate(np.where(bodies, planes, np.int32(2 * len(bodies)))[::-1], axis=0)[::-1]
    step = float(of.crop.w[1] - of.crop.w[0]) if len(of.crop.w) > 1 else DISC_MM
    discs = np.zeros(whole.shape, dtype=bool)
    discs[box] = ~bodies & ((above - below - 1) * step <= DISC_MM)
    return present(discs), ""


def _lungs_filled(of: Structures) -> Derived:
    """Both lungs with what they enclose on a plane: vessels and bronchi inside a lung belong to it."""
    import cc3d

    if not of.known("lungs_all"):
        return None, ""
    filled = of.mask("lungs_all").copy()
    sides = [mask for mask in (of.organ("lung_left"), of.organ("lung_right")) if mask is not None]
    for k in np.flatnonzero(filled.any(axis=(1, 2))).tolist():
        for mask in sides:
            if not mask[k].any():
                continue
            labels = cc3d.connected_components(np.ascontiguousarray(~mask[k]), connectivity=4)
            edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
            filled[k] |= ~np.isin(labels, edge)
    return filled, ""


def _main_bronchi(of: Structures) -> Derived:
    """Organ of that name, else the bronchi of both sides, else the airway below the carina."""
    mask = of.organ("main_bronchi")
    if mask is not None:
        return mask, ""
    sides = [of.organ(name) for name in ("bronchus_left", "bronchus_right")]
    both = [mask for mask in sides if mask is not None]
    if len(both) == 2:
        return both[0] | both[1], ""
    carina = of.level("carina")
    for name in ("lung_airways", "trachea"):
        airway = of.organ(name)
        if airway is None or carina is None:
            continue
        below = (of.crop.w <= carina) & (of.crop.w >= carina - MAIN_BRONCHI_MM)
        stumps = airway & below[:, None, None]
        if stumps.any():
            return (
                stumps,
                f"the main bronchi were taken from {name}, up to {MAIN_BRONCHI_MM:g} mm below the carina",
            )
    return None, ""


# The left main bronchus is the longer one, about 5 cm long, and runs down by about half of that [I].
MAIN_BRONCHI_MM = 25.0


def _bronchi_both(of: Structures) -> Derived:
    """The airway below the carina on the levels that have it on both sides: station 7 lies between them.

    The windpipe's own mask goes on into both bronchi; the right main bronchus ends far above the left one.
    """
    trace = Trace()
    parts = [of.mask(name, trace) for name in ("main_bronchi", "bronchus_intermedius") if of.known(name)]
    trachea, carina = of.organ("trachea"), of.level("carina")
    if trachea is not None and carina is not None:
        step = float(of.crop.w[1] - of.crop.w[0]) if len(of.crop.w) > 1 else 0.0
        # From the plane above the carina on, so that nothing is lost between two planes.
        split = (of.crop.w < carina + step) & (of.crop.w >= carina - MAIN_BRONCHI_MM)
        parts.append(trachea & split[:, None, None])
    if not parts:
        return None, ""
    airway = joined(parts)
    columns: Bools = np.any(airway, axis=1)
    if not columns.any():
        return None, ""
    uppermost = columns[np.flatnonzero(columns.any(axis=1))[-1]].nonzero()[0]
    middle = int(uppermost[0] + uppermost[-1]) // 2
    # A whole section on either side: the hull of a bronchus' last tip would be held down to the end of 7.
    least = BRONCHUS_MM2 / of.view.pixel_mm2
    both = np.array([min(plane[:, :middle].sum(), plane[:, middle + 1 :].sum()) >= least for plane in airway])
    return present(airway & both[:, None, None]), "; ".join(trace.notes)


# The least section of a bronchus that station 7 is told from [I].
BRONCHUS_MM2 = 50.0


def _aorta_parts(of: Structures) -> tuple[Bools, Bools] | None:
    """Ascending and descending aorta: the parts of a section, or of the arch its front and back half."""
    import cc3d

    aorta = of.organ("aorta")
    if aorta is None:
        return None
    front, back = np.zeros_like(aorta), np.zeros_like(aorta)
    for k in np.flatnonzero(aorta.any(axis=(1, 2))).tolist():
        # A copy: cc3d refuses read-only arrays.
        labels, count = cc3d.connected_components(aorta[k].copy(), connectivity=8, return_N=True)
        rows = np.arange(aorta.shape[1])[:, None] * np.ones(aorta.shape[2])
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        large = [1 + n for n in np.argsort(sizes)[::-1][:2] if sizes[n] >= 0.2 * sizes.max()]
        if len(large) == 2:
            first, second = sorted(large, key=lambda n: float(rows[labels == n].mean()))
            front[k], back[k] = labels == first, labels == second
            continue
        lines = np.flatnonzero(aorta[k].any(axis=1))
        columns = np.flatnonzero(aorta[k].any(axis=0))
        depth, width = (
            float(np.ptp(axis[found])) for axis, found in ((of.crop.v, lines), (of.crop.u, columns))
        )
        if depth < ARCH_ELONGATION * max(width, 1.0) and depth < ARCH_DEPTH_MM:
            back[k] = aorta[k]  # a round section on its own: the descending aorta below the heart
            continue
        middle = (lines[0] + lines[-1]) / 2.0
        front[k], back[k] = aorta[k] & (rows < middle), aorta[k] & (rows >= middle)
    return front, back


# A section of the arch is this much deeper than wide, or this deep [I].
ARCH_ELONGATION, ARCH_DEPTH_MM = 1.5, 45.0


def _aorta_ascending(of: Structures) -> Derived:
    parts = _aorta_parts(of)
    return (None, "") if parts is None else (present(parts[0]), "")


def _aorta_descending(of: Structures) -> Derived:
    parts = _aorta_parts(of)
    return (None, "") if parts is None else (present(parts[1]), "")


def _lower_lobe(side: str) -> Callable[[Structures], Derived]:
    """The lower lobe, else the lung below the level of the inferior pulmonary vein."""

    def find(of: Structures) -> Derived:
        lobe = of.organ(f"lung_lower_lobe_{side}")
        if lobe is not None:
            return lobe, ""
        lung, level = of.organ(f"lung_{side}"), of.level("inferior_pulmonary_vein_lowest")
        if lung is None or level is None:
            return None, ""
        below = lung & (of.crop.w <= level)[:, None, None]
        note = f"the {side} lung below the inferior pulmonary vein was taken as its lower lobe"
        return (below, note) if below.any() else (None, "")

    return find


# A stomach that reaches this far above the hiatus is a conduit, not a hernia [I].
CONDUIT_LEAST_MM = 60.0


def _conduit(of: Structures) -> Derived:
    """What was drawn up into the chest: named as such, else stomach or bowel well above the hiatus."""
    named = of.organ("gastric_conduit")
    hiatus = of.level("hiatus")
    parts = [named] if named is not None else []
    for name in ("stomach", "colon", "small_bowel"):
        gut = of.organ(name)
        if gut is None or hiatus is None:
            continue
        above = gut & (of.crop.w > hiatus)[:, None, None]
        planes = np.flatnonzero(above.any(axis=(1, 2)))
        if len(planes) and of.crop.w[planes[-1]] - hiatus >= CONDUIT_LEAST_MM:
            parts.append(above)
    if not parts:
        return None, ""
    return joined(parts), ""


def _stomach_in_abdomen(of: Structures) -> Derived:
    """The stomach without what was drawn up into the chest."""
    stomach = of.organ("stomach")
    if stomach is None or not of.known("conduit"):
        return stomach, ""
    return present(stomach & ~of.mask("conduit")), ""


def _esophagus_in_place(of: Structures) -> Derived:
    """The gullet where it was not resected: there from notch to hiatus, and there is no conduit."""
    gullet = of.organ("esophagus")
    carina, hiatus = of.level("carina"), of.level("hiatus")
    if gullet is None or carina is None or hiatus is None or of.known("conduit"):
        return None, ""
    notch = of.level("sternal_notch")
    top = max(carina, min(of.crop.w[-1], carina if notch is None else notch))
    within = (of.crop.w < top) & (of.crop.w > hiatus)
    filled = np.flatnonzero(gullet.any(axis=(1, 2)) & within)
    if not within.any() or len(filled) < GULLET_SHARE * np.count_nonzero(within):
        return None, ""
    missing = max(float(of.crop.w[filled[0]]) - hiatus, top - float(of.crop.w[filled[-1]]))
    return (None, "") if missing > GULLET_END_MM else (gullet, "")


# A gullet in place is seen on this part of the planes between notch and hiatus, and ends this near to both: a
# mask that breaks off would cut the stations along it short [I].
GULLET_SHARE, GULLET_END_MM = 0.8, 10.0

DERIVED: Mapping[str, Callable[[Structures], Derived]] = {
    "spine_body": _spine_body,
    "discs": _discs,
    "lungs_filled": _lungs_filled,
    "main_bronchi": _main_bronchi,
    "bronchi_both": _bronchi_both,
    "aorta_ascending": _aorta_ascending,
    "aorta_descending": _aorta_descending,
    "lower_lobe_left": _lower_lobe("left"),
    "lower_lobe_right": _lower_lobe("right"),
    "conduit": _conduit,
    "stomach_in_abdomen": _stomach_in_abdomen,
    "esophagus_in_place": _esophagus_in_place,
}
