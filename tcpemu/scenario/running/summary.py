"""A run in a few numbers, to be shown beside those of other runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tcpemu.generations import GENERATIONS
from tcpemu.generations.queue_rules import half_open_at_least, half_open_more_than
from tcpemu.network import Node
from tcpemu.network.recorded.outline import Outline
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import QueueChanged
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.sockets.ss_table import SocketRow

_SYN_DROPS = frozenset(
    reason.name
    for reason in (
        reasons.SYN_QUEUE_FULL,
        reasons.ACCEPT_QUEUE_FULL_SYN,
        reasons.QUEUE_FULL_SYN,
        reasons.LAST_QUARTER,
    )
)
IGNORED_ACKS = frozenset(
    reason.name for reason in (reasons.ACCEPT_QUEUE_FULL, reasons.COOKIE_ACCEPT_QUEUE_FULL)
)
"""Why a final ACK is ignored, by the reasons' names."""
_PLACES: dict[object, int] = {half_open_more_than: 1, half_open_at_least: 0}
"""How many more half-open connections there can be than the backlog, by the rule of the kernel."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How clients and server fared, at the end of a run. Bare SYNs are no clients."""

    name: str
    """The name of the variant."""
    clients: int
    connected: int
    """Clients for which the handshake was completed, on their side."""
    completed: int
    """Handshakes that were completed on the server's side."""
    connecting: int
    """Clients that are still trying."""
    refused: int
    """Clients that got ECONNREFUSED."""
    reset: int
    """Clients that got ECONNRESET or EPIPE."""
    timed_out: int
    """Clients that gave up with ETIMEDOUT."""
    accepted: int
    """Connections that accept() gave to the server."""
    accept_queue: int
    """Completed connections that wait for accept()."""
    syn_queue: int
    """Half-open connections."""
    backlog: int | None
    """The limit in force; None if nobody listens any more."""
    syns_dropped: int
    """SYNs that the server dropped because a queue was full."""
    acks_ignored: int
    """Final ACKs that the server ignored because the accept queue was full."""
    syn_acks_repeated: int
    cookies_sent: int
    resets_sent: int
    """RSTs that the server sent."""
    accept_rate: float | None
    """Connections accepted a second, see `accept_rate()`; None unless clients came at a rate."""
    accept_rate_limit: float | None
    """What it cannot exceed; see `accept_rate_limit()`."""


LABELS = {
    "clients": "clients",
    "connected": "connected, clients say",
    "completed": "connected, server says",
    "connecting": "still connecting",
    "refused": "refused",
    "reset": "reset",
    "timed_out": "timed out",
    "accepted": "accepted by the server",
    "accept_queue": "in the accept queue",
    "syn_queue": "in the SYN queue",
    "backlog": "backlog",
    "syns_dropped": "SYNs dropped",
    "acks_ignored": "final ACKs ignored",
    "syn_acks_repeated": "SYN|ACKs sent again",
    "cookies_sent": "SYN cookies sent",
    "resets_sent": "RSTs sent",
    "accept_rate": "accepted a second, measured",
    "accept_rate_limit": "accepted a second, at most",
}
"""What each number is called, in the order in which they are shown."""


def summarize(result: Result) -> Summary:
    """The run in numbers."""
    server = result.network.nodes[SERVER]
    assert isinstance(server, Node)
    counters, outline = result.network.counters(server), result.record.outline()
    port = result.scenario.server.port
    rows = [row for row in result.network.table(server) if row.local[1] == port]
    listener = next((row for row in rows if row.state is State.LISTEN), None)
    errors = [client.error for client in result.clients]
    return Summary(
        name=result.name,
        clients=len(errors),
        connected=sum(client.connected is not None for client in result.clients),
        completed=counters.get("PassiveOpens", 0),
        connecting=sum(_is_connecting(result, number) for number in range(len(errors))),
        refused=errors.count("ECONNREFUSED"),
        reset=errors.count("ECONNRESET") + errors.count("EPIPE"),
        timed_out=errors.count("ETIMEDOUT"),
        accepted=len(result.accepted),
        accept_queue=listener.recv_q if listener else 0,
        syn_queue=_half_open(rows),
        backlog=listener.send_q if listener else None,
        syns_dropped=_dropped(outline, _SYN_DROPS),
        acks_ignored=_dropped(outline, IGNORED_ACKS),
        syn_acks_repeated=counters.get("TCPSynRetrans", 0),
        cookies_sent=counters.get("SyncookiesSent", 0),
        resets_sent=counters.get("OutRsts", 0),
        accept_rate=_rate_of_crowd(result),
        accept_rate_limit=accept_rate_limit(result.scenario),
    )


def rows_of_numbers(summaries: Sequence[Summary]) -> list[tuple[str, list[str]]]:
    """Label and one value for each run; numbers that are nought in all of them are left out."""
    rows = []
    for field, label in LABELS.items():
        values = [getattr(summary, field) for summary in summaries]
        if any(value not in {None, 0} for value in values) or field == "backlog":
            rows.append((label, [_shown(value) for value in values]))
    return rows


def accept_rate(result: Result, places: int) -> Fraction | None:
    """Connections accepted a second, `places` being the most half-open connections at once; None if too few were.

    Measured from the end of the first filling of the SYN queue, which found it empty, to the end of the last whole
    one. What is accepted comes in bursts, one filling each round trip: with an end inside of a burst the rate would
    depend on where the run ends, and could exceed what the queue lets in. The places are those that were used, for
    the backlog alone does not say how many a kernel has.
    """
    times = [accepted.at for accepted in result.accepted]
    last = (len(times) - 1) // places * places if places else 0
    if last <= places or times[last] == times[places]:
        return None
    return Fraction((last - places) * SECOND, times[last] - times[places])


def accept_rate_limit(scenario: Scenario) -> float | None:
    """Connections that can be accepted a second where clients come at a rate; None if nothing limits them.

    Without SYN cookies each needs one of backlog + 1 places in the SYN queue for one round trip: if r is the
    round-trip time, that is (backlog + 1) / r a second. (Linux before the stable updates of 2025 has one place
    less; of kernels that count otherwise this says nothing.) A server that is busy with each connection for a time t
    accepts 1 / t a second.
    """
    group = next((group for group in scenario.clients if group.start.rate and not group.raw), None)
    if group is None:
        return None
    server = scenario.server
    limits = []
    round_trip = scenario.link_of(group).round_trip
    more = _PLACES.get(GENERATIONS[server.generation].queues.syn_full)
    if server.sysctls.get("net.ipv4.tcp_syncookies") == 0 and round_trip and more is not None:
        limits.append(Fraction((server.backlog + more) * SECOND, round_trip))
    if server.accept.mean_busy:
        limits.append(SECOND / Fraction(server.accept.mean_busy))
    return float(min(limits)) if limits else None


def _is_connecting(result: Result, number: int) -> bool:
    client = result.clients[number]
    return client.started <= result.ended and client.connected is None and client.ended is None


def _half_open(rows: Sequence[SocketRow]) -> int:
    return sum(row.state is State.SYN_RECV for row in rows)


def _dropped(outline: Outline, names: frozenset[str]) -> int:
    return sum(outline.verdicts.get((SERVER, name), 0) for name in names)


def _rate_of_crowd(result: Result) -> float | None:
    """The accept rate where clients come at a rate. Those that come at times of their own say nothing of it."""
    if not any(group.start.rate and not group.raw for group in result.scenario.clients):
        return None
    port = result.scenario.server.port
    changes = (entry.event for entry in result.record.each_event(QueueChanged) if entry.node == SERVER)
    lengths = (event.syn for event in changes if isinstance(event, QueueChanged) and event.port == port)
    rate = accept_rate(result, max(lengths, default=0))
    return None if rate is None else float(rate)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"
