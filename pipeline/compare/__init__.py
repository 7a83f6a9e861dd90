"""Measures of two volumes against each other; `docs/measures.md` states their definitions."""

from pipeline.compare.overlap import Overlap, overlap

__all__ = ["Overlap", "overlap"]
