"""Every figure, dose, limit and instruction of the trial's protocol file, by hand.

Keys of sources: P the published protocol, R the registry, C common practice, A an assumption.
"""

from __future__ import annotations

import pytest

from pipeline.core.elective import BoundaryTerm, End
from pipeline.core.prescription import Boost
from pipeline.core.ranged import Ranged
from pipeline.core.regions import Region
from pipeline.core.rules import ENI, IFI, Ends, Protocol
from pipeline.read.protocols import load_protocol

I, II, III, IV = Region  # noqa: E741 - the protocol's own names

NARROW, WIDE = "esophagus-salvage-2020", "esophagus-salvage-2020-wide"
BOTH = pytest.mark.parametrize("name", [NARROW, WIDE])
Span = tuple[float, float, float, str]


def span(figure: Ranged | None) -> Span:
    """Lowest, default, highest, source."""
    assert figure is not None
    return (figure.lowest, figure.default, figure.highest, figure.source)


def of(name: str) -> Protocol:
    return load_protocol(name)


def test_margins() -> None:
    for name, horizontal, along, elective in ((NARROW, 7, 12.5, 40), (WIDE, 8, 15, 50)):
        protocol = of(name)
        assert span(protocol.pgtv) == (5, 5, 5, "P")
        assert span(protocol.ptv) == (5, 5, 5, "P")
        assert span(protocol.ifi.horizontal) == (6, horizontal, 8, "P")
        assert span(protocol.ifi.craniocaudal) == (10, along, 15, "P")
        assert span(protocol.eni.horizontal) == (6, 6, 6, "P")
        assert span(protocol.eni.craniocaudal) == (30, elective, 50, "P")


@BOTH
def test_ends_holes_and_barriers(name: str) -> None:
    protocol = of(name)
    assert protocol.ends is Ends.FLAT
    assert protocol.fill_ptv_holes is True
    assert [(one.structure, one.overlap_mm, one.on, one.source) for one in protocol.barriers] == [
        ("body", 0, True, "C"),
        ("lung", 0, True, "C"),
        ("airway", 0, True, "C"),
        ("bone", 0, True, "C"),
        ("heart", 0, True, "C"),
        ("great_vessels", 0, True, "C"),
    ]


@BOTH
def test_colours(name: str) -> None:
    assert dict(of(name).colours) == {
        "GTV-T": (255, 0, 0),
        "GTV-N": (255, 105, 180),
        "PGTV": (135, 206, 235),
        "CTV": (0, 0, 255),
        "PTV": (0, 200, 0),
    }


# --------------------------------------------------------------------------------- elective irradiation

SUPRACLAVICULAR = ("SCV_R", "SCV_L", "1R", "1L")
MEDIASTINAL = ("2R", "2L", "4R", "4L", "7", "8U", "8M")


def boundary(term: BoundaryTerm) -> tuple[str, str, float, float, float, str]:
    outward = term.outward
    return (
        term.sense.value, term.name, outward.lowest, outward.default, outward.highest, term.source,
    )  # fmt: skip


def test_rows_of_elective_irradiation() -> None:
    for name, near, below in ((NARROW, 12.5, 25), (WIDE, 15, 30)):
        rows = of(name).eni.rows
        assert [(row.name, row.regions, row.stations, row.source) for row in rows] == [
            ("I-II", (I, II), (*SUPRACLAVICULAR, *MEDIASTINAL), "P"),
            ("III", (III,), MEDIASTINAL, "P"),
            ("IV", (IV,), ("15", "16", "17", "18", "19", "20"), "P"),
        ]
        told = {
            (row.name, end.value): [boundary(one) for one in row.terms(end)] for row in rows for end in End
        }
        assert told == {
            ("I-II", "upper"): [
                ("landmark", "T1_top", 0, 0, 0, "P"),
                ("lesions", "", 10, near, 15, "P"),
            ],
            ("I-II", "lower"): [("landmark", "carina", 20, below, 30, "P")],
            ("III", "upper"): [("landmark", "clavicular_head_top", 0, 0, 0, "P")],
            ("III", "lower"): [
                ("landmark", "carina", 20, 20, 20, "P"),
                ("lesions", "", 10, near, 15, "P"),
            ],
            ("IV", "upper"): [("lesions", "", 10, near, 15, "P"), ("station", "16", 0, 0, 0, "A")],
            ("IV", "lower"): [("station", "20", 0, 0, 0, "A"), ("lesions", "", 15, 15, 15, "P")],
        }


@BOTH
def test_figures_and_switches_of_elective_irradiation(name: str) -> None:
    eni = of(name).eni
    assert (eni.core_horizontal_mm, eni.core_craniocaudal_mm) == (6, 10)
    assert eni.envelope_gap_mm == 10
    assert (eni.gap_mm, eni.sliver_mm, eni.fleck_mm2, eni.speck_cc) == (1, 2, 10, 0.2)
    assert {key: (switch.value, switch.source) for key, switch in eni.switches.items()} == {
        "eni.expansion_beyond_boundaries": (False, "A"),
        "eni.conduit_in_stations": (False, "A"),
        "eni.conduit_in_tumour_expansion": (True, "A"),
    }


def test_sentences_of_the_rows() -> None:
    rows = of(NARROW).eni.rows
    assert {row.name: row.rule for row in rows} == {
        "I-II": "Recurrence in region I or II.",
        "III": "Recurrence in region III.",
        "IV": "Recurrence in region IV.",
    }
    assert [[term.rule for term in (*row.upper, *row.lower)] for row in rows] == [
        [
            "From the upper margin of the T1 vertebral body.",
            "Or from 10-15 mm above the GTV-N.",
            "Down to 20-30 mm below the carina.",
        ],
        [
            "From the level of the clavicular head.",
            "Down to 20 mm below the carina.",
            "Or down to 10-15 mm below the GTV-N.",
        ],
        [
            "From 10-15 mm above the GTV-N.",
            "From the top of station 16 where that is higher than 10-15 mm above the GTV-N.",
            "Down to the celiac axis, read as the caudal border of station 20.",
            "Or down to 15 mm below the GTV-N.",
        ],
    ]


# ------------------------------------------------------------------------------------- arm and dose plan


@BOTH
def test_steps_to_the_arm(name: str) -> None:
    decision = of(name).decision
    assert [
        (one.question.value, one.arm, one.threshold, one.unit, one.source, one.rule) for one in decision.steps
    ] == [
        (
            "residual", ENI, None, "", "A",
            "R1 or R2 resection: ENI, since the registry's list of who gets IFI names R0 patients only.",
        ),
        ("large", IFI, 50, "mm", "R", "R0, largest lesion diameter above 50 mm: IFI."),
        ("distant", IFI, None, "", "R", "R0, distant regional (skip) recurrence (I+IV or II+IV): IFI."),
        ("late", IFI, 16, "months", "R", "R0, time to recurrence above 16 months: IFI."),
        ("otherwise", ENI, None, "", "R", "Otherwise: ENI, by exclusion."),
    ]  # fmt: skip
    assert span(decision.close_mm) == (0, 10, 50, "A")
    assert decision.close_rule == (
        "A lesion within 10 mm of the thoracic stomach or intestine, surface to surface, is close to it."
    )


@BOTH
def test_dose_plans(name: str) -> None:
    doses = of(name).doses
    assert doses.alpha_beta_gy == 10
    assert [
        (one.number, one.arm, one.close, one.boost, one.technique, one.source) for one in doses.plans
    ] == [
        (1, ENI, False, Boost.SIMULTANEOUS, "SIB-IMRT", "P"),
        (2, ENI, True, Boost.SEQUENTIAL, "IMRT, sequential boost", "P"),
        (3, IFI, False, Boost.NONE, "IMRT", "P"),
        (4, IFI, True, Boost.NONE, "IMRT", "P"),
    ]
    assert [one.rule for one in doses.plans] == [
        (
            "ENI, far: PTV 50.4 Gy in 28 x 1.8 Gy and in the same fractions PGTV 59.92-62.16 Gy "
            "in 28 x 2.14-2.22 Gy."
        ),
        "ENI, close: PTV 50.4 Gy in 28 x 1.8 Gy, then PGTV 10-12 Gy in 5-7 x 1.8-2 Gy.",
        "IFI, far: PTV 60 Gy in 30 x 2 Gy.",
        "IFI, close: PTV 59.4-61.2 Gy in 33-34 x 1.8 Gy.",
    ]
    # Lowest, default, highest of the dose per fraction and of the fractions; lowest and highest total.
    levels = {
        (plan.number, one.target): (
            span(one.dose_per_fraction)[:3],
            span(one.fractions)[:3],
            (one.total.lowest, one.total.highest),
        )
        for plan in doses.plans
        for one in plan.levels
    }
    assert levels == {
        (1, "PTV"): ((1.8, 1.8, 1.8), (28, 28, 28), (50.4, 50.4)),
        (1, "PGTV"): ((2.14, 2.14, 2.22), (28, 28, 28), (59.92, 62.16)),
        (2, "PTV"): ((1.8, 1.8, 1.8), (28, 28, 28), (50.4, 50.4)),
        (2, "PGTV"): ((1.8, 2.0, 2.0), (5, 5, 7), (10, 12)),
        (3, "PTV"): ((2.0, 2.0, 2.0), (30, 30, 30), (60, 60)),
        (4, "PTV"): ((1.8, 1.8, 1.8), (33, 33, 34), (59.4, 61.2)),
    }


@BOTH
def test_organ_limits_and_the_organs_that_must_be_there(name: str) -> None:
    doses = of(name).doses
    assert [(str(one), one.source, one.rule) for one in doses.limits] == [
        ("spinal cord max < 45 Gy", "P", "Spinal cord: maximum below 45 Gy."),
        ("both lungs V20 <= 28 %", "P", "Both lungs: V20 at most 28 %."),
        ("both lungs mean <= 17 Gy", "P", "Both lungs: mean at most 17 Gy."),
        ("heart V40 < 30 %", "P", "Heart: V40 below 30 %."),
        (
            "thoracic stomach V40 <= 40 %", "P",
            "Thoracic stomach: V40 at most 40 %, and no hot spot on the gastric tube.",
        ),
    ]  # fmt: skip
    assert doses.required_organs == ("lung_left", "lung_right", "spinal_cord", "heart", "gastric_conduit")


@BOTH
def test_instructions_for_the_follow_up(name: str) -> None:
    assert [(one.arm, one.source, one.rule) for one in of(name).doses.instructions] == [
        (IFI, "P", "A chest CT at 50 Gy and adaptation of the field."),
        ("", "P", "If V50 of the stomach exceeds 50 %: total dose down to 45 Gy in 25 x 1.8 Gy."),
    ]


# ------------------------------------------------------------------------------------------- assumptions


# END is the middle of a range, and of the wide protocol its upper end.
SENTENCES = {
    "ends": "A stack of contours goes on unchanged for half a slice beyond its first and last contour "
    "(flat ends); the protocol does not say where a drawn volume ends between two slices.",
    "eni.core.horizontal": "ENI: the GTV with a margin of 6 mm in the axial slice is never cut but by "
    "barriers.",
    "eni.core.craniocaudal": "ENI: the GTV with a margin of 10 mm along the patient's long axis is "
    "never cut but by barriers.",
    "eni.IV.upper.station_16": "From the top of station 16 where that is higher than 10-15 mm above "
    "the GTV-N.",
    "eni.IV.lower.station_20": "Down to the celiac axis, read as the caudal border of station 20.",
    "eni.envelope_gap": "A region's envelope is the union of its stations before organs are taken out "
    "of them, with gaps up to twice 10 mm between neighbours closed, and open upwards above region I.",
    "eni.expansion_beyond_boundaries": "The boundaries hold for the whole CTV, the craniocaudal "
    "expansion of the GTV among it.",
    "eni.conduit_in_stations": "What was drawn up into the chest (the conduit) is taken out of the "
    "listed stations.",
    "eni.conduit_in_tumour_expansion": "The conduit stays in the expansion of a GTV-T; it is taken out "
    "of that of a GTV-N, never out of the core.",
    "eni.finish.gap": "Gaps narrower than 1 mm between parts of the CTV in an axial slice are closed, "
    "before barriers are removed.",
    "eni.finish.sliver": "Parts of the CTV that are narrower than 2 mm in an axial slice are removed.",
    "eni.finish.fleck": "Parts of the CTV below 10 mm2 on a slice that hold no GTV are removed.",
    "eni.finish.speck": "Parts of the CTV below 0.2 cc that hold no GTV are removed.",
    "decision.steps.0": "R1 or R2 resection: ENI, since the registry's list of who gets IFI names R0 "
    "patients only.",
    "close_to_stomach": "A lesion within 10 mm of the thoracic stomach or intestine, surface to "
    "surface, is close to it.",
    "eni.default_margins": "The default of an ENI margin or boundary distance is END.",
    "eni.or_includes_more": 'Where the protocol says "or" of a boundary, the one that includes more is '
    "taken.",
    "eni.union_of_rows": "With several involved regions, the volume is the union of what each region's "
    "rule gives.",
    "eni.tumour_as_node": "Where a boundary names the GTV-N, a GTV-T counts the same way.",
    "doses.defaults": "Within the ranges of the dose plans: plan 1 PGTV 28 x 2.14 Gy, plan 2 boost 5 x "
    "2 Gy, plan 4 33 x 1.8 Gy.",
    "ifi.default_margins": "The default of a margin is END.",
    "ifi.pgtv_without_dose": "The dose of the IFI plans goes to the PTV, since the paper's IFI figures "
    "show no PGTV; a PGTV is still written, without a dose level.",
}


@pytest.mark.parametrize(
    "name, end",
    [(NARROW, "the middle of the protocol's range"), (WIDE, "the upper end of the protocol's range")],
)
def test_sentences_of_the_assumptions(name: str, end: str) -> None:
    told = {key: one.sentence for key, one in of(name).assumptions.items()}
    assert told == {key: sentence.replace("END", end) for key, sentence in SENTENCES.items()}
