"""The sentence, without files: a made-up case in memory."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from pipeline.anatomy.places.gut import distance_to_gut_mm
from pipeline.core.decision import Facts
from pipeline.core.errors import GeometryError
from pipeline.core.margin import Margin
from pipeline.core.regions import Region
from pipeline.core.report import Provenance
from pipeline.core.rules import ArmChoice, Settings
from pipeline.core.volume import Mask
from pipeline.read.protocols import load_protocol
from pipeline.run import ahead, arms
from pipeline.run import measured as run_measured
from pipeline.run.choice import chosen_arms
from pipeline.run.measured import measured_lesions, measured_without_map
from pipeline.run.report import report_of
from pipeline.run.targets import begin, make_targets, settle
from pipeline.targets import gross_volumes
from tests.known import known, place_in
from tests.made_case import READ, case

IFI = Settings(arm=ArmChoice.IFI)
PROTOCOL = load_protocol()


def test_a_case_becomes_its_volumes_and_the_decision_that_was_stated():
    result = make_targets(case(), known(case()), PROTOCOL, IFI)
    (arm,) = result.arms
    assert [target.name for target in arm.targets] == ["GTV-T", "PGTV", "CTV", "PTV"]
    volumes = [target.contours.volume_cc for target in arm.targets]
    assert volumes[0] < volumes[1] < volumes[2] < volumes[3]
    assert result.decision.arm == "ifi"
    assert "stated by the user" in result.decision.reasons[0].rule
    assert "nothing without resection" in result.decision.reasons[0].result
    assert result.lesions[0].measures.axial_diameter_mm == pytest.approx(20, abs=0.1)
    assert "no PGTV" in result.assumptions["ifi.pgtv_without_dose"]


def test_findings_of_every_step_are_kept_and_each_missing_barrier_is_told_once():
    result = make_targets(case(), known(case()), PROTOCOL, IFI)
    assert READ in result.findings
    missing = [f.message for f in result.findings if f.code == "BARRIER_NOT_APPLIED"]
    assert len(missing) == 1
    assert missing[0].startswith("not applied: lung, airway, bone, heart, great_vessels;")


def test_without_a_body_the_body_barrier_is_told_to_be_missing():
    result = make_targets(case(air=True), known(case(air=True)), PROTOCOL, IFI)
    missing = [f.message for f in result.findings if f.code == "BARRIER_NOT_APPLIED"]
    assert any("body" in message for message in missing)


def test_a_body_barrier_that_is_switched_off_is_not_looked_for():
    result = make_targets(
        case(air=True), known(case(air=True)), PROTOCOL, Settings(arm=ArmChoice.IFI, barriers={"body": False})
    )
    missing = [f.message for f in result.findings if f.code == "BARRIER_NOT_APPLIED"]
    assert not any("body" in message for message in missing)


def test_stages_are_told_in_order():
    told: list[str] = []
    make_targets(case(), known(case()), PROTOCOL, IFI, on_stage=told.append)
    assert told == ["decision", "targets"]


def test_the_report_has_the_figures_of_the_result():
    made = case()
    result = make_targets(made, known(made), PROTOCOL, IFI)
    provenance = Provenance(
        version="0",
        protocol=PROTOCOL.name,
        protocol_sha256=PROTOCOL.sha256,
        input_uids={},
        input_hashes={},
        dependencies={},
        seconds={},
    )
    report = report_of(made, result, provenance)
    assert list(report.targets) == ["ifi"]
    gtv, _, ctv, _ = report.targets["ifi"]
    assert (gtv.name, gtv.slices, gtv.requested) == ("GTV-T", 5, None)
    assert ctv.requested == Margin.axial(horizontal=7, craniocaudal=12.5)
    assert ctv.volume_cc == result.arms[0]["CTV"].contours.volume_cc
    (lesion,) = report.lesions
    assert (lesion.roi, lesion.source_roi, lesion.kind) == ("GTV-T", "gtv", "GTV-T")
    assert lesion.axial_diameter_mm == pytest.approx(20, abs=0.1)
    assert report.case.size == (64, 64, 24)
    assert report.findings == result.findings
    assert report.assumptions == result.assumptions


def test_with_a_protocol_of_one_arm_auto_asks_for_that_one_alone():
    ifi = load_protocol("escc-neoadjuvant-2024")
    rules = replace(
        PROTOCOL.decision, steps=tuple(replace(step, arm="ifi") for step in PROTOCOL.decision.steps)
    )
    assert list(settle(replace(ifi, decision=rules), Settings())) == ["ifi"]
    assert list(settle(PROTOCOL, Settings())) == ["ifi", "eni"]


def test_a_close_distance_off_protocol_is_told():
    settings = Settings(arm=ArmChoice.IFI, figures={"close_to_stomach": 60.0}, off_protocol=True)
    result = make_targets(case(), known(case()), PROTOCOL, settings)
    (told,) = [one for one in result.findings if one.code == "MARGIN_OFF_PROTOCOL"]
    assert "distance of 60 mm is outside" in told.message
    assert result.decision.reasons[-1].threshold == "60 mm"
    assert "close_to_stomach" not in result.assumptions


def test_regions_of_the_case_that_are_not_those_of_its_lesions_are_told():
    made = case()
    place = place_in("GTV-T", Region.II)
    lesions = [replace(one, place=place) for one in measured_lesions(made, known(made))]
    for stated, codes in (((Region.II,), []), ((Region.I, Region.III), ["REGIONS_STATED_OTHERWISE"])):
        choice = chosen_arms(PROTOCOL, IFI, lesions, Facts(regions=stated), known(made))
        assert [one.code for one in choice.findings if one.code.startswith("REGIONS")] == codes


def test_what_needs_organs_alone_is_made_once_and_may_be_begun_before_the_map_is_known(monkeypatch):
    begun, made = threading.Event(), []

    def gross(*words, **named):
        made.append(named)
        begun.set()
        return gross_volumes(*words, **named)

    def measured(*words):
        assert begun.wait(10), "materials are made by another thread"
        return measured_without_map(*words)

    monkeypatch.setattr(arms, "gross_volumes", gross)
    monkeypatch.setattr(ahead, "measured_without_map", measured)
    early = begin(case(), known(case()), PROTOCOL, IFI)
    results = [
        make_targets(case(), known(case()), PROTOCOL, IFI, ahead=early),
        make_targets(case(), known(case()), PROTOCOL, IFI),
    ]
    assert len(made) == 2
    assert [[arm.arm for arm in result.arms] for result in results] == [["ifi"], ["ifi"]]
    volumes = [[one.contours.volume_cc for one in result.arms[0].targets] for result in results]
    assert volumes[0] == volumes[1]


def test_what_goes_wrong_ahead_is_raised(monkeypatch):
    def broken(*words, **named):
        raise GeometryError("broken")

    monkeypatch.setattr(arms, "gross_volumes", broken)
    early = begin(case(), known(case()), PROTOCOL, IFI)
    with pytest.raises(GeometryError, match="broken"):
        make_targets(case(), known(case()), PROTOCOL, IFI, ahead=early)


def test_an_arm_is_handed_over_before_it_is_checked(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(arms, "check_targets", lambda *words: (told.append("checked"), ())[1])
    result = make_targets(
        case(), known(case()), PROTOCOL, IFI, on_arm=lambda arm, doses: told.append((arm.arm, doses))
    )
    assert told == [("ifi", result.prescriptions.get("ifi")), "checked"]


def test_a_conduit_counts_to_the_gut(monkeypatch):
    made, of_case = case(), known(case())
    (lesion,) = made.lesions
    grid = made.volume.grid
    voxels = np.zeros(grid.shape, dtype=bool)
    voxels[:, :5, :5] = True
    conduit = Mask(grid=grid, voxels=voxels)
    monkeypatch.setattr(run_measured, "conduit_of", lambda known: conduit)
    before = measured_without_map(made, of_case.organs)
    (one,) = measured_lesions(made, of_case, before)
    assert before[0].gut_mm is None
    assert one.gut_mm == pytest.approx(distance_to_gut_mm(lesion, (conduit,)))
    nearer = [replace(before[0], gut_mm=1.0)]
    assert measured_lesions(made, of_case, nearer)[0].gut_mm == 1.0
