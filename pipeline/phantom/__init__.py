"""The synthetic patient of the demo and the tests: an analytic neck, thorax and upper abdomen.

Anatomy is drawn from closed shapes in a template (see `shapes`), so that every landmark is known
without looking at a voxel. Numbers are typical proportions of an adult, checked against one public
planning CT by eye; they are no measurement and no reference.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType

import numpy as np

from pipeline.core.volume import Volume
from pipeline.phantom.build import draw_build
from pipeline.phantom.canvas import blank_canvas
from pipeline.phantom.lesions import draw, place
from pipeline.phantom.options import (
    DEFAULT_LESIONS,
    LazyMasks,
    LesionChoice,
    LesionSite,
    PatientPosition,
    Phantom,
    PhantomOptions,
    Reconstruction,
)
from pipeline.phantom.render import (
    paint_couch,
    paint_mass,
    render_hu,
    sample_points,
    stored,
    stored_grid,
)
from pipeline.phantom.scene import landmarks, organ_makers, paint_patient, part_makers

__all__ = [
    "DEFAULT_LESIONS",
    "LazyMasks",
    "LesionChoice",
    "LesionSite",
    "PatientPosition",
    "Phantom",
    "PhantomOptions",
    "Reconstruction",
    "make_phantom",
]


def make_phantom(options: PhantomOptions | None = None) -> Phantom:
    """A synthetic patient as values.

    Args:
        options: which patient, and how it is sampled; the default is the demo's.

    Returns:
        The CT, organ masks, true landmarks and drawn lesions, all on one grid. Equal options give
        equal arrays; the patient position changes only the order in which samples are stored.

    Raises:
        UsageError: a lesion site that is not known.
    """
    options = options or PhantomOptions()
    of_body, of_lesions, of_texture, of_noise = (
        np.random.default_rng([options.seed, stream]) for stream in range(4)
    )
    build = draw_build(of_body, height=options.height, girth=options.girth, carina_mm=options.carina_mm)
    points = sample_points(options, build)
    grid = stored_grid(options, points)
    canvas = blank_canvas(build, x_mm=points[0], y_mm=points[1], z_mm=points[2])
    paint_patient(canvas, build, options.reconstruction, of_texture)
    if options.couch:
        paint_couch(canvas.labels, points, build)
    placed = place(options.lesions, build, of_lesions)
    for _, mass in placed:
        paint_mass(canvas.labels, canvas.details, points, mass)
    hu = render_hu(canvas.labels, canvas.details, options, of_noise)
    store = partial(stored, position=options.position)
    labels = store(canvas.labels)
    gtvs = draw(grid, placed)
    return Phantom(
        options=options,
        volume=Volume(grid=grid, hu=store(hu)),
        organs=LazyMasks(grid, organ_makers(labels)),
        parts=LazyMasks(grid, part_makers(labels, canvas, build, store)),
        landmarks=MappingProxyType(landmarks(build)),
        gtvs=gtvs,
        sites=MappingProxyType(
            {
                lesion.name: LesionSite(
                    site=choice.site, centre_mm=mass.centre_mm, half_axes_mm=mass.half_axes_mm
                )
                for lesion, (choice, mass) in zip(gtvs, placed, strict=True)
            }
        ),
    )
