"""What there is to say of a row, in words: above all why a packet was dropped, lost, repeated or answered oddly.

The reasons come from the stack; here they get the numbers of the moment and the view from the other end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.counter_meanings import BULK
from tcpemu.explain.facts.rows import Evicted, IcmpRow, ListenerQueues, PacketRow, Row, TimerRow
from tcpemu.explain.lines.count_words import count, ordinal
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.explain.lines.style import Role
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.network.record import HOST_IS_OFF, MIDDLEBOX, NO_HOST, SILENT_ROUTER
from tcpemu.stack.base.events import LISTENER_GONE, GivenUp, Outcome, Reason, Verdict
from tcpemu.stack.base.states import State
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import ACK, RST, SYN, Segment

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
_WITH_DATA = frozenset({"DATA", "DATA_SENT", "HELD_DATA_SENT"})
"""Reasons of which the number of octets is told."""

DISAGREEMENT = "DISAGREEMENT"
ZERO_WINDOW = "ZERO_WINDOW"
"""Stands for the reason of an ACK that closes the window, or leaves it closed."""
_ACKS = frozenset({"ACK", "DELAYED_ACK", "DUP_ACK", "DATA_SENT"})
PROBE = "WINDOW_PROBE"
PROBE_ANSWERED, PROBE_NOT_ANSWERED = "WINDOW_PROBE_ANSWERED", "WINDOW_PROBE_NOT_ANSWERED"
KEEPALIVE, KEEPALIVE_ANSWERED = "KEEPALIVE", "KEEPALIVE_ANSWERED"
FIN_WAIT2_OVER = "FIN_WAIT2_OVER"
NOBODY, HOST_OFF = "NOBODY", "HOST_OFF"
"""Stand for the reasons of what is sent to an address that no host has, and to a host that is off."""
BLACK_HOLE = "BLACK_HOLE"
"""Stands for the reason of what is too large for a link of the path, where no router says so."""


@dataclass(slots=True, unsafe_hash=True)  # not frozen: they are made by the million
class Note:
    """A sentence without a full stop. Nobody changes it."""

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
        case IcmpRow(error=IcmpError() as error, reason=Reason() as reason):
            role = Role.LOST if row.change else Role.AGAIN
            return (Note(f"{error}; {row.node}: {reason.text}", role, reason.name, reason.source),)
        case TimerRow(reason=Reason() as reason):
            text = f"{row.node}: {reason.text}{decided(row.given_up, reason)}{_fin_wait2(row)}"
            return (Note(text, Role.LOST, reason.name, reason.source),)
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


def decided(given_up: GivenUp | None, reason: Reason) -> str:
    """How long a timer that gave up had waited, and by which setting."""
    if given_up is None:
        return ""
    unit = " ms" if given_up.setting in _MILLISECONDS else ""
    eight = ", which counts as 8" if not given_up.value and given_up.setting in _EIGHT_FOR_NONE else ""
    setting = f"{given_up.setting} is {given_up.value}{unit}{eight}"
    if given_up.allowed is None:
        return f"; {setting}"
    waited, allowed = span_words(given_up.waited), span_words(given_up.allowed)
    since = "SYN" if reason.name == "SYN_TIMED_OUT" else "retransmission"
    return f"; {waited} have passed since the first {since}, and {setting}: that allows {allowed}"


def _fin_wait2(row: TimerRow) -> str:
    """How long an orphan has waited for the peer's FIN, and by which setting."""
    if row.change is None or row.reason is None or row.reason.name != FIN_WAIT2_OVER:
        return ""
    return f"; {row.change.cause}"


_EIGHT_FOR_NONE = frozenset({"net.ipv4.tcp_orphan_retries"})
_MILLISECONDS = frozenset({"TCP_USER_TIMEOUT", "net.ipv4.tcp_rto_max_ms"})


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
    text = f"{row.sender}: {_sent_words(row, reason)}{_octets(row, reason)}{_waited(row)}"
    if row.unread is not None and reason.name in _ACKS:
        text = f"{text}; {_shut(row)}"
        return Note(text, Role.AGAIN, ZERO_WINDOW, reason.source, of_departure=True)
    if answers or reason.name in ORDINARY:
        return Note(text, Role.PLAIN, reason.name, of_departure=True, ordinary=True)
    role = Role.RESET if row.segment.flags & RST else Role.PLAIN
    return Note(text, role, reason.name, reason.source, of_departure=True)


_ANSWERED_SO = re.compile(
    r"(, so it is|:| is) answered with a RST.*|, so the (SYN|final ACK) is answered with a RST.*"
)
"""What the words of a reason say of the answer, which is told of it already."""


def reset_cause(row: PacketRow) -> str:
    """Which call, timer or segment made its sender send this RST; empty where nobody says it."""
    met = row.sent_because
    if met is not None and isinstance(met.segment, Segment):
        why = with_numbers(_ANSWERED_SO.sub("", met.reason.text), row.queues)
        return f"in answer to the {segment_kind(met.segment)} that arrived: {why}"
    if row.sender == MIDDLEBOX and row.sent:
        return row.sent.reason.text
    return row.sender_change.cause if row.sender_change else ""


def _sent_words(row: PacketRow, reason: Reason) -> str:
    """The reason's words; before those of a RST, the call, timer or segment that made it."""
    cause = reset_cause(row) if row.segment.flags & RST else ""
    if not cause or row.sender == MIDDLEBOX:
        return f"{_challenge(row, reason)}{reason.text}"
    return f"a RST {cause}" if row.sent_because else f"{cause}: {reason.text}"


def _waited(row: PacketRow) -> str:
    """How long an ACK was delayed, or data held."""
    if row.waited is None or row.sent is None:
        return ""
    if row.sent.reason.name == "DELAYED_ACK":
        return f": the data came {span_words(row.waited)} ago"
    return f"; it was written {span_words(row.waited)} ago"


def _shut(row: PacketRow) -> str:
    waits = count(row.unread or 0, "octet")
    return f"the window is 0: the receive buffer is full, {waits} {'waits' if row.unread == 1 else 'wait'} for recv()"


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
    if row.lost == HOST_IS_OFF:
        return Note(f"reaches nobody: {HOST_IS_OFF}", Role.LOST, HOST_OFF, of_departure=True)
    if row.lost.endswith(SILENT_ROUTER):
        return Note(f"lost on the way: {row.lost}", Role.LOST, BLACK_HOLE, of_departure=True)
    text = row.lost if row.lost.startswith("lost") else f"lost on the way: {row.lost}"
    return Note(text, Role.LOST, of_departure=True)


def _verdict(row: PacketRow) -> Note | None:
    if row.verdict is None:
        return None
    reason = row.verdict.reason
    if reason.name in ORDINARY:
        text = f"{row.receiver}: {reason.text}{_octets(row, reason)}"
        return Note(text, Role.PLAIN, reason.name, ordinary=True)
    role, rule, text = _ROLES[row.verdict.outcome], reason.name, with_numbers(reason.text, row.queues)
    if row.sent and row.sent.reason.name == PROBE and row.verdict.outcome is not Outcome.ACCEPTED:
        answered = row.verdict.outcome is Outcome.ANSWERED
        rule = PROBE_ANSWERED if answered else PROBE_NOT_ANSWERED
        text = f"a zero window probe: {'answered with an ACK that says the window' if answered else text}"
    elif row.sent and row.sent.reason.name == KEEPALIVE and row.verdict.outcome is Outcome.ANSWERED:
        rule, text = KEEPALIVE_ANSWERED, "a keepalive probe: answered with an ACK, so the peer is there"
    elif reason.name in _KNOWN_FIRST and row.segment.flags & (SYN | ACK) == SYN | ACK:
        answered = row.verdict.outcome is Outcome.ANSWERED
        text = f"a repeated SYN|ACK reaches an open connection: {'challenge ACK' if answered else text}"
    elif row.gone is not None and row.gone.cause == LISTENER_GONE:
        rule = "REQUEST_ORPHANED"
    elif reason.name == "DATA_AHEAD" and not row.segment.payload:
        text = "out of order: the FIN is kept until the gap is filled"
    return Note(f"{row.receiver}: {text}{_gone(row)}", role, rule, reason.source)


_KNOWN_FIRST = frozenset({"CHALLENGE_SYN", "CHALLENGE_LIMITED"})


def _gone(row: PacketRow) -> str:
    """How the connection ended that was there before."""
    if row.gone is None:
        return ""
    cause = f": {row.gone.cause}" if row.gone.cause else ""
    half_open = "half-open " if row.gone.old is State.SYN_RECV else ""
    return f"; the {half_open}connection that was there is gone since {moment(row.gone.at)}{cause}"


def drop_word(verdict: Verdict | None) -> str:
    """`dropped` or `ignored`, as the reason itself has it, for a packet that came to nothing; else empty."""
    if verdict is None or verdict.outcome is not Outcome.DROPPED:
        return ""
    return "ignored" if "ignored" in verdict.reason.text else "dropped"


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
