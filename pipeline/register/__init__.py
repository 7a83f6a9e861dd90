"""The label-map atlas: a reference patient's stations brought to this patient by registration."""

from pipeline.register.channel import ORGANS_USED
from pipeline.register.labels import register_labels

__all__ = ["ORGANS_USED", "register_labels"]
