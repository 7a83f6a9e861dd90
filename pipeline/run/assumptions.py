"""Rules with source A that a case used: those of its protocol, and the program's own."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.anatomy.places.place import FAR_FROM_STATIONS_MM, MAINLY
from pipeline.anatomy.places.shares import SMALL_SHARE
from pipeline.check import check_limits
from pipeline.core.anatomy import GUT
from pipeline.core.elective import ElectiveBuilt
from pipeline.core.rules import ENI
from pipeline.run.known import Known
from pipeline.strategy import PlannedArm


def used_assumptions(
    planned: Mapping[str, PlannedArm], built: ElectiveBuilt | None, known: Known
) -> dict[str, str]:
    """Name to sentence of every assumption of the arms that were built, and of how lesions were placed.

    Args:
        planned: the arms asked for or chosen.
        built: the elective CTV; of its rules only the rows that a lesion calls for count.
        known: what is known of the patient.
    """
    used = {name: told for arm in planned.values() for name, told in arm.assumptions.items()}
    if built is not None and (elective := planned[ENI].plan.elective) is not None:
        involved = {row.row.name for row in built.rows}
        idle = tuple(f"{ENI}.{row.name}." for row in elective.rows if row.name not in involved)
        used = {name: told for name, told in used.items() if not name.startswith(idle or ("\n",))}
    return used | _own(planned, known)


def _own(planned: Mapping[str, PlannedArm], known: Known) -> dict[str, str]:
    """What no protocol file says and the program decides."""
    own = {}
    barriers = dict.fromkeys(b.structure for one in planned.values() for b in one.plan.barriers)
    of = {name: [one for one in known.barriers[name].organs if one in known.organs] for name in barriers}
    organs = [f"{name}: {', '.join(names) or 'none known'}" for name, names in of.items()]
    if organs:
        own["barriers.organs"] = f"Barriers are made of these organs ({'; '.join(organs)})."
    if planned:
        own["checks"] = check_limits()
    if known.map is not None:
        own["gut"] = f"Stomach and intestine are: {', '.join(GUT)}, and what was drawn up into the chest."
        own["places"] = (
            "A lesion is in a region by level and by the stations that it lies in; a share below "
            f"{100.0 * SMALL_SHARE:.0f} % does not count, in no station the nearest one within "
            f"{FAR_FROM_STATIONS_MM:g} mm does; one that lies with more than {100.0 * MAINLY:.0f} % in the "
            "conduit is judged by stations with the conduit left in."
        )
    return own
