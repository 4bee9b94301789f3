"""Who has which address: single ones, and ranges for nodes that speak for many."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire.segment import Address, address

AddressRange: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


_address = lru_cache(maxsize=1024)(address)
"""Each connect() of a crowd names the same address."""


def packed(text: str) -> Address:
    """The octets of an address in text."""
    try:
        return _address(text)
    except (ValueError, TypeError):
        raise ConfigurationError(
            f"{text!r} is no IP address; write it as '192.0.2.1' or '2001:db8::1'"
        ) from None


def range_of(text: str) -> AddressRange:
    """A range of addresses in text, as `198.51.100.0/24`."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is no range of addresses ({error}); write it as '198.51.100.0/24'"
        ) from None


def any_ipv6(texts: Iterable[str]) -> bool:
    """Whether one of these addresses in text is one of IPv6."""
    return any(":" in text for text in texts)


class Addresses:
    """Names of nodes by address. A single address goes before a range, a smaller range before a larger."""

    __slots__ = ("_ranges", "_single")

    def __init__(self) -> None:
        self._single: dict[Address, str] = {}
        self._ranges: dict[AddressRange, str] = {}

    def add(self, node: str, texts: tuple[str, ...]) -> None:
        """Give the node its addresses, ranges among them written as `198.51.100.0/24`: all, or none."""
        single = {packed(text): text for text in texts if "/" not in text}
        ranges = {range_of(text): text for text in texts if "/" in text}
        taken = {text: self._single[octets] for octets, text in single.items() if octets in self._single}
        taken |= {text: self._ranges[network] for network, text in ranges.items() if network in self._ranges}
        for text, owner in taken.items():
            raise ConfigurationError(f"address {text} of {node!r} is that of {owner!r}; give each its own")
        self._single |= dict.fromkeys(single, node)
        both = self._ranges | dict.fromkeys(ranges, node)
        self._ranges = dict(sorted(both.items(), key=lambda item: -item[0].prefixlen))

    def owner(self, octets: Address) -> str | None:
        """The name of the node that has the address; None where none has."""
        owner = self._single.get(octets)
        if owner is None and self._ranges:
            wanted = ipaddress.ip_address(octets)
            for network, name in self._ranges.items():
                if wanted in network:
                    return name
        return owner
