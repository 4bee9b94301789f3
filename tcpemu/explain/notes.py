"""What is unusual about a row, in words: why a packet was dropped, lost, repeated or answered oddly.

The reasons come from the stack; here they get the numbers of the moment and the view from the other end.
"""

from dataclasses import dataclass

from tcpemu.explain.counters import BULK
from tcpemu.explain.rows import PacketRow, Queues, Row, TimerRow
from tcpemu.explain.style import Role
from tcpemu.explain.words import duration, ordinal
from tcpemu.stack.events import Outcome, Reason
from tcpemu.stack.states import State
from tcpemu.wire.segment import RST

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
"""Reasons of what always goes so in a connection without trouble: nothing has to be said about it."""

DISAGREEMENT = "DISAGREEMENT"


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


def notes_of(row: Row) -> tuple[Note, ...]:
    """Everything unusual about a row; nothing for most rows."""
    match row:
        case PacketRow():
            found = (_copy(row), _sending(row), _loss(row), _verdict(row), _disagreement(row))
            return tuple(note for note in found if note)
        case TimerRow(reason=Reason() as reason):
            return (Note(f"{row.node}: {reason.text}", Role.LOST, reason.name, reason.source),)
        case _:
            return ()


def with_numbers(text: str, queues: Queues | None) -> str:
    """The words of a reason, with the lengths of a full queue put behind its name."""
    if queues is None:
        return text
    waiting = f"({queues.accept} wait, backlog {queues.backlog})"
    half_open = f"({queues.syn} half-open, backlog {queues.backlog})"
    both = f"({queues.accept} wait, {queues.syn} half-open, backlog {queues.backlog})"
    text = text.replace("the queue is full", f"the queue is full {both}", 1)
    text = text.replace("the accept queue is full", f"the accept queue is full {waiting}", 1)
    return text.replace("the SYN queue is full", f"the SYN queue is full {half_open}", 1)


def moved(row: PacketRow) -> str:
    """The counters that the packet moved at its receiver: `ListenOverflows +1, ListenDrops +1`."""
    return ", ".join(f"{name} {by:+}" for name, by in row.counted if name not in BULK)


def _copy(row: PacketRow) -> Note | None:
    if row.copy_of is None:
        return None
    return Note("a copy that the link made: the same packet arrives twice", Role.AGAIN, of_departure=True)


def _sending(row: PacketRow) -> Note | None:
    """Why it was sent, where that is not plain from what the sender has just received."""
    if row.sent is None:
        return None
    reason = row.sent.reason
    if row.sent.repeat:
        after = f" after {duration(row.since_last)}" if row.since_last else ""
        text = f"sent again{after} ({ordinal(row.sent.repeat)} repeat): {reason.text}"
        return Note(text, Role.AGAIN, reason.name, reason.source, of_departure=True)
    answers = row.sent_because is not None and row.sent_because.outcome is Outcome.ANSWERED
    if answers or reason.name in ORDINARY:
        return None
    role = Role.RESET if row.segment.flags & RST else Role.PLAIN
    return Note(f"{row.sender}: {reason.text}", role, reason.name, reason.source, of_departure=True)


def _loss(row: PacketRow) -> Note | None:
    if not row.lost:
        return None
    text = row.lost if row.lost.startswith("lost") else f"lost on the way: {row.lost}"
    return Note(text, Role.LOST, of_departure=True)


def _verdict(row: PacketRow) -> Note | None:
    if row.verdict is None or row.verdict.reason.name in ORDINARY:
        return None
    reason = row.verdict.reason
    text = f"{row.receiver}: {with_numbers(reason.text, row.queues)}"
    return Note(text, _ROLES[row.verdict.outcome], reason.name, reason.source)


_ROLES = {Outcome.ACCEPTED: Role.PLAIN, Outcome.ANSWERED: Role.AGAIN, Outcome.DROPPED: Role.LOST}


def _disagreement(row: PacketRow) -> Note | None:
    """The two ends see one connection differently: what makes an ignored ACK so hard to find."""
    if row.outcome is not Outcome.DROPPED:
        return None
    if (row.sender_state, row.receiver_state) != (State.ESTABLISHED, State.SYN_RECV):
        return None
    text = f"the two ends disagree: {row.sender} says ESTABLISHED, {row.receiver} says SYN-RECV"
    return Note(text, Role.STATE, DISAGREEMENT)
