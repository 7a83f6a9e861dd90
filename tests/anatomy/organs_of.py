"""The phantom's organs as the pipeline knows organs."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.core.anatomy import Organ, Organs, OrganSource
from pipeline.core.volume import Mask
from pipeline.phantom import Phantom

# Masks of helper tasks that overlap the organs.
PARTS = ("thoracic_cavity", "abdominal_cavity", "vertebrae_body", "main_bronchi")


def organs_of(phantom: Phantom, *, without: Iterable[str] = (), parts: Iterable[str] = PARTS) -> Organs:
    """Every organ of a phantom, and some of its parts."""
    left_out = set(without)
    masks = {name: phantom.organs[name] for name in phantom.organs if name not in left_out}
    masks |= {name: phantom.parts[name] for name in parts if name not in left_out}
    return organs(phantom.volume.grid, masks)


def organs(grid, masks: dict[str, Mask]) -> Organs:
    return Organs(
        grid=grid,
        by_name={
            name: Organ(name=name, mask=mask, source=OrganSource.MASKS)
            for name, mask in masks.items()
            if mask.voxels.any()
        },
    )


def mirrored_name(name: str) -> str:
    """`lung_left` to `lung_right`, `rib_right_3` to `rib_left_3`."""
    return name.replace("left", "*").replace("right", "left").replace("*", "right")
