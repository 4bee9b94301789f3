"""Calls that failed: a paragraph for each kind, with what made them fail and what would change it.

A call fails long after its cause, and often at the other end: so the causes are looked for in what went before, the
RST that arrived, the timer that gave up, the sockets that hold a port.
"""

import errno
import os
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.changed_states import each_change
from tcpemu.explain.facts.flow_memory import FlowEnd
from tcpemu.explain.facts.row_notes import decided, reset_cause
from tcpemu.explain.facts.rows import CallRow, IcmpRow, PacketRow, Row, TimerRow
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.story.settings_advice import SettingsCase, settings_advice
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import Record
from tcpemu.stack.base.events import StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import RST, FlowKey, address_text

_PORTS = "net.ipv4.ip_local_port_range"


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a call failed, as a sentence without a full stop, and what would change it."""

    text: str
    change: str = ""


def failed_calls(
    record: Record, rows: Sequence[Row], hosts: Mapping[str, KnownHost]
) -> Iterator[TurningPoint]:
    """A paragraph for each kind of call that failed, errno by errno and host by host."""
    finder, kinds = _Causes(hosts), dict[tuple[str, str, str], tuple[_Cause, list[CallRow]]]()
    changes = deque(each_change(record))
    for row in sorted(rows, key=_when):
        while changes and changes[0][1].at <= _when(row):
            finder.changed(*changes.popleft())
        finder.seen(row)
        if isinstance(row, CallRow) and row.result.isupper():
            kind = row.result, row.text.partition("(")[0], row.node
            if kind not in kinds:
                kinds[kind] = finder.cause(row), []
            kinds[kind][1].append(row)
    for (error, verb, node), (cause, failed) in kinds.items():
        yield _point(error, verb, node, cause, failed)


def _when(row: Row) -> int:
    """When a packet has had its effect: it is listed by its departure."""
    return row.arrived or row.at if isinstance(row, PacketRow) else row.at


def _point(error: str, verb: str, node: str, cause: _Cause, failed: Sequence[CallRow]) -> TurningPoint:
    first, last = failed[0], failed[-1]
    who = first.application or node
    text = f"{who}: {first.text} at {moment(first.at)} fails with {error}: {cause.text}."
    if len(failed) > 1:
        text += f" {count(len(failed) - 1, 'more call')} of {node} failed the same way, the last at {moment(last.at)}."
    return TurningPoint(first.at, error, f"{verb}() fails with {error}", text, cause.change, len(failed))


_ICMP_ERRNO = re.compile("E(NET|HOST)UNREACH|ECONNREFUSED|EACCES|EPROTO")
"""What a connect() fails with that ICMP ends."""


class _Causes:
    """Remembers what may make a call fail."""

    def __init__(self, hosts: Mapping[str, KnownHost]) -> None:
        self._hosts = hosts
        self._resets: dict[FlowEnd, PacketRow] = {}
        self._given_up: dict[FlowEnd, TimerRow] = {}
        self._icmp: dict[FlowEnd, IcmpError] = {}
        """The last ICMP error about each connection."""
        self._ends: dict[FlowEnd, StateChanged] = {}
        self._shutdowns: dict[FlowEnd, CallRow] = {}
        self._held: dict[str, dict[FlowKey, StateChanged]] = {}
        """The sockets of each node that are not closed, with the last change of each."""
        self._listened: dict[tuple[str, int], StateChanged] = {}
        """How the last listener ended on each port of a node where nobody listens any more."""

    def changed(self, node: str, change: StateChanged) -> None:
        port = node, change.flow[3]
        if change.new is State.LISTEN:
            self._listened.pop(port, None)
        elif change.old is State.LISTEN:
            self._listened[port] = change
        held = self._held.setdefault(node, {})
        held.pop(change.flow, None)
        if change.new is State.CLOSE:
            self._ends[node, change.flow] = change
        else:
            held[change.flow] = change

    def seen(self, row: Row) -> None:
        match row:
            case PacketRow(receiver=str() as receiver) if row.segment.flags & RST and row.arrived is not None:
                here = receiver, row.segment[:4]
                ended = self._ends.get(here)
                if (
                    ended is not None and ended.at == row.arrived
                ):  # a later one meets a connection that is gone
                    self._resets[here] = row
            case IcmpRow(error=IcmpError() as error):
                self._icmp[row.node, row.flow] = error
            case TimerRow() if row.given_up:
                self._given_up[row.node, row.flow] = row
            case CallRow(flow=(_, _, _, _) as flow) if row.text.startswith(("shutdown(", "close(")):
                self._shutdowns[row.node, flow] = row

    def cause(self, row: CallRow) -> _Cause:
        """Why that call failed."""
        number = row.result
        if number == "EADDRNOTAVAIL" and row.text.startswith("connect("):
            return self._no_port(row)
        if number == "EADDRINUSE":
            return self._port_in_use(row)
        error = None if row.flow is None else self._icmp.get((row.node, row.flow))
        if error is not None and _ICMP_ERRNO.fullmatch(number):
            who = (
                "the host itself says so"
                if error.src == error.dst
                else f"{address_text(error.src)} says so by ICMP"
            )
            return _Cause(
                f"{who}: {error.says}", "a path on which packets are forwarded, and a host at its end"
            )
        if number in {"ENETUNREACH", "EHOSTUNREACH"}:
            return _Cause("there is no route to that address, so nothing was sent", "a route to it")
        if row.flow is not None:
            found = self._of_connection(number, (row.node, row.flow))
            if found:
                return found
        words = row.why or _WORDS.get(number) or os.strerror(getattr(errno, number, 0)).lower()
        return _Cause(words, _WAIT_LONGER if number == "EAGAIN" and row.text.startswith("recv(") else "")

    def _of_connection(self, number: str, here: FlowEnd) -> _Cause | None:
        timer, reset, end = self._given_up.get(here), self._resets.get(here), self._ends.get(here)
        ended = end.at if end else None
        if timer and timer.reason and ended == timer.at:
            case = SettingsCase(
                timer.reason.name, self._hosts.get(here[0]), here[0], None, given_up=timer.given_up
            )
            words = f"{timer.reason.text.split(':')[0]}{decided(timer.given_up, timer.reason)}"
            return _Cause(words, settings_advice(case))
        if reset and reset.arrived is not None and ended == reset.arrived:
            return self._by_reset(reset)
        own = self._shutdowns.get(here)
        if number == "EPIPE" and own and "SHUT_RD)" not in own.text:
            return _Cause(f"{own.text} at {moment(own.at)} has closed this side for sending", _SEND_FIRST)
        return _Cause(f"the connection ended at {moment(end.at)}: {end.cause}") if end else None

    def _by_reset(self, reset: PacketRow) -> _Cause:
        cause, at = reset_cause(reset), moment(reset.at)
        words = f"a RST of {reset.sender}, sent at {at}" + (f" ({cause})" if cause else "")
        because = reset.sent_because.reason.name if reset.sent_because else ""
        name = because or (reset.sent.reason.name if reset.sent else "")
        case = SettingsCase(name, self._hosts.get(reset.sender), reset.sender, reset.queues)
        if name == "NO_SOCKET" and reset.sent_because and not reset.gone:
            ended = self._listened.get((reset.sender, reset.segment.sport))
            if ended is not None and ended.at <= reset.at:
                words += f"; nobody has listened there since {moment(ended.at)}: {ended.cause}"
            return _Cause(words, f"a program that listens on port {reset.segment.sport} of {reset.sender}")
        return _Cause(words, settings_advice(case))

    # Ports.

    def _no_port(self, row: CallRow) -> _Cause:
        host = self._hosts.get(row.node)
        if host is None or row.why != "every local port is taken":
            return _Cause(row.why or "no local address or port can be had for it")
        low, high = host.sysctls.ip_local_port_range
        held = [one for one in self._held.get(row.node, {}).items() if low <= one[0][3] <= high]
        states, ends = _states(held), _time_wait_ends(host, held)
        until = f"; the first TIME-WAIT ends at {moment(min(ends))}" if ends else ""
        text = f"every local port of {_PORTS} ({low} to {high}) is taken: {states}{until}"
        change = f"a wider {_PORTS} (now {low} {high}); connections that are kept open and used again"
        change += _time_wait_reuse(host, row.node) if ends else ""
        return _Cause(text, change if _PORTS not in host.generation.missing else "")

    def _port_in_use(self, row: CallRow) -> _Cause:
        port = _port_of(row.text)
        held = [one for one in self._held.get(row.node, {}).items() if port in (None, one[0][3])]
        states = _states(held)
        why = row.why or "the port is taken"
        text = why + (f" (sockets on it: {states})" if states else "")
        if any(change.new is State.LISTEN for _, change in held):
            return _Cause(text, "another port; or SO_REUSEPORT on both listeners")
        host = self._hosts.get(row.node)
        ends = _time_wait_ends(host, held) if host else []
        text += f"; the last TIME-WAIT ends at {moment(max(ends))}" if ends else ""
        return _Cause(text, "SO_REUSEADDR on the old and on the new socket" if states else "")


def _states(held: Sequence[tuple[FlowKey, StateChanged]]) -> str:
    """`3 in TIME-WAIT, 1 in ESTAB`."""
    counts = Counter(change.new.ss_name for _, change in held)
    return ", ".join(f"{number:,} in {name}" for name, number in counts.most_common())


def _time_wait_ends(host: KnownHost, held: Sequence[tuple[FlowKey, StateChanged]]) -> list[int]:
    return [change.at + host.generation.time_wait for _, change in held if change.new is State.TIME_WAIT]


def _port_of(text: str) -> int | None:
    """The port of `listen(80, backlog 5)` or `bind(*, 80)`."""
    verb, _, rest = text.rstrip(")").partition("(")
    words = rest.split(", ")
    number = words[0] if verb == "listen" else words[-1]
    return int(number) if number.isdigit() and len(words) > 1 else None


def _time_wait_reuse(host: KnownHost, name: str) -> str:
    """What tcp_tw_reuse would do, where it does not do so already."""
    if _REUSE in host.generation.missing or host.sysctls.get(_REUSE) == 1:
        return ""
    now = host.sysctls.get(_REUSE)
    loopback = ": only on loopback" if now == 2 else ""
    return (
        f"; {_REUSE} of {name} = 1 (now {now}{loopback}): with timestamps a port is free after a second of it"
    )


_REUSE = "net.ipv4.tcp_tw_reuse"
_SEND_FIRST = "a program that sends all it has before it closes this side"
_WAIT_LONGER = "a longer wait of this program; or a peer that sends before it is over"
_WORDS = {
    "EAGAIN": "nothing came in the time that this call waits (SO_RCVTIMEO)",
    "EPIPE": "this end can send nothing more on this connection",
    "EINVAL": "the socket is in no state for this call",
}
"""What an errno means here, where nothing that went before says it."""
