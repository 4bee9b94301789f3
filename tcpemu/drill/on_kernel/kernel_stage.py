"""The kernel under test behind a TUN device: what it sends, when, and what arrives.

Packets are heard through a packet socket, whose time stamps are the kernel's own; what the device holds is read only
to be rid of it. The device cuts segments, as an Ethernet card does, so that a packet is what TCP meant to send at once.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from contextlib import suppress

from tcpemu.drill.playing.drill_stage import BEGINNING, DrillStage
from tcpemu.kernel.tun_device import DEVICE, OFFLOAD_HEADER
from tcpemu.wire.capture_values import Direction
from tcpemu.wire.checked_tcp import PROTOCOL_TCP
from tcpemu.wire.codec_choice import decode, encode
from tcpemu.wire.icmp import IcmpError, encode_icmp
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Segment

_ETH_P_ALL = 3
_OUTGOING = 4
_GSO_TCPV4, _GSO_TCPV6 = 1, 4
_SO_TIMESTAMPNS = 35
_TIME = struct.Struct("qq")
_MOST_OCTETS = 2**17
_BUFFER = 2**24
_INTO_TICK = 250_000
"""Nanoseconds after a tick of the kernel at which a script begins, as at its edge times would be counted as others."""


class KernelStage(DrillStage):
    """The device and the clock."""

    __slots__ = ("_begun", "_device", "_listening", "_mss", "_real", "_tap")

    def __init__(self, device: int, mss: int = 0) -> None:
        """The device has to be up. A segment with more octets than `mss` arrives as put together of such ones (GRO)."""
        super().__init__()
        self._device = device
        self._mss = mss
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
        self._tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._tap.bind((DEVICE, _ETH_P_ALL))
        self._tap.setblocking(False)
        self._listening = select.poll()
        self._listening.register(self._tap, select.POLLIN)
        self._begun = self._real = 0

    # --- time -------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first event is now, a little after a tick of the kernel."""
        _await_tick()
        self._begun = time.monotonic_ns() + _INTO_TICK
        self._real = time.time_ns() - time.monotonic_ns()

    def clock(self) -> int:
        """Nanoseconds, from BEGINNING on."""
        return time.monotonic_ns() - self._begun + BEGINNING

    def of_real_time(self, real: int) -> int:
        """The same for a time stamp of the kernel's, in nanoseconds since 1970."""
        return real - self._real - self._begun + BEGINNING

    # --- packets ----------------------------------------------------------------------------------

    def arrive(self, segment: Segment) -> None:
        """A segment reaches the kernel."""
        joined = 0 < self._mss < len(segment.payload)
        self._put(encode(segment), _joined_header(segment, self._mss) if joined else bytes(OFFLOAD_HEADER))

    def arrive_icmp(self, error: IcmpError) -> None:
        """An ICMP error reaches the kernel."""
        self._put(encode_icmp(error), bytes(OFFLOAD_HEADER))

    def _put(self, packet: bytes, header: bytes) -> None:
        self.record(packet, Direction.INBOUND, self.clock())
        os.write(self._device, header + packet)

    def hear(self, wait: int = 0) -> bool:
        """Take what the kernel has sent; wait so many nanoseconds for something. Whether there was any."""
        if not self._listening.poll(max(0.0, wait / 1e6)):
            return False
        heard = False
        with suppress(BlockingIOError):
            while True:
                packet, controls, _, origin = self._tap.recvmsg(_MOST_OCTETS, 64)
                if origin[2] != _OUTGOING:
                    continue
                heard = True
                self._hear(packet, self._stamp(controls))
                self._drop()
        return heard

    def _stamp(self, controls: list[tuple[int, int, bytes]]) -> int:
        seconds, nanoseconds = next(
            (_TIME.unpack(data) for level, kind, data in controls if kind == _SO_TIMESTAMPNS), (0, 0)
        )
        return self.of_real_time(seconds * 10**9 + nanoseconds) if seconds else self.clock()

    def _hear(self, packet: bytes, at: int) -> None:
        if packet[9 if packet[0] >> 4 == 4 else 6] != PROTOCOL_TCP:
            return
        segment = decode(_summed(packet))
        if isinstance(segment, Refused):
            self.record(packet, Direction.OUTBOUND, at, f"cannot be read: {segment.detail}")
            return
        self.sent(segment, encode(segment), at)

    def _drop(self) -> None:
        """One packet less in the device."""
        with suppress(BlockingIOError):
            os.read(self._device, OFFLOAD_HEADER + 1)

    def last_reasons(self) -> list[str]:
        """The kernel does not say."""
        return []


def _joined_header(segment: Segment, mss: int) -> bytes:
    """The header of a packet that a device has put together: the octets of its segments (virtio_net.h)."""
    six = len(segment.src) == 16
    heads = len(encode(segment)) - len(segment.payload)
    return struct.pack("=BBHHHH", 0, _GSO_TCPV6 if six else _GSO_TCPV4, heads, mss, 0, 0)


def _await_tick() -> None:
    """Return a moment after the clock of times(2) has gone on."""
    before = os.times().elapsed
    while os.times().elapsed == before:
        pass


def _summed(packet: bytes) -> bytes:
    """The same with its TCP checksum, which was left to the device."""
    head = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
    addresses = packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]
    tcp = bytearray(packet[head:])
    tcp[16:18] = b"\0\0"
    summed = addresses + struct.pack("!II", len(tcp), PROTOCOL_TCP) + tcp + bytes(len(tcp) & 1)
    total = int.from_bytes(summed) % 65535
    tcp[16:18] = (65535 - total if total != 65535 else 65535).to_bytes(2)
    return packet[:head] + bytes(tcp)
