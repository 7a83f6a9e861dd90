"""The files of each arm, written as soon as its volumes are there, beside the work that goes on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import __version__
from pipeline.app.appended import append_to_source
from pipeline.app.files import with_headers

if TYPE_CHECKING:
    from pipeline.app.values import RunRequest
    from pipeline.core.prescription import Prescription
    from pipeline.core.report import Finding
    from pipeline.core.rules import Colour, Protocol
    from pipeline.core.targets import Target, TargetSet
    from pipeline.read import LoadedCase, LoadedScan
    from pipeline.write import RoiOut

# Target name to ROI name.
Names = Mapping[str, str]

_INTERPRETED_AS = {"GTV": "GTV", "PGTV": "PTV", "CTV": "CTV", "PTV": "PTV", "uncropped": "CONTROL"}


@contextmanager
def arm_outputs(
    request: RunRequest, protocol: Protocol, loaded: LoadedCase, folder: Path
) -> Iterator[ArmOutputs]:
    """What writes the arms of a case into a folder; all writing has ended when the block does.

    Filters of warnings belong to the whole process: what two threads leave of them is undone, and what the
    writers' libraries say, of names of patients for instance, is ignored throughout.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(pydicom|highdicom|rt_utils)\b")
        aside = ThreadPoolExecutor(max_workers=1)
        try:
            yield ArmOutputs(request=request, protocol=protocol, loaded=loaded, folder=folder, aside=aside)
        finally:
            aside.shutdown(cancel_futures=True)  # what was not begun is not wanted any more


@dataclass(kw_only=True, eq=False)
class ArmOutputs:
    """Structure set and prescription of each arm, masks when asked for; a CT where the input has none.

    Attributes:
        request: the user's choices.
        protocol: that is carried out.
        loaded: the case as read.
        folder: where to write, a sub-folder for each arm.
        aside: one thread, so that no two files are written at one time.
        names: arm to the names of its ROIs.
    """

    request: RunRequest
    protocol: Protocol
    loaded: LoadedCase
    folder: Path
    aside: ThreadPoolExecutor
    names: dict[str, Names] = field(default_factory=dict)
    _written: dict[str, Future[list[Finding]]] = field(default_factory=dict)
    _others: list[Future[None]] = field(default_factory=list)

    def begin(self, arm: TargetSet, prescription: Prescription | None) -> None:
        """Begin to write an arm; called by any thread."""
        from pipeline.run.targets import roi_names

        kinds = {lesion.name: lesion.kind for lesion in self.loaded.case.lesions}
        names = self.names[arm.arm] = roi_names(arm.targets, kinds, self.request.naming, prescription)
        self._written[arm.arm] = self.aside.submit(self._write, arm, names, prescription)

    def also(self, write: Callable[[], None]) -> None:
        """Begin to write something else."""
        self._others.append(self.aside.submit(write))

    def findings(self, arms: Iterable[str]) -> list[Finding]:
        """What was met while writing some arms, once all is written.

        Raises:
            OutputError, StructureError: what could not be written.
        """
        told = [finding for arm in arms for finding in self._name_findings(arm)]
        written = [finding for arm in arms for finding in self._written[arm].result()]
        for other in self._others:
            other.result()
        return [*told, *self._scan[1], *written]

    @cached_property
    def _scan(self) -> tuple[LoadedScan, tuple[Finding, ...]]:
        """The scan with DICOM headers to refer to, and what is to be told of it."""
        from pipeline.read import LoadedScan

        return with_headers(LoadedScan.of_case(self.loaded), self.folder)

    def _write(self, arm: TargetSet, names: Names, prescription: Prescription | None) -> list[Finding]:
        from pipeline.core.raster import contours_to_mask
        from pipeline.write import (
            PRESCRIPTION_FILE,
            SEG_FILE,
            StructureSetContext,
            write_masks,
            write_prescription,
            write_rtstruct,
            write_segmentation,
        )

        scan, place = self._scan[0], self.folder / arm.arm
        place.mkdir()
        context = StructureSetContext(
            headers=scan.headers,
            label=f"DRAFT {arm.arm.upper()}",
            description=_description(self.protocol, arm, prescription),
            predecessor=scan.structure_header,
            holes=self.request.holes,
        )
        rois = [
            _roi(target, names[target.name], self.colour_of(target), prescription) for target in arm.targets
        ]
        findings = list(write_rtstruct(place / "rtstruct.dcm", rois, context))
        if self.request.append_to_source:
            findings += append_to_source(place, rois, context, self.loaded)
        if prescription is not None:
            write_prescription(place / PRESCRIPTION_FILE, prescription)
        if "seg" in self.request.formats:
            write_segmentation(place / SEG_FILE, rois, context)
        if "nifti" in self.request.formats:
            write_masks(
                place / "masks", {names[one.name]: contours_to_mask(one.contours) for one in arm.targets}
            )
        return findings

    def _name_findings(self, arm: str) -> tuple[Finding, ...]:
        """Names of an arm that collide with each other, or with those of the source's other ROIs."""
        from pipeline.check import check_names

        own = {lesion.source_roi for lesion in self.loaded.case.lesions}
        structure_set = self.loaded.structure_set
        rois = () if structure_set is None else structure_set.rois
        others = [roi.name for roi in rois if roi.name and roi.name not in own]
        return check_names(tuple(self.names[arm].values()), others, arm=arm)

    def colour_of(self, target: Target) -> Colour:
        """The colour that a target is shown in."""
        from pipeline.core.targets import TargetKind

        colours = self.protocol.colours
        if target.kind is TargetKind.UNCROPPED:
            red, green, blue = ((255 + one) // 2 for one in colours[TargetKind.CTV.value])
            return red, green, blue  # a pale CTV, to look at
        kinds = {lesion.name: lesion.kind.value for lesion in self.loaded.case.lesions}
        return colours[kinds.get(target.name, target.kind.value)]


def _roi(target: Target, name: str, colour: Colour, prescription: Prescription | None) -> RoiOut:
    from pipeline.core.targets import TargetKind
    from pipeline.write import Algorithm, RoiOut

    drawn = target.kind is TargetKind.GTV
    dose = None if prescription is None else prescription.dose_of(target.name)
    return RoiOut(
        name=name,
        contours=target.contours,
        interpreted_type=_INTERPRETED_AS[target.kind],
        colour=colour,
        description=target.recipe + ("" if dose is None else f"; draft dose {dose:.2f} Gy"),
        algorithm=Algorithm.MANUAL if drawn else Algorithm.AUTOMATIC,
    )


def _description(protocol: Protocol, arm: TargetSet, prescription: Prescription | None) -> str:
    plan = "" if prescription is None else f", draft dose plan {prescription.plan} ({prescription.technique})"
    recipes = "; ".join(f"{target.name}: {target.recipe}" for target in arm.targets)
    return (
        f"DRAFT for review by a radiation oncologist. rt-targets {__version__}, "
        f"protocol {protocol.name} version {protocol.version}, arm {arm.arm}{plan}. {recipes}"
    )
