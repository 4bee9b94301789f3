"""Files that are whole or not there."""

import errno
import os

import pytest

from tcpemu.wire.atomic_write import write_whole


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_whole(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"
    (tmp_path / "null.json").symlink_to(os.devnull)
    write_whole(tmp_path / "null.json", "gone")
    assert not os.path.isfile(os.devnull)


def test_octets_are_written_as_they_are_and_texts_in_utf_8(tmp_path):
    write_whole(tmp_path / "x", b"\xff\r\n")
    assert (tmp_path / "x").read_bytes() == b"\xff\r\n"
    write_whole(str(tmp_path / "x"), "a ─ b\n")
    assert (tmp_path / "x").read_bytes() == "a ─ b\n".encode()


def test_a_disk_that_fails_leaves_nothing_behind_and_the_asked_name_is_told(tmp_path, monkeypatch):
    path = tmp_path / ("x" * 250 + ".pcap")  # as long as a name may be
    write_whole(path, "old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as raised:
        write_whole(path, "new")
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
