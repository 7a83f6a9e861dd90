"""The order in which a patient is painted, and the landmarks that the painting fixes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.core.grid import Vector
from pipeline.phantom.airway import CARINA, airway_layers, thyroid_layers
from pipeline.phantom.build import Build
from pipeline.phantom.canvas import Canvas, Layer
from pipeline.phantom.labels import CODES, LUMENS, LUNGS, ORGANS, OUTSIDE, VERTEBRAE
from pipeline.phantom.options import Reconstruction
from pipeline.phantom.shapes import Point, Shape, Tube
from pipeline.phantom.skeleton import CLAVICLE_TOP, NOTCH, front_layers, rib_layers
from pipeline.phantom.spine import spine_layers, vertebral_bodies
from pipeline.phantom.torso import (
    APEX_Z,
    AboveDiaphragm,
    abdominal_cavity,
    body_layers,
    chest_layers,
    thoracic_cavity,
)
from pipeline.phantom.vessels import (
    BRACHIOCEPHALIC_TRUNK_Z,
    CELIAC_Z,
    SMA_Z,
    abdominal_layers,
    aorta,
    heart_layers,
    inferior_pulmonary_vein,
    left_brachiocephalic_vein,
    vessel_layers,
)
from pipeline.phantom.viscera import HIATUS, abdomen_layers, gullet_layers

Array = npt.NDArray[Any]
DIAPHRAGM = AboveDiaphragm(hiatus=HIATUS)
LUNG_VESSELS = 170
ARCH_AREA_MM2 = 150.0  # the landmark table's least area of an aortic section


def paint_patient(
    canvas: Canvas, build: Build, reconstruction: Reconstruction, rng: np.random.Generator
) -> None:
    """Everything but lesions and couch, from the skin inwards."""
    deviation = build.tracheal_deviation_mm
    for layer in (
        *body_layers(),
        *chest_layers(DIAPHRAGM, build.apex_mm),
        *_lung_vessels(rng),
        *abdomen_layers(DIAPHRAGM),
        *spine_layers(build.spine_shift_mm),
        *rib_layers(build.spine_shift_mm),
        *heart_layers(),
        *front_layers(),
        *gullet_layers(reconstruction.value, deviation),
        *vessel_layers(deviation),
        *airway_layers(deviation),
        *thyroid_layers(deviation),
        *abdominal_layers(),
    ):
        canvas.paint(layer)


def landmarks(build: Build) -> dict[str, Vector]:
    """True positions in the patient (LPS mm) by the names of the output contract."""
    bodies = vertebral_bodies(build.spine_shift_mm)
    apex = min(APEX_Z, key=lambda side: APEX_Z[side])
    veins = (inferior_pulmonary_vein(side).lowest for side in ("right", "left"))
    vein = _lowest_near(left_brachiocephalic_vein(), CARINA[0])
    template: dict[str, Point] = {
        "C7_top": bodies["C7"].top,
        "T1_top": bodies["T1"].top,
        "sternal_notch": NOTCH,
        "clavicular_head_top": CLAVICLE_TOP,
        "lung_apex": ((41.0 if apex == "left" else -41.0), 12.0, APEX_Z[apex] + build.apex_mm),
        "aortic_arch_top": aorta().top_with_area(ARCH_AREA_MM2 / build.girth**2),
        "brachiocephalic_artery_trachea": (-3.0, -31.0, BRACHIOCEPHALIC_TRUNK_Z),
        "left_brachiocephalic_vein_trachea": vein,
        "carina": CARINA,
        "inferior_pulmonary_vein_lowest": min(veins, key=lambda point: point[2]),
        "hiatus": HIATUS,
        "celiac_axis_origin": (8.0, 7.5, CELIAC_Z),
        "SMA_origin": (6.3, 5.0, SMA_Z),
    }
    points = build.to_patient(list(template.values()))
    return {name: (float(p[0]), float(p[1]), float(p[2])) for name, p in zip(template, points, strict=True)}


def _lowest_near(tube: Tube, x: float) -> Point:
    row = tube.path[int(np.argmin(np.abs(tube.path[:, 0] - x)))]
    return (float(row[0]), float(row[1]), float(row[2] - row[3]))


def organ_makers(labels: Array) -> dict[str, Callable[[], Array]]:
    """One maker of a mask for every organ that this patient has."""
    present = set(np.flatnonzero(np.bincount(labels.ravel(), minlength=256)).tolist())
    return {name: partial(_of_codes, labels, (name,)) for name in ORGANS if CODES[name] in present}


def part_makers(
    labels: Array, canvas: Canvas, build: Build, store: Callable[[Array], Array]
) -> dict[str, Callable[[], Array]]:
    """Masks that overlap the organs: groups of labels, and spaces known by construction."""
    groups: Mapping[str, tuple[str, ...]] = {
        "lung_left": tuple(name for name in LUNGS if name.endswith("left")),
        "lung_right": tuple(name for name in LUNGS if name.endswith("right")),
        "lung_airways": LUMENS,
        "main_bronchi": ("bronchus_left", "bronchus_right"),
        "bronchus_intermedius": ("bronchus_intermedius",),
        "azygos_vein": ("azygos_vein",),
        "common_hepatic_artery": ("common_hepatic_artery",),
        "splenic_artery": ("splenic_artery",),
    }
    makers: dict[str, Callable[[], Array]] = {
        name: partial(_of_codes, labels, members) for name, members in groups.items()
    }
    bodies = tuple(vertebral_bodies(build.spine_shift_mm).values())
    spaces: dict[str, Sequence[Shape]] = {
        "thoracic_cavity": (thoracic_cavity(DIAPHRAGM),),
        "abdominal_cavity": (abdominal_cavity(DIAPHRAGM),),
    }
    makers |= {name: partial(_of_shapes, canvas, shapes, store) for name, shapes in spaces.items()}
    makers["vertebrae_body"] = lambda: store(canvas.mask(bodies)) & _of_codes(labels, _SPINE)
    makers["mediastinum"] = lambda: makers["thoracic_cavity"]() & ~_of_codes(labels, (*LUNGS, *OUTSIDE))
    makers["body"] = lambda: ~_of_codes(labels, OUTSIDE)
    return makers


_SPINE = tuple(f"vertebrae_{level}" for level in VERTEBRAE)


def _of_codes(labels: Array, names: tuple[str, ...]) -> Array:
    if len(names) == 1:
        return np.asarray(labels == CODES[names[0]])
    table = np.zeros(256, dtype=bool)
    table[[CODES[name] for name in names]] = True
    return np.asarray(table[labels])


def _of_shapes(canvas: Canvas, shapes: Sequence[Shape], store: Callable[[Array], Array]) -> Array:
    return store(canvas.mask(shapes))


def _lung_vessels(rng: np.random.Generator) -> list[Layer]:
    """Vessels from the hila outwards: texture only, they stay lung by name."""
    layers = []
    for number in range(LUNG_VESSELS):
        sign = -1 if number % 2 else 1
        away = rng.normal(size=3) * np.array([1.0, 1.1, 1.2])
        away[0] = sign * abs(away[0])
        away /= np.linalg.norm(away)
        start = np.array([sign * 40.0, 5.0, -30.0]) + rng.normal(size=3) * 8
        first = start + away * rng.uniform(15, 35)
        second = first + (away + 0.45 * rng.normal(size=3)) * rng.uniform(15, 40)
        last = second + (away + 0.6 * rng.normal(size=3)) * rng.uniform(10, 30)
        thick = float(rng.uniform(1.1, 2.6))
        knots = tuple((float(p[0]), float(p[1]), float(p[2])) for p in (start, first, second, last))
        tube = Tube(knots=knots, radius_mm=(thick + 1.0, thick, 0.7 * thick, 0.5 * thick))
        layers.append(Layer(name="lung_vessel", shape=tube, over=LUNGS, detail=True))
    return layers
