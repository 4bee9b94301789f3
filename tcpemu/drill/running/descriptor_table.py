"""The script's file descriptors: sockets, epolls, pipes and files, by the numbers that it gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.running.transmit_stamps import TransmitStamps
from tcpemu.stack import Socket
from tcpemu.stack.sockets.poll_bits import POLLERR, POLLHUP

EDGE_TRIGGERED, ONE_SHOT, EXCLUSIVE = 1 << 31, 1 << 30, 1 << 28
_ALWAYS = POLLERR | POLLHUP
READ_WRITE, NON_BLOCKING = 2, 0o4000


@dataclass(slots=True, eq=False)
class SocketFile:
    """A socket."""

    socket: Socket
    flow: DrillFlow
    flags: int = READ_WRITE
    """Of fcntl(): O_RDWR, O_NONBLOCK."""
    connected: bool = False
    """A connect() that had to wait has been begun."""
    closing: bool = False
    """close() waits, as SO_LINGER has it."""
    freebind: bool = False
    """IP_FREEBIND: bind() takes any address; that is not emulated for those that are not the host's."""
    stamps: TransmitStamps | None = None
    """SO_TIMESTAMPING."""
    inq: bool = False
    """TCP_INQ: recvmsg() tells how much is left."""

    @property
    def non_blocking(self) -> bool:
        """Whether calls return at once."""
        return bool(self.flags & NON_BLOCKING)


@dataclass(slots=True, eq=False)
class Interest:
    """What an epoll waits for in one socket."""

    file: SocketFile
    bits: int
    data: int
    told: int = 0
    """What was ready when it was told or last looked at: an edge is what is more than that."""
    changed: bool = True


@dataclass(slots=True, eq=False)
class EpollFile:
    """An epoll: sockets that something may have become of, in the order in which it did."""

    interests: dict[int, Interest] = field(default_factory=dict)
    ready: dict[int, None] = field(default_factory=dict)

    def add(self, number: int, file: SocketFile, bits: int, data: int) -> None:
        """Wait for these bits of a socket."""
        self.interests[number] = Interest(file, bits, data)
        self.ready[number] = None

    def change(self, number: int, bits: int, data: int) -> None:
        """Wait for other bits of it."""
        interest = self.interests[number]
        interest.bits, interest.data = bits, data
        self.ready[number] = None

    def remove(self, number: int) -> None:
        """Wait for it no longer."""
        del self.interests[number]
        self.ready.pop(number, None)

    def woken(self, socket: Socket) -> None:
        """Something may have become of a socket."""
        for number, interest in self.interests.items():
            if interest.file.socket is socket:
                self.ready[number] = None

    def wait(self, most: int) -> list[tuple[int, int]]:
        """What is ready now: bits and data of each, at most so many."""
        found: list[tuple[int, int]] = []
        for number in list(self.ready):
            if len(found) == most:
                break
            interest = self.interests[number]
            wanted = interest.bits & ~(EDGE_TRIGGERED | ONE_SHOT | EXCLUSIVE)
            bits = interest.file.socket.poll() & (wanted | _ALWAYS) if wanted else 0
            del self.ready[number]
            if not bits:
                continue
            found.append((bits, interest.data))
            if interest.bits & ONE_SHOT:
                interest.bits &= EDGE_TRIGGERED | ONE_SHOT | EXCLUSIVE
            elif not interest.bits & EDGE_TRIGGERED:
                self.ready[number] = None
        return found


@dataclass(slots=True, eq=False)
class PipeFile:
    """One end of a pipe; both share what is in it."""

    octets: bytearray
    reads: bool


@dataclass(slots=True, eq=False)
class DataFile:
    """A file that is read."""

    octets: bytes
    at: int = 0


OpenedFile: TypeAlias = SocketFile | EpollFile | PipeFile | DataFile
"""Whatever a descriptor may stand for."""
