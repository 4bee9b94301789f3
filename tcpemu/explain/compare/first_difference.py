"""Where two runs of one scenario part: the first packet that is not the same, and why.

Packets are compared by what a reader sees: when, from whom to whom, flags, numbers relative to the first ones,
length, and what became of it at its receiver; so that initial numbers, which are random, do not matter. What
only looks different (window, options) is told apart from what goes on differently, because a kernel's first
SYN|ACK gives it away long before it does anything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile, zip_longest

from tcpemu.explain.facts.row_notes import with_numbers
from tcpemu.explain.facts.rows import PacketRow
from tcpemu.explain.facts.run_digest import RunDigest
from tcpemu.explain.lines.count_words import count, ordinal
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.stack.base.events import Outcome
from tcpemu.wire.segment import SYN, Address

SAME_TIME = 1000
"""Nanoseconds by which times may differ."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first packet that is not the same in two runs."""

    at: int
    packet: str
    """`SYN of late`."""
    there: str
    """What happened in the run that is compared with."""
    here: str
    """What happened in this one."""


@dataclass(frozen=True, slots=True)
class FirstDifferences:
    """In looks and in what goes on; None where the runs do not differ."""

    looks: Difference | None
    """None too where it comes no sooner than the other."""
    behaviour: Difference | None


def first_differences(there: RunDigest, here: RunDigest) -> FirstDifferences:
    """Where the second run departs from the first."""
    looks = None
    theirs, ours = _in_order(there), _in_order(here)
    for number, (one, other) in enumerate(zip_longest(theirs, ours)):
        if one is None or other is None or not _same_packet(one, other):
            return FirstDifferences(looks, _other_packet(there, here, theirs[number:], ours[number:]))
        if looks is None:
            looks = _other_looks(here, one, other)
        if _end(one) != _end(other):
            return FirstDifferences(looks, _another_end(here, one, other))
    return FirstDifferences(looks, None)


def _in_order(digest: RunDigest) -> list[PacketRow]:
    """By time; packets of one moment in an order that does not depend on which was sent first."""
    return sorted(digest.rows, key=lambda row: (row.at, _core(row)))


def _same_packet(one: PacketRow, other: PacketRow) -> bool:
    return abs(one.at - other.at) <= SAME_TIME and _core(one) == _core(other)


def _core(row: PacketRow) -> tuple[str, Address, int, Address, int, int, int, int, int]:
    segment, relative = row.segment, row.relative
    ack = -1 if relative.ack is None else relative.ack
    return row.sender, *segment[:4], segment.flags, relative.seq, ack, len(segment.payload)


def _end(row: PacketRow) -> str:
    return row.verdict.reason.name if row.verdict else row.lost


# The same packet, another end.


def _another_end(digest: RunDigest, one: PacketRow, other: PacketRow) -> Difference:
    at = other.arrived if other.arrived is not None else other.at
    return Difference(at, _named(digest, other), _end_words(one), _end_words(other))


def _end_words(row: PacketRow) -> str:
    if row.verdict:
        return with_numbers(row.verdict.reason.text, row.queues)
    return row.lost or "it arrives"


# Other looks.


def _other_looks(digest: RunDigest, one: PacketRow, other: PacketRow) -> Difference | None:
    pairs = [
        (theirs, ours) for theirs, ours in zip(_looks(one), _looks(other), strict=True) if theirs != ours
    ]
    if not pairs:
        return None
    there, here = (", ".join(words) for words in zip(*pairs, strict=True))
    return Difference(other.at, _named(digest, other), there, here)


def _looks(row: PacketRow) -> tuple[str, str]:
    options = option_words(row.segment)
    return f"window {row.relative.window}", f"options: {options}" if options else "no options"


# Another packet, or none.


def _other_packet(
    there: RunDigest, here: RunDigest, theirs: Sequence[PacketRow], ours: Sequence[PacketRow]
) -> Difference:
    """What each run does at the moment of the first packet that the other one does not have."""
    at = min(rows[0].at for rows in (theirs, ours) if rows)
    one, other = _first_foreign(theirs, ours, at), _first_foreign(ours, theirs, at)
    digest, first = (here, other) if other is not None and other.at <= at + SAME_TIME else (there, one)
    assert first is not None
    return Difference(
        at, _named(digest, first), _at_that_time(there, one, at), _at_that_time(here, other, at)
    )


def _first_foreign(rows: Sequence[PacketRow], others: Sequence[PacketRow], at: int) -> PacketRow | None:
    """The first of the packets that the others do not have too at that time."""
    common = {_core(row) for row in takewhile(lambda row: row.at <= at + SAME_TIME, others)}
    return next((row for row in rows if row.at > at + SAME_TIME or _core(row) not in common), None)


def _at_that_time(digest: RunDigest, row: PacketRow | None, at: int) -> str:
    """What a run does at that time, its next packet being this one."""
    if row is None:
        return "nothing, then or later"
    if row.at > at + SAME_TIME:
        return f"nothing; the next packet, at {moment(row.at)}, is {_whole(digest, row)}"
    return _whole(digest, row)


def _whole(digest: RunDigest, row: PacketRow) -> str:
    """The packet with its numbers, where they say something, and why it was sent."""
    why = _why_sent(row)
    return _named(digest, row) + _numbers(row) + (f": {why}" if why else "")


def _numbers(row: PacketRow) -> str:
    if row.segment.flags & SYN:
        return ""
    relative = row.relative
    numbers = [f"seq {relative.seq}"]
    if relative.ack is not None:
        numbers.append(f"ack {relative.ack}")
    if row.segment.payload:
        numbers.append(count(len(row.segment.payload), "octet"))
    return f" ({', '.join(numbers)})"


def _why_sent(row: PacketRow) -> str:
    if row.sent is None:
        return ""
    if row.sent.repeat:
        after = f" after {span_words(row.since_last)}" if row.since_last else ""
        return f"sent again{after} ({ordinal(row.sent.repeat)} repeat), {row.sent.reason.text}"
    if row.sent_because and row.sent_because.outcome is Outcome.ANSWERED:
        return row.sent_because.reason.text
    return row.sent.reason.text


def _named(digest: RunDigest, row: PacketRow) -> str:
    """`SYN of late`, `SYN|ACK to late`, `PSH|ACK of late`."""
    preposition = "to" if row.sender == digest.server else "of"
    copy = " (a copy)" if row.copy_of is not None else ""
    return f"{flag_words(row.segment.flags)} {preposition} {digest.client_of(row)}{copy}"
