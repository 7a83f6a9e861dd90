import numpy as np
import pytest

from pipeline.core.case import LesionKind
from pipeline.core.errors import UsageError
from pipeline.phantom import (
    LesionChoice,
    PatientPosition,
    PhantomOptions,
    Reconstruction,
    make_phantom,
)
from pipeline.phantom.lesions import ALIASES, SITES
from tests.phantoms import COARSE
from tests.phantoms import coarse as small

pytestmark = pytest.mark.slow

NODE, TUMOUR = LesionKind.NODE, LesionKind.TUMOUR


@pytest.fixture(scope="module")
def native():
    return small(reconstruction=Reconstruction.NATIVE)


@pytest.fixture(scope="module")
def posterior():
    return small()


@pytest.fixture(scope="module")
def retrosternal():
    return small(reconstruction=Reconstruction.RETROSTERNAL)


def centroid(mask):
    k, j, i = np.nonzero(mask.voxels)
    return mask.grid.to_patient(np.stack([i, j, k], axis=1)).mean(axis=0)


def at_level(mask, z, reach=8.0):
    """The part of a mask near a level: centroid over x and y."""
    k, j, i = np.nonzero(mask.voxels)
    points = mask.grid.to_patient(np.stack([i, j, k], axis=1))
    near = points[np.abs(points[:, 2] - z) < reach]
    return near[:, :2].mean(axis=0) if len(near) else None


# ------------------------------------------------------------------------------ options and grid


def test_equal_options_give_equal_arrays(posterior):
    again = make_phantom(PhantomOptions(spacing_mm=COARSE))
    np.testing.assert_array_equal(again.volume.hu, posterior.volume.hu)
    np.testing.assert_array_equal(again.organs["liver"].voxels, posterior.organs["liver"].voxels)
    assert again.landmarks == posterior.landmarks
    assert [s.wkt for s in again.gtvs[0].contours.sections.values()] == [
        s.wkt for s in posterior.gtvs[0].contours.sections.values()
    ]


def test_another_seed_is_another_patient(posterior):
    other = small(seed=1)
    assert other.landmarks["sternal_notch"] != posterior.landmarks["sternal_notch"]
    assert other.volume.grid.size[2] != posterior.volume.grid.size[2]


def test_the_default_is_not_square_and_of_scanner_size():
    options = PhantomOptions()
    assert options.spacing_mm == (1.171875, 1.171875, 3.0)
    phantom = make_phantom(PhantomOptions(spacing_mm=(2.34375, 2.34375, 6.0), lesions=()))
    assert phantom.volume.grid.size[:2] == (192, 160)
    assert phantom.volume.hu.dtype == np.int16


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"height": 0.5}, "phantom height factor out of range; expected: 0.85 to 1.15; got: 0.5"),
        ({"girth": 1.3}, "phantom girth factor out of range"),
        ({"spacing_mm": (1.0, 1.0, 0.0)}, "phantom grid without extent"),
        ({"matrix": (1, 300)}, "phantom grid without extent"),
        ({"noise_hu": -1.0}, "phantom noise below zero; expected: 0 HU or more; got: -1.0"),
    ],
)
def test_wrong_options_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        PhantomOptions(**changes)


def test_matrix_size_and_place_follow_the_options(posterior):
    phantom = small(matrix=(120, 100), carina_mm=(31.0, -42.0, 500.0), grid_shift_mm=(0.3, -0.7, 1.1))
    assert phantom.volume.grid.size[:2] == (120, 100)
    moved = np.array((31.0, -42.0, 500.0)) - np.array(posterior.options.carina_mm)
    for name, point in posterior.landmarks.items():
        assert phantom.landmarks[name] == pytest.approx(tuple(np.array(point) + moved)), name


def test_a_grid_shift_moves_the_samples_and_not_the_patient(posterior):
    phantom = small(grid_shift_mm=(0.4, 0.9, -1.3))
    shift = np.array(phantom.volume.grid.origin_mm) - np.array(posterior.volume.grid.origin_mm)
    assert shift == pytest.approx((0.4, 0.9, -1.3))
    assert phantom.landmarks == posterior.landmarks
    assert phantom.sites["GTV-T"].centre_mm == posterior.sites["GTV-T"].centre_mm


def test_size_factors_scale_the_patient():
    short, tall = (small(height=factor, lesions=()) for factor in (0.9, 1.1))
    ratio = tall.volume.grid.size[2] / short.volume.grid.size[2]
    assert ratio == pytest.approx(1.1 / 0.9, abs=0.03)
    slim, broad = (small(girth=factor, lesions=()) for factor in (0.9, 1.1))
    assert broad.parts["body"].volume_cc / slim.parts["body"].volume_cc == pytest.approx(
        (11 / 9) ** 2, rel=0.05
    )


@pytest.mark.parametrize("position", [p for p in PatientPosition if p is not PatientPosition.HFS])
def test_every_position_stores_the_same_patient(posterior, position):
    turned = small(position=position)
    grid = turned.volume.grid
    rng = np.random.default_rng(7)
    index = rng.integers(0, posterior.volume.grid.size, size=(4000, 3))
    points = posterior.volume.grid.to_patient(index)
    there = grid.to_index(points)
    np.testing.assert_allclose(there, np.rint(there), atol=1e-6)
    i, j, k = np.rint(there).astype(int).T
    np.testing.assert_array_equal(
        turned.volume.hu[k, j, i], posterior.volume.hu[index[:, 2], index[:, 1], index[:, 0]]
    )
    for name in ("heart", "rib_left_3"):
        assert centroid(turned.organs[name]) == pytest.approx(centroid(posterior.organs[name]))
    assert centroid(turned.parts["thoracic_cavity"]) == pytest.approx(
        centroid(posterior.parts["thoracic_cavity"])
    )
    assert turned.landmarks == posterior.landmarks
    for mine, other in zip(turned.gtvs, posterior.gtvs, strict=True):
        here, there_ = (
            {round(float(g.grid.plane_positions_mm[k]), 3): s.wkt for k, s in g.sections.items()}
            for g in (mine.contours, other.contours)
        )
        assert here == there_


# ------------------------------------------------------------------------------ anatomy


def test_organs_exclude_each_other_and_lie_in_the_body(native):
    count = np.zeros(native.volume.grid.shape, dtype=np.uint8)
    for mask in native.organs.values():
        count += mask.voxels
    assert count.max() == 1
    assert not (count.astype(bool) & ~native.parts["body"].voxels).any()


def test_the_names_are_those_of_totalsegmentator(native):
    wanted = {
        "trachea", "esophagus", "stomach", "aorta", "heart", "liver", "spleen", "sternum", "pulmonary_vein",
        "lung_upper_lobe_left", "lung_lower_lobe_left", "lung_upper_lobe_right", "lung_middle_lobe_right",
        "lung_lower_lobe_right", "clavicula_left", "clavicula_right", "brachiocephalic_trunk",
        "common_carotid_artery_left", "subclavian_artery_right", "brachiocephalic_vein_left",
        "superior_vena_cava", "inferior_vena_cava", "portal_vein_and_splenic_vein", "kidney_left",
        "thyroid_gland", "spinal_cord", "celiac_trunk", "superior_mesenteric_artery", "rib_left_1",
        "rib_right_12", "scapula_left", "costal_cartilages",
        *(f"vertebrae_T{n}" for n in range(1, 13)), "vertebrae_C6", "vertebrae_C7", "vertebrae_L1",
        "vertebrae_L2",
    }  # fmt: skip
    assert wanted <= set(native.organs)
    assert len(native.organs) == len(list(native.organs))
    with pytest.raises(KeyError):
        native.organs["uvula"]


def test_left_is_left(native):
    x = {name: centroid(mask)[0] for name, mask in native.organs.items()}
    pairs = [name for name in x if "left" in name and name.replace("left", "right") in x]
    assert len(pairs) > 20
    for name in pairs:
        assert x[name] > x[name.replace("left", "right")], name
    spine = x["vertebrae_T8"]
    assert x["liver"] < spine - 20
    assert x["inferior_vena_cava"] < x["superior_mesenteric_artery"]
    assert x["superior_vena_cava"] < spine < x["heart"]
    assert x["spleen"] > spine + 40
    assert x["stomach"] > spine
    arch = at_level(native.organs["aorta"], native.landmarks["aortic_arch_top"][2] - 8, 4)
    assert arch[0] > native.landmarks["carina"][0] + 5


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("liver", 900, 1800), ("spleen", 90, 350), ("heart", 400, 800), ("aorta", 120, 280),
        ("kidney_left", 100, 220), ("trachea", 20, 60), ("thyroid_gland", 10, 35), ("stomach", 200, 600),
        ("vertebrae_T8", 12, 45), ("spinal_cord", 20, 70), ("sternum", 40, 120), ("esophagus", 25, 70),
    ],
)  # fmt: skip
def test_volumes_are_those_of_a_person(name, low, high):
    phantom = small(height=1.0, girth=1.0, reconstruction=Reconstruction.NATIVE, lesions=())
    assert low < phantom.organs[name].volume_cc < high


def test_front_to_back_at_the_carina(native):
    z = native.landmarks["carina"][2] + 8
    names = ("sternum", "superior_vena_cava", "trachea", "esophagus", "vertebrae_T5", "spinal_cord")
    order = []
    for name in names:
        where = at_level(native.organs[name], z)
        if where is None:  # T4 or T5: the spine is shifted from patient to patient
            where = at_level(native.organs["vertebrae_T4"], z)
        order.append(where[1])
    assert order == sorted(order)


def test_the_posterior_conduit_lies_where_the_esophagus_was(posterior):
    carina = np.array(posterior.landmarks["carina"])
    for below in (10, 40, 70):
        x, y = at_level(posterior.organs["stomach"], carina[2] - below)
        assert y > carina[1] + 10
        assert x < carina[0] + 10
    heart = at_level(posterior.organs["heart"], carina[2] - 70)
    assert at_level(posterior.organs["stomach"], carina[2] - 70)[1] > heart[1] + 30


def test_the_retrosternal_conduit_lies_behind_the_sternum(retrosternal):
    carina = np.array(retrosternal.landmarks["carina"])
    for below in (10, 40, 70):
        conduit = at_level(retrosternal.organs["stomach"], carina[2] - below)
        sternum = at_level(retrosternal.organs["sternum"], carina[2] - below)
        assert 0 < conduit[1] - sternum[1] < 40
    aorta = retrosternal.organs["aorta"]
    front = at_level(aorta, carina[2])[1]
    assert at_level(retrosternal.organs["stomach"], carina[2])[1] < front


def test_only_a_remnant_of_the_esophagus_is_left(native, posterior, retrosternal):
    notch = native.landmarks["sternal_notch"][2]
    for phantom in (posterior, retrosternal):
        k = np.nonzero(phantom.organs["esophagus"].voxels)[0]
        assert phantom.volume.grid.plane_positions_mm[k.min()] > notch
        assert phantom.organs["stomach"].volume_cc > 100
    k = np.nonzero(native.organs["esophagus"].voxels)[0]
    assert native.volume.grid.plane_positions_mm[k.min()] < native.landmarks["hiatus"][2]


def test_parts_fit_their_organs(native):
    parts, organs = native.parts, native.organs
    left = organs["lung_upper_lobe_left"] | organs["lung_lower_lobe_left"]
    np.testing.assert_array_equal(parts["lung_left"].voxels, left.voxels)
    assert not (organs["trachea"] - parts["lung_airways"]).voxels.any()
    assert not (parts["thoracic_cavity"] & parts["abdominal_cavity"]).voxels.any()
    assert (organs["heart"] & parts["thoracic_cavity"]).volume_cc > 0.97 * organs["heart"].volume_cc
    assert (organs["liver"] & parts["abdominal_cavity"]).volume_cc > 0.99 * organs["liver"].volume_cc
    assert not (parts["mediastinum"] & parts["lung_right"]).voxels.any()
    assert (organs["heart"] - parts["mediastinum"]).volume_cc < 0.03 * organs["heart"].volume_cc
    for name in ("main_bronchi", "bronchus_intermedius", "azygos_vein", "splenic_artery"):
        assert parts[name].voxels.any(), name
    assert len(parts) == len(list(parts))


# ------------------------------------------------------------------------------ Hounsfield units


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("trachea", -1010, -850), ("lung_left", -880, -750), ("liver", 80, 105), ("aorta", 130, 170),
        ("spinal_cord", 20, 60), ("sternum", 150, 400), ("vertebrae_T6", 180, 450), ("stomach", -250, 60),
    ],
)  # fmt: skip
def test_tissues_have_their_hounsfield_units(native, name, low, high):
    mask = native.organs[name] if name in native.organs else native.parts[name]
    assert low < native.volume.hu[mask.voxels].mean() < high


def test_noise_is_as_asked():
    quiet, noisy = (small(noise_hu=sigma, lesions=()) for sigma in (0.0, 20.0))
    difference = (noisy.volume.hu.astype(int) - quiet.volume.hu)[quiet.organs["liver"].voxels]
    assert difference.std() == pytest.approx(20, rel=0.05)
    assert abs(difference.mean()) < 1


def test_without_contrast_blood_looks_like_tissue():
    plain = small(contrast=False, lesions=())
    assert 30 < plain.volume.hu[plain.organs["aorta"].voxels].mean() < 60


def test_the_couch_is_no_part_of_the_body():
    with_, without = small(couch=True), small(couch=False)
    np.testing.assert_array_equal(with_.parts["body"].voxels, without.parts["body"].voxels)
    outside = ~without.parts["body"].voxels
    assert np.percentile(without.volume.hu[outside], 99) < -900
    assert (with_.volume.hu[outside] > -400).sum() > 1000


# ------------------------------------------------------------------------------ lesions


def test_the_default_lesions(posterior):
    assert [(lesion.name, lesion.kind) for lesion in posterior.gtvs] == [
        ("GTV-T", TUMOUR),
        ("GTV-N1", NODE),
        ("GTV-N2", NODE),
    ]
    assert [posterior.sites[lesion.name].site for lesion in posterior.gtvs] == ["tumour_bed", "2R", "7"]


def test_a_single_node_has_no_number():
    phantom = small(lesions=(LesionChoice(site="celiac", kind=NODE),))
    assert [lesion.name for lesion in phantom.gtvs] == ["GTV-N"]


def test_contours_are_what_an_observer_draws(posterior):
    for lesion in posterior.gtvs:
        site = posterior.sites[lesion.name]
        slices = np.array(lesion.contours.slices)
        assert (np.diff(slices) == 1).all()
        for section in lesion.contours.sections.values():
            (polygon,) = section.geoms
            assert 40 <= len(polygon.exterior.coords) - 1 <= 80
        a, b, c = site.half_axes_mm
        k = int(np.argmin(np.abs(posterior.volume.grid.plane_positions_mm - site.centre_mm[2])))
        middle = lesion.contours.sections[k].centroid
        assert (middle.x, middle.y) == pytest.approx(site.centre_mm[:2], abs=1.5)
        ellipsoid = 4 / 3 * np.pi * a * b * c / 1000
        assert lesion.contours.volume_cc == pytest.approx(ellipsoid, rel=0.2)


def test_outlines_are_irregular_but_mildly(posterior):
    (polygon,) = posterior.gtvs[0].contours.sections[posterior.gtvs[0].contours.slices[2]].geoms
    hull = polygon.convex_hull
    assert polygon.area > 0.97 * hull.area
    ellipse = np.pi / 4 * polygon.minimum_rotated_rectangle.area
    assert abs(polygon.area / ellipse - 1) > 0.002


def test_a_node_thinner_than_the_slices_is_still_drawn():
    phantom = small(lesions=(LesionChoice(site="7", kind=NODE, half_axes_mm=(4, 4, 0.5)),))
    assert len(phantom.gtvs[0].contours.slices) == 1


def test_a_mass_can_be_seen():
    choice = LesionChoice(site="4R", kind=NODE, half_axes_mm=(7, 7, 9))
    with_, without = (
        make_phantom(PhantomOptions(spacing_mm=(1.5, 1.5, 3), noise_hu=0, lesions=lesions))
        for lesions in ((choice,), ())
    )
    where = with_.sites["GTV-N"].centre_mm
    i, j, k = np.rint(with_.volume.grid.to_index([where])[0]).astype(int)
    assert with_.volume.hu[k, j, i] == 58
    assert without.volume.hu[k, j, i] < -80
    changed = with_.volume.hu != without.volume.hu
    assert changed.sum() * with_.volume.grid.voxel_volume_mm3 / 1000 < 8  # with its soft rim


@pytest.mark.parametrize("route", list(Reconstruction))
def test_sites_lie_in_no_barrier(route):
    chosen = tuple(LesionChoice(site=site, kind=NODE, half_axes_mm=(4, 4, 5)) for site in SITES)
    phantom = make_phantom(
        PhantomOptions(seed=2, spacing_mm=(2, 2, 2.5), reconstruction=route, lesions=chosen)
    )
    bed = {"tumour_bed", "anastomosis"}
    points = np.array([phantom.sites[lesion.name].centre_mm for lesion in phantom.gtvs])
    i, j, k = np.rint(phantom.volume.grid.to_index(points)).astype(int).T
    for name, mask in phantom.organs.items():
        hit = {phantom.sites[phantom.gtvs[n].name].site for n in np.flatnonzero(mask.voxels[k, j, i])}
        assert hit <= (bed if name in ("esophagus", "stomach") else set()), name


def test_sites_lie_in_their_regions():
    chosen = tuple(LesionChoice(site=site, kind=NODE) for site in SITES)
    phantom = small(lesions=chosen)
    z = {phantom.sites[lesion.name].site: phantom.sites[lesion.name].centre_mm[2] for lesion in phantom.gtvs}
    mark = {name: point[2] for name, point in phantom.landmarks.items()}
    for site in ("SCV_R", "SCV_L", "1R", "1L"):
        assert z[site] > mark["sternal_notch"]
    for site in ("2R", "2L", "4R", "4L", "8U"):
        assert mark["carina"] < z[site] < mark["sternal_notch"]
    for site in ("7", "8M", "8Lo", "9R", "9L"):
        assert mark["hiatus"] < z[site] < mark["carina"]
    for site in ("15", "16", "17", "18", "19", "20"):
        assert z[site] < mark["hiatus"]


def test_a_site_may_be_named_in_words_and_shifted():
    chosen = tuple(LesionChoice(site=alias, kind=NODE, shift_mm=(1, 2, 3)) for alias in ALIASES)
    phantom = small(lesions=chosen)
    plain = small(lesions=tuple(LesionChoice(site=ALIASES[c.site], kind=NODE) for c in chosen))
    for lesion in phantom.gtvs:
        moved = np.array(phantom.sites[lesion.name].centre_mm) - plain.sites[lesion.name].centre_mm
        assert moved == pytest.approx((1, 2, 3))


def test_an_unknown_site_is_refused():
    with pytest.raises(UsageError, match=r"unknown lesion site; expected: SCV_R, .*; got: 'knee'"):
        small(lesions=(LesionChoice(site="knee", kind=NODE),))


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_the_largest_patient_fits_the_field_of_view(seed):
    phantom = small(seed=seed, girth=1.15, lesions=())
    shadow = phantom.parts["body"].voxels.any(axis=0)
    assert not shadow[[0, -1]].any()
    assert not shadow[:, [0, -1]].any()
