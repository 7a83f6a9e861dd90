"""The organs of a case from all that the user named: structure set, `--anatomy`, `--segment`."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from pipeline.app.values import InputChoice

if TYPE_CHECKING:
    from pipeline.core.anatomy import Organs
    from pipeline.read import LoadedScan, OrganInput


def check_sources(choice: InputChoice) -> None:
    """Refuse what can be known to be lacking before any file is opened.

    Raises:
        UsageError: `segment` without TotalSegmentator.
    """
    if choice.segment:
        from pipeline.read import find_segmenter

        find_segmenter()


def masks_ahead(choice: InputChoice) -> AbstractContextManager[None]:
    """While it lasts, masks of organs are unpacked, so that they are there when the CT has been read."""
    if choice.anatomy is None:
        return nullcontext()
    from pipeline.read import load_organ_names, organ_files, unpacked_ahead

    return unpacked_ahead(organ_files(choice.anatomy, load_organ_names()))


def organ_input(choice: InputChoice, scan: LoadedScan) -> OrganInput:
    """Where the organs of a case may come from."""
    from pipeline.read import OrganInput, load_station_names

    return OrganInput(
        grid=scan.volume.grid,
        structure_set=scan.structure_set,
        lesions=frozenset(lesion.source_roi for lesion in scan.lesions),
        anatomy=choice.anatomy,
        ct_series=scan.source.series_uid,
        others=(load_station_names(),),
    )


def organs_given(choice: InputChoice, scan: LoadedScan) -> Organs:
    """The organs of a case, merged in the order of trust; with `segment`, what lacks is segmented.

    Raises:
        InputError: an anatomy that cannot be read, or does not fit the CT.
        UsageError: `segment` without a TotalSegmentator that starts.
    """
    from pipeline.read import load_organ_names, merge_organs, organ_sets, segmented_organs

    names = load_organ_names()
    sets = organ_sets(organ_input(choice, scan), names)
    if choice.segment:
        given = {name for one in sets for name in one}
        sets = (*sets, segmented_organs(scan.volume, names, given=given))
    return merge_organs(scan.volume.grid, sets, names)
