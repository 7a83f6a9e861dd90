"""What is to be carried out: the protocol's rules joined with the user's choices."""

from pipeline.strategy.plan import PlannedIfi, plan_ifi

__all__ = ["PlannedIfi", "plan_ifi"]
