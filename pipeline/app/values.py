"""What is asked of the app, and what it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.case import LesionKind
from pipeline.core.frozen import FrozenMap
from pipeline.core.report import Report, RunStatus
from pipeline.core.rules import ArmChoice, Holes, Naming, Settings

OnStage = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputChoice:
    """Where a case is, and what of it to use.

    Attributes:
        path: folder with DICOM, or a CT file (NIfTI, NRRD, MetaImage).
        structures: the structure set to use, where there are several or it lies elsewhere.
        ct_series: UID of the CT series to use.
        masks: folder or file of masks, for a CT file.
        gtv: ROI names with what they are; empty leaves it to the name patterns.
        anatomy: organ masks: a folder, a label map, or an RTSTRUCT or SEG on the CT. With it, `landmarks` or
            `segment`, the report tells the patient's landmarks.
        landmarks: file of landmarks that the user states.
        segment: whether TotalSegmentator is run for the organs that neither structure set nor anatomy give.
        resample: whether a CT that leans or is uneven is brought onto even, upright slices.
    """

    path: Path
    structures: Path | None = None
    ct_series: str | None = None
    masks: Path | None = None
    gtv: tuple[tuple[str, LesionKind], ...] = ()
    anatomy: Path | None = None
    landmarks: Path | None = None
    segment: bool = False
    resample: bool = False

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file and folder that is read."""
        given = (self.path, self.structures, self.masks, self.anatomy, self.landmarks)
        return tuple(path for path in given if path is not None)

    @property
    def asks_for_anatomy(self) -> bool:
        """Whether the landmarks are to be found."""
        return self.anatomy is not None or self.landmarks is not None or self.segment


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One case to run.

    Attributes:
        source: what to read.
        out: output folder; missing or empty, or an earlier run with `overwrite`.
        settings: the user's choices beside the protocol.
        protocol: name or file; None is the trial protocol that comes along.
        facts: file of what the choice of arm needs and the CT does not tell.
        options: variant of the station map to the choice made (`boundary_1_2`: `apex`).
        atlas: folder of a reference patient's label maps that take the place of the station rules.
        naming: scheme of the ROI names in the structure sets.
        holes: how structure sets say that there is a hole.
        formats: `nifti` adds a mask for each ROI, `seg` a DICOM segmentation of all; the structure set is
            always written.
        append_to_source: whether each arm's new ROIs are also appended to a copy of the source structure set.
        pictures: whether montages are drawn.
        overwrite: whether an earlier run in `out` is replaced.
    """

    source: InputChoice
    out: Path
    settings: Settings
    protocol: str | Path | None = None
    facts: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    atlas: Path | None = None
    naming: Naming = Naming.PROTOCOL
    holes: Holes = Holes.EVEN_ODD
    formats: frozenset[str] = frozenset({"rtstruct"})
    append_to_source: bool = False
    pictures: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", FrozenMap(self.options))

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file and folder that is read."""
        return (*self.source.inputs, *(path for path in (self.facts, self.atlas) if path is not None))

    @property
    def asks_for_stations(self) -> bool:
        """Whether stations are to be found: for the involved field alone they are not needed."""
        more = self.facts is not None or self.atlas is not None or bool(self.options)
        return self.settings.arm is not ArmChoice.IFI or self.source.asks_for_anatomy or more


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run left: its report, the text of `report.json`, and the output folder."""

    report: Report
    record: str
    folder: Path

    @property
    def has_stop(self) -> bool:
        """Whether a person must decide before the result is used."""
        return self.report.status is RunStatus.STOPPED


class Stopwatch:
    """Elapsed seconds of each stage; a stage ends when the next begins."""

    def __init__(self, on_stage: OnStage) -> None:
        self._on_stage = on_stage
        self._seconds: dict[str, float] = {}
        self._stage = ""
        self._since = time.perf_counter()

    def __call__(self, stage: str) -> None:
        """Begin a stage."""
        self._close()
        self._stage = stage
        self._on_stage(stage)

    def seconds(self) -> dict[str, float]:
        """Seconds so far by stage, in the order of their first beginning."""
        self._close()
        return dict(self._seconds)

    def _close(self) -> None:
        now = time.perf_counter()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._since
        self._since = now
