"""Pictures of a case for a physician's eyes."""

from pipeline.review.pictures import draw_lesion_montages
from pipeline.review.planes import Overlay

__all__ = ["Overlay", "draw_lesion_montages"]
