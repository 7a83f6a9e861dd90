"""`make matrix`: the table of readers in docs/interop.md, measured anew."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from pipeline.core.contour import Contours
from pipeline.core.raster import contours_to_mask
from tests.interop import judges
from tests.interop.matrix.cases import MatrixCase, patient, shapes

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("other_reader.py")
PAGE = ROOT / "docs" / "interop.md"
BEGIN, END = "<!-- matrix: made by `make matrix` -->", "<!-- end of matrix -->"
# Reader to the environment that the Makefile sets up for it; ours for rt-utils.
ENVIRONMENTS = {
    "rt-utils": Path(sys.executable),
    "DicomRTTool": ROOT / ".venv-readers" / "new" / "bin" / "python",
    "platipy": ROOT / ".venv-readers" / "old" / "bin" / "python",
    "dcmrtstruct2nii": ROOT / ".venv-readers" / "old" / "bin" / "python",
}
READERS = ("plastimatch", *ENVIRONMENTS)


def main() -> int:
    """Measure, print the table, and put it into the page."""
    with tempfile.TemporaryDirectory() as scratch:
        cases = [shapes(Path(scratch) / "shapes"), patient(Path(scratch) / "patient")]
        lines = list(_table([case for case in cases if case is not None], Path(scratch)))
    if cases[1] is None:
        print("the public data is absent (RT_TARGETS_DATA): shapes only, and the page stays as it is")
    print("\n".join(lines))
    if cases[1] is not None:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{chr(10).join(lines)}\n{END}{after}", encoding="utf-8")
    return 0


def _table(cases: list[MatrixCase], scratch: Path) -> Iterator[str]:
    yield "| | " + " | ".join(READERS) + " |"
    yield "|---" * (len(READERS) + 1) + "|"
    for case in cases:
        found = {reader: _read(reader, case, scratch / f"{case.name}-{reader}") for reader in READERS}
        image = judges.ct_image(case.ct)
        for name, contours in case.wanted.items():
            cells = [_cell(found[reader], name, contours, image) for reader in READERS]
            yield f"| {case.titles[name]}, {contours.volume_cc:.2f} cc | " + " | ".join(cells) + " |"


def _read(reader: str, case: MatrixCase, out: Path) -> dict[str, Path] | str:
    """ROI to mask file, or why there are none."""
    if reader == "plastimatch":
        program = shutil.which(reader)
        if program is None:
            return "not installed"
        judges.read_by_plastimatch(program, case.structures, case.ct, out)
        out = out / "masks"
    else:
        words = [ENVIRONMENTS[reader], SCRIPT, reader, case.ct, case.structures, out]
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{reader} on {case.name}:\n{done.stderr[-1500:]}", file=sys.stderr)
            return "stops"
    return {path.name.split(".")[0]: path for path in out.iterdir()}


def _cell(found: dict[str, Path] | str, name: str, contours: Contours, ct: sitk.Image) -> str:
    """Volume against the polygons, Dice with our own mask, and whether a hole was kept."""
    if isinstance(found, str):
        return found
    path = found.get(name) or found.get(name.replace("-", "_"))
    if path is None:
        return "not read"
    mask = sitk.Resample(sitk.ReadImage(str(path)), ct, sitk.Transform(), sitk.sitkNearestNeighbor, 0.0)
    theirs = judges.on_grid(np.asarray(sitk.GetArrayFromImage(mask) > 0), ct, contours.grid)
    seen = judges.verdict(theirs, contours_to_mask(contours), contours.volume_cc)
    told = f"{seen.polygons_percent:+.1f} %, {seen.dice:.3f}"
    holes = [k for k, section in contours.sections.items() if any(part.interiors for part in section.geoms)]
    if holes:
        told += ", hole kept" if _hole_is_open(theirs, contours, holes) else ", **hole lost**"
    return told


def _hole_is_open(theirs: judges.Voxels, contours: Contours, slices: list[int]) -> bool:
    """Whether less than a tenth of what the holes are by our own mask is filled."""
    import shapely

    filled = {
        k: shapely.MultiPolygon([shapely.Polygon(part.exterior) for part in contours.sections[k].geoms][:1])
        for k in slices
    }
    whole = contours_to_mask(Contours(grid=contours.grid, sections=filled)).voxels
    hole = whole & ~contours_to_mask(contours).voxels
    return np.count_nonzero(theirs & hole) < 0.1 * np.count_nonzero(hole)


if __name__ == "__main__":
    sys.exit(main())
