"""Three network namespaces in a row, a client, a middle and a server, with delay between them and tcpdump in each.

This kernel need not have netem: what crosses the middle is carried by this program, frame by frame, late by DELAY on
each leg, and dropped where a scene says so.
"""

from __future__ import annotations

import ctypes
import heapq
import json
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tcpemu.wire.checked_tcp import PROTOCOL_TCP, sum_of

SERVER, CLIENT, NOBODY = "10.77.0.1", "10.77.0.2", "10.77.0.9"
"""The last one is an address of which packets come, and to which none gets."""
PORT = 8080
DELAY = 0.010
"""Seconds on each of the two legs."""
POINTS = {"server": ("server", "s0"), "client": ("client", "c0"), "middle": ("middle", "m0")}
"""Where tcpdump listens: namespace and interface."""
_LEGS = (("mc", "m1"), ("m0", "ms"))
"""Pairs of interfaces of the middle between which frames are carried; m1 and m0 are the ends of one veth pair."""
_CLONE_NEWNET = 0x40000000
_EVERY_PROTOCOL = 3
_ETHERNET, _IPV4, _IP_HEADER = 14, b"\x08\x00", 20


class NoGround(Exception):  # noqa: N818
    """This machine does not let itself be captured."""


def command(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoGround(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread is in that namespace meanwhile: sockets that it makes belong there for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), _CLONE_NEWNET):
            raise NoGround(f"setns({namespace}): {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            libc.setns(here.fileno(), _CLONE_NEWNET)


class Ground:
    """The namespaces of one scene, what crosses between them, and the captures."""

    def __init__(self, name: str, folder: Path, stack: ExitStack) -> None:
        self.name, self.folder = f"tcpemu{os.getpid()}", folder
        self.drops: Callable[[bytes, bool], bool] = lambda _ip, _to_server: False
        """Whether an IP packet is lost at the middle, behind its capture point as seen from the sender."""
        for role in ("client", "middle", "server"):
            command("ip", "netns", "add", self.space(role))
            stack.callback(command, "ip", "netns", "del", self.space(role))
        for (role, own), (other_role, other) in (
            (("client", "c0"), ("middle", "mc")),
            (("middle", "m0"), ("middle", "m1")),
            (("server", "s0"), ("middle", "ms")),
        ):
            command(
                *("ip", "link", "add", own, "netns", self.space(role), "type", "veth"),
                *("peer", "name", other, "netns", self.space(other_role)),
            )
        for role, interface, own in (("client", "c0", CLIENT), ("server", "s0", SERVER)):
            self.ip(role, "addr", "add", f"{own}/24", "dev", interface)
        for role, interfaces in (
            ("client", ("c0",)),
            ("server", ("s0",)),
            ("middle", ("mc", "m0", "m1", "ms")),
        ):
            self.sysctl(role, "net.ipv6.conf.all.disable_ipv6", 1)
            for interface in ("lo", *interfaces):
                # No super-segments: the middle carries what fits into a frame.
                more = ("gso_max_segs", "1") if interface in ("c0", "s0") else ()
                self.ip(role, "link", "set", interface, "up", *more)
        (link,) = json.loads(self.ip("client", "-j", "link", "show", "c0"))
        mac = link["address"]
        self.ip("server", "neigh", "add", NOBODY, "lladdr", mac, "dev", "s0", "nud", "permanent")
        self._ended = threading.Event()
        self._carrier = threading.Thread(target=self._carry, args=(self._legs(stack),), daemon=True)
        self._carrier.start()
        stack.callback(self._stop_carrying)
        for point in POINTS:
            self._tcpdump(point, name, stack)

    def space(self, role: str) -> str:
        return f"{self.name}-{role}"

    def ip(self, role: str, *words: str) -> str:
        return command("ip", "-n", self.space(role), *words)

    def sysctl(self, role: str, name: str, value: object) -> None:
        with inside(self.space(role)):
            Path("/proc/sys", *name.split(".")).write_text(str(value))

    def counters(self, role: str) -> dict[str, int]:
        """Those of TcpExt and Tcp, by their names there."""
        found: dict[str, int] = {}
        with inside(self.space(role)):
            for file in ("netstat", "snmp"):
                lines = Path("/proc/thread-self/net", file).read_text().splitlines()
                for names, values in zip(lines[::2], lines[1::2], strict=True):
                    if names.split(":")[0] in ("TcpExt", "Tcp"):
                        found |= dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
        return found

    def make_socket(self, role: str, type: int = socket.SOCK_STREAM, protocol: int = 0) -> socket.socket:
        with inside(self.space(role)):
            made = socket.socket(socket.AF_INET, type, protocol)
        made.setblocking(False)
        return made

    # What crosses.

    def _legs(self, stack: ExitStack) -> dict[int, tuple[socket.socket, socket.socket, bool]]:
        """By descriptor: the socket that frames come from, the one they go to, and whether that is to the server."""
        made: dict[int, tuple[socket.socket, socket.socket, bool]] = {}
        with inside(self.space("middle")):
            for names in _LEGS:
                pair = []
                for name in names:
                    one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
                    one.bind((name, _EVERY_PROTOCOL))
                    pair.append(stack.enter_context(one))
                for own, other, to_server in ((pair[0], pair[1], True), (pair[1], pair[0], False)):
                    made[own.fileno()] = (own, other, to_server)
        return made

    def _carry(self, legs: dict[int, tuple[socket.socket, socket.socket, bool]]) -> None:
        waiting: list[tuple[float, int, socket.socket, bytes]] = []
        number = 0
        while not self._ended.is_set():
            soon = max(waiting[0][0] - time.monotonic(), 0) if waiting else 0.2
            for descriptor in select.select(list(legs), [], [], min(soon, 0.2))[0]:
                own, other, to_server = legs[descriptor]
                frame, (_, _, kind, *_rest) = own.recvfrom(1 << 16)
                if kind == socket.PACKET_OUTGOING or not self._let_through(own, frame, to_server):
                    continue
                number += 1
                heapq.heappush(waiting, (time.monotonic() + DELAY, number, other, with_sums(frame)))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, other, frame = heapq.heappop(waiting)
                try:
                    other.send(frame)
                except OSError:
                    continue  # a frame of more than the interface takes is lost, as on a wire

    def _let_through(self, own: socket.socket, frame: bytes, to_server: bool) -> bool:
        """Drops happen where a packet leaves the middle, so that a capture there has it."""
        leaves = own.getsockname()[0] == ("m0" if to_server else "m1")
        return not (frame[12:14] == _IPV4 and leaves and self.drops(frame[_ETHERNET:], to_server))

    def _stop_carrying(self) -> None:
        self._ended.set()
        self._carrier.join()

    def _tcpdump(self, point: str, name: str, stack: ExitStack) -> None:
        role, interface = POINTS[point]
        path = self.folder / f"{name}.{point}.pcap"
        process = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.space(role), "tcpdump", "-Z", "root", "--immediate-mode", "-U"),
                *("-s", "0", "-i", interface, "-w", str(path)),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(_stop, process)
        assert process.stderr is not None
        if not any("listening on" in words for words in process.stderr):
            raise NoGround(f"tcpdump does not listen on {interface}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate()


def with_sums(frame: bytes) -> bytes:
    """The frame as a network card sends it: its checksums filled in."""
    if frame[12:14] != _IPV4 or len(frame) < _ETHERNET + _IP_HEADER or frame[_ETHERNET + 9] != PROTOCOL_TCP:
        return frame
    ip = bytearray(frame[_ETHERNET:])
    header, total = (ip[0] & 15) * 4, ip[2] << 8 | ip[3]
    tcp = ip[header:total]
    tcp[16:18] = b"\0\0"
    covered = sum_of(bytes(tcp))
    whole = sum_of(bytes(ip[12:20])) + PROTOCOL_TCP + len(tcp) + (covered << 8 if len(tcp) & 1 else covered)
    tcp[16:18] = (-whole % 65535).to_bytes(2)
    ip[header:total] = tcp
    return frame[:_ETHERNET] + bytes(ip)
