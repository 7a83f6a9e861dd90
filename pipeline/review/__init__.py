"""Pictures of a case for a physician's eyes."""

from pipeline.review.axial_sheet import draw_axial_sheet
from pipeline.review.decision_sheet import draw_decision_sheet
from pipeline.review.pictures import draw_lesion_montages
from pipeline.review.planes import Overlay
from pipeline.review.station_scene import StationPicture
from pipeline.review.stations import draw_station_montages

__all__ = [
    "Overlay",
    "StationPicture",
    "draw_axial_sheet",
    "draw_decision_sheet",
    "draw_lesion_montages",
    "draw_station_montages",
]
