"""What damage at random has found in the reader of structure sets, one example of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pydicom
import pytest

from pipeline.core.case import Case
from pipeline.core.errors import StructureError
from pipeline.read import ReadOptions, load_roles, read_again, read_case
from pipeline.read.contour_data import contour_points
from tests.dicom_maker import RoiSpec, circles, make_ct, make_structure_set
from tests.read.dicom_tree import Coding, Element, Tree, encoded, tree_of, walk

ROLES = load_roles()
CHARACTER_SET, ROI_NAME, ROI_NUMBER = 0x00080005, 0x30060026, 0x30060022
CONTOURS, CONTOUR_DATA, KIND, POINT_COUNT = 0x30060040, 0x30060050, 0x30060042, 0x30060046
IMAGES, ROI_CONTOURS = 0x30060016, 0x30060039
META_LENGTH = 0x00020000


class Scene:
    """A CT and a structure set beside it, to be damaged: GTV-T, GTV-N and Heart, in this order."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "rs.dcm"
        ct = make_ct(folder / "ct")
        rois = [
            RoiSpec("GTV-T", circles(ct, radius_mm=8, points=24, slices=[1, 2, 3]), "GTV"),
            RoiSpec("GTV-N", circles(ct, radius_mm=4, points=12, slices=[2, 3]), "GTV"),
            RoiSpec("Heart", circles(ct, radius_mm=9, points=12), "ORGAN"),
        ]
        make_structure_set(self.file, ct, rois, implicit=False)
        self.tree: Tree = tree_of(self.file.read_bytes())

    def all(self, tag: int) -> list[Element]:
        return [one for _, one in (*walk(self.tree.meta), *walk(self.tree.body)) if one.tag == tag]

    def read(self, **coding: bool) -> Case:
        self.file.write_bytes(encoded(self.tree, Coding(**coding)))
        return read_case(self.folder, ReadOptions(), ROLES).case

    def read_alone(self) -> Case:
        return read_case(self.folder / "ct", ReadOptions(structures=self.file), ROLES).case


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def number(index: int, text: bytes) -> Callable[[list[bytes]], list[bytes]]:
    return lambda parts: [*parts[:index], text, *parts[index + 1 :]]


class TestFiles:
    def test_a_deflated_file_that_breaks_off(self, scene: Scene) -> None:
        scene.read(deflated=True)
        scene.file.write_bytes(scene.file.read_bytes()[:-40])
        with pytest.raises(StructureError, match=r"no structure set.*cannot be read: rs\.dcm"):
            read_case(scene.folder, ReadOptions(), ROLES)
        with pytest.raises(StructureError, match=r"structure set cannot be read.*decompressing"):
            scene.read_alone()

    def test_a_number_of_three_bytes_in_the_file_meta_information(self, scene: Scene) -> None:
        (element,) = scene.all(META_LENGTH)
        element.value = b"\x01\x02\x03"
        with pytest.raises(StructureError, match="no structure set"):
            scene.read()

    def test_more_memory_than_there_is(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = pydicom.dcmread

        def too_much(stream: BinaryIO, **options: bool) -> pydicom.Dataset:
            if stream.name.endswith("rs.dcm"):
                raise MemoryError
            return whole(stream, **options)

        monkeypatch.setattr(pydicom, "dcmread", too_much)
        with pytest.raises(StructureError, match="structure set cannot be read"):
            scene.read_alone()

    @pytest.mark.parametrize("value", [b"ISO_IR 999", b"1.2.3", b"\xff\xfe"])
    def test_an_unknown_character_set_is_no_warning_of_pydicom(self, scene: Scene, value: bytes) -> None:
        scene.tree.body.insert(0, Element(CHARACTER_SET, b"CS", value.ljust(12)))
        scene.file.write_bytes(encoded(scene.tree, Coding()))
        loaded = read_case(scene.folder, ReadOptions(), ROLES)
        assert loaded.structure_set is not None
        assert read_again(loaded.structure_set).StructureSetLabel == "plan"


class TestItems:
    """Contours that pydicom loses in silence."""

    @pytest.mark.parametrize("coding", [{}, {"implicit": True}])
    def test_an_element_that_swallows_the_next_contour(self, scene: Scene, coding: dict[str, bool]) -> None:
        data = scene.all(CONTOUR_DATA)[0]
        data.length = len(data.value) + 90
        with pytest.raises(StructureError, match=r"structure set cannot be read.*ROIContourSequence: "):
            scene.read(**coding)

    def test_an_open_sequence_without_its_end(self, scene: Scene) -> None:
        scene.read(undefined=True)
        content = scene.file.read_bytes()
        first, second = (bytes(one.value) for one in scene.all(CONTOUR_DATA)[1:3])
        ends, begins = content.index(first) + len(first), content.index(second) - 8
        scene.file.write_bytes(content[:ends] + content[begins:])
        with pytest.raises(StructureError, match=r"ROIContourSequence: \(3006,0050\) twice in one item"):
            read_case(scene.folder, ReadOptions(), ROLES)

    def test_two_contours_run_into_one(self, scene: Scene) -> None:
        items = scene.all(CONTOURS)[0].items
        items[0].elements += items.pop(1).elements
        with pytest.raises(StructureError, match=r"ROIContourSequence: \(3006,\w{4}\) twice in one item"):
            scene.read()

    def test_an_item_longer_than_its_sequence(self, scene: Scene) -> None:
        scene.all(CONTOURS)[0].items[-1].length = 1 << 20
        with pytest.raises(StructureError, match="an item longer than its sequence"):
            scene.read()

    def test_something_else_where_an_item_should_begin(self, scene: Scene) -> None:
        item = scene.all(CONTOURS)[0].items[0]
        item.length = 8 + len(encoded(Tree([], item.elements[:1]), Coding())) - 132 - 8
        with pytest.raises(StructureError, match=r"no item where one should begin, but \(3006,\w{4}\)"):
            scene.read()

    def test_an_element_cut_short(self, scene: Scene) -> None:
        element = scene.all(ROI_CONTOURS)[0]
        element.vr, element.value = b"UN", b"\xfe\xff\x00\xe0\x06\0\0\0\x06\x30\x2a\x00IS"
        with pytest.raises(StructureError, match="cut short"):
            scene.read()

    def test_a_sequence_that_is_none(self, scene: Scene) -> None:
        element = scene.all(CONTOURS)[0]
        element.vr, element.value = b"LO", b"contours"
        with pytest.raises(StructureError, match="ContourSequence is no sequence"):
            scene.read()

    def test_an_empty_sequence_has_no_contours(self, scene: Scene) -> None:
        element = scene.all(ROI_CONTOURS)[0]
        element.value = []
        with pytest.raises(StructureError, match="GTV without contours"):
            scene.read()


class TestContours:
    @pytest.mark.parametrize(
        "change, told",
        [
            (lambda parts: parts[:-6], "22 points where Number of Contour Points says 24"),
            (lambda parts: parts[:-2], "70 numbers"),
            (number(3, b"nan"), "not finite"),
            (number(3, b"1e300"), r"a coordinate of 1e\+300 mm"),
            (number(3, b"1e9"), r"a coordinate of 1e\+09 mm"),
            (number(3, b"1_0"), "an underscore"),
            (number(3, b""), "could not convert"),
            (number(3, b"1\0"), "could not convert"),
        ],
    )
    def test_numbers_that_are_no_contour(
        self, scene: Scene, change: Callable[[list[bytes]], list[bytes]], told: str
    ) -> None:
        data = scene.all(CONTOUR_DATA)[1]
        assert isinstance(data.value, bytes)
        data.value = b"\\".join(change(data.value.rstrip().split(b"\\")))
        with pytest.raises(StructureError, match=f"contour data cannot be read.*'GTV-T', contour 2;.*{told}"):
            scene.read()

    def test_blanks_behind_the_last_number_count_for_nothing(self) -> None:
        item = pydicom.Dataset()
        item[CONTOUR_DATA] = pydicom.dataelem.RawDataElement(
            pydicom.tag.Tag(CONTOUR_DATA), "DS", 12, b"1\\2\\3\\4\\5\\6\\ ", 0, True, True
        )
        assert contour_points(item).tolist() == [[1, 2, 3], [4, 5, 6]]

    def test_a_tangle_is_refused_before_anybody_waits_for_it(self, scene: Scene) -> None:
        data = scene.all(CONTOUR_DATA)[0]
        z = bytes(data.value).split(b"\\")[2].decode()
        points = np.random.default_rng(1).uniform(-10, 15, (3000, 2))
        data.value = "\\".join(f"{x:.3f}\\{y:.3f}\\{z}" for x, y in points).encode()
        count = scene.all(POINT_COUNT)[0]
        count.value = b"3000"
        began = time.perf_counter()
        with pytest.raises(StructureError, match=r"a tangle: an outline of \d+ mm within 25 x 25 mm"):
            scene.read()
        assert time.perf_counter() - began < 5

    def test_a_kind_of_another_type(self, scene: Scene) -> None:
        scene.all(KIND)[0].vr, scene.all(KIND)[0].value = b"FD", b"\1\2\3\4\5\6"
        with pytest.raises(StructureError, match=r"contour data cannot be read.*'GTV-T', contour 1"):
            scene.read()

    def test_images_that_are_none(self, scene: Scene) -> None:
        images = next(one for one in scene.all(CONTOURS)[0].items[0].elements if one.tag == IMAGES)
        images.vr, images.value = b"LO", b"images"
        told = r"image references of contours cannot be read.*'GTV-T'.*ContourImageSequence is no sequence"
        with pytest.raises(StructureError, match=told):
            scene.read()

    def test_missing_data_is_told(self, scene: Scene) -> None:
        for contour in (scene.all(CONTOURS)[index].items[0] for index in (0, 2)):
            contour.elements = [one for one in contour.elements if one.tag != CONTOUR_DATA]
        with pytest.raises(StructureError, match="0 points where Number of Contour Points says 24"):
            scene.read()

    def test_an_organ_contour_without_data_is_told(self, scene: Scene) -> None:
        scene.all(CONTOUR_DATA)[-2].value = scene.all(POINT_COUNT)[-2].value = b""
        (finding,) = scene.read().findings
        assert (finding.code, finding.where) == ("STRUCTURE_INCOMPLETE", "ROI Heart")
        assert finding.message == "Contours without any point: 1."


class TestNames:
    def test_a_gtv_that_has_lost_its_name_is_told(self, scene: Scene) -> None:
        scene.all(ROI_NAME)[1].value = b""
        case = scene.read()
        assert [one.source_roi for one in case.lesions] == ["GTV-T"]
        assert [one.code for one in case.findings] == ["ROI_WITHOUT_NAME"]

    def test_a_number_that_is_none(self, scene: Scene) -> None:
        scene.all(ROI_NUMBER)[0].value = b"seven "
        with pytest.raises(StructureError, match="ROINumber is 'seven' where a whole number should stand"):
            scene.read()

    def test_the_patient_is_not_quoted(self, scene: Scene) -> None:
        scene.all(ROI_NUMBER)[0].value = b"Secret^Person "
        with pytest.raises(StructureError, match="structure set cannot be read") as caught:
            scene.read()
        assert "secret" not in str(caught.value).lower()
        assert "person" not in str(caught.value).lower()
