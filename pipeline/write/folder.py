"""The output folder of a run: everything appears in it at the end, or nothing does."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.core.errors import OutputError
from pipeline.write.atomic import cannot_write
from pipeline.write.record import PROGRAM

RECORD = "report.json"

# What a run may put into its output folder: nothing else is ever replaced or removed.
OUTPUT_NAMES = frozenset(
    {
        RECORD,
        "pictures",
        "ifi",
        "eni",
        "ct",
        "patient",
        "stations",
        "stations.json",
        "stations.nii.gz",
        "stations_with_conduit.nii.gz",
    }
)

# What a run puts into its sub-folders. What else lies in them is somebody's, and so is what was changed later
# than the record, which is written last; copying a result may take so many seconds. The synthetic patient of
# the demo is ours as a whole.
_OF_AN_ARM = ("rtstruct.dcm", "rtstruct_appended.dcm", "prescription.json", "seg.dcm", "masks/*.nii.gz")
_OURS_WITHIN = {
    "ifi": _OF_AN_ARM,
    "eni": _OF_AN_ARM,
    "stations": ("rtstruct.dcm",),
    "pictures": ("decision.png", "ifi_*.png", "eni_*.png", "stations_*.png"),
    "ct": ("CT.[0-9]*.dcm",),
}
_SETTLING_S = 60.0
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # of systems, in folders that were looked at
_MOST_TOLD = 5

_SCRATCH = ".rt-targets-"
_EARLIER = ".earlier"


@contextmanager
def staged(out: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A folder to write to; when the block ends well, what is in it appears in `out`.

    `out` may be missing or empty. With `overwrite` it may also hold an earlier run: all outputs of
    that run are replaced, and whatever else lies there is left alone; where files of others lie in
    its sub-folders, nothing is replaced. On any exception, an interrupt included, nothing is left
    and `out` is as it was. A new `out` appears in one step; into a folder that is there already the
    entries move one by one, `report.json` last.

    Raises:
        OutputError: `out` is no folder, not writable, or holds something and `overwrite` does not
            apply; something was staged under a name that is not in `OUTPUT_NAMES`.
    """
    target = Path(os.path.realpath(out))
    check_free(target, overwrite=overwrite)
    is_new = not target.exists()
    home = target.parent if is_new else target  # either way on the file system of `out`
    made = _make_missing(home)
    scratch = home / f"{_SCRATCH}{secrets.token_hex(4)}"
    try:
        _make(scratch)
        yield scratch
        _check_names(scratch)
        if is_new:
            _rename(scratch, target)
        else:
            _move_in(scratch, target)
    except BaseException:
        _discard(scratch, made)
        raise
    shutil.rmtree(scratch, ignore_errors=True)  # with the outputs of an earlier run in it


def check_free(out: Path, *, overwrite: bool = False) -> None:
    """Refuse an output folder that a run may not write to, before any work is done.

    Raises:
        OutputError: `out` is no folder, or holds something and `overwrite` does not apply, as where files
            of others lie in an earlier run.
    """
    try:
        held = sorted(entry.name for entry in out.iterdir() if not _is_left_over(entry))
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise OutputError(
            "the output folder is a file", where=str(out), todo="name another folder with --out"
        ) from error
    except OSError as error:
        raise cannot_write(out, error) from error
    if not held:
        return
    if not overwrite:
        raise OutputError(
            "the output folder is not empty",
            where=str(out),
            expected="a new or empty folder",
            got=f"{len(held)} entries, among them {held[0]}",
            todo="name another folder with --out, or add --overwrite to replace an earlier run",
        )
    if not _is_ours(out):
        raise OutputError(
            "the output folder holds no earlier run, so nothing in it is replaced",
            where=str(out),
            expected=f"a {RECORD} of {PROGRAM}",
            got=f"{len(held)} entries, among them {held[0]}",
            todo="name another folder with --out",
        )
    others = _of_others(out)
    if others:
        more = f" and {len(others) - _MOST_TOLD} more" if len(others) > _MOST_TOLD else ""
        raise OutputError(
            "the earlier run was added to or changed, so nothing of it is replaced",
            where=str(out),
            expected="its sub-folders and files as the run left them",
            got=f"{', '.join(others[:_MOST_TOLD])}{more}",
            todo="move what you want to keep elsewhere, or name another folder with --out",
        )


def check_apart(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output folder that holds an input, or that lies inside one.

    In an input folder a later run would take the written structure set for one of the clinic's; an input
    inside the output folder would be removed with the outputs of an earlier run.

    Args:
        out: the output folder, there or not.
        inputs: every file and folder that is read.

    Raises:
        OutputError: one lies in the other.
    """
    target = Path(os.path.realpath(out))
    for given in inputs:
        source = Path(os.path.realpath(given))
        if target == source:
            what = "the output folder is the input folder"
        elif target.is_relative_to(source):
            what = "the output folder lies inside the input folder"
        elif source.is_relative_to(target):
            what = "an input lies inside the output folder"
        else:
            continue
        raise OutputError(
            what,
            where=str(out),
            expected="a folder of its own, so that inputs and drafts do not mix",
            got=f"input {given.name}",
            todo="name another folder with --out",
        )


def _is_left_over(entry: Path) -> bool:
    """The scratch folder of a run that was killed: it does not make a folder count as used."""
    return entry.name.startswith(_SCRATCH)


def _is_ours(out: Path) -> bool:
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("program") == PROGRAM


def _of_others(out: Path) -> list[str]:
    """What in the outputs of an earlier run is not as a run writes it, as paths within the output folder."""
    latest = (out / RECORD).stat().st_mtime + _SETTLING_S
    found = []
    for name in sorted(OUTPUT_NAMES - {"patient"}):
        top, ours = out / name, _OURS_WITHIN.get(name, ())
        if not os.path.lexists(top):
            continue
        if top.is_symlink() or top.is_dir() != bool(ours) or _is_later(top, latest):
            found.append(name)
        for place, folders, files in os.walk(top) if ours and not top.is_symlink() else ():
            for path in sorted(Path(place, entry) for entry in {*folders, *files} - _LITTER):
                forms = [form.rpartition("/")[0] for form in ours] if path.is_dir() else ours
                within = path.relative_to(top)
                fits = any(_fits(within, form) for form in forms)
                if not fits or path.is_symlink() or _is_later(path, latest):
                    found.append(path.relative_to(out).as_posix())
    return found


def _is_later(path: Path, latest: float) -> bool:
    return path.is_file() and path.stat().st_mtime > latest


def _fits(path: Path, form: str) -> bool:
    parts = form.split("/")
    return len(parts) == len(path.parts) and all(map(fnmatchcase, path.parts, parts))


def _make_missing(folder: Path) -> list[Path]:
    """Make a folder and its parents; gives those that were not there, innermost first."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    done: list[Path] = []
    try:
        for place in reversed(missing):
            _make(place)
            done.insert(0, place)
    except BaseException:
        for place in done:
            place.rmdir()
        raise
    return done


def _make(folder: Path) -> None:
    try:
        folder.mkdir()
    except OSError as error:
        raise cannot_write(folder.parent, error) from error


def _rename(source: Path, place: Path) -> None:
    try:
        source.rename(place)
    except OSError as error:
        raise cannot_write(place, error) from error


def _check_names(staging: Path) -> None:
    unknown = sorted({entry.name for entry in staging.iterdir()} - OUTPUT_NAMES)
    if unknown:
        raise OutputError(
            "an output under a name that a later run would not replace",
            expected=", ".join(sorted(OUTPUT_NAMES)),
            got=", ".join(unknown),
        )


def _move_in(staging: Path, target: Path) -> None:
    """Move the entries of `staging` into `target`; put everything back when one does not move."""
    names = [entry.name for entry in staging.iterdir()]
    earlier = staging / _EARLIER
    moved: list[tuple[Path, Path]] = []
    try:
        _make(earlier)
        # The record goes first and comes last: a folder that has one is complete.
        for name in sorted(OUTPUT_NAMES, key=lambda name: (name != RECORD, name)):
            if (target / name).exists():
                moved.append((target / name, earlier / name))
                _rename(*moved[-1])
        for name in sorted(names, key=lambda name: (name == RECORD, name)):
            moved.append((staging / name, target / name))
            _rename(*moved[-1])
    except BaseException:
        for source, place in reversed(moved):
            if not source.exists():  # the last one may not have moved
                place.rename(source)
        raise


def _discard(scratch: Path, made: list[Path]) -> None:
    """Remove what was staged, unless an earlier run that could not be put back still lies in it."""
    earlier = scratch / _EARLIER
    if earlier.is_dir() and any(earlier.iterdir()):
        return
    shutil.rmtree(scratch, ignore_errors=True)
    for folder in made:
        with suppress(OSError):  # something of another's lies in it by now
            folder.rmdir()
