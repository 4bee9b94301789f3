"""Names of hosts: every host of the network by its name, localhost, addresses as they are. There is no DNS."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import Any

from tcpemu.network.addresses import any_ipv6
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.whereabouts import caller

_REAL = (socket.getaddrinfo, socket.getnameinfo)
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip4-localhost")


def address_named(process: Process, name: str, family: int = socket.AF_INET) -> str:
    """The first address of a host by name, or an address itself, of this family. Raises gaierror."""
    return addresses_named(process, name, family)[0]


def addresses_named(process: Process, name: str, family: int = 0) -> list[str]:
    """The addresses of a host by name, or an address itself, of this family or of any; those of IPv6 come first.

    As the C library does without a wish, it leaves IPv6 out on a host that has no address of it. Raises gaierror.
    """
    plain = name.rstrip(".").lower() if name != "." else name
    found: list[str] = ["::1", "127.0.0.1"] if plain in LOCAL_NAMES else []
    for known, node in process.computers.names.items():
        if known.lower() == plain:
            found = sorted(node.addresses, key=lambda text: ":" not in text)
    literal = _literal(name)
    fitting = [text for text in found or literal if family in (0, _family_of(text))]
    if not found and not literal:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if family == 0 and found and not any_ipv6(process.node.addresses):
        fitting = [text for text in fitting if ":" not in text] or fitting
    if not fitting:
        raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
    return fitting


def _literal(name: str) -> list[str]:
    """What is an address in text already."""
    try:
        return [str(ipaddress.ip_address(name))]
    except ValueError:
        return []


def _family_of(text: str) -> int:
    return int(socket.AF_INET6 if ":" in text else socket.AF_INET)


def name_of(process: Process, text: str) -> str | None:
    """The name of the host that has this address."""
    if text.startswith("127.") or text == "::1":
        return "localhost"
    wanted = ipaddress.ip_address(text)
    for name, node in process.computers.names.items():
        if any(ipaddress.ip_address(own) == wanted for own in node.addresses):
            return name
    return None


def getaddrinfo(
    host: str | bytes | None,
    port: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[Any]:
    """Addresses of hosts of the network; of IPv6 where this host has one, or where they are asked for."""
    name = host.decode() if isinstance(host, bytes) else host
    if family not in (0, socket.AF_INET, socket.AF_INET6):
        raise socket.gaierror(socket.EAI_ADDRFAMILY, "Address family for hostname not supported")
    process = caller()
    plain = flags & ~(socket.AI_ADDRCONFIG | socket.AI_CANONNAME) | socket.AI_NUMERICHOST
    real, _ = _REAL
    found: list[Any] = []
    for text, of in _wanted(process, name, family, bool(flags & socket.AI_PASSIVE)):
        found += real(text, port, of, type, proto, plain)
    if flags & socket.AI_CANONNAME and found:
        kind, style, number, _, address = found[0]
        found[0] = (kind, style, number, name or "", address)
    return found


def _wanted(process: Process, name: str | None, family: int, passive: bool) -> list[tuple[str | None, int]]:
    """What is looked up: each address in text, or None for any or for the own host, with its family."""
    if name is not None:
        return [(text, _family_of(text)) for text in addresses_named(process, name, family)]
    if family or not any_ipv6(process.node.addresses):
        return [(None, family or socket.AF_INET)]
    both: list[tuple[str | None, int]] = [(None, socket.AF_INET), (None, socket.AF_INET6)]
    return both if passive else both[::-1]


def gethostbyname(name: str) -> str:
    return address_named(caller(), name) if name else "0.0.0.0"


def gethostbyname_ex(name: str) -> tuple[str, list[str], list[str]]:
    return name, [], [gethostbyname(name)]


def gethostbyaddr(text: str) -> tuple[str, list[str], list[str]]:
    """The name of an address. Raises herror for one that no host has."""
    process = caller()
    address = addresses_named(process, text)[0]
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
    text = addresses_named(caller(), sockaddr[0])[0]
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
