"""Names of hosts: every host of the network by its name, localhost, addresses as they are. There is no DNS."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.whereabouts import caller

_REAL = (socket.getaddrinfo, socket.getnameinfo)
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip4-localhost")


def address_named(process: Process, name: str) -> str:
    """The address of a host by name, or an address itself. Raises gaierror."""
    plain = name.rstrip(".").lower() if name != "." else name
    if plain in LOCAL_NAMES:
        return "127.0.0.1"
    for known, node in process.computers.names.items():
        if known.lower() == plain:
            return node.addresses[0]
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None


def name_of(process: Process, text: str) -> str | None:
    """The name of the host that has this address."""
    if text.startswith("127."):
        return "localhost"
    return next((name for name, node in process.computers.names.items() if text in node.addresses), None)


def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[Any]:
    """IPv4 addresses only, as on a host without IPv6."""
    name = host.decode() if isinstance(host, bytes) else host
    if family not in (0, socket.AF_INET):
        raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
    text = None if name is None else address_named(caller(), name)
    plain = flags & ~(socket.AI_ADDRCONFIG | socket.AI_CANONNAME) | socket.AI_NUMERICHOST
    real, _ = _REAL
    found: list[Any] = real(text, port, socket.AF_INET, type, proto, plain)
    if flags & socket.AI_CANONNAME and found:
        kind, style, number, _, address = found[0]
        found[0] = (kind, style, number, name or "", address)
    return found


def gethostbyname(name: str) -> str:
    return address_named(caller(), name) if name else "0.0.0.0"


def gethostbyname_ex(name: str) -> tuple[str, list[str], list[str]]:
    return name, [], [gethostbyname(name)]


def gethostbyaddr(text: str) -> tuple[str, list[str], list[str]]:
    """The name of an address. Raises herror for one that no host has."""
    process = caller()
    address = address_named(process, text)
    name = name_of(process, address)
    if name is None:
        raise socket.herror(1, "Unknown host")
    return name, [], [address]


def gethostname() -> str:
    process = caller()
    return process.computers.hostnames.get(process.node.name, process.node.name)


def sethostname(name: str | bytes) -> None:
    """Of the emulated host; the machine keeps its own."""
    process = caller()
    process.computers.hostnames[process.node.name] = os.fsdecode(name)


def getfqdn(name: str = "") -> str:
    """Names have no domain here."""
    process = caller()
    if name in {"", "0.0.0.0", "::"}:
        return process.node.name
    try:
        return gethostbyaddr(name)[0]
    except OSError:
        return name


def getnameinfo(sockaddr: tuple[Any, ...], flags: int) -> tuple[str, str]:
    _, real = _REAL
    if not isinstance(sockaddr, tuple):
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    text = address_named(caller(), sockaddr[0])
    _, service = real((text, *sockaddr[1:]), flags | socket.NI_NUMERICHOST)
    name = None if flags & socket.NI_NUMERICHOST else name_of(caller(), text)
    if name is None and flags & socket.NI_NAMEREQD:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return name or text, service


STAND_INS = {
    name: globals()[name]
    for name in (
        "getaddrinfo",
        "gethostbyname",
        "gethostbyname_ex",
        "gethostbyaddr",
        "gethostname",
        "sethostname",
        "getfqdn",
        "getnameinfo",
    )
}
"""By the names that the module socket has them by."""
