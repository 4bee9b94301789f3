"""The numbers of socket options are those of Linux: as Python has them, and as the headers of this machine."""

import re
import socket
import sys
from pathlib import Path

import pytest

from tcpemu.stack.sockets.option_names import NUMBERS

HEADERS = ("asm-generic/socket.h", "linux/tcp.h", "linux/in.h")
NUMBER = re.compile(r"^#define\s+((?:SO|TCP|IP)_\w+)\s+(\d+)\b", re.MULTILINE)


@pytest.mark.skipif(sys.platform != "linux", reason="the numbers are those of Linux")
def test_python_knows_them_by_the_same_numbers():
    known = {name: getattr(socket, name) for name in NUMBERS if hasattr(socket, name)}
    assert len(known) > 40
    assert known == {name: NUMBERS[name][1] for name in known}


@pytest.mark.parametrize("header", HEADERS)
def test_the_headers_of_this_machine_have_the_same_numbers(header):
    path = Path("/usr/include") / header
    if not path.exists():
        pytest.skip(f"there is no {path}: linux-libc-dev is not installed")
    # What a header defines by a word size comes twice; the plain number is the one with a name of its own.
    known = {name: int(number) for name, number in NUMBER.findall(path.read_text()) if name in NUMBERS}
    assert len(known) > 20
    assert known == {name: NUMBERS[name][1] for name in known}
