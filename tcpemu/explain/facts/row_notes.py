"""What there is to say of a row, in words: above all why a packet was dropped, lost, repeated or answered oddly.

The reasons come from the stack; here they get the numbers of the moment and the view from the other end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.counter_meanings import BULK
from tcpemu.explain.facts.rows import Evicted, ListenerQueues, PacketRow, Row, TimerRow
from tcpemu.explain.lines.count_words import count, ordinal
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.explain.lines.style import Role
from tcpemu.explain.lines.time_words import span_words
from tcpemu.network.record import NO_HOST
from tcpemu.stack.base.events import Outcome, Reason
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import RST, Segment

ORDINARY = frozenset(
    {
        "SYN_QUEUED",
        "HANDSHAKE_DONE",
        "CONNECTED",
        "ACKED",
        "DATA",
        "FIN",
        "LAST_ACK_DONE",
        "TIME_WAIT_FIN",
        "SYN",
        "SYN_ACK",
        "ACK",
        "DELAYED_ACK",
        "DATA_SENT",
        "FIN_SENT",
        "WINDOW_UPDATE",
    }
)
"""Reasons of what always goes so in a connection without trouble: a ladder need not say anything about it."""
_WITH_DATA = frozenset({"DATA", "DATA_SENT"})
"""Reasons of which the number of octets is told."""

DISAGREEMENT = "DISAGREEMENT"
NOBODY = "NOBODY"
"""Stands for the reason of what is sent to an address that no host has."""


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence without a full stop."""

    text: str
    role: Role
    rule: str = ""
    """The name of the reason behind it, if there is one."""
    source: str = ""
    """Where the kernel decides it."""
    of_departure: bool = False
    """Whether it is about how the packet left, not about what became of it."""
    ordinary: bool = False
    """Whether it says only what can be seen without it; such a note has no source."""


def notes_of(row: Row) -> tuple[Note, ...]:
    """Everything unusual about a row; nothing for most rows."""
    match row:
        case PacketRow():
            return tuple(note for note in all_notes_of(row) if not note.ordinary)
        case TimerRow(reason=Reason() as reason):
            return (Note(f"{row.node}: {reason.text}", Role.LOST, reason.name, reason.source),)
        case _:
            return ()


def all_notes_of(row: PacketRow) -> tuple[Note, ...]:
    """Everything there is to say about a packet, what is ordinary too."""
    found = (_copy(row), _sending(row), _loss(row), _eviction(row), _verdict(row), _disagreement(row))
    return tuple(note for note in found if note)


def with_numbers(text: str, queues: ListenerQueues | None) -> str:
    """The words of a reason, with the lengths of a full queue put behind its name."""
    if queues is None:
        return text
    waiting = f"({queues.accept} wait, backlog {queues.backlog})"
    half_open = f"({queues.syn} half-open, backlog {queues.backlog})"
    both = f"({queues.accept} wait, {queues.syn} half-open, backlog {queues.backlog})"
    text = text.replace("the queue is full", f"the queue is full {both}", 1)
    text = text.replace("the accept queue is full", f"the accept queue is full {waiting}", 1)
    return text.replace("the SYN queue is full", f"the SYN queue is full {half_open}", 1)


def counters_moved(row: PacketRow) -> str:
    """The counters that the packet moved at its receiver: `ListenOverflows +1, ListenDrops +1`."""
    return _counters(row.counted)


def counters_moved_at_sender(row: PacketRow) -> str:
    """Those that moved at its sender, if the packet was sent by a call or a timer."""
    return _counters(row.sender_counted)


def _counters(counted: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {by:+}" for name, by in counted if name not in BULK)


def _copy(row: PacketRow) -> Note | None:
    if row.copy_of is None:
        return None
    return Note("a copy that the link made: the same packet arrives twice", Role.AGAIN, of_departure=True)


def _sending(row: PacketRow) -> Note | None:
    """Why it was sent; ordinary where that is plain from what the sender has just received."""
    if row.sent is None:
        return None
    reason = row.sent.reason
    if row.sent.repeat:
        after = f" after {span_words(row.since_last)}" if row.since_last else ""
        text = f"sent again{after} ({ordinal(row.sent.repeat)} repeat): {reason.text}"
        return Note(text, Role.AGAIN, reason.name, reason.source, of_departure=True)
    answers = row.sent_because is not None and row.sent_because.outcome is Outcome.ANSWERED
    text = f"{row.sender}: {_challenge(row, reason)}{reason.text}{_octets(row, reason)}"
    if answers or reason.name in ORDINARY:
        return Note(text, Role.PLAIN, reason.name, of_departure=True, ordinary=True)
    role = Role.RESET if row.segment.flags & RST else Role.PLAIN
    return Note(text, role, reason.name, reason.source, of_departure=True)


def _challenge(row: PacketRow, reason: Reason) -> str:
    """A challenge ACK looks like any other; it says itself what it is, and what it is for."""
    met = row.sent_because.segment if row.sent_because else None
    if reason.name != "CHALLENGE_ACK" or not isinstance(met, Segment):
        return ""
    return f"a challenge ACK, for the {segment_kind(met)} that came: "


def _octets(row: PacketRow, reason: Reason) -> str:
    return f", {count(len(row.segment.payload), 'octet')}" if reason.name in _WITH_DATA else ""


def _loss(row: PacketRow) -> Note | None:
    if not row.lost:
        return None
    if row.lost == NO_HOST:
        return Note(f"reaches nobody: {NO_HOST}", Role.LOST, NOBODY, of_departure=True)
    text = row.lost if row.lost.startswith("lost") else f"lost on the way: {row.lost}"
    return Note(text, Role.LOST, of_departure=True)


def _verdict(row: PacketRow) -> Note | None:
    if row.verdict is None:
        return None
    reason = row.verdict.reason
    if reason.name in ORDINARY:
        text = f"{row.receiver}: {reason.text}{_octets(row, reason)}"
        return Note(text, Role.PLAIN, reason.name, ordinary=True)
    text = f"{row.receiver}: {with_numbers(reason.text, row.queues)}"
    return Note(text, _ROLES[row.verdict.outcome], reason.name, reason.source)


_ROLES = {Outcome.ACCEPTED: Role.PLAIN, Outcome.ANSWERED: Role.AGAIN, Outcome.DROPPED: Role.LOST}


def _eviction(row: PacketRow) -> Note | None:
    """Nothing is sent to the client that is thrown out, so this is the only place where it is told."""
    gone = row.evicted
    if gone is None:
        return None
    text = f"{row.receiver}: the queue is full, so it throws out {_victim(gone)}"
    return Note(text, Role.LOST, gone.reason.name, gone.reason.source)


def _victim(gone: Evicted) -> str:
    which = "the oldest half-open connection" if gone.oldest else "a half-open connection"
    waited = "" if gone.waited is None else f", {span_words(gone.waited)} old"
    return f"{which}{waited}, of {gone.client}"


def _disagreement(row: PacketRow) -> Note | None:
    """The two ends see one connection differently: what makes an ignored ACK so hard to find."""
    if row.outcome is not Outcome.DROPPED:
        return None
    if (row.sender_state, row.receiver_state) != (State.ESTABLISHED, State.SYN_RECV):
        return None
    text = f"the two ends disagree: {row.sender} says ESTABLISHED, {row.receiver} says SYN-RECV"
    return Note(text, Role.STATE, DISAGREEMENT)
