"""Kernel and settings of a server, as they are supposed for one try."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

from tcpemu.generations import DEFAULT, GENERATIONS, generation
from tcpemu.stack import ConfigurationError, Host, NotEmulatedError, Socket, SocketError
from tcpemu.stack.base.socket_constants import IPPROTO_TCP, TCP_DEFER_ACCEPT, TCP_FASTOPEN
from tcpemu.wire.segment import Address

LARGE = 65535
"""A backlog that nothing fills."""
_OLDEST = "linux-2.4"
SYSCTL_NAMES = {
    "cookies": "net.ipv4.tcp_syncookies",
    "abort": "net.ipv4.tcp_abort_on_overflow",
    "synack_retries": "net.ipv4.tcp_synack_retries",
}
"""The fields of a supposition that are sysctls."""
_AS_SERVER = 2


@dataclass(frozen=True, slots=True)
class Supposed:
    """One supposition. The defaults are those of a server of today that nobody has configured."""

    kernel: str = DEFAULT
    backlog: int = LARGE
    """What listen() was given, cut down to somaxconn."""
    cookies: int = 1
    """net.ipv4.tcp_syncookies."""
    abort: int = 0
    """net.ipv4.tcp_abort_on_overflow."""
    synack_retries: int = 5
    """net.ipv4.tcp_synack_retries."""
    defer: int = 0
    """TCP_DEFER_ACCEPT, in seconds."""
    max_syn_backlog: int = 0
    """net.ipv4.tcp_max_syn_backlog; 0 where it is so large that nothing comes up against it."""
    fastopen: int = 0
    """1 where the server takes Fast Open: net.ipv4.tcp_fastopen has 2 in it, and its socket TCP_FASTOPEN."""

    def unusual(self) -> int:
        """How many of these are not as a server has them that nobody has configured. A backlog is always chosen."""
        plain = Supposed()
        names = [field.name for field in fields(self) if field.name not in ("backlog", "kernel")]
        return sum(getattr(self, name) != getattr(plain, name) for name in names)

    def words(self) -> str:
        """`backlog 1, net.ipv4.tcp_syncookies 0`: the backlog where one matters, and what is unusual."""
        told = [] if self.backlog == LARGE else [f"backlog {self.backlog}"]
        told += [f"{name} {value}" for name, value in self.sysctls().items()]
        told += [f"TCP_DEFER_ACCEPT {self.defer} s"] if self.defer else []
        return ", ".join(told) or "a backlog that nothing fills"

    def sysctls(self) -> dict[str, int]:
        """Those that are not as a kernel has them, by their full names."""
        plain = Supposed()
        return {
            name: getattr(self, field)
            for field, name in SYSCTL_NAMES.items()
            if getattr(self, field) != getattr(plain, field)
        } | self.more_sysctls()

    def more_sysctls(self) -> dict[str, int]:
        """Those that stay as the kernel has them where nothing is supposed of them."""
        told = {"net.ipv4.tcp_max_syn_backlog": self.max_syn_backlog} if self.max_syn_backlog else {}
        return told | ({"net.ipv4.tcp_fastopen": _AS_SERVER} if self.fastopen else {})

    def with_value(self, name: str, value: Any) -> Supposed:
        """The same with another value of one of them."""
        return replace(self, **{name: value})


def linux_kernels() -> list[str]:
    """The kernels of Linux that are supposed, newest first, the usual one ahead of them."""
    names = [name for name in GENERATIONS if name.startswith("linux-")]
    tried = names[names.index(_OLDEST) :]
    return [DEFAULT, *(name for name in reversed(tried) if name != DEFAULT)]


def host_with(supposed: Supposed, address: Address, mtu: int) -> Host:
    """A host with these settings. One that its kernel does not have stays away."""
    settings = {
        "net.core.somaxconn": LARGE,
        **{name: getattr(supposed, field) for field, name in SYSCTL_NAMES.items()},
        **supposed.more_sysctls(),
    }
    host = Host([address], generation(supposed.kernel), seed=1, mtu=mtu)
    for name, value in settings.items():
        try:
            host.set_sysctl(name, value)
        except ConfigurationError:
            continue  # older than the setting
    return host


def listening_socket(host: Host, supposed: Supposed, port: int, now: int) -> Socket:
    """A socket that listens as supposed."""
    socket = host.socket(ipv6=len(host.addresses[0]) == 16)
    socket.bind(None, port)
    if supposed.defer:
        socket.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, supposed.defer)
    if supposed.fastopen:
        with suppress(SocketError, NotEmulatedError):  # older than the option
            socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, LARGE)
    socket.listen(supposed.backlog, now)
    return socket
