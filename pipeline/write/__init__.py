"""The only room that makes output files: structure sets, masks, CT series, the record, the folder."""

from __future__ import annotations

from pipeline.write.appended import APPENDED_FILE, write_appended
from pipeline.write.ct import CtIdentity, write_ct_series
from pipeline.write.folder import OUTPUT_NAMES, check_apart, check_free, staged
from pipeline.write.nifti import write_masks
from pipeline.write.prescription import PRESCRIPTION_FILE, write_prescription
from pipeline.write.record import report_record, report_text, write_report
from pipeline.write.rtstruct import Algorithm, RoiOut, StructureSetContext, write_rtstruct
from pipeline.write.seg import SEG_FILE, write_segmentation
from pipeline.write.stations import (
    labels_with_conduit,
    station_description,
    station_rois,
    write_station_maps,
)
from pipeline.write.stations_record import (
    STATIONS_FILE,
    StationsOut,
    stations_record,
    write_stations_record,
)

__all__ = [
    "APPENDED_FILE",
    "OUTPUT_NAMES",
    "PRESCRIPTION_FILE",
    "SEG_FILE",
    "STATIONS_FILE",
    "Algorithm",
    "CtIdentity",
    "RoiOut",
    "StationsOut",
    "StructureSetContext",
    "check_apart",
    "check_free",
    "labels_with_conduit",
    "report_record",
    "report_text",
    "staged",
    "station_description",
    "station_rois",
    "stations_record",
    "write_appended",
    "write_ct_series",
    "write_masks",
    "write_prescription",
    "write_report",
    "write_rtstruct",
    "write_segmentation",
    "write_station_maps",
    "write_stations_record",
]
