"""Landmarks of public patients: with masks, with a structure set only, and with nothing but the CT."""

from __future__ import annotations

import pytest

from pipeline.anatomy.level_checks import check_levels
from pipeline.anatomy.organ_view import OrganView
from pipeline.core.report import Severity
from tests.real import anatomy_cases as cases

pytestmark = [pytest.mark.real, pytest.mark.slow]

# Nothing that plain image processing finds tells where these are.
NOT_FROM_THE_IMAGE = {
    "sternal_notch", "T1_top", "C7_top", "clavicular_head_top", "celiac_axis_origin", "SMA_origin",
}  # fmt: skip
FROM_THE_CARINA = {
    "aortic_arch_top", "brachiocephalic_artery_trachea", "left_brachiocephalic_vein_trachea",
    "inferior_pulmonary_vein_lowest", "hiatus",
}  # fmt: skip


def there(real_data, path):
    if not (real_data / path).exists():
        pytest.skip(f"the real data has no {path}")
    return real_data / path


def level(landmarks, name):
    return landmarks.found[name].point_mm[2]


def doubts(organs, landmarks):
    return {(one.code, one.where) for one in check_levels(OrganView(organs), landmarks)}


# ---------------------------------------------------------------------------------- TotalSegmentator's masks


@pytest.fixture(scope="module")
def abdomen(real_data):
    scan = cases.image_scan(there(real_data, cases.ABDOMEN[0]))
    return cases.landmarks_of(scan, scan.masks(there(real_data, cases.ABDOMEN[1])))


@pytest.fixture(scope="module")
def aorta(real_data, tmp_path_factory):
    scan = cases.image_scan(there(real_data, cases.AORTA[0]))
    folder = cases.plain_masks(
        there(real_data, cases.AORTA[1]), cases.AORTA_MASKS, tmp_path_factory.mktemp("aorta")
    )
    return cases.landmarks_of(scan, scan.masks(folder))


def test_an_abdomen_without_its_arteries(abdomen) -> None:
    organs, landmarks = abdomen
    assert set(landmarks.found) == {"celiac_axis_origin", "SMA_origin"}
    celiac, sma = (landmarks.found[name] for name in ("celiac_axis_origin", "SMA_origin"))
    assert (celiac.inferred, celiac.how) == (True, "the lower end of the body of T12")
    assert celiac.notes[0] == "not from the trunk's root on the aorta: no celiac_trunk"
    # By eye the body of T12 ends between 399 and 402 mm; the arteries leave the aorta higher up.
    assert celiac.point_mm[2] == pytest.approx(400.0, abs=4.0)
    for name, (read, uncertain) in cases.BY_EYE["abdomen"].items():
        one = landmarks.found[name]
        assert abs(one.point_mm[2] - read) <= one.error_mm + uncertain, name
    assert sma.error_mm == pytest.approx(13.4, abs=0.1)
    assert {code for code, _ in doubts(organs, landmarks)} == {"LANDMARK_UNCERTAIN"}


@pytest.mark.parametrize(
    "name, reason",
    [
        ("sternal_notch", "no sternum"),
        ("carina", "no trachea or main_bronchi"),
        ("lung_apex", "not from the lower one of the lungs' upper ends: not seen there"),  # cut by the scan
        ("aortic_arch_top", "not from the aorta's section of 150 mm2: not seen there"),
        ("inferior_pulmonary_vein_lowest", "no pulmonary_vein; not from 53 mm below the carina"),
        ("hiatus", "no thoracic_cavity and no abdominal_cavity; not from 121 mm below the carina"),
        ("T1_top", "no vertebrae_T1; not from 32 mm above the sternal notch: sternal_notch is not known"),
    ],
)
def test_what_an_abdomen_does_not_show_is_told(abdomen, name, reason) -> None:
    _, landmarks = abdomen
    assert reason in landmarks.missing[name]


def test_arteries_at_their_own_roots(aorta) -> None:
    organs, landmarks = aorta
    for name in ("aortic_arch_top", "celiac_axis_origin", "SMA_origin"):
        read, uncertain = cases.BY_EYE["aorta"][name]
        one = landmarks.found[name]
        assert not one.inferred
        assert abs(one.point_mm[2] - read) <= one.error_mm + uncertain, name
    # The body of T12 ends at its lower corner, 11 mm and more below the trunk that leaves in front of it.
    assert 0 <= level(landmarks, "celiac_axis_origin") - 551.5 < 16
    assert 5 <= level(landmarks, "celiac_axis_origin") - level(landmarks, "SMA_origin") <= 35
    for name in ("brachiocephalic_artery_trachea", "left_brachiocephalic_vein_trachea"):
        assert name in landmarks.found
    assert not [code for code, _ in doubts(organs, landmarks) if code != "LANDMARK_UNCERTAIN"]


def test_a_folder_that_names_an_organ_twice_says_so(real_data) -> None:
    scan = cases.image_scan(there(real_data, cases.AORTA[0]))
    organs = scan.masks(there(real_data, cases.AORTA[1]))
    assert "celiac_trunk" not in organs
    told = [one for one in organs.findings if one.code == "ORGAN_NAME_AMBIGUOUS"]
    assert len(told) == 2
    assert all(one.severity is Severity.WARNING for one in told)


# ----------------------------------------------------------------------------------------------------- Lung1


@pytest.fixture(scope="module")
def aria(unpacked):
    return cases.planning_scan(unpacked(cases.ARIA))


@pytest.fixture(scope="module")
def xio(unpacked):
    return cases.planning_scan(unpacked(cases.XIO))


@pytest.fixture(scope="module")
def anatomy(request, real_data):
    """`anatomy("xio", "drawn")`: organs and landmarks of a patient by what is given, found once."""
    made = {}

    def find(patient: str, source: str):
        if (patient, source) not in made:
            scan = request.getfixturevalue(patient)
            given = (
                scan.masks(there(real_data, cases.XIO_MASKS))
                if source == "masks"
                else getattr(scan, source)()
            )
            made[patient, source] = cases.landmarks_of(scan, given)
        return made[patient, source]

    return find


@pytest.mark.parametrize("patient", ["aria", "xio"])
@pytest.mark.parametrize("source", ["nothing", "drawn"])
def test_without_masks_the_image_gives_apex_and_carina(anatomy, patient, source) -> None:
    organs, landmarks = anatomy(patient, source)
    assert set(landmarks.missing) == NOT_FROM_THE_IMAGE
    assert {name for name, one in landmarks.found.items() if not one.inferred} == {"carina", "lung_apex"}
    assert {name for name, one in landmarks.found.items() if one.inferred} == FROM_THE_CARINA
    assert not [one for one in check_levels(OrganView(organs), landmarks) if one.severity is Severity.WARNING]


def test_a_carina_between_the_last_lumen_and_the_first_two(anatomy) -> None:
    _, landmarks = anatomy("aria", "nothing")
    read, uncertain = cases.BY_EYE["LUNG1-001"]["carina"]
    assert level(landmarks, "carina") == pytest.approx(read, abs=uncertain)


# The slices of LUNG1-002 lie 3 mm apart: a level may be read that much off, beside the reader's uncertainty.
SLICE_MM = 3.0
# Told from the carina alone, 35 mm above it: 6.4 mm below what was read, which is known to 2 mm.
FURTHER_OFF = {"nothing": {"aortic_arch_top"}, "drawn": {"aortic_arch_top"}, "masks": set()}


@pytest.mark.parametrize("source", ["nothing", "drawn", "masks"])
def test_levels_against_those_read_by_eye(anatomy, real_data, source) -> None:
    organs, landmarks = anatomy("xio", source)
    read = cases.levels_by_eye(there(real_data, cases.XIO_MASKS).parents[1])
    assert len(read) == 13
    off = {name: abs(one.point_mm[2] - read[name][0]) for name, one in landmarks.found.items()}
    further = {name for name, away in off.items() if away > read[name][1] + SLICE_MM}
    assert further == FURTHER_OFF[source], off
    for name in further:
        one = landmarks.found[name]
        assert one.inferred, name
        assert off[name] <= one.error_mm, "as far off as is told"
    if source == "masks":
        assert not landmarks.missing
        inferred = {name for name, one in landmarks.found.items() if one.inferred}
        assert inferred == {"hiatus", "celiac_axis_origin", "SMA_origin"}
        assert not [
            one for one in check_levels(OrganView(organs), landmarks) if one.severity is Severity.WARNING
        ]
