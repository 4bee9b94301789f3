"""Every socket option of this machine's kernel and of the emulator: what is taken, what refused, with which errno.

    python tools/socket_options.py

asks the kernel, which has to be a Linux 6.18, with numbers 0 to 90 of SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP and
IPPROTO_IPV6, right and wrong lengths, on sockets that are new, that listen and that are connected; and prints each
answer of the emulator that is another one, but for what it says it does not emulate. Exit status 1 if there is any.
As root, since some options are for root alone.
"""

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from tcpemu.generations import generation
from tcpemu.stack import Host, Socket, SocketError
from tcpemu.stack.base.errors import NotEmulatedError
from tcpemu.stack.sockets.option_names import NAMES

LEVELS = (socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6)
NUMBERS = range(91)
VALUES: tuple[int | bytes, ...] = (
    0,
    1,
    -1,
    b"",
    b"\1",
    b"\1\0\0",
    b"\1\0\0\0",
    b"\1\0\0\0\5\0\0\0",
    b"\1" + bytes(15),
)
LENGTHS = (0, 1, 3, 4, 8, 16)
"""Octets that getsockopt() has room for; 0 for the plain call, which gives a number."""
STATES = ("new", "listening", "connected")
NOT_EMULATED = "not emulated"
DIFFER_BY_NATURE = {
    (socket.IPPROTO_TCP, 13): "which congestion control a namespace has",
    (socket.IPPROTO_TCP, 24): "a clock",
    (socket.IPPROTO_IP, 83): "a module of the machine's own",
}
Answer: TypeAlias = int | str
"""What a call gives: a number, octets in hex, or the name of an errno."""


def named(number: int) -> str:
    """The name of an errno; Linux has one number for ENOTSUP and EOPNOTSUPP."""
    return "EOPNOTSUPP" if number == errno.EOPNOTSUPP else errno.errorcode.get(number, str(number))


def answer(call: Callable[[], Any]) -> Answer:
    """What it gives, or how it fails."""
    try:
        found = call()
    except NotEmulatedError:
        return NOT_EMULATED
    except OSError as error:
        return error.name if isinstance(error, SocketError) else named(error.errno or 0)
    return found.hex() if isinstance(found, bytes) else found or 0


class KernelMaker:
    """Sockets of the kernel over loopback."""

    def __init__(self, ipv6: bool) -> None:
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._home = "::1" if ipv6 else "127.0.0.1"
        self._others: list[socket.socket] = []

    def make(self, state: str) -> socket.socket:
        made = socket.socket(self._family)
        if state == "listening":
            made.bind((self._home, 0))
            made.listen(5)
        elif state == "connected":
            other = self.make("listening")
            made.connect(other.getsockname())
            self._others += [other, other.accept()[0]]
        return made

    def let_go(self, made: socket.socket) -> None:
        for one in (made, *self._others):
            one.close()
        self._others.clear()

    def set(self, made: socket.socket, level: int, number: int, value: int | bytes) -> Answer:
        return answer(lambda: made.setsockopt(level, number, value))

    def get(self, made: socket.socket, level: int, number: int, length: int) -> Answer:
        if length:
            return answer(lambda: made.getsockopt(level, number, length))
        return answer(lambda: made.getsockopt(level, number))


class EmulatedMaker:
    """Sockets of the emulator over its loopback."""

    def __init__(self, ipv6: bool) -> None:
        self._host = Host(["10.0.0.1", "2001:db8::1"], generation("linux-6.18"))
        self._ipv6 = ipv6
        self._home = "::1" if ipv6 else "127.0.0.1"
        self._others: list[Socket] = []

    def make(self, state: str) -> Socket:
        host = self._host
        made = host.socket(ipv6=self._ipv6)
        if state == "listening":
            made.bind(self._home, 0)
            made.listen(5, host.now)
        elif state == "connected":
            other = self.make("listening")
            answer(lambda: made.connect(self._home, other.local[1], host.now))
            self._carry()
            self._others += [other, other.accept(host.now)]
        return made

    def _carry(self) -> None:
        while segments := self._host.transmit():
            for segment in segments:
                self._host.receive(segment, self._host.now)

    def let_go(self, made: Socket) -> None:
        for one in (made, *self._others):
            one.close(self._host.now)
            self._carry()
        self._others.clear()

    def set(self, made: Socket, level: int, number: int, value: int | bytes) -> Answer:
        return answer(lambda: made.setsockopt(level, number, value))

    def get(self, made: Socket, level: int, number: int, length: int) -> Answer:
        if length:
            return answer(lambda: made.getsockopt_octets(level, number, length))
        return answer(lambda: made.getsockopt(level, number))


def answers(maker: KernelMaker | EmulatedMaker, state: str) -> Iterator[tuple[tuple[int, int], str, Answer]]:
    """Level and number, what was asked, and the answer; each of a socket of its own for what is set."""
    make: Any = maker
    for level in LEVELS:
        for number in NUMBERS:
            for value in VALUES:
                made = make.make(state)
                yield (level, number), f"set {value!r}", make.set(made, level, number, value)
                make.let_go(made)
            made = make.make(state)
            for length in LENGTHS:
                yield (level, number), f"get {length} octets", make.get(made, level, number, length)
            make.let_go(made)


def differences(ipv6: bool, state: str) -> Iterator[str]:
    """What the emulator answers otherwise, in words. Of sockets that are not new only failures are looked at."""
    pairs = zip(answers(KernelMaker(ipv6), state), answers(EmulatedMaker(ipv6), state), strict=True)
    for (key, asked, kernel), (_, _, ours) in pairs:
        if ours == NOT_EMULATED or key in DIFFER_BY_NATURE:
            continue
        if state != "new" and not (_fails(kernel) or _fails(ours)):
            continue
        if kernel != ours:
            name = NAMES.get(key, f"option {key[1]} of level {key[0]}")
            yield f"{'AF_INET6' if ipv6 else 'AF_INET'} {state}: {name}, {asked}: kernel {kernel}, ours {ours}"


def _fails(given: Answer) -> bool:
    return isinstance(given, str) and given.isupper() and given.startswith("E")


def main() -> int:
    """Print all differences."""
    if not os.uname().release.startswith("6.18") or os.geteuid() != 0:
        print("socket_options: this needs a Linux 6.18, and root", file=sys.stderr)
        return 2
    found = [line for ipv6 in (False, True) for state in STATES for line in differences(ipv6, state)]
    print("\n".join(found) if found else "no differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
