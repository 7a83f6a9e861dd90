"""Names that collide."""

from __future__ import annotations

from pipeline.check import check_names
from pipeline.core.report import Severity


def test_names_of_one_arm_that_a_planning_system_takes_for_one() -> None:
    (told,) = check_names(["GTV-T", "PTV", "ptv", "CTV"], [], arm="ifi")
    assert (told.code, told.severity, told.where) == ("ROI_NAMES_COLLIDE", Severity.STOP, "ifi")
    assert "'PTV', 'ptv'" in told.message


def test_names_that_are_cut_to_the_same() -> None:
    (told,) = check_names(["PTV_of_the_upper_1", "PTV_of_the_upper_2"], [], arm="ifi")
    assert told.code == "ROI_NAMES_COLLIDE"


def test_a_name_that_the_source_has_too() -> None:
    (told,) = check_names(["GTV-T", "PTV"], ["Lung L", "ptv "], arm="eni")
    assert (told.code, told.severity, told.where) == ("ROI_NAME_IN_SOURCE", Severity.WARNING, "eni")
    assert "names too: PTV." in told.message


def test_nothing_on_a_clean_case() -> None:
    assert check_names(["GTV-T", "GTV-N", "PGTV", "CTV", "PTV"], ["GTVp", "body"], arm="ifi") == ()
