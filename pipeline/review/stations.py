"""Pictures of the stations on the CT: axial sheets from neck to celiac axis, a coronal and a sagittal one.

Conventions as in `pictures`: radiological, millimetres true, no patient identity, the same pixels from the
same input.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.core.errors import GeometryError
from pipeline.core.volume import Volume
from pipeline.review.planes import in_patient_order
from pipeline.review.sheet import notes_on, require_same_grid, save
from pipeline.review.station_scene import StationPicture
from pipeline.review.station_sheets import axial_sheets, coronal_sheet, sagittal_sheet

_NOTES = (
    "Levels in mm above (+) or below (-) the carina",
    "Broken line, (inferred): level not seen, told from other anatomy",
    "Not confirmed by a clinician",
)


def draw_station_montages(folder: Path, volume: Volume, picture: StationPicture) -> tuple[Path, ...]:
    """Write `stations_axial_1.png`, ..., `stations_coronal.png` and `stations_sagittal.png`.

    Every built station is shown on an axial plane near its middle. Nothing is written where no station has
    contours.

    Args:
        folder: made when absent.
        volume: the CT, in any patient position and storage order.
        picture: what to draw.

    Returns:
        The files.

    Raises:
        GeometryError: stations or lesions on another grid.
        OutputError: a file that cannot be written.
    """
    if picture.stations.grid != volume.grid:
        raise GeometryError("stations do not lie on the CT's grid", where="stations")
    require_same_grid(volume, picture.overlays, picture.lesions)
    if not picture.drawn:
        return ()
    scan = in_patient_order(volume)
    notes = (*notes_on(volume, contours=()), *_NOTES)
    sheets = {
        f"stations_axial_{number}": sheet
        for number, sheet in enumerate(axial_sheets(scan, picture, notes), start=1)
    }
    sheets["stations_coronal"] = coronal_sheet(scan, picture, notes)
    sheets["stations_sagittal"] = sagittal_sheet(scan, picture, notes)
    paths = []
    for name, sheet in sheets.items():
        path = folder / f"{name}.png"
        save(sheet, path)
        paths.append(path)
    return tuple(paths)
