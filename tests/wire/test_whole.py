"""Files that are whole or not there."""

import os

import pytest

from tcpemu.wire.whole import write_whole


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
