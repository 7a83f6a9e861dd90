"""What can be asked of the phantom, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pipeline.core.case import Lesion, LesionKind
from pipeline.core.errors import UsageError
from pipeline.core.grid import Grid, Vector
from pipeline.core.volume import Mask, Volume

SIZE_RANGE = (0.85, 1.15)
FIELD_OF_VIEW_MM = (450.0, 375.0)


class Reconstruction(StrEnum):
    """What carries the food."""

    NATIVE = "native"
    POSTERIOR = "posterior"
    RETROSTERNAL = "retrosternal"


class PatientPosition(StrEnum):
    """How the patient lay in the scanner (DICOM Patient Position)."""

    HFS = "HFS"
    HFP = "HFP"
    FFS = "FFS"
    FFP = "FFP"
    HFDL = "HFDL"
    HFDR = "HFDR"
    FFDL = "FFDL"
    FFDR = "FFDR"


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionChoice:
    """One gross tumour to put into the patient.

    Attributes:
        site: a name of `lesions.SITES`: a station (`4R`, `8Lo`, `SCV_R`, ...), `anastomosis`, `tumour_bed`.
        kind: tumour or node.
        half_axes_mm: left-right, front-back and craniocaudal, in the patient.
        shift_mm: moved from the site by so much, in the patient (LPS).
    """

    site: str
    kind: LesionKind
    half_axes_mm: Vector = (8.0, 7.0, 9.0)
    shift_mm: Vector = (0.0, 0.0, 0.0)


DEFAULT_LESIONS = (
    LesionChoice(site="tumour_bed", kind=LesionKind.TUMOUR, half_axes_mm=(12.0, 9.0, 15.0)),
    LesionChoice(site="2R", kind=LesionKind.NODE, half_axes_mm=(6.0, 6.0, 8.0)),
    LesionChoice(site="7", kind=LesionKind.NODE, half_axes_mm=(9.0, 7.0, 10.0)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomOptions:
    """A synthetic patient. Equal options give equal arrays.

    Attributes:
        seed: another seed is another patient: size, spine, levels, noise.
        height, girth: size factors within 0.85 to 1.15; None draws them from the seed.
        reconstruction: native esophagus, or gastric conduit in the posterior or retrosternal route.
        spacing_mm: left-right, front-back and craniocaudal, whatever the patient position.
        matrix: samples left-right and front-back; None covers 450 x 375 mm.
        position: how the same samples are stored; the patient in LPS space stays the same.
        carina_mm: LPS position of the carina: the patient need not lie about the origin.
        grid_shift_mm: moves the samples against the patient (LPS), for sub-voxel offsets.
        lesions: what to put in.
        noise_hu: standard deviation of the noise.
        contrast: whether the blood is enhanced.
        couch: whether the patient lies on a couch.

    Raises:
        UsageError: a factor out of range, a spacing or matrix not positive.
    """

    seed: int = 0
    height: float | None = None
    girth: float | None = None
    reconstruction: Reconstruction = Reconstruction.POSTERIOR
    spacing_mm: Vector = (1.171875, 1.171875, 3.0)
    matrix: tuple[int, int] | None = None
    position: PatientPosition = PatientPosition.HFS
    carina_mm: Vector = (-2.6, 11.3, -214.7)
    grid_shift_mm: Vector = (0.0, 0.0, 0.0)
    lesions: tuple[LesionChoice, ...] = DEFAULT_LESIONS
    noise_hu: float = 12.0
    contrast: bool = True
    couch: bool = True

    def __post_init__(self) -> None:
        low, high = SIZE_RANGE
        for name in ("height", "girth"):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(
                    f"phantom {name} factor out of range", expected=f"{low} to {high}", got=f"{value}"
                )
        if min(self.spacing_mm) <= 0 or (self.matrix is not None and min(self.matrix) < 2):
            raise UsageError(
                "phantom grid without extent",
                expected="spacings above 0 and a matrix of at least 2 x 2",
                got=f"spacing {self.spacing_mm}, matrix {self.matrix}",
            )
        if self.noise_hu < 0:
            raise UsageError("phantom noise below zero", expected="0 HU or more", got=f"{self.noise_hu}")


class LazyMasks(Mapping[str, Mask]):
    """Masks that are made when asked for: a hundred of them at once would fill the memory."""

    def __init__(self, grid: Grid, makers: Mapping[str, Callable[[], npt.NDArray[np.bool_]]]) -> None:
        self._grid = grid
        self._makers = dict(makers)

    def __getitem__(self, name: str) -> Mask:
        return Mask(grid=self._grid, voxels=self._makers[name]())

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LesionSite:
    """Where a lesion was put: its site, and centre (LPS) and half-axes in mm."""

    site: str
    centre_mm: Vector
    half_axes_mm: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Phantom:
    """The synthetic patient as values, all on one grid.

    Attributes:
        options: what was asked for.
        volume: the CT, HU as int16.
        organs: masks by TotalSegmentator's names; no voxel is in two of them.
        parts: further masks that overlap the organs or each other: `body`, `lung_left`, `lung_right`,
            `lung_airways`, `main_bronchi`, `bronchus_intermedius`, `vertebrae_body`, `azygos_vein`,
            `thoracic_cavity`, `abdominal_cavity`, ...
        landmarks: true LPS points by the landmark names of the output contract.
        gtvs: the lesions as an observer would draw them; tumours first, then nodes.
        sites: where each of them was put, by its name.
    """

    options: PhantomOptions
    volume: Volume
    organs: Mapping[str, Mask]
    parts: Mapping[str, Mask]
    landmarks: Mapping[str, Vector]
    gtvs: tuple[Lesion, ...]
    sites: Mapping[str, LesionSite] = field(default_factory=dict)
