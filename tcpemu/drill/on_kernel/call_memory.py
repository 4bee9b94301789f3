"""Memory that calls of the kernel read and write, as C lays it out (x86-64, and all that lay it out alike)."""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

CONTROL_OCTETS = 4096
_CONTROL_HEAD = struct.Struct("@Nii")
_ALIGN = struct.calcsize("@N")


class PollEntry(ctypes.Structure):
    """struct pollfd."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


class EpollEvent(ctypes.Structure):
    """struct epoll_event, which x86-64 packs."""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("events", ctypes.c_uint32), ("data", ctypes.c_uint64))


class _Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class MessageHead(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.c_void_p),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


@dataclass(slots=True, eq=False)
class Vector:
    """A struct iovec for each part, and what they point at."""

    sizes: Sequence[int]
    parts: Any = None
    buffers: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buffers = [ctypes.create_string_buffer(size or 1) for size in self.sizes]
        found = [
            _Part(ctypes.addressof(buffer), size)
            for buffer, size in zip(self.buffers, self.sizes, strict=True)
        ]
        self.parts = (_Part * len(found))(*found)


@dataclass(slots=True, eq=False)
class Message:
    """A struct msghdr, and what it points at."""

    sizes: Sequence[int]
    name: bytes = b""
    controls: bool = False
    """Whether there is room for control messages."""
    head: MessageHead = field(default_factory=MessageHead)
    kept: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        vector = Vector(self.sizes)
        name = ctypes.create_string_buffer(self.name, max(len(self.name), 1))
        control = ctypes.create_string_buffer(CONTROL_OCTETS)
        self.kept = [vector, name, control]
        self.head.parts = ctypes.addressof(vector.parts)
        self.head.part_count = len(self.sizes)
        if self.name:
            self.head.name, self.head.name_length = ctypes.addressof(name), len(self.name)
        if self.controls:
            self.head.control, self.head.control_length = ctypes.addressof(control), CONTROL_OCTETS

    def control_messages(self) -> list[tuple[int, int, bytes]]:
        """Level, type and octets of each that the kernel has written."""
        octets = self.kept[2].raw[: self.head.control_length] if self.controls else b""
        found, at = [], 0
        while at + _CONTROL_HEAD.size <= len(octets):
            length, level, kind = _CONTROL_HEAD.unpack_from(octets, at)
            if length < _CONTROL_HEAD.size:
                break
            found.append((level, kind, octets[at + _CONTROL_HEAD.size : at + length]))
            at += (length + _ALIGN - 1) // _ALIGN * _ALIGN
        return found


def socket_address(host: str, port: int) -> bytes:
    """Struct sockaddr_in or sockaddr_in6."""
    if ":" in host:
        octets = socket.inet_pton(socket.AF_INET6, host)
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16sI", port, 0, octets, 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
