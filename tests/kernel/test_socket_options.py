"""Every socket option, set and read on a fresh socket, a listener and a connection, as the kernel of the machine does.

Real sockets on loopback beside emulated ones; what is not emulated must say so.
"""

import ctypes
import errno
import os
import platform
import socket
import struct
from pathlib import Path

import pytest

from tcpemu.stack import SocketError
from tcpemu.testing.bench import Bench, established

pytestmark = pytest.mark.skipif(
    not platform.release().startswith("6.18.") or os.geteuid() != 0,
    reason="asks the kernel of the machine, as root, and 6.18 alone has these answers",
)
LEVELS = [(1, range(90)), (6, range(50)), (0, range(56)), (17, (1,)), (41, (26,))]
VALUES = (0, 1, 2, 3, -1, 100, 255, 256, 100000, 2**31 - 1, -(2**31))
MACHINE = {(6, 11), (0, 14), (1, 7), (1, 8), (6, 10), (6, 2), (6, 24), (0, 52), (1, 49)}
"""What is read of these depends on the machine: buffers, MSS, MTU and window of loopback, the clock, a processor."""
libc = ctypes.CDLL(None, use_errno=True)


def as_this_machine():
    """The congestion control that sockets of this machine begin with."""
    own = Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text(encoding="ascii").strip()
    return {"tcp_congestion_control": own}


def real_set(sock, level, name, octets):
    done = libc.setsockopt(sock.fileno(), level, name, octets, len(octets))
    return errno.errorcode[ctypes.get_errno()] if done else 0


def real_get(sock, level, name, length):
    octets, size = ctypes.create_string_buffer(max(length, 1)), ctypes.c_uint(length)
    if libc.getsockopt(sock.fileno(), level, name, octets, ctypes.byref(size)):
        return errno.errorcode[ctypes.get_errno()]
    return octets.raw[: size.value]


def ours(call, *arguments):
    try:
        return call(*arguments) or 0
    except SocketError as error:
        return errno.errorcode[error.errno]
    except NotImplementedError:
        return None


class Pair:
    """A real socket and an emulated one in the same state; closed at the end."""

    def __init__(self, state):
        self.opened = []
        real = self._open()
        if state != "fresh":
            real.bind(("127.0.0.1", 0))
            real.listen(5)
        self.real = real
        if state == "fresh":
            self.ours = Bench(**as_this_machine()).socket().sock
        elif state == "listening":
            sock = Bench(**as_this_machine()).socket()
            sock.bind(80)
            sock.listen(5)
            self.ours = sock.sock
        else:
            client = self._open()
            client.connect(real.getsockname())
            self.real, _ = real.accept()
            self.opened.append(self.real)
            self.ours = established(**as_this_machine()).conn.sock

    def _open(self):
        self.opened.append(socket.socket())
        return self.opened[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.opened:
            one.close()


@pytest.mark.parametrize("state", ["fresh", "listening", "established"])
@pytest.mark.parametrize(("level", "names"), LEVELS, ids=str)
def test_each_option_is_read_as_the_kernel_does_or_named_as_not_emulated(level, names, state):
    wrong = []
    for name in names:
        for length in (0, 1, 3, 4, 8):
            with Pair(state) as pair:
                kernel = real_get(pair.real, level, name, length)
                emulated = ours(pair.ours.getsockopt_octets, level, name, length)
                if (level, name) in MACHINE and isinstance(emulated, bytes) and isinstance(kernel, bytes):
                    continue
                if emulated is not None and (emulated or b"") != kernel:
                    wrong.append((name, length, kernel, emulated))
    assert not wrong


@pytest.mark.parametrize("state", ["fresh", "listening", "established"])
@pytest.mark.parametrize(("level", "names"), LEVELS, ids=str)
def test_each_option_is_set_as_the_kernel_does_or_named_as_not_emulated(level, names, state):
    wrong = []
    octets = [struct.pack("i", value) for value in VALUES] + [b"", b"\1", b"\1\2\3", bytes(8), b"\1" * 8]
    octets += [b"reno", b"cubic\0bbr", b"bbr" + bytes(20), b"no such control here", b"\xff" * 8]
    for name in names:
        for value in octets:
            with Pair(state) as pair:
                kernel = real_set(pair.real, level, name, value)
                emulated = ours(pair.ours.setsockopt, level, name, value)
                if emulated is None:
                    continue
                if emulated == kernel == 0:
                    if (level, name) == (6, 2) and state == "established":
                        continue
                    kernel = real_get(pair.real, level, name, 8)
                    emulated = ours(pair.ours.getsockopt_octets, level, name, 8)
                if emulated != kernel:
                    wrong.append((name, value, kernel, emulated))
    assert not wrong
