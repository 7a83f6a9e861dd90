"""Phantoms made once for all tests that ask for the same one."""

from __future__ import annotations

from functools import lru_cache

from pipeline.phantom import Phantom, PhantomOptions, make_phantom

COARSE = (2.5, 2.5, 5.0)


@lru_cache(maxsize=6)
def phantom(options: PhantomOptions) -> Phantom:
    """A phantom to look at; its arrays are read-only."""
    return make_phantom(options)


def coarse(**changes: object) -> Phantom:
    """A phantom on large voxels, 0.5 s to make."""
    return phantom(PhantomOptions(**{"spacing_mm": COARSE, **changes}))
