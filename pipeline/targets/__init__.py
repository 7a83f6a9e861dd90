"""Gross tumour volumes to PGTV, CTV and PTV."""

from pipeline.targets.build import build_ifi
from pipeline.targets.elective import EniBuilt, build_eni
from pipeline.targets.gross import Gross, gross_volumes
from pipeline.targets.measures import LesionMeasures, lesion_measures
from pipeline.targets.patient import PatientMap, involved_rows, what_lacks

__all__ = (
    "EniBuilt",
    "Gross",
    "LesionMeasures",
    "PatientMap",
    "build_eni",
    "build_ifi",
    "gross_volumes",
    "involved_rows",
    "lesion_measures",
    "what_lacks",
)
