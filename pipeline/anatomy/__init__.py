"""Organs, landmarks and (later) stations of one patient."""

from pipeline.anatomy.image_organs import organs_of_image

__all__ = ["organs_of_image"]
