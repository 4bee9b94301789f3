"""The comment on a packet: why it was sent, what became of it, states, queues and counters."""

from collections.abc import Iterable, Iterator

from tcpemu.explain.facts.row_notes import (
    ORDINARY,
    Note,
    all_notes_of,
    counters_moved,
    counters_moved_at_sender,
)
from tcpemu.explain.facts.rows import PacketRow
from tcpemu.explain.lines.segment_words import state_word
from tcpemu.stack.base.events import Outcome, Reason, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import RST, SYN


def comment_on(row: PacketRow, *, departure: bool = True, arrival: bool = True) -> str:
    """What there is to say about a packet, where it left and where it arrived.

    Where something unusual became of it, that comes first: why it was sent is left out if it is plain. A
    sentence begins with the name of its host, or else with a capital letter.
    """
    facts = _few_facts(row)
    if facts is None:
        return _worded(row, departure=departure, arrival=arrival)
    key = departure, arrival, *facts
    known = _KNOWN.get(key)
    if known is None:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        words = _worded(row, departure=departure, arrival=arrival)
        sent, verdict = row.sent, row.verdict
        known = words, sent.reason if sent else None, verdict.reason if verdict else None
        _KNOWN[key] = known
    return known[0]


MOST_KNOWN = 2**14
"""So many comments are remembered."""
_KNOWN: dict[tuple[object, ...], tuple[str, Reason | None, Reason | None]] = {}
"""Comments by all that they say, with their reasons: these are told apart by their identity, which lasts so long."""


def _few_facts(row: PacketRow) -> tuple[object, ...] | None:
    """All that the comment says of a packet without trouble; most are like many others. None for one with trouble.

    Equal reasons may have other words, since two kernels may have them: so they count by their identity.
    """
    segment, sent, verdict = row.segment, row.sent, row.verdict
    if (
        row.lost
        or segment.flags & RST
        or row.copy_of is not None
        or row.evicted is not None
        or row.gone is not None
        or row.waited is not None
        or row.unread is not None
        or (sent is not None and (sent.repeat or sent.reason.name == "CHALLENGE_ACK"))
    ):
        return None
    queues, left, came, because = row.queues, row.sender_change, row.receiver_change, row.sent_because
    return (
        row.sender,
        row.receiver,
        segment.flags,
        len(segment.payload),
        None if sent is None else id(sent.reason),
        because is not None and because.outcome is Outcome.ANSWERED,
        None if verdict is None else (id(verdict.reason), verdict.outcome),
        None if left is None else (left.old, left.new),
        None if came is None else (came.old, came.new),
        row.sender_state,
        row.receiver_state,
        None if queues is None else (queues.node, queues.port, queues.accept, queues.syn, queues.backlog),
        row.queues_changed,
        row.counted,
        row.sender_counted,
    )


def _worded(row: PacketRow, *, departure: bool, arrival: bool) -> str:
    notes = all_notes_of(row)
    if arrival and not row.sender_change and any(_unusual_arrival(note) for note in notes):
        notes = tuple(note for note in notes if not (note.of_departure and note.rule in ORDINARY))
    left = _departure(row, notes) if departure else ()
    came = _arrival(row, notes) if arrival else ()
    sentences = [*left, *came, *_queues(row, departure, arrival), *_counters(row, departure, arrival)]
    return " ".join(f"{_begun(sentence, row)}." for sentence in sentences or [_bare(row)])


def _begun(sentence: str, row: PacketRow) -> str:
    first = sentence.split(" ", maxsplit=1)[0].removesuffix(":")
    if first in {row.sender, row.receiver}:
        return sentence
    return sentence[:1].upper() + sentence[1:]


def _unusual_arrival(note: Note) -> bool:
    return not note.of_departure and not note.ordinary


def _departure(row: PacketRow, notes: Iterable[Note]) -> Iterator[str]:
    """The sentences about how it left, without full stops."""
    state = _state(row.sender_change, row.sender_state)
    yield from _sentences(notes, row.sent.reason if row.sent else None, state, of_departure=True)
    if row.sent is None and row.sender_change:
        yield f"{row.sender}:{state}"


def _arrival(row: PacketRow, notes: Iterable[Note]) -> Iterator[str]:
    """The sentences about what became of it."""
    state = _state(row.receiver_change, row.receiver_state) or (" (LISTEN)" if _for_listener(row) else "")
    yield from _sentences(notes, row.verdict.reason if row.verdict else None, state, of_departure=False)
    if row.verdict is None and row.receiver_change:
        yield f"{row.receiver}:{state}"


def _queues(row: PacketRow, departure: bool, arrival: bool) -> Iterator[str]:
    """A listener's queues, if the packet had to do with them."""
    queues = row.queues
    if queues is None:
        return
    left = departure and queues.node == row.sender and _of_half_open(row)
    if left or (arrival and _for_listener(row)):
        limit = queues.backlog
        yield f"Queues of port {queues.port}: accept {queues.accept}/{limit}, SYN {queues.syn}/{limit}"


def _counters(row: PacketRow, departure: bool, arrival: bool) -> Iterator[str]:
    if departure and (counted := counters_moved_at_sender(row)):
        yield f"Counters of {row.sender}: {counted}"
    if arrival and (counted := counters_moved(row)):
        yield f"Counters of {row.receiver}: {counted}"


def _sentences(
    notes: Iterable[Note], reason: Reason | None, state: str, *, of_departure: bool
) -> Iterator[str]:
    """The notes of one end; that of the reason says the state there too."""
    for note in notes:
        if note.of_departure == of_departure:
            here = state if reason and note.rule == reason.name else ""
            yield note.text + here + (f" [{note.source}]" if note.source else "")


def _state(change: StateChanged | None, stays: State | None) -> str:
    """` (SYN-RECV → ESTAB)`, ` (ESTAB)`; empty where there was no connection and is none."""
    if change is not None:
        return f" ({state_word(change.old)} → {state_word(change.new)})"
    return "" if stays in (None, State.CLOSE) else f" ({state_word(stays)})"


def _of_half_open(row: PacketRow) -> bool:
    """Whether a timer sent it for a half-open connection: a SYN|ACK again, or the RST at the end."""
    again = bool(row.sent and row.sent.repeat and row.segment.flags & SYN)
    return again or bool(row.sender_change and row.sender_change.old is State.SYN_RECV)


def _for_listener(row: PacketRow) -> bool:
    """Whether it changed the queues where it arrived, or was for the listener or for what waits in them."""
    if row.queues is None or row.queues.node != row.receiver:
        return False
    if row.queues_changed or row.verdict is None:
        return row.queues_changed
    waits = row.receiver_state in (None, State.CLOSE, State.LISTEN, State.SYN_RECV)
    return waits and row.verdict.reason.name not in _WITHOUT_LISTENER


_WITHOUT_LISTENER = frozenset({"NO_SOCKET", "NO_SOCKET_RST", "TCP_CSUM", "PKT_TOO_SMALL", "NOT_LOCAL"})
"""Reasons that no listener has to do with, even if there was one on the port before."""


def _bare(row: PacketRow) -> str:
    """Of a packet between ends that say nothing of what they do."""
    return f"{row.sender} sends it" + (f" to {row.receiver}" if row.receiver else "")
