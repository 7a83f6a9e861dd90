"""The synthetic patient: made, written as a clinic would export it, and run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.app.case import carry_out, checked_protocol
from pipeline.app.values import InputChoice, OnStage, RunOutcome, RunRequest, Stopwatch
from pipeline.core.rules import ArmChoice, Colour, Protocol, Settings

if TYPE_CHECKING:
    from pipeline.core.volume import Mask
    from pipeline.phantom import Phantom
    from pipeline.write import RoiOut

PATIENT, FACTS = "patient", "facts.yaml"

# What the choice of arm needs and no image tells.
_FACTS = """# Made up, as the patient is.
resection: R0
months_to_recurrence: 11
"""

# Organs of the structure set: ROI name to the phantom's name, interpreted type and colour.
_ORGANS: tuple[tuple[str, str, str, Colour], ...] = (
    ("BODY", "body", "EXTERNAL", (210, 180, 140)),
    ("Lung_L", "lung_left", "ORGAN", (100, 149, 237)),
    ("Lung_R", "lung_right", "ORGAN", (70, 130, 180)),
    ("Heart", "heart", "ORGAN", (178, 34, 34)),
    ("SpinalCord", "spinal_cord", "ORGAN", (255, 215, 0)),
    ("Stomach", "stomach", "ORGAN", (205, 133, 63)),
)


# What TotalSegmentator's helper tasks give besides: by the cavities the hiatus is seen, not inferred.
_PARTS = ("thoracic_cavity", "abdominal_cavity", "vertebrae_body")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """The synthetic patient to make and run; `out` and `overwrite` as in `RunRequest`."""

    out: Path
    seed: int = 0
    pictures: bool = True
    overwrite: bool = False


def run_demo(request: DemoRequest, *, on_stage: OnStage = lambda _: None) -> RunOutcome:
    """Make the synthetic patient in `out/patient` and run its DICOM folder, as a user would.

    `out/patient/dicom` holds the CT and a structure set with the GTVs and some organs,
    `out/patient/masks` a mask for each organ in TotalSegmentator's names.

    Raises:
        OutputError: as `run_case`.
    """
    from pipeline.phantom import PhantomOptions, make_phantom
    from pipeline.write import staged

    watch = Stopwatch(on_stage)
    with staged(request.out, overwrite=request.overwrite) as folder:
        patient = folder / PATIENT
        run = RunRequest(
            source=InputChoice(path=patient / "dicom", anatomy=patient / "masks"),
            out=request.out,
            settings=Settings(arm=ArmChoice.BOTH),
            facts=patient / FACTS,
            pictures=request.pictures,
        )
        protocol = checked_protocol(run)
        watch("making the patient")
        phantom = make_phantom(PhantomOptions(seed=request.seed))
        watch("writing the patient")
        write_patient(phantom, protocol, patient)
        (patient / FACTS).write_text(_FACTS, encoding="utf-8")
        return carry_out(run, protocol, folder, watch)


def write_patient(phantom: Phantom, protocol: Protocol, folder: Path) -> None:
    """Write a synthetic patient: CT and structure set in `dicom`, one mask an organ in `masks`."""
    from pipeline.write import (
        CtIdentity,
        StructureSetContext,
        write_ct_series,
        write_masks,
        write_rtstruct,
    )

    identity = CtIdentity(
        seed=f"demo {phantom.options.seed}",
        patient_name="Phantom^Synthetic",
        patient_id=f"PHANTOM-{phantom.options.seed}",
        study_description="Synthetic patient of rt-targets",
        series_description="Planning CT, synthetic",
    )
    headers = write_ct_series(folder / "dicom", phantom.volume, identity)
    context = StructureSetContext(headers=headers, label="DRAFT PHANTOM", description="Synthetic patient")
    rois = [*_lesions(phantom, protocol), *_organs(phantom)]
    write_rtstruct(folder / "dicom" / "structures.dcm", rois, context)
    for name in phantom.organs:  # one at a time: all of them would fill the memory
        write_masks(folder / "masks", {name: phantom.organs[name]})
    for name in _PARTS:
        write_masks(folder / "masks", {name: phantom.parts[name]})


def _lesions(phantom: Phantom, protocol: Protocol) -> list[RoiOut]:
    from pipeline.write import Algorithm, RoiOut

    return [
        RoiOut(
            name=lesion.name,
            contours=lesion.contours,
            interpreted_type="GTV",
            colour=protocol.colours[lesion.kind.value],
            description="synthetic lesion",
            algorithm=Algorithm.MANUAL,
        )
        for lesion in phantom.gtvs
    ]


def _organs(phantom: Phantom) -> list[RoiOut]:
    from pipeline.core.raster import mask_to_contours
    from pipeline.write import RoiOut

    return [
        RoiOut(
            name=name,
            contours=mask_to_contours(_mask(phantom, source)),
            interpreted_type=kind,
            colour=colour,
            description="synthetic organ",
        )
        for name, source, kind, colour in _ORGANS
    ]


def _mask(phantom: Phantom, name: str) -> Mask:
    return phantom.organs[name] if name in phantom.organs else phantom.parts[name]
