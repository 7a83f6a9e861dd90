"""What we write, sent to a DICOM server by C-STORE and fetched again: nothing of it changes on the way."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.app import InputChoice, RunRequest, run_case
from pipeline.core.rules import ArmChoice, Settings
from tests import made_case

pytestmark = [pytest.mark.interop, pytest.mark.slow]

START_SECONDS = 60
# storescu would turn a file into what the server likes best: it is to offer the file's own syntax only.
OFFER = {ImplicitVRLittleEndian: "-xi", ExplicitVRLittleEndian: "-xe"}


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running Orthanc: its DICOM port, and where it answers."""

    port: int
    url: str

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=20) as answer:
            return bytes(answer.read())

    def find(self, uid: str) -> list[str]:
        asked = urllib.request.Request(f"{self.url}/tools/lookup", data=uid.encode(), method="POST")
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return [one["ID"] for one in json.loads(answer.read()) if one["Type"] == "Instance"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    import shutil

    program = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
    if program is None or shutil.which("storescu") is None:
        pytest.skip("Orthanc or storescu is not installed (.ci/run installs them on Debian)")
    folder = tmp_path_factory.mktemp("orthanc")
    port, http = free_port(), free_port()
    settings = {
        "Name": "judge",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "DicomPort": port,
        "DicomAet": "JUDGE",
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    made = Server(port=port, url=f"http://127.0.0.1:{http}")
    try:
        _wait_for(made, process, folder / "log.txt")
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        try:
            server.get("system")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"Orthanc did not answer in {START_SECONDS} s")


@pytest.fixture(scope="module")
def output(tmp_path_factory) -> Path:
    """A run that leaves every kind of DICOM file that we write."""
    base = tmp_path_factory.mktemp("sent")
    source = made_case.write_dicom(base / "dicom")
    run_case(
        RunRequest(
            source=InputChoice(path=source),
            out=base / "out",
            settings=Settings(arm=ArmChoice.IFI),
            formats=frozenset({"rtstruct", "seg"}),
            append_to_source=True,
            pictures=False,
        )
    )
    return base


def same_through(server: Server, path: Path, program: Callable[[str], str]) -> None:
    """Sent and fetched: the data set, byte for byte; and the element values, to be told where not."""
    sent = pydicom.dcmread(path)
    offer = OFFER[sent.file_meta.TransferSyntaxUID]
    words = [program("storescu"), "-R", offer, "-aec", "JUDGE", "127.0.0.1", str(server.port), str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    (instance,) = server.find(sent.SOPInstanceUID)
    got = server.get(f"instances/{instance}/file")
    fetched = pydicom.dcmread(pydicom.filebase.DicomBytesIO(got))
    assert fetched.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID
    assert fetched == sent
    assert after_meta(got) == after_meta(path.read_bytes())


def after_meta(whole: bytes) -> bytes:
    """The data set without preamble and file meta, whose sender and receiver differ."""
    length = int.from_bytes(
        whole[140:144], "little"
    )  # (0002,0000) UL: behind preamble, DICM, tag, VR, length
    assert whole[128:136] == b"DICM\x02\x00\x00\x00"
    return whole[144 + length :]


@pytest.mark.parametrize("name", ["rtstruct.dcm", "rtstruct_appended.dcm", "seg.dcm"])
def test_outputs_come_back_as_they_were_sent(
    name: str, server: Server, output: Path, program: Callable[[str], str]
) -> None:
    same_through(server, output / "out" / "ifi" / name, program)


def test_the_arms_of_the_demo_and_a_slice_of_its_ct(
    server: Server, demo_run: Path, program: Callable[[str], str]
) -> None:
    for path in (demo_run / "ifi" / "rtstruct.dcm", demo_run / "eni" / "rtstruct.dcm"):
        same_through(server, path, program)
    ct = next(p for p in sorted((demo_run / "patient" / "dicom").iterdir()) if "structures" not in p.name)
    same_through(server, ct, program)
    # The server knows them as what they are, in series of their own.
    series = [json.loads(server.get(f"series/{one}")) for one in json.loads(server.get("series"))]
    kinds = [one["MainDicomTags"]["Modality"] for one in series]
    assert kinds.count("RTSTRUCT") >= 2
