"""The survey of socket options: the emulator answers as this machine's kernel, and a wrong answer is found."""

import errno
import os
import sys
from pathlib import Path

import pytest

from tcpemu.stack import SYSCTLS
from tcpemu.stack.base.not_emulated import unemulated_sysctl
from tcpemu.stack.sockets import fixed_options
from tcpemu.stack.sockets.option_names import NUMBERS

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import socket_options

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.uname().release.startswith("6.18"), reason="it asks a Linux 6.18, as root"
)


@pytest.mark.parametrize(
    ("ipv6", "state"), [(False, "new"), (False, "listening"), (True, "new"), (True, "connected")]
)
def test_every_option_is_answered_as_the_kernel_does_or_said_not_to_be_emulated(ipv6, state):
    assert list(socket_options.differences(ipv6, state)) == []


def test_a_wrong_errno_is_found(monkeypatch):
    monkeypatch.setitem(fixed_options.SETTING_FAILS, NUMBERS["SO_TYPE"], errno.EPERM)
    monkeypatch.setattr(socket_options, "NUMBERS", range(3, 4))
    found = list(socket_options.differences(False, "connected"))
    assert found[0] == "AF_INET connected: SO_TYPE, set 0: kernel ENOPROTOOPT, ours EPERM"


def test_a_value_that_is_another_is_found(monkeypatch):
    monkeypatch.setitem(fixed_options.CONSTANTS, NUMBERS["SO_SNDLOWAT"], 2)
    monkeypatch.setattr(socket_options, "NUMBERS", range(19, 20))
    found = list(socket_options.differences(False, "new"))
    assert "AF_INET new: SO_SNDLOWAT, get 0 octets: kernel 1, ours 2" in found


def test_every_sysctl_of_tcp_and_of_the_sockets_is_known():
    folders = [Path("/proc/sys/net/ipv4"), Path("/proc/sys/net/core")]
    there = [
        f"net.{folder.name}.{file.name}" for folder in folders for file in folder.iterdir() if file.is_file()
    ]
    assert len(there) > 100
    assert [name for name in there if name not in SYSCTLS and unemulated_sysctl(name) is None] == []
