"""The output folder: whole or not at all, and nothing of anybody else's is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.core.errors import OutputError
from pipeline.write import check_apart, folder, staged
from pipeline.write.atomic import whole_file

OURS = json.dumps({"program": "rt-targets"})


def fill(staging: Path, mark: str = "new") -> None:
    (staging / "report.json").write_text(json.dumps({"program": "rt-targets", "mark": mark}))
    (staging / "ifi").mkdir()
    (staging / "ifi" / "rtstruct.dcm").write_text(mark)


def tree(root: Path) -> dict[str, str | None]:
    """Every file with its text, every folder with None."""
    return {
        str(path.relative_to(root)): path.read_text() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


@pytest.fixture
def earlier(tmp_path):
    """An earlier run, and something of the user's beside it."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text(OURS)
    (out / "ct").mkdir()
    (out / "ct" / "CT.0001.dcm").write_text("old")
    (out / "notes.txt").write_text("mine")
    return out


@pytest.mark.parametrize("deep", ["out", "a/b/out"])
def test_a_new_folder_appears_with_all_in_it(tmp_path, deep):
    out = tmp_path / deep
    with staged(out) as staging:
        fill(staging)
        assert not out.exists()
    assert tree(out).keys() == {"ifi", "ifi/rtstruct.dcm", "report.json"}
    assert [entry.name for entry in out.parent.iterdir()] == ["out"]


OUTPUTS = (
    "ifi/rtstruct.dcm",
    "ifi/masks/CTV.nii.gz",
    "pictures/ifi_GTV-T.png",
    "ct/CT.0001.dcm",
    "stations.json",
)


@pytest.fixture
def whole(tmp_path):
    """An earlier run with outputs in sub-folders, and something of the user's beside them."""
    out = tmp_path / "whole"
    for name in OUTPUTS:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("old")
    (out / "patient" / "dicom").mkdir(parents=True)
    (out / "patient" / "dicom" / "any").write_text("old")
    (out / "notes.txt").write_text("mine")
    (out / "report.json").write_text(OURS)
    return out


def test_what_a_run_leaves_is_replaced(whole):
    (whole / "pictures" / "Thumbs.db").write_text("the system's")
    with staged(whole, overwrite=True) as staging:
        fill(staging)
    found = {name for name, text in tree(whole).items() if text is not None}
    assert found == {"ifi/rtstruct.dcm", "notes.txt", "report.json"}


def refused(out: Path, *names: str) -> None:
    before = tree(out)
    with pytest.raises(OutputError, match="added to or changed") as caught, staged(out, overwrite=True):
        pytest.fail("no work is begun")
    assert caught.value.got == ", ".join(names)
    assert tree(out) == before


@pytest.mark.parametrize(
    "name",
    [
        "ifi/rtstruct_reviewed.dcm",
        "pictures/annotated.png",
        "ct/plan.dcm",
        "ifi/masks/notes.txt",
        "ifi/CTV.nii.gz",
    ],
)
def test_files_of_others_in_sub_folders_are_not_removed(whole, name):
    (whole / name).write_text("mine")
    refused(whole, name)


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_was_changed_later_is_not_replaced(whole, name):
    later = (whole / "report.json").stat().st_mtime + 3600.0
    os.utime(whole / name, (later, later))
    refused(whole, name)


def test_folders_of_others_and_files_in_the_place_of_folders(whole):
    (whole / "ifi" / "mine").mkdir()
    (whole / "eni").write_text("a file")
    (whole / "stations.nii.gz").mkdir()
    refused(whole, "eni", "ifi/mine", "stations.nii.gz")


def test_links_of_others_are_not_followed(whole, tmp_path):
    elsewhere = tmp_path / "clinic"
    elsewhere.mkdir()
    (elsewhere / "IM0001").write_text("the clinic's")
    (whole / "pictures" / "ifi_GTV-T.png").unlink()
    (whole / "pictures").rmdir()
    (whole / "pictures").symlink_to(elsewhere)
    (whole / "ifi" / "masks" / "PTV.nii.gz").symlink_to(elsewhere / "IM0001")
    refused(whole, "ifi/masks/PTV.nii.gz", "pictures")
    assert (elsewhere / "IM0001").read_text() == "the clinic's"


def test_many_files_of_others_are_counted(whole):
    for number in range(7):
        (whole / "ct" / f"RS{number}.dcm").write_text("mine")
    refused(whole, *(f"ct/RS{number}.dcm" for number in range(4)), "ct/RS4.dcm and 2 more")


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path):
    out = tmp_path / "out"
    out.mkdir(mode=0o750)
    before = out.stat().st_ino
    with staged(out) as staging:
        fill(staging)
    assert tree(out).keys() == {"ifi", "ifi/rtstruct.dcm", "report.json"}
    assert out.stat().st_ino == before


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with staged(tmp_path / "link") as staging:
        fill(staging)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "report.json").is_file()


def test_the_scratch_folder_of_a_killed_run_does_not_count(tmp_path):
    (tmp_path / ".rt-targets-0123").mkdir()
    with staged(tmp_path) as staging:
        fill(staging)
    assert (tmp_path / "report.json").is_file()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("deep", ["out", "a/b/out"])
def test_nothing_is_left_of_a_new_folder(tmp_path, deep, error):
    with pytest.raises(error), staged(tmp_path / deep) as staging:
        fill(staging)
        raise error
    assert tree(tmp_path) == {}


def test_an_earlier_run_stays_when_the_new_one_fails(earlier):
    before = tree(earlier)
    with pytest.raises(ValueError, match="boom"), staged(earlier, overwrite=True) as staging:
        fill(staging)
        raise ValueError("boom")
    assert tree(earlier) == before


def test_overwriting_replaces_the_earlier_run_whole_and_nothing_else(earlier):
    with staged(earlier, overwrite=True) as staging:
        fill(staging)
    assert tree(earlier).keys() == {"ifi", "ifi/rtstruct.dcm", "report.json", "notes.txt"}
    assert (earlier / "notes.txt").read_text() == "mine"
    assert json.loads((earlier / "report.json").read_text())["mark"] == "new"


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_move_that_fails_half_way_puts_everything_back(earlier, monkeypatch, failing):
    before = tree(earlier)
    moves = []
    rename = folder._rename

    def fail_once(source, place):
        moves.append(source)
        if len(moves) == failing:
            raise OutputError("disk full")
        rename(source, place)

    monkeypatch.setattr(folder, "_rename", fail_once)
    with pytest.raises(OutputError, match="disk full"), staged(earlier, overwrite=True) as staging:
        fill(staging)
    assert len(moves) == failing
    assert tree(earlier) == before


def test_the_record_moves_out_first_and_in_last(earlier, monkeypatch):
    moves = []
    rename = folder._rename
    monkeypatch.setattr(folder, "_rename", lambda source, place: (moves.append(place), rename(source, place)))
    with staged(earlier, overwrite=True) as staging:
        fill(staging)
    assert [place.name for place in moves] == ["report.json", "ct", "ifi", "report.json"]


def test_an_earlier_run_that_cannot_be_put_back_is_not_thrown_away(earlier, monkeypatch):
    rename, moves = folder._rename, []

    def fail(source, place):
        moves.append(source)
        if len(moves) == 3:
            monkeypatch.setattr(Path, "rename", refuse)
            raise OutputError("disk full")
        rename(source, place)

    def refuse(self, target):
        raise PermissionError

    monkeypatch.setattr(folder, "_rename", fail)
    with pytest.raises(PermissionError), staged(earlier, overwrite=True) as staging:
        fill(staging)
    assert "old" in tree(earlier).values()


def test_a_folder_with_something_in_it_is_refused(earlier):
    before = tree(earlier)
    with (
        pytest.raises(OutputError, match=r"not empty.*--overwrite"),
        staged(earlier),
    ):
        pytest.fail("no work before the check")
    assert tree(earlier) == before


@pytest.mark.parametrize("record", [None, "{}", "[]", "no json", '{"program": "other"}'])
def test_overwrite_does_not_apply_to_a_folder_of_another(tmp_path, record):
    (tmp_path / "thesis.txt").write_text("mine")
    if record is not None:
        (tmp_path / "report.json").write_text(record)
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="holds no earlier run"), staged(tmp_path, overwrite=True):
        pytest.fail("no work before the check")
    assert tree(tmp_path) == before


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="is a file"), staged(tmp_path / "out"):
        pytest.fail("no work before the check")


def test_a_folder_below_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"), staged(tmp_path / "file" / "out"):
        pytest.fail("no work before the check")
    assert tree(tmp_path) == {"file": ""}


def test_an_unwritable_folder_is_told(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write anywhere, so a mode would not do
    with pytest.raises(OutputError, match=r"cannot be written.*Permission denied"), staged(tmp_path / "a/b"):
        pytest.fail("no work before the check")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_told(tmp_path):
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    with pytest.raises(OutputError, match="cannot be written"), staged(out):
        pytest.fail("no work before the check")


def test_an_output_that_a_later_run_would_not_replace_is_refused(tmp_path):
    with pytest.raises(OutputError, match=r"later run.*got: extra\.txt"), staged(tmp_path / "out") as staging:
        (staging / "extra.txt").write_text("")
    assert tree(tmp_path) == {}


def test_the_input_folder_is_no_output_folder(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="is the input folder"):
        check_apart(tmp_path / "link", [tmp_path])
    check_apart(tmp_path / "out", [tmp_path / "in", tmp_path / "rs.dcm"])
    check_apart(tmp_path / "in-2", [tmp_path / "in"])


def test_an_output_folder_inside_the_input_is_refused(tmp_path):
    with pytest.raises(OutputError, match="the output folder lies inside the input folder"):
        check_apart(tmp_path / "in" / "sub" / "out", [tmp_path / "in"])


def test_an_input_inside_the_output_folder_is_refused(tmp_path):
    # With --overwrite it would go with the outputs of the earlier run.
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for given in (tmp_path / "out" / "patient" / "dicom", tmp_path / "link" / "rs.dcm"):
        with pytest.raises(
            OutputError, match=f"an input lies inside the output folder.*got: input {given.name}"
        ):
            check_apart(tmp_path / "out", [tmp_path / "elsewhere", given])


def test_what_no_run_writes_is_left_alone(earlier):
    (earlier / "notes.json").write_text("mine")
    with staged(earlier, overwrite=True) as staging:
        fill(staging)
    assert (earlier / "notes.json").read_text() == "mine"


# ----------------------------------------------------------------------------------------------- whole files


def test_a_file_takes_its_name_at_the_end(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    with whole_file(path) as scratch:
        scratch.write_text("new")
        assert path.read_text() == "old"
        assert scratch.parent == tmp_path
        assert scratch.name.endswith("a.json")
    assert tree(tmp_path) == {"a.json": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_that_fails_leaves_what_was_there(tmp_path, error):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(error), whole_file(tmp_path / "a.json") as scratch:
        scratch.write_text("half")
        raise error
    assert tree(tmp_path) == {"a.json": "old"}


def test_a_full_disk_is_told_in_our_words(tmp_path):
    with pytest.raises(OutputError, match=r"cannot be written.*No space left"), whole_file(tmp_path / "a"):
        raise OSError(28, "No space left on device")
    assert tree(tmp_path) == {}
