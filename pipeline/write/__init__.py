"""The only room that makes output files: structure sets, masks, CT series, the record, the folder."""

from __future__ import annotations

from pipeline.write.ct import CtIdentity, write_ct_series
from pipeline.write.folder import OUTPUT_NAMES, check_apart, check_free, staged
from pipeline.write.nifti import write_masks
from pipeline.write.record import report_record, report_text, write_report
from pipeline.write.rtstruct import Algorithm, RoiOut, StructureSetContext, write_rtstruct

__all__ = [
    "OUTPUT_NAMES",
    "Algorithm",
    "CtIdentity",
    "RoiOut",
    "StructureSetContext",
    "check_apart",
    "check_free",
    "report_record",
    "report_text",
    "staged",
    "write_ct_series",
    "write_masks",
    "write_report",
    "write_rtstruct",
]
