"""What is to be carried out: arm, dose plan, and the protocol's rules joined with the user's choices."""

from pipeline.strategy.decide import CLOSE, decide
from pipeline.strategy.names import roi_names
from pipeline.strategy.plan import PlannedArm, plan_eni, plan_ifi
from pipeline.strategy.prescribe import Prescribed, dose_keys, eqd2_gy, plan_of, prescribe
from pipeline.strategy.settings import check_settings, close_distance
from pipeline.strategy.stated import stated_otherwise

__all__ = [
    "CLOSE",
    "PlannedArm",
    "Prescribed",
    "check_settings",
    "close_distance",
    "decide",
    "dose_keys",
    "eqd2_gy",
    "plan_eni",
    "plan_ifi",
    "plan_of",
    "prescribe",
    "roi_names",
    "stated_otherwise",
]
