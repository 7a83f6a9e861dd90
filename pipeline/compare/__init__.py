"""Measures of two volumes against each other; `docs/measures.md` states their definitions."""

from pipeline.compare.overlap import Overlap, overlap
from pipeline.compare.surfaces import Apart, SurfaceDistances, surface_distances

__all__ = ["Apart", "Overlap", "SurfaceDistances", "overlap", "surface_distances"]
