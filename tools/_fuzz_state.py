"""What must hold of everything that a host has at any moment. Each rule is a sentence; `broken` looks for exceptions.

Listeners: no more than one above the backlog waits in the accept queue, but for a backlog that was lowered;
the length of the SYN queue is the number of its requests, and `young` of those whose timer has not fired;
what waits for accept() is a connection without a socket. Timers: none is in the past, none outlives its
owner, each request and TIME_WAIT bucket has one; a connection with something under way or with no owner has
one. Connections: numbers are in their order, queues hold what the numbers say, memory is what the queues
hold. Counters: CurrEstab is the number of connections. Sockets: one that becomes ready is woken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from tcpemu.generations.queue_rules import accepting_more_than
from tcpemu.stack import Host, Socket, State
from tcpemu.stack.base.sequence_numbers import after, before, distance
from tcpemu.stack.base.timer_queue import Timer
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener, SharedTimer
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.wire import Refused, Segment

Exceptions: TypeAlias = Iterator[tuple[str, str]]
"""Rules that do not hold, and how."""

_OPEN = (State.ESTABLISHED, State.CLOSE_WAIT)
_LARGEST_RTT = 2**31 * MICROSECOND
_OPENING = (State.SYN_SENT, State.SYN_RECV)
_AFTER_FIN = (State.FIN_WAIT1, State.CLOSING, State.LAST_ACK, State.FIN_WAIT2)


def broken(host: Host) -> Exceptions:
    """Every rule that does not hold of the host."""
    yield from _listeners(host)
    yield from _timers(host)
    established = 0
    for key, flow in host.tables.host.flows.items():
        if flow.key != key:
            yield "a flow stands at its key", f"{flow.key} at {key}"
        if type(flow) is Connection:
            established += flow.state in _OPEN
            for rule, detail in connection(flow):
                yield rule, f"{flow.state.name}: {detail}"
    counted = host.counters.get("CurrEstab", 0)
    if counted != established:
        yield "CurrEstab is the number of connections", f"{counted}, but there are {established}"
    for row in host.sockets():
        if row.recv_q < 0 or row.send_q < 0:
            yield "the socket table has no negative queue", str(row)


# --- listeners -----------------------------------------------------------------------------------------------


def _listeners(host: Host) -> Exceptions:
    waiting: Counter[Listener] = Counter()
    young: Counter[Listener] = Counter()
    for flow in host.tables.host.flows.values():
        if type(flow) is Request:
            waiting[flow.listener] += 1
            young[flow.listener] += flow.timeouts == 0
    listening = {one for same_port in host.tables.listeners.values() for one in same_port}
    for listener in listening | set(waiting):
        seen = waiting[listener], young[listener]
        if (listener.syn_queue, listener.young) != seen:
            yield (
                "the SYN queue's counts are those of its requests",
                f"{listener.syn_queue} and {listener.young} young; there are {seen}",
            )
    for listener in listening:
        if listener.state is not State.LISTEN:
            yield "what is found as a listener listens", listener.state.name
        yield from _accept_queue(listener)


def _accept_queue(listener: Listener) -> Exceptions:
    waiting = len(listener.accept_queue)
    if listener.accepting != waiting:
        yield (
            "the accept queue's count is that of its connections",
            f"{listener.accepting}; there are {waiting}",
        )
    for conn in listener.accept_queue:
        if conn.socket is not None or conn.parent is not listener:
            yield "what waits for accept() belongs to its listener", f"{conn.state.name}"


class QueueLimits:
    """How long each accept queue may be: one more than the backlog, or what was there when it was lowered.

    So it is in the kernels that test for that when the final ACK comes.
    """

    def __init__(self) -> None:
        self._limits: dict[Listener, int] = {}

    def broken(self, host: Host) -> Exceptions:
        listening = [one for same_port in host.tables.listeners.values() for one in same_port]
        known, self._limits = self._limits, {}
        if host.generation.queues.full_for_ack is not accepting_more_than:
            return
        for listener in listening:
            length = len(listener.accept_queue)
            limit = max(listener.backlog + 1, known.get(listener, 0))
            if length > limit:
                yield (
                    "no more than backlog + 1 wait for accept()",
                    f"{length} with a backlog of {listener.backlog}",
                )
            self._limits[listener] = max(listener.backlog + 1, min(limit, length))


# --- timers --------------------------------------------------------------------------------------------------


def _timers(host: Host) -> Exceptions:
    entries = host.tables.host.timers._entries
    valid = [(deadline, what) for deadline, order, what in entries if what.armed == order]
    armed = {id(what) for _, what in valid}
    if len(armed) != len(valid):
        yield "a timer is armed once", f"{len(valid)} entries for {len(armed)} timers"
    if host.tables.host.timers._stale != len(entries) - len(valid):
        yield "stale timers are counted", f"{host.tables.host.timers._stale} of {len(entries) - len(valid)}"
    for deadline, what in valid:
        if deadline < host.now:
            yield "timers are not in the past", f"{deadline} at {host.now}"
        if type(what) is SharedTimer:
            armed |= {id(request) for entry in what.entries.values() for request in entry}
            continue
        owner = what.owner if type(what) is Timer else what
        if host.tables.host.flows.get(owner.key) is not owner:  # type: ignore[union-attr]
            yield "no timer outlives its flow", f"{type(owner).__name__} {state_name(owner)}"
    for flow in host.tables.host.flows.values():
        if type(flow) is not Connection and id(flow) not in armed:
            yield "every request and every TIME_WAIT ends", type(flow).__name__


# --- connections ---------------------------------------------------------------------------------------------


def connection(conn: Connection) -> Exceptions:
    """The rules for one that can be found by its flow."""
    yield from _ownership(conn)
    yield from _sending(conn)
    if conn.state is not State.SYN_SENT:
        yield from _receiving(conn)
    # What is remembered of a peer sets the first RTO without a limit; timers have one of their own.
    least = 0 if _ends_at_once(conn) else 1
    if not least <= conn.rtt.rto <= 3 * _LARGEST_RTT + conn.host.rto_max:
        yield "the RTO is within its limits", f"{conn.rtt.rto}"


def _ends_at_once(conn: Connection) -> bool:
    """Whether it is a client of a kernel that gives up right after its last SYN, so that the last wait is 0."""
    retries = conn.options.syncnt or conn.host.sysctls.tcp_syn_retries
    return conn.state is State.SYN_SENT and 0 in conn.host.generation.syn.waits(retries)


def _ownership(conn: Connection) -> Exceptions:
    if conn.state is State.CLOSE:
        yield "a closed connection is not found", ""
    timer = conn.write_timer
    running = timer is not None and bool(timer.armed)
    if conn.scoreboard and not running:
        yield "what is under way has a timer", f"{len(conn.scoreboard)} segments"
    waits = conn.keepalive_timer is not None and conn.keepalive_timer.armed
    if conn.orphan and not running and not waits:
        yield "every orphan has a timer", f"pending {conn.rtx.timer_is_for}"
    if conn.orphan and (conn.state in _OPEN or (conn.state is State.FIN_WAIT2 and not waits)):
        yield "an orphan has sent FIN and does not wait for the peer's", ""
    if not conn.orphan and conn.socket is None and conn.parent is None:
        yield "a connection has an owner or is an orphan", ""


def _sending(conn: Connection) -> Exceptions:
    una, nxt, end = conn.snd.una, conn.snd.nxt, conn.snd.write_seq
    if after(una, nxt) or after(nxt, end):
        yield "snd_una <= snd_nxt <= write_seq", f"{una} {nxt} {end}"
    fin_waits = conn.snd.fin_queued and nxt != end
    waiting = sum(len(one.payload) for one in conn.snd.queue or ())
    if distance(nxt, end) != waiting + fin_waits:
        yield "unsent is what is between snd_nxt and write_seq", f"{distance(nxt, end)}, {waiting}"
    if conn.state in _AFTER_FIN and not conn.snd.fin_queued:
        yield "a state after FIN has queued one", ""
    if conn.state is State.FIN_WAIT2 and una != end:
        yield "FIN_WAIT2 has had its FIN acknowledged", f"{distance(una, end)} octets are not"
    yield from _under_way(conn)
    nothing_runs = conn.write_timer is None or not conn.write_timer.armed
    if conn.state not in _OPENING and nxt != end and nothing_runs and not conn.options.cork:
        yield "what waits to be sent has a timer", f"{waiting} octets"


def _under_way(conn: Connection) -> Exceptions:
    at = conn.snd.una
    for entry in conn.scoreboard or ():
        if entry.seq != at:
            yield "segments under way follow each other", f"{entry.seq} after {at}"
        if distance(entry.seq, entry.end) != len(entry.payload) + bool(entry.flags & 3):
            yield "a segment under way is as long as its text", f"{entry.seq} to {entry.end}"
        at = entry.end
    if at != conn.snd.nxt:
        yield "segments under way end at snd_nxt", f"{at}, not {conn.snd.nxt}"


def _receiving(conn: Connection) -> Exceptions:
    if after(conn.rcv.wup, conn.rcv.nxt) or after(conn.rcv.copied_seq, conn.rcv.nxt):
        yield "rcv_wup and copied_seq <= rcv_nxt", f"{conn.rcv.wup} {conn.rcv.copied_seq} {conn.rcv.nxt}"
    chunks, kept = conn.rcv.queue or (), conn.rcv.out_of_order or ()
    waiting = sum(len(chunk.payload) for chunk in chunks)
    # Behind a FIN that comes again further on there are numbers without octets, in the kernel too.
    if conn.socket is not None and (conn.recv_q < waiting or (conn.recv_q > waiting and not conn.peer_done)):
        yield "the receive queue holds what the numbers say", f"{waiting} octets, {conn.recv_q} by number"
    memory = sum(chunk.memory for chunk in chunks) + sum(one.memory for one in kept)
    if conn.rcv.rmem != memory:
        yield "rmem is the memory of both queues", f"{conn.rcv.rmem}, but they hold {memory}"
    at = conn.rcv.nxt
    for one in kept:
        if not after(one.end, conn.rcv.nxt) or before(one.seq, at):
            yield "fragments lie beyond rcv_nxt and in order", f"{one.seq} to {one.end}, {at}"
        at = one.seq
    for left, right in conn.rcv.sacks:
        if not after(right, left) or not after(right, conn.rcv.nxt):
            yield "SACK blocks lie beyond rcv_nxt", f"{left} to {right}, {conn.rcv.nxt}"


# --- sockets -------------------------------------------------------------------------------------------------


class Readiness:
    """Which sockets were ready, and which have been woken or called since."""

    def __init__(self) -> None:
        self._ready: dict[Socket, tuple[bool, bool]] = {}
        self._told: set[Socket] = set()

    def woken(self, sockets: Iterable[Socket]) -> None:
        self._told.update(sockets)

    def called(self, socket: Socket) -> None:
        self._told.add(socket)

    def broken(self, sockets: Sequence[Socket]) -> Exceptions:
        """Those that have become ready, and nobody was told."""
        told, self._told = self._told, set()
        known, self._ready = self._ready, {}
        for socket in sockets:
            ready = self._ready[socket] = socket.readable, socket.writable
            was = known.get(socket, (False, False))
            if socket in told or socket not in known:
                continue
            for name, then, now in zip(("readable", "writable"), was, ready, strict=True):
                if now and not then:
                    yield "a socket that becomes ready is woken", f"{name}, {socket.state.name}"


def owes_ack(host: Host, segment: Segment | Refused) -> bool:
    """Whether an ACK for this segment is only delayed, or waits to be put together with others."""
    flow = host.tables.host.flows.get(segment[:4]) if isinstance(segment, Segment) else None
    if type(flow) is not Connection:
        return False
    return any(
        timer is not None and timer.armed for timer in (flow.delayed_ack_timer, flow.compression_timer)
    )


# --- names ---------------------------------------------------------------------------------------------------


def state_name(flow: object) -> str:
    """The state of anything."""
    return State.SYN_RECV.name if type(flow) is Request else getattr(flow, "state", State.CLOSE).name


def label(host: Host, segment: Segment | Refused) -> str:
    """What a segment is going to meet."""
    if not isinstance(segment, Segment):
        return "refused"
    flow = host.tables.host.flows.get(segment[:4])
    if flow is None:
        near = [
            one for one in host.tables.listeners.get(segment.dport, ()) if one.address in (None, segment.dst)
        ]
        if not near:
            return "nothing"
        full = any(host.generation.queues.full_for_ack(one) for one in near)
        return "LISTEN, accept queue full" if full else "LISTEN"
    if type(flow) is Request:
        return "request"
    if type(flow) is TimeWait:
        return f"bucket in {flow.state.name}"
    return state_name(flow)
