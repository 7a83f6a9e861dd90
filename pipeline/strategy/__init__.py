"""What is to be carried out: the protocol's rules joined with the user's choices."""

from pipeline.strategy.plan import PlannedArm, plan_eni, plan_ifi

__all__ = ["PlannedArm", "plan_eni", "plan_ifi"]
