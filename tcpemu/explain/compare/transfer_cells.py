"""What became of the data of several runs: how long it took, what was lost and sent again, in cells side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.run_digest import RunDigest
from tcpemu.explain.lines.count_words import rate_words
from tcpemu.explain.lines.time_words import span_words

LEAST_DATA = 4_000
"""Octets that one sends, so that they are worth a row."""
MOST_SENDERS = 6
_REPEATED_BY_TIMER = "RETRANSMIT"


@dataclass(slots=True)
class _Sent:
    """What one host has sent on the connection of one client."""

    highest: int = 0
    """Octets, each counted once."""
    begun: int | None = None
    acknowledged: int = 0
    """Octets; `ended` is when that was heard of."""
    ended: int = 0
    lost: int = 0
    again: int = 0
    time_outs: int = 0


def transfer_rows(digests: Sequence[RunDigest]) -> Iterator[tuple[str, list[str]]]:
    """For each sender of data: octets, time and rate, segments lost, sent again, and by time-outs.

    What is nought in all runs is left out.
    """
    found = [_sent(digest) for digest in digests]
    senders = [
        one
        for one in dict.fromkeys(key for each in found for key in each)
        if any(each[one].highest >= LEAST_DATA for each in found if one in each)
    ]
    if len(senders) > MOST_SENDERS:
        return
    for sender, client in senders:
        cells = [each.get((sender, client), _Sent()) for each in found]
        whose = sender if sender == client else f"{sender} to {client}"
        yield f"data of {whose}", [f"{each.highest:,} octets" for each in cells]
        yield "  acknowledged after", [_time_words(each) for each in cells]
        for label, numbers in (
            ("  segments lost", [each.lost for each in cells]),
            ("  segments sent again", [each.again for each in cells]),
            ("  of these by time-outs", [each.time_outs for each in cells]),
        ):
            if any(numbers):
                yield label, [f"{number:,}" for number in numbers]


def _time_words(sent: _Sent) -> str:
    """How long it took, and how fast that is."""
    if sent.begun is None:
        return "-"
    if sent.acknowledged < sent.highest:
        return f"not over: {sent.acknowledged:,}"
    took = max(sent.ended - sent.begun, 1)
    return f"{span_words(took, 3)} ({rate_words(sent.highest * 1e9 / took)})"


def _sent(digest: RunDigest) -> dict[tuple[str, str], _Sent]:
    """By the sender and the client whose connection it is."""
    found: dict[tuple[str, str], _Sent] = {}
    for row in digest.rows:
        if row.copy_of is not None:
            continue
        client, size = digest.client_of(row), len(row.segment.payload)
        if size:
            sent = found.setdefault((row.sender, client), _Sent())
            sent.begun = row.at if sent.begun is None else sent.begun
            sent.highest = max(sent.highest, row.relative.seq + size - 1)
            sent.lost += bool(row.lost)
            sent.again += bool(row.sent and row.sent.repeat)
            sent.time_outs += bool(
                row.sent and row.sent.repeat and row.sent.reason.name == _REPEATED_BY_TIMER
            )
        back = found.get((row.receiver or "", client))
        if back is not None and row.arrived is not None and row.relative.ack is not None:
            up_to = min(row.relative.ack - 1, back.highest)
            if up_to > back.acknowledged:
                back.acknowledged, back.ended = up_to, row.arrived
    return found
