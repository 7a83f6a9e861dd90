"""report.json: the keys of the contract, figures that are JSON, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import OutputError
from pipeline.core.margin import Margin
from pipeline.core.report import (
    CaseSummary,
    Decision,
    Finding,
    LandmarkReport,
    LesionReport,
    Provenance,
    Reason,
    Report,
    Severity,
    StationReport,
    TargetReport,
)
from pipeline.write.record import report_text, write_report

CTV = TargetReport(
    name="CTV",
    kind="CTV",
    volume_cc=np.float64(12.345678),
    slices=9,
    uncut_volume_cc=13.0,
    requested=Margin.axial(horizontal=7, craniocaudal=12.5),
    measured=Margin.axial(horizontal=6.98765, craniocaudal=12.4),
    recipe="GTV + 7 mm × 12.5 mm",
)
GTV = TargetReport(
    name="GTV-T",
    kind="GTV",
    volume_cc=3.0,
    slices=5,
    uncut_volume_cc=None,
    requested=None,
    measured=None,
    recipe="as drawn",
)
REPORT = Report(
    case=CaseSummary(source="dicom", patient_position="HFS", size=(4, 5, 6), spacing_mm=(1.0, 1.0, 3.0)),
    decision=Decision(arm="ifi", plan=None, reasons=(Reason(rule="stated", value="ifi", source="user"),)),
    targets={"ifi": (GTV, CTV)},
    lesions=(
        LesionReport(
            roi="GTV-T",
            source_roi="gtv primary",
            kind="GTV-T",
            axial_diameter_mm=21.23456,
            short_axis_mm=11.0,
            diameter_3d_mm=25.0,
            volume_cc=3.0,
        ),
    ),
    findings=(Finding(code="A_DOUBT", severity=Severity.WARNING, where="CTV", message="look"),),
    provenance=Provenance(
        version="1",
        protocol="p",
        protocol_sha256="00",
        input_uids={"structure_set": "1.2", "ct_series": "1.1"},
        input_hashes={},
        dependencies={"numpy": "2"},
        seconds={"read": 1.23456, "build": 2.0},
    ),
)


def record(report: Report) -> dict:
    return json.loads(report_text(report))


def test_the_keys_of_the_contract():
    found = record(REPORT)
    assert found["schema_version"] == "1.0"
    assert "DRAFT" in found["draft"]
    assert found["status"] == "ok"
    assert found["decision"] == {
        "arm": "ifi",
        "plan": None,
        "reasons": [
            {"rule": "stated", "value": "ifi", "threshold": "", "result": "", "source": "user"},
        ],
    }
    ctv = found["targets"]["ifi"]["CTV"]
    assert (ctv["volume_cc"], ctv["slices"], ctv["uncut_volume_cc"]) == (12.3457, 9, 13.0)
    assert ctv["recipe"] == "GTV + 7 mm × 12.5 mm"
    assert ctv["margin_mm"]["requested"] == {
        "left": 7.0,
        "right": 7.0,
        "anterior": 7.0,
        "posterior": 7.0,
        "superior": 12.5,
        "inferior": 12.5,
    }
    assert ctv["margin_mm"]["measured"]["left"] == 6.988
    assert ctv["margin_mm"]["measured_on"] == "the volume before cuts"
    assert found["targets"]["ifi"]["GTV-T"]["margin_mm"] == {
        "requested": None,
        "measured": None,
        "measured_on": None,
    }
    assert (found["landmarks"], found["stations"]) == ({}, {})
    (lesion,) = found["lesions"]
    assert lesion["axial_diameter_mm"] == 21.235
    assert lesion["distance_to_stomach_mm"] is None
    (finding,) = found["findings"]
    assert finding == {"code": "A_DOUBT", "severity": "warning", "where": "CTV", "message": "look"}
    assert found["provenance"]["seconds"] == {"read": 1.235, "build": 2.0}


def test_landmarks_and_stations_have_their_place():
    report = replace(
        REPORT,
        landmarks={
            "carina": LandmarkReport(
                point_mm=(1.0, -0.0001, 3.12345),
                inferred=False,
                how="airway",
                expected_error_mm=3.0,
                notes=("x",),
            )
        },
        stations={"8Lo": StationReport(volume_cc=4.0, built=True, notes=("cut",), region="III")},
    )
    found = record(report)
    assert found["landmarks"]["carina"] == {
        "point_mm": [1.0, 0.0, 3.123],
        "inferred": False,
        "how": "airway",
        "expected_error_mm": 3.0,
        "notes": ["x"],
    }
    assert found["stations"]["8Lo"] == {
        "region": "III",
        "volume_cc": 4.0,
        "built": True,
        "notes": ["cut"],
    }


def test_a_stop_finding_stops():
    stop = Finding(code="A", severity=Severity.STOP, where="", message="")
    assert record(replace(REPORT, findings=(*REPORT.findings, stop)))["status"] == "stopped"


def test_the_order_of_keys_does_not_depend_on_the_run():
    turned = replace(REPORT.provenance, input_uids=dict(reversed(list(REPORT.provenance.input_uids.items()))))
    assert report_text(REPORT) == report_text(replace(REPORT, provenance=turned))
    assert list(record(REPORT)["targets"]["ifi"]) == ["GTV-T", "CTV"]


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_a_figure_that_is_not_finite_is_an_error_and_leaves_what_was_there(tmp_path, figure):
    path = tmp_path / "report.json"
    path.write_text("earlier")
    broken = replace(REPORT, targets={"ifi": (replace(CTV, volume_cc=figure),)})
    with pytest.raises(OutputError, match="not a finite number"):
        write_report(path, broken)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_utf_8(tmp_path):
    write_report(tmp_path / "report.json", REPORT)
    text = (tmp_path / "report.json").read_bytes().decode("utf-8")
    assert "×" in text
    assert text.endswith("}\n")


def test_a_folder_that_is_missing_is_told(tmp_path):
    with pytest.raises(OutputError, match=r"cannot be written.*No such file"):
        write_report(tmp_path / "none" / "report.json", REPORT)
