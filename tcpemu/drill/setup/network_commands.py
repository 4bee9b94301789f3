"""`ip`, `tc` and `ethtool` of a script: what they change of the host's network, by reading their words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.drill.setup.unreadable_command import UnreadableCommandError


@dataclass(frozen=True, slots=True)
class ForgetPeers:
    """`ip tcp_metrics flush`: what is remembered of peers goes, Fast Open cookies too."""


@dataclass(frozen=True, slots=True)
class SetMtu:
    """`ip link set dev DEVICE mtu OCTETS`."""

    mtu: int


@dataclass(frozen=True, slots=True)
class SetRoute:
    """`ip route change PEER ... mtu lock OCTETS advmss OCTETS initcwnd SEGMENTS`; 0 is not said."""

    peer: str
    mtu: int = 0
    locked: bool = False
    advmss: int = 0
    initcwnd: int = 0


@dataclass(frozen=True, slots=True)
class NothingChanges:
    """What it says holds on an emulated host already, or does not show."""


@dataclass(frozen=True, slots=True)
class LimitQueue:
    """`tc qdisc .. root pfifo limit PACKETS`; None: as without a limit."""

    packets: int | None


NetworkAct: TypeAlias = ForgetPeers | SetMtu | SetRoute | LimitQueue | NothingChanges
"""What one of these commands does to the host."""

_FAMILIES = ("-4", "-6")
_ROUTE_VERBS = ("add", "change", "replace", "append")
_ROUTE_NUMBERS = ("mtu", "advmss", "initcwnd")
_ROUTE_PLACES = ("via", "dev", "src", "proto", "scope", "table", "metric")
"""Words with one argument that say where packets go, which is the peer in any case."""
_OFFLOADS = ("tso", "gso", "gro", "lro", "tx", "rx", "sg")


def network_act(words: list[str]) -> NetworkAct | None:
    """What the command does; None where it is none of these programs. UnreadableCommandError where it does more."""
    program = words[0].rsplit("/", 1)[-1]
    if program == "ip":
        return _ip([word for word in words[1:] if word not in _FAMILIES], words)
    if program == "tc":
        return _tc(words)
    if program == "ethtool":
        return _ethtool(words)
    return None


def _ip(rest: list[str], words: list[str]) -> NetworkAct:
    if rest[:2] == ["tcp_metrics", "flush"]:
        return ForgetPeers()
    if rest[:2] == ["link", "set"] and "mtu" in rest[:-1]:
        return SetMtu(_number(words, rest, rest.index("mtu") + 1))
    if rest[:1] == ["route"] and len(rest) > 2 and rest[1] in _ROUTE_VERBS:
        return _route(rest[2:], words)
    raise _unread(words, "of ip, tcp_metrics flush, link set mtu, and route change of one peer are read")


def _route(rest: list[str], words: list[str]) -> SetRoute:
    numbers = dict.fromkeys(_ROUTE_NUMBERS, 0)
    locked, at = False, 1
    while at < len(rest):
        word = rest[at]
        at += 1
        if word in _ROUTE_PLACES:
            at += 1
            continue
        if word not in numbers:
            raise _unread(words, f"of a route {', '.join(_ROUTE_NUMBERS)} are read, not {word}")
        if rest[at : at + 1] == ["lock"]:
            locked, at = locked or word == "mtu", at + 1
        numbers[word] = _number(words, rest, at)
        at += 1
    return SetRoute(rest[0].split("/")[0], numbers["mtu"], locked, numbers["advmss"], numbers["initcwnd"])


def _tc(words: list[str]) -> NetworkAct:
    """Of queues, that of the device: one that takes so many packets, or as many as there are."""
    if words[1:2] != ["qdisc"] or "root" not in words:
        raise _unread(words, "of tc, qdisc of a device's root is read")
    if words[2:3] in (["del"], ["delete"]):
        return LimitQueue(None)
    kind = words[words.index("root") + 1 :]
    if words[2:3] not in (["add"], ["replace"], ["change"]) or kind[:1] not in (["pfifo"], ["pfifo_fast"]):
        raise _unread(words, "of queues, pfifo and pfifo_fast are read")
    if len(kind) == 1:
        return LimitQueue(None)
    if kind[1:2] != ["limit"] or len(kind) != 3:
        raise _unread(words, "of pfifo, limit PACKETS is read")
    return LimitQueue(_number(words, kind, 2))


def _ethtool(words: list[str]) -> NetworkAct:
    """Who cuts pieces into segments, device or kernel, does not show; and nothing puts segments together."""
    settings = words[3:]
    pairs = dict(zip(settings[::2], settings[1::2], strict=False))
    fits = words[1:2] == ["-K"] and len(settings) == 2 * len(pairs) and set(pairs) <= set(_OFFLOADS)
    if fits and "on" not in (pairs.get("gro"), pairs.get("lro")):
        return NothingChanges()
    raise _unread(words, f"of ethtool, -K DEVICE with {', '.join(_OFFLOADS)} is read, gro and lro off alone")


def _number(words: list[str], rest: list[str], at: int) -> int:
    text = rest[at] if at < len(rest) else ""
    if not text.isdecimal():
        raise _unread(words, f"{rest[at - 1]} needs a number")
    return int(text)


def _unread(words: list[str], why: str) -> UnreadableCommandError:
    return UnreadableCommandError(f"`{' '.join(words)}` is not read: {why}")
