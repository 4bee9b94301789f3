"""The lines of a script: its options, what it sets, calls and packets at their times."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from tcpemu.drill.playing.packet_checks import segment_text
from tcpemu.drill.writing.guessed_calls import CallGuesser, Guess
from tcpemu.drill.writing.seen_conversation import HostView, SeenIn
from tcpemu.drill.writing.shown_settings import mtu_of, shown_sysctls
from tcpemu.wire.options import Eol, FastOpen, Mss, Nop, Sack, SackOk, Timestamps, WScale

_LEAD = 100_000_000
"""Nanoseconds from the first call to the first packet."""
_TOLERANCE = 10_000
_PERCENT = 5
"""How late a real host may be: its timers go by ticks, its programs when they are woken."""
_IPV4_HEAD, _IPV6_HEAD = 40, 60
_USUAL_MTU = 1500
_KNOWN = (Eol, FastOpen, Mss, Nop, Sack, SackOk, Timestamps, WScale)
_ADDRESS = re.compile(r"(HOST|PEER):(\d+)")
_ECN = ("", "[ect1] ", "[ect0] ", "[ce] ")


def script_text(view: HostView, guess: Guess, sysctls: dict[str, str], title: str) -> str:
    """The script, of which the packets are those that were seen."""
    assert view.peer is not None
    host, peer = str(ipaddress.ip_address(view.host)), str(ipaddress.ip_address(view.peer))
    lines = [*title.splitlines(), *_flags(view, host, peer), ""]
    settings = shown_sysctls(view) | sysctls
    if settings:
        words = " ".join(f"{name}='{value}'" for name, value in settings.items())
        lines += [f"`sysctl -q {words}`", ""]
    guesser = CallGuesser(view, guess)
    for line in (*_listening(guesser), *_events(view, guesser)):
        lines.append(
            _ADDRESS.sub(lambda found: _address(host if found[1] == "HOST" else peer, found[2]), line)
        )
    return "\n".join(lines) + "\n"


def _flags(view: HostView, host: str, peer: str) -> Iterator[str]:
    six = ":" in host
    yield f"--ip_version={'ipv6' if six else 'ipv4'}"
    yield f"--local_ip={host}"
    yield f"--remote_ip={peer}"
    yield f"--tolerance_usecs={_TOLERANCE}"
    yield f"--tolerance_percent={_PERCENT}"
    mtu = mtu_of(view, _IPV6_HEAD if six else _IPV4_HEAD) or _USUAL_MTU
    if mtu != _USUAL_MTU:
        yield f"--mtu={mtu}"
    if any(isinstance(option, Timestamps) for seen in view.packets for option in seen.segment.options):
        yield "--tcp_ts_ecr_scaled"


def _listening(guesser: CallGuesser) -> Iterator[str]:
    for port, descriptor in guesser.listeners.items():
        yield f"0.000000 socket(..., SOCK_STREAM, IPPROTO_TCP) = {descriptor}"
        yield f"0.000000 setsockopt({descriptor}, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0"
        if guesser.guess.defer_accept:
            seconds = guesser.guess.defer_accept
            yield f"0.000000 setsockopt({descriptor}, IPPROTO_TCP, TCP_DEFER_ACCEPT, [{seconds}], 4) = 0"
        yield f"0.000000 bind({descriptor}, HOST:{port}, ...) = 0"
        yield f"0.000000 listen({descriptor}, {guesser.backlog}) = 0"
    if guesser.listeners:
        yield ""


def _events(view: HostView, guesser: CallGuesser) -> Iterator[str]:
    first = view.packets[0].at if view.packets else 0
    begun = bool(guesser.listeners)
    for seen in view.packets:
        at = _time(seen.at - first + (_LEAD if begun else 0))
        for call in guesser.before(seen):
            yield f"{at} {call.text}"
        yield f"{at} {_packet(seen)}"
        for call in guesser.after(seen):
            yield f"{at} {call.text}"


def _time(nanoseconds: int) -> str:
    return f"{nanoseconds // 1000 / 1e6:.6f}"


def _packet(seen: SeenIn) -> str:
    segment = seen.segment
    peer, own = seen.conversation.ports
    ports = f"{peer} > {own}" if seen.inbound else f"{own} > {peer}"
    odd = any(not isinstance(option, _KNOWN) for option in segment.options)
    shown = segment._replace(
        options=tuple(option for option in segment.options if isinstance(option, _KNOWN))
    )
    text = (
        segment_text(shown._replace(options=())) + " <...>"
        if odd and not seen.inbound
        else segment_text(shown)
    )
    return f"{'<' if seen.inbound else '>'} {_ECN[segment.tos & 3]}{ports} {text}"


def _address(host: str, port: str) -> str:
    if ":" in host:
        return f'{{sa_family=AF_INET6, sin6_port=htons({port}), sin6_addr=inet6_addr("{host}")}}'
    return f'{{sa_family=AF_INET, sin_port=htons({port}), sin_addr=inet_addr("{host}")}}'
