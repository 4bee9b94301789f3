"""Whether two answers to one step trace are the same.

Two runs of one trace never agree to the microsecond, not even two runs of one kernel: its timers are late by
up to an eighth of their delay, and whoever waits for a packet is late as well. So a packet's time has a
slack that grows with the time for which the flow had been left alone, while order, content, results of calls,
socket tables and counters have none.

The slack of a packet is 30 ms and an eighth of the time since

- the flow's last step (a segment from its peer, or any call of an application), or
- the last time the same packet was sent, if that is longer ago: it then comes from a timer as old as that.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeAlias

from tcpemu.scenario.traces.info_judge import info_difference
from tcpemu.wire.relative_numbers import LogEntry, Trace, ends_of

PeerFlow: TypeAlias = tuple[str, int]
"""Address and port of the peer."""

STEADY_SLACK = 0.03
GROWING_SLACK = 1 / 8
CONTENT = ("flags", "seq", "ack", "win", "len", "df", "ttl", "tos", "lport", "urg", "label")
"""What must be equal in a packet, besides its options."""
_INFO = [6, 11]
"""Level and number of TCP_INFO."""
_ALWAYS_TOLD = ("flags", "seq", "win", "len", "opts")
"""What a log says of every packet; the rest only where there is any."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which two answers are not the same."""

    words: str
    at: float
    """Seconds: when it shows."""
    rule: str
    """The rule that decides it, as far as what differs tells: a timer, a window, a counter."""

    def __str__(self) -> str:
        return self.words


def difference(truth: Trace, candidate: Trace) -> str | None:
    """The first thing in which the candidate is not as the truth, in words; None if there is none.

    Packets are looked at first, the flow that spoke first before the others; then calls and samples in order.
    Raises ValueError for a trace that nobody has answered.
    """
    found = next(_differences(truth, candidate), None)
    return None if found is None else found.words


def earliest_difference(truth: Trace, candidate: Trace) -> Difference | None:
    """The one that shows first, which is nearest to its cause; None if there is none. ValueError as above."""
    return min(_differences(truth, candidate), key=lambda found: found.at, default=None)


def _differences(truth: Trace, candidate: Trace) -> Iterator[Difference]:
    left, right = _sent(truth), _sent(candidate)
    for flow in sorted(left.keys() | right.keys(), key=lambda flow: (left.get(flow) or right[flow])[0].at):
        yield from _flow_differences(flow, left.get(flow, []), right.get(flow, []), truth["until"])
    for expected, got in zip_longest(_calls(truth), _calls(candidate)):
        yield from _call_differences(expected, got)


# ---------------------------------------------------------------------------------- packets


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet of the host, and how far from its time the same packet of another run may be."""

    at: float
    entry: LogEntry
    slack: float

    @property
    def content(self) -> LogEntry:
        options = [option[:1] + option[2:] if option[0] == "TS" else option for option in self.entry["opts"]]
        return {name: self.entry.get(name) for name in CONTENT} | {"options": options}

    @property
    def timestamp(self) -> int | None:
        return next((option[1] for option in self.entry["opts"] if option[0] == "TS"), None)

    def __str__(self) -> str:
        words = " ".join(f"{name} {self.entry.get(name)}" for name in ("seq", "ack", "win", "len"))
        return f"{self.entry['flags'] or 'no flags'} {words} {self.entry['opts']} at {self.at:.3f}"


def _sent(trace: Trace) -> dict[PeerFlow, list[_Packet]]:
    """The host's packets of each flow, in order."""
    packets: dict[PeerFlow, list[_Packet]] = {}
    last_step: dict[PeerFlow, float] = {}
    peer = ends_of(trace).peer
    for entry in _log(trace):
        if "out" in entry:
            flow = (entry.get("ip", peer), entry["out"])
            before = packets.setdefault(flow, [])
            since = min(last_step.get(flow, 0.0), _same_before(before, entry))
            slack = STEADY_SLACK + GROWING_SLACK * (entry["t"] - since)
            before.append(_Packet(entry["t"], entry, slack))
        else:
            for flow in _touched(entry, last_step, peer):
                last_step[flow] = entry["t"]
    return packets


def _log(trace: Trace) -> list[LogEntry]:
    if "log" not in trace:
        raise ValueError(f"the trace {trace.get('name', '')!r} has no log: run it before it is judged")
    log: list[LogEntry] = trace["log"]
    if not isinstance(log, list) or not all(_is_entry(entry) for entry in log):
        raise ValueError(f"the log of {trace.get('name', '')!r} is no list of entries, each with a time t")
    for entry in log:
        missing = [name for name in _ALWAYS_TOLD if "out" in entry and name not in entry]
        if missing:
            raise ValueError(f"the packet at {entry['t']} s in the log says nothing of {', '.join(missing)}")
    return log


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("t"), int | float)


def _same_before(packets: list[_Packet], entry: LogEntry) -> float:
    """When the same flags, sequence number and length were sent last; infinitely late if never."""
    for packet in reversed(packets):
        if all(packet.entry[name] == entry[name] for name in ("flags", "seq", "len")):
            return packet.at
    return float("inf")


def _touched(entry: LogEntry, known: dict[PeerFlow, float], peer: str) -> list[PeerFlow]:
    """The flows for which this step is the last one: its own if it is a segment, all if it is a call."""
    if "in" in entry:
        port, *rest = entry["in"]
        options = rest[3] if len(rest) > 3 else {}
        return [(options.get("ip", peer), port)]
    call = entry.get("do", ["sample"])
    if call[0] == "sample":
        return []
    return [*known, (peer, call[2])] if call[0] == "connect" else [*known]


def _flow_differences(
    flow: PeerFlow, truth: list[_Packet], candidate: list[_Packet], until: float
) -> Iterator[Difference]:
    for number, (expected, got) in enumerate(zip_longest(truth, candidate), 1):
        where = f"flow of {flow[1]}, packet {number}"
        if expected is None or got is None:
            lone = expected or got
            if lone is not None and not _may_miss_the_end(lone, until, expected is None):
                words = f"{where}: expected {expected or 'nothing'}; got {got or 'nothing'}"
                yield Difference(words, lone.at, rule_of(lone.entry))
        elif expected.content != got.content:
            words = f"{where}: expected {expected}; got {got}"
            yield Difference(words, min(expected.at, got.at), _rule_of_content(expected, got))
        else:
            yield from _time_differences(where, expected, got)


def _may_miss_the_end(packet: _Packet, until: float, surplus: bool) -> bool:
    """So near the end of the run that the other side may have stopped before it.

    A surplus packet has no packet of the truth to take a slack from, so the whole run counts for it.
    """
    slack = STEADY_SLACK + GROWING_SLACK * packet.at if surplus else packet.slack
    return packet.at > until - slack


def _time_differences(where: str, expected: _Packet, got: _Packet) -> Iterator[Difference]:
    at = min(expected.at, got.at)
    if abs(expected.at - got.at) > expected.slack:
        words = f"{where}: expected {expected}, within {expected.slack:.3f} s; got it at {got.at:.3f}"
        yield Difference(words, at, f"when a timer fires: {rule_of(expected.entry)}")
    if expected.timestamp is not None and got.timestamp is not None:
        apart = (expected.timestamp - got.timestamp + 2**31) % 2**32 - 2**31
        if abs(apart) > expected.slack * 1000:
            words = f"{where}: expected timestamp {expected.timestamp}, got {got.timestamp}"
            yield Difference(words, at, "the clock of timestamps (tcp_time_stamp_ts)")


# ---------------------------------------------------------------------------------- calls and samples


def _calls(trace: Trace) -> list[LogEntry]:
    return [entry for entry in _log(trace) if "do" in entry]


def _call_differences(expected: LogEntry | None, got: LogEntry | None) -> Iterator[Difference]:
    if expected is None or got is None or expected["do"] != got["do"]:
        at = (expected or got or {"t": 0.0})["t"]
        yield Difference(f"expected the call {_told(expected)}, got {_told(got)}", at, "the steps themselves")
    elif expected["do"][0] == "sample":
        yield from _sample_differences(expected["t"], expected["ret"], got["ret"])
    elif expected["ret"] != got["ret"]:
        words = f"{_told(expected)}: expected {expected['ret']}, got {got['ret']}"
        if _asks_for_info(expected, got):
            found = info_difference(expected["ret"], got["ret"])
            if found is None:
                return
            words = f"{_told(expected)}: {found}"
        verb = expected["do"][0]
        yield Difference(words, expected["t"], _CALLS.get(verb, f"what {verb} gives"))


def _asks_for_info(*entries: LogEntry) -> bool:
    """Whether both got TCP_INFO in octets."""
    return all(
        entry["do"][0] == "getopt"
        and entry["do"][2:4] == _INFO
        and isinstance(entry["ret"], str)
        and entry["ret"] == entry["ret"].lower()  # the name of an errno has capitals
        for entry in entries
    )


def _told(entry: LogEntry | None) -> str:
    return "none" if entry is None else f"{entry['do']} at {entry['t']:.3f}"


def _sample_differences(at: float, expected: LogEntry, got: LogEntry) -> Iterator[Difference]:
    where = f"sample at {at:.3f}"
    if expected["ss"] != got["ss"]:
        missing = [row for row in expected["ss"] if row not in got["ss"]]
        surplus = [row for row in got["ss"] if row not in expected["ss"]]
        words = f"{where}, socket table: {missing} are missing, {surplus} are too many"
        yield Difference(words, at, "states, or what waits in the queues (ss)")
    wanted, had = expected["mib"], got["mib"]
    moved = {name: (wanted.get(name, 0), had.get(name, 0)) for name in sorted(wanted.keys() | had.keys())}
    if wrong := {name: pair for name, pair in moved.items() if pair[0] != pair[1]}:
        yield Difference(f"{where}, counters (expected, got): {wrong}", at, f"counter {', '.join(wrong)}")


# ---------------------------------------------------------------------------------- what rule it looks like

_CALLS = {
    "accept": "the accept queue, or what completes a handshake",
    "send": "the send buffer (sk_stream_memory_free), or the state",
    "recv": "what has been received, or the state",
    "soerror": "what ends a connection, and with which error",
}
_FIELDS = {
    "seq": "which data goes out, new or again (tcp_write_xmit, tcp_xmit_retransmit_queue)",
    "len": "how much goes out at once (tcp_write_xmit: Nagle, both windows, pieces)",
    "ack": "when an ACK is sent (__tcp_ack_snd_check, tcp_send_delayed_ack)",
    "options": "SACK blocks, or which timestamp is echoed (tcp_established_options)",
    "win": "the receive window (tcp_select_window, tcp_grow_window, tcp_rcv_space_adjust)",
    "flags": "PSH where a buffer ends, FIN, ECE and CWR",
    "tos": "ECN, or IP_TOS",
    "ttl": "IP_TTL",
    "df": "path MTU discovery",
    "label": "the flow label (sk_rethink_txhash)",
}
"""Fields of a packet, and the rule that each tells of, the most telling one first."""


def rule_of(entry: LogEntry) -> str:
    """What decides whether such a packet goes out, and when."""
    flags = entry["flags"]
    if "R" in flags:
        return "what is answered with a RST"
    if "S" in flags:
        return "SYN and SYN|ACK, and when they are sent again"
    if entry["len"] or "F" in flags:
        return "when data goes out, or is sent again (tcp_write_xmit, RTO, RACK, loss probe)"
    if any(option[0] == "sack" for option in entry["opts"]):
        return "duplicate ACKs (tcp_send_dupack, tcp_comp_sack_nr)"
    return "when an ACK is sent (__tcp_ack_snd_check, tcp_send_delayed_ack), or a probe"


def _rule_of_content(expected: _Packet, got: _Packet) -> str:
    wrong = [name for name in expected.content if expected.content[name] != got.content[name]]
    if bool(expected.entry["len"]) != bool(got.entry["len"]):
        return rule_of((expected if expected.entry["len"] else got).entry)
    return next((_FIELDS[name] for name in _FIELDS if name in wrong), ", ".join(wrong))
