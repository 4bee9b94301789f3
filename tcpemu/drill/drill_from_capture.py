"""A script out of a capture: calls are guessed, and each guess is tried on the emulator until one fits."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from tcpemu.drill.drill_outcome import DrillOutcome
from tcpemu.drill.drill_reading import DrillSettings
from tcpemu.drill.drill_run import run_text
from tcpemu.drill.writing.guessed_calls import READS, Guess
from tcpemu.drill.writing.script_writing import script_text
from tcpemu.drill.writing.seen_conversation import HostView, SeenPacket, host_view
from tcpemu.drill.writing.shown_settings import receive_buffers
from tcpemu.stack import ConfigurationError
from tcpemu.wire.segment import Address

_PATIENCE = 60
"""Seconds of guessing."""
_SYSCTLS: tuple[dict[str, str], ...] = (
    {},
    {"net.ipv4.tcp_syncookies": "0"},
    {"net.ipv4.tcp_abort_on_overflow": "1"},
)
"""What a host may have set that shows only where a queue is full."""


@dataclass(frozen=True, slots=True)
class KnownListener:
    """What somebody has found out of the host's listener, so that it need not be guessed."""

    backlog: int | None = None
    """What listen() is given; None where that does not matter."""
    defer_accept: int = 0
    """TCP_DEFER_ACCEPT, in seconds."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    """Those that are not as the kernel has them."""


@dataclass(frozen=True, slots=True)
class WrittenScript:
    """A script, and what the emulator does with it."""

    text: str
    outcome: DrillOutcome
    """Of the guess that fits, or of the one that goes furthest."""
    view: HostView
    tried: int
    """Guesses."""


def script_from_packets(
    packets: Iterable[SeenPacket],
    host: Address,
    title: str,
    settings: DrillSettings | None = None,
    known: KnownListener | None = None,
) -> WrittenScript:
    """The script of what a host was seen to send and get. With `known` its listener is as that says.

    Raises ConfigurationError where no connection of it can be followed from its beginning.
    """
    view = host_view(packets, host)
    if not view.packets:
        raise ConfigurationError(_nothing(view))
    best: WrittenScript | None = None
    furthest = -1
    until = time.monotonic() + _PATIENCE
    for tried, (guess, sysctls) in enumerate(_guesses(view, known), 1):
        text = script_text(view, guess, sysctls, title)
        outcome = run_text(text, settings=settings)
        if outcome.passed or len(outcome.packets) > furthest:
            furthest = len(outcome.packets)
            best = WrittenScript(text, outcome, view, tried)
        if outcome.passed or time.monotonic() > until:
            break
    assert best is not None
    return best


def _guesses(view: HostView, known: KnownListener | None) -> Iterator[tuple[Guess, dict[str, str]]]:
    """The likely ones first."""
    listens = any(not conversation.opened_by_host for conversation in view.conversations)
    buffers = receive_buffers(view)
    if known is not None:
        for no_delay, reads, joins, receive in product((False, True), READS, (True, False), ({}, buffers)):
            for late in (True, False):
                guess = Guess(late, reads, joins, no_delay, known.backlog, known.defer_accept)
                yield guess, {**known.sysctls, **receive}
        return
    places = (
        *product(_SYSCTLS[:1], (False, True), (False, True) if listens else (False,)),
        *(product(_SYSCTLS[1:], (False,), (False, True)) if listens else ()),
    )
    for sysctls, no_delay, late in places:
        for reads, joins, receive in product(READS, (True, False), ({}, buffers)):
            yield Guess(late, reads, joins, no_delay), sysctls | receive


def _nothing(view: HostView) -> str:
    if view.to_itself:
        return "the host talks to itself there: give each end an address of its own"
    if view.midway:
        return f"of the host's connections none begins there: {view.midway} packets are of those that were open already"
    return "no packet there is from or to that host"
