"""What the host's application must have done for the host to send what it sent.

A capture does not show calls. Some show in what follows: data needs a write(), a FIN a close() or shutdown(), both an
accept(). When a connection was accepted and data was read shows only in queues and windows, so that there are several
guesses; who runs the script on the emulator finds out which of them fits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.drill.writing.seen_conversation import Conversation, HostView, SeenIn
from tcpemu.wire.segment import ACK, FIN, PSH, RST, SYN

_SOON = 3_000_000
"""Nanoseconds within which what the host sends is taken as an answer to what arrived."""
_LARGEST = 4096
"""The backlog of who leaves nobody waiting."""
_READ_SIZE = 2**20


READS = ("after a burst", "at once", "after the ACK", "never")
"""When data is read: when no more comes at that moment, segment by segment, once it is acknowledged, or not at all."""
_BURST = 20_000
"""Nanoseconds between segments that come together."""


@dataclass(frozen=True, slots=True)
class Guess:
    """How the application behaves."""

    accepts_late: bool = False
    """Connections wait until what the host sends shows that they were accepted; else it accepts at once."""
    reads: str = READS[0]
    """One of READS."""
    joins_writes: bool = True
    """Data that only waited for an ACK is of the write() before."""
    no_delay: bool = False
    """TCP_NODELAY is set."""
    backlog: int | None = None
    """What listen() is given, where somebody knows that; else it is guessed too."""
    defer_accept: int = 0
    """TCP_DEFER_ACCEPT, in seconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the application, at a time."""

    at: int
    text: str


@dataclass(slots=True, eq=False)
class _State:
    """What is known of a connection while the packets are followed."""

    descriptor: int | None = None
    open: bool = True
    """The application has it, or can get it."""
    established: bool = False
    written: int = 1
    """The number behind what has been written."""
    arrived: int = 1
    """The number behind what has arrived in order."""
    read: int = 1
    later: dict[int, int] = field(default_factory=dict)
    """What arrived beyond a gap: from where to where."""
    said_end: bool = False
    """The host's FIN is out or asked for."""


class CallGuesser:
    """Follows the host's packets, and says which calls come before and after each."""

    def __init__(self, view: HostView, guess: Guess) -> None:
        self.view = view
        self.guess = guess
        self.states = {conversation: _State() for conversation in view.conversations}
        self.ports = sorted({one.ports[1] for one in view.conversations if _was_answered(one)})
        self.listeners = {port: 3 + number for number, port in enumerate(self.ports)}
        self.next_descriptor = 3 + len(self.ports)
        self.waiting: list[Conversation] = []
        self.backlog = guess.backlog if guess.backlog is not None else self._backlog()
        self.writes: dict[SeenIn, SeenIn] = {}
        for conversation in view.conversations:
            self.writes |= _writes(conversation, guess)

    # --- before and after a packet ----------------------------------------------------------------

    def before(self, seen: SeenIn) -> list[Call]:
        """Calls that have to come before the packet."""
        state = self.states[seen.conversation]
        if seen.inbound:
            return self._make_room(seen, state)
        calls: list[Call] = []
        if seen.conversation.opened_by_host and state.descriptor is None:
            calls += self._connect(seen, state)
        if seen in self.writes:
            calls += self._write(seen, state)
        if seen.segment.flags & FIN and not state.said_end:
            calls += self._end(seen, state)
        if seen.segment.flags & RST and _resets(seen, state):
            calls += self._reset(seen, state)
        return calls

    def after(self, seen: SeenIn) -> list[Call]:
        """Calls that come right after the packet."""
        state = self.states[seen.conversation]
        calls: list[Call] = []
        if seen.inbound:
            self._take(seen, state)
            if self._opens(seen, state):
                state.established = True
                if not seen.conversation.opened_by_host:
                    self.waiting.append(seen.conversation)
                    if not self.guess.accepts_late:
                        calls += self._accept_up_to(seen, seen.conversation)
        if self._reads_now(seen):
            calls += self._read(seen, state)
        return calls

    # --- opening ----------------------------------------------------------------------------------

    def _backlog(self) -> int:
        """What leaves nobody waiting, if connections are accepted at once; else as many as had opened, less one, when
        the first one was ignored.
        """
        if not self.guess.accepts_late:
            return _LARGEST
        opened: set[Conversation] = set()
        for seen in self.view.packets:
            if not seen.inbound or seen.conversation.opened_by_host:
                continue
            conversation = seen.conversation
            if _is_ignored(seen):
                return max(len(opened) - 1, 0)
            if _is_final_ack(seen):
                opened.add(conversation)
        return _LARGEST

    def _opens(self, seen: SeenIn, state: _State) -> bool:
        if state.established:
            return False
        if seen.conversation.opened_by_host:
            return bool(seen.segment.flags & SYN)
        return _is_final_ack(seen) and not _is_ignored(seen)

    def _make_room(self, seen: SeenIn, state: _State) -> list[Call]:
        """What is not ignored, though others wait in a full queue: one of them has been accepted before."""
        opens = self._opens(seen, state) or (seen.segment.flags & SYN and not _is_ignored(seen))
        if not self.guess.accepts_late or not opens or seen.conversation.opened_by_host:
            return []
        if len(self.waiting) <= self.backlog:
            return []
        return self._accept_up_to(seen, self.waiting[0])

    def _accept_up_to(self, seen: SeenIn, wanted: Conversation) -> list[Call]:
        calls: list[Call] = []
        while wanted in self.waiting:
            conversation = self.waiting.pop(0)
            listener = self.listeners.get(conversation.ports[1], 3)
            descriptor = self.states[conversation].descriptor = self._descriptor()
            calls.append(Call(seen.at, f"accept({listener}, ..., ...) = {descriptor}"))
            calls += self._options(seen, descriptor)
        return calls

    def _descriptor(self) -> int:
        self.next_descriptor += 1
        return self.next_descriptor - 1

    def _connect(self, seen: SeenIn, state: _State) -> list[Call]:
        descriptor = state.descriptor = self._descriptor()
        peer_port, own_port = seen.conversation.ports
        lines = (
            f"socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = {descriptor}",
            f"bind({descriptor}, HOST:{own_port}, ...) = 0",
            f"connect({descriptor}, PEER:{peer_port}, ...) = -1 EINPROGRESS",
        )
        return [*(Call(seen.at, line) for line in lines), *self._options(seen, descriptor)]

    def _options(self, seen: SeenIn, descriptor: int) -> list[Call]:
        if not self.guess.no_delay:
            return []
        return [Call(seen.at, f"setsockopt({descriptor}, SOL_TCP, TCP_NODELAY, [1], 4) = 0")]

    # --- data -------------------------------------------------------------------------------------

    def _own(self, seen: SeenIn, state: _State) -> list[Call]:
        """The application has the connection: it accepts it now, if it has not yet."""
        return self._accept_up_to(seen, seen.conversation) if state.descriptor is None else []

    def _write(self, seen: SeenIn, state: _State) -> list[Call]:
        calls = self._own(seen, state)
        if state.descriptor is None:
            return calls
        last = self.writes[seen]
        size = last.end - state.written
        more = bool(last.segment.flags & FIN)
        if size > 0:
            state.written = last.end
            alone = more and last is seen
            call = f"send({state.descriptor}, ..., {size}, {'MSG_MORE' if alone else '0'}) = {size}"
            calls.append(Call(seen.at, call))
        if more and not state.said_end:
            calls += self._end(seen, state)
        return calls

    def _take(self, seen: SeenIn, state: _State) -> None:
        if not seen.size or seen.segment.flags & SYN:
            return
        state.later[seen.segment.seq] = max(seen.end, state.later.get(seen.segment.seq, 0))
        moved = True
        while moved:
            moved = False
            for start, end in sorted(state.later.items()):
                if start <= state.arrived:
                    del state.later[start]
                    state.arrived, moved = max(state.arrived, end), True

    def _reads_now(self, seen: SeenIn) -> bool:
        how = self.guess.reads
        if how == "never" or (how == "after the ACK" and seen.inbound):
            return False
        if how == "after a burst" and seen.inbound:
            following = seen.following[:1]
            return not any(other.inbound and other.at - seen.at <= _BURST for other in following)
        return seen.inbound or how == "after the ACK"

    def _read(self, seen: SeenIn, state: _State) -> list[Call]:
        size = state.arrived - state.read
        if size <= 0 or not state.open or state.descriptor is None:
            return []
        state.read = state.arrived
        return [Call(seen.at, f"read({state.descriptor}, ..., {_READ_SIZE}) = {size}")]

    # --- the end ----------------------------------------------------------------------------------

    def _end(self, seen: SeenIn, state: _State) -> list[Call]:
        calls = self._own(seen, state)
        state.said_end = True
        if state.descriptor is None:
            return calls
        if _goes_on_reading(seen):
            return [*calls, Call(seen.at, f"shutdown({state.descriptor}, SHUT_WR) = 0")]
        state.open = False
        return [*calls, Call(seen.at, f"close({state.descriptor}) = 0")]

    def _reset(self, seen: SeenIn, state: _State) -> list[Call]:
        calls = self._own(seen, state)
        if state.descriptor is None:
            return calls
        state.open = False
        if state.arrived == state.read:
            calls.append(
                Call(
                    seen.at,
                    f"setsockopt({state.descriptor}, SOL_SOCKET, SO_LINGER, {{onoff=1, linger=0}}, 8) = 0",
                )
            )
        return [*calls, Call(seen.at, f"close({state.descriptor}) = 0")]


# ---------------------------------------------------------------------------------- what a connection shows


def _resets(seen: SeenIn, state: _State) -> bool:
    """Whether the RST is the application's doing. One that answers a packet out of place has no ACK."""
    return state.established and state.open and bool(seen.segment.flags & ACK)


def _was_answered(conversation: Conversation) -> bool:
    """Whether the host took part as one that listens, or would have."""
    if conversation.opened_by_host:
        return False
    sent = [seen for seen in conversation.packets if not seen.inbound]
    return not sent or any(seen.segment.flags & SYN for seen in sent)


def _is_final_ack(seen: SeenIn) -> bool:
    flags = seen.segment.flags
    before = seen.conversation.packets[: seen.place]
    answered = any(not other.inbound and other.segment.flags & SYN for other in before)
    return answered and bool(flags & ACK) and not flags & (SYN | RST) and seen.segment.ack >= 1


def _is_ignored(seen: SeenIn) -> bool:
    """A SYN that gets no answer, or an ACK after which the host still repeats its SYN|ACK, or refuses the next one.

    Where nothing more comes of the host an ACK has not been ignored, unless one before it was.
    """
    following = seen.following
    if seen.segment.flags & SYN:
        # What comes next: the answer, or the same SYN again.
        return not following or (following[0].inbound and bool(following[0].segment.flags & SYN))
    if not _is_final_ack(seen):
        return False
    answers = [other.segment.flags for other in following if not other.inbound]
    if not answers:
        return any(
            _is_ignored(other) for other in seen.conversation.packets[: seen.place] if _is_final_ack(other)
        )
    return any(flags & SYN for flags in answers) or answers[0] & (RST | ACK) == RST


def _writes(conversation: Conversation, guess: Guess) -> dict[SeenIn, SeenIn]:
    """The first segment of each write(), and its last."""
    tails: dict[SeenIn, SeenIn] = {}
    head: SeenIn | None = None
    last_in: SeenIn | None = None
    highest, acked, waits = 1, 0, False
    for seen in conversation.packets:
        if seen.inbound:
            # Whether something was under way when it came: what follows may have waited for it.
            last_in, waits = seen, highest > acked
            acked = max(acked, seen.segment.ack)
            continue
        if not seen.size or seen.end <= highest or seen.segment.flags & SYN:
            continue
        waited = waits and last_in is not None and not last_in.size and seen.at - last_in.at <= _SOON
        whole = head is None or bool(tails[head].segment.flags & PSH)
        if head is None or (whole and not (guess.joins_writes and waited)):
            head = seen
        tails[head] = seen
        highest = seen.end
    return tails


def _goes_on_reading(fin: SeenIn) -> bool:
    """Whether the host takes data after its FIN."""
    following = fin.following
    data = any(other.inbound and other.size for other in following)
    reset = any(not other.inbound and other.segment.flags & RST for other in following)
    return data and not reset
