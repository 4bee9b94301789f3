"""Capture files by name, and the IP packet in what they hold."""

import subprocess
import sys

import pytest

from tcpemu.wire import (
    Capture,
    CaptureError,
    Interface,
    LinkType,
    Packet,
    capture_file,
    ip_of,
    read_capture,
    write_capture,
)

SMALL = Capture((Interface(""),), (Packet(1_000_001_000, b"ip"),))
MACS = bytes(12)


@pytest.mark.parametrize("name", ["x.pcap", "x.pcapng", "X.PCAPNG"])
def test_a_file_comes_back(tmp_path, name):
    write_capture(tmp_path / name, SMALL)
    assert read_capture(tmp_path / name) == SMALL
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_suffix_says_how_to_write_and_the_first_octets_how_to_read(tmp_path):
    write_capture(str(tmp_path / "x.pcap"), SMALL)
    write_capture(tmp_path / "x.pcapng", SMALL)
    assert (tmp_path / "x.pcap").read_bytes()[:4] == b"\x4d\x3c\xb2\xa1"
    assert (tmp_path / "x.pcapng").read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    (tmp_path / "x.pcap").rename(tmp_path / "y.pcapng")
    assert read_capture(tmp_path / "y.pcapng") == SMALL


def test_an_unknown_suffix_is_told_the_two(tmp_path):
    with pytest.raises(
        CaptureError, match=r"x\.cap: unknown suffix '\.cap'; name the file \.pcapng or \.pcap"
    ):
        write_capture(tmp_path / "x.cap", SMALL)
    assert not list(tmp_path.iterdir())


def test_a_capture_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"old")
    with pytest.raises(CaptureError, match=r"x\.pcapng: packet 0: time -1 ns"):
        write_capture(path, Capture((Interface(""),), (Packet(-1, b""),)))
    assert path.read_bytes() == b"old"


def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(capture_file.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_capture(path, SMALL)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_the_file_stays_a_link(tmp_path):
    link = tmp_path / "link.pcap"
    link.symlink_to(tmp_path / "real.pcap")
    write_capture(link, SMALL)
    assert link.is_symlink()
    assert read_capture(tmp_path / "real.pcap") == SMALL


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"", r"x\.pcap: the file is empty"),
        (b"\x1f\x8b\x08\x00", r"x\.pcap: the file is compressed; unpack it with gunzip"),
        (b"GIF89a", r"x\.pcap: the file begins with 47 49 46 38, so it is neither pcapng nor pcap"),
        (b"\x4d\x3c\xb2\xa1", r"x\.pcap: the file ends inside its header at octet 0"),
        (b"\x0a\x0d\x0d\x0a", r"x\.pcap: the file ends inside a block at octet 0"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, octets, complaint):
    path = tmp_path / "x.pcap"
    path.write_bytes(octets)
    with pytest.raises(CaptureError, match=complaint):
        read_capture(path)


@pytest.mark.parametrize(
    ("data", "link_type", "packet"),
    [
        (b"Eip", LinkType.RAW, b"Eip"),
        (b"", LinkType.RAW, None),
        (MACS + b"\x08\x00Eip", LinkType.ETHERNET, b"Eip"),
        (MACS + b"\x86\xdd`ip", LinkType.ETHERNET, b"`ip"),
        (MACS + b"\x81\x00\0\5\x08\x00Eip", LinkType.ETHERNET, b"Eip"),
        (MACS + b"\x88\xa8\0\5\x81\x00\0\6\x08\x00Eip", LinkType.ETHERNET, b"Eip"),
        (MACS + b"\x08\x06arp", LinkType.ETHERNET, None),
        (MACS + b"\x81\x00\0\5", LinkType.ETHERNET, None),
        (MACS + b"\x08\x00", LinkType.ETHERNET, None),
        (MACS, LinkType.ETHERNET, None),
        (b"", LinkType.ETHERNET, None),
        (b"Eip", 113, None),
    ],
)
def test_the_ip_packet_is_found_in_a_frame(data, link_type, packet):
    assert ip_of(data, link_type) == packet


def test_the_wire_room_loads_without_scapy():
    loaded = "import sys, tcpemu.wire; print([name for name in sys.modules if 'scapy' in name])"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    answer = subprocess.run(
        [sys.executable, "-c", loaded], env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"
