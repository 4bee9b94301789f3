"""Kernels by release, and what is kept of their packages."""

import gzip
import lzma

import pytest

from tcpemu.kernel import kernel_store
from tcpemu.kernel.debian_packages import KernelPackage, packages_in
from tcpemu.kernel.kernel_errors import KernelError

RELEASES = ["6.9.2", "6.12.43", "6.12.118", "6.1.192", "7.3.4"]


@pytest.fixture(autouse=True)
def own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("TCPEMU_KERNELS", str(tmp_path / "store"))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("6.12", "6.12.118"),
        ("6.12.43", "6.12.43"),
        ("linux-6.12", "6.12.118"),
        ("6.1", "6.1.192"),
        ("6", "6.12.118"),
        ("6.12.4", None),
        ("5.10", None),
        ("", None),
    ],
)
def test_the_start_of_a_release_means_the_newest(asked, meant):
    assert kernel_store.newest(asked, RELEASES) == meant


def test_the_store_is_where_the_environment_says(tmp_path):
    assert kernel_store.store() == tmp_path / "store"
    assert kernel_store.store().is_dir()


def module(needs):
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=it\0"


def unpacked_packages(folder):
    modules = folder / "lib" / "modules" / "kernel"
    modules.mkdir(parents=True)
    (folder / "boot").mkdir()
    (folder / "boot" / "vmlinuz-6.12.1+deb13-amd64").write_bytes(b"image")
    (folder / "boot" / "config-6.12.1+deb13-amd64").write_text("CONFIG_X=y\nCONFIG_HZ=250\nCONFIG_HZ_250=y\n")
    (modules / "tun.ko").write_bytes(module([]))
    (modules / "tcp_diag.ko.xz").write_bytes(lzma.compress(module(["inet-diag"])))
    (modules / "inet_diag.ko.gz").write_bytes(gzip.compress(module([])))
    (modules / "sound.ko").write_bytes(module([]))


def test_what_is_kept_of_a_kernel(tmp_path):
    unpacked_packages(tmp_path / "root")
    kernel_store.put_away("6.12.1", tmp_path / "root")
    there = kernel_store.stored()
    assert list(there) == ["6.12.1"]
    assert kernel_store.module_names(there["6.12.1"]) == ["tun", "inet_diag", "tcp_diag"]
    assert (there["6.12.1"] / "tcp_diag.ko").read_bytes() == module(["inet-diag"])
    assert (there["6.12.1"] / "vmlinuz").read_bytes() == b"image"
    assert not (there["6.12.1"] / "sound.ko").exists()
    assert kernel_store.ticks_a_second("6.12.1") == 250
    assert kernel_store.ticks_a_second("6.12.2") is None


def test_packages_without_an_image_are_no_kernel(tmp_path):
    (tmp_path / "root").mkdir()
    with pytest.raises(KernelError, match=r"no kernel image in the packages of 6\.12\.1"):
        kernel_store.put_away("6.12.1", tmp_path / "root")
    assert kernel_store.stored() == {}


def test_a_kernel_that_came_in_part_is_not_there(tmp_path):
    (tmp_path / "store" / "6.12.9").mkdir(parents=True)
    assert kernel_store.stored() == {}


def test_what_apt_says_of_packages():
    told = (
        " linux-image-6.12.118+deb13-amd64 | 6.12.118-1 | http://deb.debian.org/debian trixie/main amd64 Packages\n"
        " linux-image-5.10.0-30-amd64 | 5.10.218-1 | http://deb.debian.org/debian bullseye/main amd64 Packages\n"
    )
    assert packages_in(told) == {
        "6.12.118": KernelPackage("linux-image-6.12.118+deb13-amd64", "6.12.118-1"),
        "5.10.218": KernelPackage("linux-image-5.10.0-30-amd64", "5.10.218-1"),
    }
