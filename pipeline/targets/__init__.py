"""Gross tumour volumes to PGTV, CTV and PTV."""

from pipeline.targets.build import build_ifi
from pipeline.targets.measures import LesionMeasures, lesion_measures

__all__ = ("LesionMeasures", "build_ifi", "lesion_measures")
