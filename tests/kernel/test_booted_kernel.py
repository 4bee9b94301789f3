"""Kernels that are booted. Those tests that do so take half a minute each, and run where TCPEMU_BOOT=1 asks for it."""

import os
import stat
import subprocess
import sys

import pytest

from tcpemu.kernel import booted_kernel, guest_files, guest_init, kernel_store
from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError
from tcpemu.scenario.traces.judge import difference
from tests.kernel.test_run_trace import SERVER

WANTED = os.environ.get("TCPEMU_BOOT") == "1"
MISSING = (
    booted_kernel.whats_missing_to_boot()
    or (None if kernel_store.stored() else "no kernel: tcpemu kernel get 6.12")
    if WANTED
    else "boots a kernel, which takes half a minute: set TCPEMU_BOOT=1"
)
boots = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")


def packed(text):
    return guest_init._packed(text)


TRACE = packed('{"until": 1}')


def told(tmp_path, text, release="6.12.1"):
    serial = tmp_path / "serial"
    serial.write_text(text)
    return booted_kernel._told(serial, release, {"0": "one", "1": "two"})


def test_what_the_guest_says(tmp_path):
    answers = told(
        tmp_path,
        f"ready 6.12.1-amd64\nanswer {TRACE} 0\nmistake {packed('no such sysctl')} 1\nend\n",
    )
    assert answers.kernel == "6.12.1"
    assert answers.answered == {"one": {"until": 1, "kernel": "6.12.1 (6.12.1-amd64)"}}
    assert answers.mistakes == {"two": "no such sysctl"}


def test_what_was_cut_short_is_no_answer(tmp_path):
    answers = told(tmp_path, f"ready 6.12.1\nanswer {TRACE}", release="")
    assert (answers.kernel, answers.answered, answers.mistakes) == ("6.12.1", {}, {})


def test_a_guest_that_never_spoke(tmp_path):
    assert told(tmp_path, "").kernel == ""


def test_a_kernel_that_is_not_there_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TCPEMU_KERNELS", str(tmp_path))
    with pytest.raises(
        KernelUnavailableError, match=r"'4\.19' is not in the store; bring it by tcpemu kernel get 4\.19"
    ):
        booted_kernel.kernel_to_boot("4.19")


def test_an_image_of_ones_own_is_named_by_its_path(monkeypatch, tmp_path):
    monkeypatch.setenv("TCPEMU_KERNELS", str(tmp_path / "store"))
    image = tmp_path / "bzImage"
    image.write_bytes(b"image")
    assert booted_kernel.kernel_to_boot(str(image)) == booted_kernel.BootableKernel("", image, None)


def test_without_qemu_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        KernelUnavailableError, match="not in PATH: qemu-system-x86_64; install qemu-system-x86"
    ):
        booted_kernel.run_booted("6.12", {})


@pytest.mark.skipif(sys.platform != "linux", reason="cpio archives are for Linux")
def test_an_archive_can_be_unpacked(tmp_path):
    if subprocess.run(["sh", "-c", "command -v cpio"], capture_output=True, check=False).returncode:
        pytest.skip("cpio is not in PATH")
    octets = guest_files._cpio({"/bin/ip": (b"program", 5), "/init": (b"text\n", 0)})
    subprocess.run(["cpio", "-id", "--quiet"], input=octets, cwd=tmp_path, check=True)
    assert (tmp_path / "bin" / "ip").read_bytes() == b"program"
    assert (tmp_path / "init").read_text() == "text\n"
    assert os.access(tmp_path / "init", os.X_OK)
    assert (tmp_path / "proc").is_dir()
    device = (tmp_path / "dev" / "urandom").lstat()
    assert stat.S_ISCHR(device.st_mode)
    assert (os.major(device.st_rdev), os.minor(device.st_rdev)) == (1, 9)


@boots
def test_a_booted_kernel_answers_as_another_linux_does():
    release = list(kernel_store.stored())[-1]
    wrong = {**SERVER, "sysctl": {"net.ipv4.tcp_no_such": 1}}
    answers = booted_kernel.run_booted(release, {"server": SERVER, "wrong": wrong})
    assert answers.kernel == release
    assert answers.mistakes == {
        "wrong": "sysctl net.ipv4.tcp_no_such: this kernel has none of that name, or not one per namespace"
    }
    assert answers.answered["server"]["kernel"].startswith(release)
    assert answers.answered["server"]["log"][-1]["do"] == ["sample"]
    assert difference(answers.answered["server"], answers.answered["server"]) is None


@boots
def test_what_is_no_kernel_does_not_come_up(tmp_path):
    image = tmp_path / "bzImage"
    image.write_bytes(b"no kernel")
    with pytest.raises(KernelError, match="did not come up"):
        booted_kernel.run_booted(str(image), {"server": SERVER}, limit=30)
