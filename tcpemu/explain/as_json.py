"""A run for programs: plain data, and the JSON text of it.

The keys are told here and nowhere else. Times are whole nanoseconds of virtual time. `null` stands for what did
not happen or is not there. States have the names that `ss` prints; `UNCONN` is a socket that is closed. Flags
are `SYN|ACK`, in that order SYN FIN RST PSH URG ACK ECE CWR AE; empty for none. The same run gives the same
octets. A program checks `format`: it grows when a key goes away or means something else, not when one is added.

**The document**

- `format`: 1; `program`: which version wrote it; `scenario`: the name or the file that was given
- `runs`: one for each variant of the scenario, or the one that was asked for

**A run**

- `name`: of the variant, empty without variants; `title`, `look_at`, `seed`; `kernel`: that of the server
- `ended`: when it was over
- `hosts`: the server first, then each group of clients
- `clients`: how each fared, in the order of the file; bare SYNs have none
- `summary`: the numbers by which runs are compared, with the names of `tcpemu.scenario.running.summary.Summary`
- `transfers`: the inner life of each connection at each of its hosts; null where it was not followed, which is where
  a program did not ask for it: `tcpemu run --json` does
- `rows`: all that happened, in order; `kind` says what a row is: `packet`, `call` or `timer`

**A host**

- `name`, `addresses`; `kernel`: null for one that only throws packets and has no TCP
- `sockets`: at the end, each with `state`, `recv_q`, `send_q`, `local_address`, `local_port`, `remote_address`
  and `remote_port` (both null for a listener)
- `counters`: those that moved, by their MIB names, as they stood at the end

**A client**

- `name`: of its application; `host`: of its group
- `started`: when it begins, which may be after the end of the run; `connected`: when its side was complete
- `error`: the errno that ended it, empty if none did; `ended`: when that was, or when it had done all
- `sent`, `received`: octets; `fate`: in words

**A transfer**

- `host`, `local_address`, `local_port`, `remote_address`, `remote_port`
- `changes`: in order, each with `at` and the figures as they stood from then on, by the names of
  `tcpemu.stack.sockets.tcp_info.FlowFigures`: `cwnd`, `ssthresh` (2147483647 before the first loss), `in_flight`,
  `unacked`, `sacked`, `lost`, `retrans`, `total_retrans` (segments), `srtt`, `rttvar`, `rto` (microseconds),
  `backoff`, `snd_wnd`, `rcv_wnd`, `notsent`, `acked`, `received`, `mss` (octets); `ca_state` is a word: `Open`,
  `Disorder`, `CWR`, `Recovery` or `Loss`; of BBR `bbr_mode` (0 startup, 1 drain, 2 probe_bw, 3 probe_rtt; -1 with
  another congestion control), `bbr_rate` (octets a second) and `bbr_min_rtt` (microseconds)

**A packet** stands where it was sent; a copy that a link made stands where it arrived.

- `at`: when it was sent (a copy: when it arrived); `number`: its own, from 1; `copy_of`: the number of the packet
  that it is a copy of
- `sender`; `receiver`: null where nobody has the address
- `source_address`, `source_port`, `destination_address`, `destination_port`
- `flags`; `seq`, `ack`, `window`: as they stand in the header, `ack` also without the flag ACK
- `relative_seq`, `relative_ack`: counted from the SYN of each side; `relative_ack` null without the flag ACK
- `scaled_window`: in octets
- `options`: in their order, each with `option` and its values: `mss` (`value`), `window_scale` (`shift`),
  `sack_permitted`, `sack` (`blocks`, pairs of edges), `timestamps` (`val`, `ecr`), `fast_open` (`cookie`,
  `experimental`), `nop`, `eol` (`padding`), `unknown` (`number`, `data`), `garbage` (`data`); octets are in hexadecimal
- `payload`: in hexadecimal; `payload_length`
- `urgent`, `ttl`, `tos`, `ip_id`, `df`, `flow_label`: as they stand in the headers; 0 or true for what that IP has not
- `arrived`: null for one that was lost or is still on its way
- `lost`: how it was lost; `lost_at`: when
- `sent`: why it was sent: `reason`; `repeat` (0 for the first time); `since_last` (nanoseconds since the last time,
  for one that is sent again). Null for one that no TCP sent
- `verdict`: what became of it: `outcome` (`accepted`, `answered`, `dropped`) and `reason`
- `sender_state`, `receiver_state`: what each end's socket of this flow was: `before` and `after`. The sender's are
  around the call or the timer that sent it; where an arrival made it answer, the change stands with what arrived.
  The receiver's are around the arrival. Null where there never was such a socket: a request that was dropped, a
  cookie
- `queues`: of the listener once it had arrived, or was sent by it: `host`, `port`, `accept`, `syn`, `backlog`;
  `queues_changed`: whether the arrival changed them
- `counters`: those that its arrival moved at the receiver, by how much; `sender_counters`: those that moved at the
  sender in the call or the timer that sent it and nothing else
- `evicted`: the half-open connection that had to go when it arrived, if one had to: `local_address`, `local_port`,
  `remote_address`, `remote_port`; `waited`: for how long it had been there; `oldest`: whether none had longer
- `gone`: where it met no connection any more, how the one that was there had ended: `at`; `before`, the state it had;
  `cause`, in words. Else null
- `waited`: of a delayed ACK, since its data had arrived; of data that was held back, since it was written. Else null
- `unread`: of one that offers a window of 0, the octets that wait for recv() at its sender. Else null
- `comment`: what a capture says of it

**A call** of an application

- `at`, `host`; `application`: empty for a call from outside of any
- `call`: `connect(10.0.0.1:80)`; `result`: `waits`, an errno, or what came of it; a call that waits stands there
  again when it ends
- `why`: of one that failed, what stood in its way where the errno alone does not say it; else null
- `local_address`, `local_port`, `remote_address`, `remote_port`: of the connection on which it was made, or which it
  gave; null where there is none
- `queues`: of the listener, if the call changed them

**A timer** that sent nothing, or a change of state without a packet. (One that sent a packet is the `sent` of it.)

- `at`, `host`, `local_address`, `local_port`, `remote_address`, `remote_port`
- `reason`: null for a change that no timer made; `state`: `before` and `after`, null if it stayed
- `given_up`: of one that gave up, what decided that: `setting`, a sysctl or a socket option; `value`, what it was, in
  its own unit; `waited`, since the first retransmission or SYN; `allowed`, from when on it gives up, null where it
  counts tries. Null for others. A timer that gave up and sent a RST stands there for this beside that packet
- `queues`: of the listener, if they changed

**A reason**: `name`, as ACCEPT_QUEUE_FULL; `words`; `source`: the file and the function of the kernel.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any, TypeAlias

from tcpemu.explain.capture.packet_comments import comment_on
from tcpemu.explain.facts.client_outcomes import ApplicationOutcome, client_outcomes
from tcpemu.explain.facts.rows import (
    CallRow,
    Evicted,
    IcmpRow,
    ListenerQueues,
    PacketRow,
    Row,
    TimerRow,
    each_row,
)
from tcpemu.explain.lines.segment_words import flag_words
from tcpemu.explain.tables.connection_info import recovery_word
from tcpemu.network import Node
from tcpemu.network.addresses import Addresses
from tcpemu.network.node import Attached
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.running.result import ClientOutcome, Result
from tcpemu.scenario.running.summary import summarize
from tcpemu.stack.base.events import Reason, Sent, StateChanged, Verdict
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.version import __version__
from tcpemu.wire import options as opt
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import Address, FlowKey, Segment, address_text

JsonObject: TypeAlias = dict[str, Any]

FORMAT = 1


def json_data(scenario: str, results: Sequence[Result]) -> JsonObject:
    """The whole document as plain data; `scenario` is how its user calls it. Times are nanoseconds."""
    runs = [{**_head(result), "rows": list(_rows(result))} for result in results]
    return {**_document(scenario), "runs": runs}


def json_text(scenario: str, results: Sequence[Result]) -> Iterator[str]:
    """The document as JSON, piece by piece, each row on a line of its own. It is ASCII."""
    yield _open(_document(scenario), "runs")
    for number, result in enumerate(results):
        yield (",\n" if number else "\n") + _open(_head(result), "rows")
        separator = "\n"
        for row in _rows(result):
            yield separator + _dumps(row)
            separator = ",\n"
        yield "\n]}"
    yield "\n]}\n"


def _open(data: JsonObject, last: str) -> str:
    """The text of an object up to the beginning of a list that is its last value."""
    return f'{_dumps(data)[:-1]}, "{last}": ['


_dumps = json.JSONEncoder(allow_nan=False, check_circular=False).encode


# A run.


def _document(scenario: str) -> JsonObject:
    return {"format": FORMAT, "program": f"tcpemu {__version__}", "scenario": scenario}


def _head(result: Result) -> JsonObject:
    """All of a run but its rows."""
    scenario = result.scenario
    summary = asdict(summarize(result))
    del summary["name"]
    return {
        "name": result.name,
        "title": scenario.title,
        "look_at": scenario.look_at,
        "kernel": scenario.server.generation,
        "seed": scenario.seed,
        "ended": result.ended,
        "hosts": [_host(result, node) for node in result.network.nodes.values()],
        "clients": list(_clients(result)),
        "summary": summary,
        "transfers": _transfers(result),
    }


def _transfers(result: Result) -> list[JsonObject] | None:
    transfers = result.network.transfers
    if transfers is None:
        return None
    return [
        {"host": host, **_ends(flow), "changes": [_figures(change) for change in changes]}
        for host, flow, changes in transfers
    ]


def _figures(change: FiguresChanged) -> JsonObject:
    figures = change.figures._asdict()
    return {"at": change.at, **figures, "ca_state": recovery_word(change.figures.ca_state)}


def _host(result: Result, node: Attached) -> JsonObject:
    data: JsonObject = {"name": node.name, "addresses": list(node.addresses), "kernel": None}
    if not isinstance(node, Node):
        return {**data, "sockets": [], "counters": {}}
    return {
        **data,
        "kernel": _kernel(result, node.name),
        "sockets": [_socket(row) for row in result.network.table(node)],
        "counters": dict(sorted(result.network.counters(node).items())),
    }


def _kernel(result: Result, name: str) -> str:
    scenario = result.scenario
    if name == SERVER:
        return scenario.server.generation
    return next(group.generation for group in scenario.clients if group.name == name)


def _socket(row: SocketRow) -> JsonObject:
    local, remote = row.shown
    address, port = remote or (None, None)
    return {
        "state": row.state.ss_name,
        "recv_q": row.recv_q,
        "send_q": row.send_q,
        "local_address": _address(local[0]),
        "local_port": local[1],
        "remote_address": None if address is None else _address(address),
        "remote_port": port,
    }


def _clients(result: Result) -> Iterator[JsonObject]:
    outcomes = {
        outcome.application: outcome
        for outcome in client_outcomes(result.record, result.starts, result.ended)
    }
    for client in result.clients:
        # Who has not called connect() yet has begun, and is not in the record.
        silent = ApplicationOutcome(client.name, client.started, client.connected, client.error, client.ended)
        yield _client(client, outcomes.get(client.name, silent))


def _client(client: ClientOutcome, outcome: ApplicationOutcome) -> JsonObject:
    return {
        "name": client.name,
        "host": client.group,
        "started": client.started,
        "connected": client.connected,
        "error": client.error,
        "ended": client.ended,
        "sent": client.sent,
        "received": client.received,
        "fate": outcome.words,
    }


# Its rows.


def _rows(result: Result) -> Iterator[JsonObject]:
    homes = Addresses()
    for node in result.network.nodes.values():
        homes.add(node.name, node.addresses)
    for row in each_row(result.record, every_call=True):
        data = row_data(row)
        if isinstance(row, PacketRow) and row.receiver is None:
            data["receiver"] = homes.owner(row.segment.dst)  # nothing ever reached or left that host
        yield data


def row_data(row: Row) -> JsonObject:
    """One row as plain data."""
    match row:
        case PacketRow():
            return _packet(row)
        case CallRow():
            return _call(row)
        case IcmpRow(error=IcmpError() as error):
            return {**_timer(row), "kind": "icmp", "icmp": _icmp(error)}
        case TimerRow():
            return _timer(row)


def _packet(row: PacketRow) -> JsonObject:
    return {
        "kind": "packet",
        "at": row.at,
        "number": row.number,
        "copy_of": row.copy_of,
        "sender": row.sender,
        "receiver": row.receiver,
        **_headers(row.segment),
        "relative_seq": row.relative.seq,
        "relative_ack": row.relative.ack,
        "scaled_window": row.relative.window,
        "arrived": row.arrived,
        "lost": row.lost or None,
        "lost_at": row.lost_at,
        "sent": row.sent and _sent(row.sent, row.since_last),
        "verdict": row.verdict and _verdict(row.verdict),
        "sender_state": _states(row.sender_change, row.sender_state),
        "receiver_state": _states(row.receiver_change, row.receiver_state),
        "queues": _queues(row.queues),
        "queues_changed": row.queues_changed,
        "counters": dict(row.counted),
        "sender_counters": dict(row.sender_counted),
        "evicted": row.evicted and _evicted(row.evicted),
        "gone": row.gone and {"at": row.gone.at, "before": row.gone.old.ss_name, "cause": row.gone.cause},
        "waited": row.waited,
        "unread": row.unread,
        "comment": comment_on(row),
    }


def _headers(segment: Segment) -> JsonObject:
    return {
        "source_address": _address(segment.src),
        "source_port": segment.sport,
        "destination_address": _address(segment.dst),
        "destination_port": segment.dport,
        "flags": flag_words(segment.flags) if segment.flags else "",
        "seq": segment.seq,
        "ack": segment.ack,
        "window": segment.window,
        "options": [_option(option) for option in segment.options],
        "payload": segment.payload.hex(),
        "payload_length": len(segment.payload),
        "urgent": segment.urgent,
        "ttl": segment.ttl,
        "tos": segment.tos,
        "ip_id": segment.ip_id,
        "df": segment.df,
        "flow_label": segment.flow_label,
    }


def _sent(sent: Sent, since_last: int | None) -> JsonObject:
    return {"reason": _reason(sent.reason), "repeat": sent.repeat, "since_last": since_last}


def _verdict(verdict: Verdict) -> JsonObject:
    return {"outcome": verdict.outcome.value, "reason": _reason(verdict.reason)}


def _reason(reason: Reason) -> JsonObject:
    return {"name": reason.name, "words": reason.text, "source": reason.source}


def _states(change: StateChanged | None, after: State | None) -> JsonObject:
    before = change.old if change else after
    return {"before": before and before.ss_name, "after": after and after.ss_name}


def _queues(queues: ListenerQueues | None) -> JsonObject | None:
    if queues is None:
        return None
    return {
        "host": queues.node,
        "port": queues.port,
        "accept": queues.accept,
        "syn": queues.syn,
        "backlog": queues.backlog,
    }


def _call(row: CallRow) -> JsonObject:
    return {
        "kind": "call",
        "at": row.at,
        "host": row.node,
        "application": row.application,
        "call": row.text,
        "result": row.result,
        "why": row.why or None,
        **_ends(row.flow),
        "queues": _queues(row.queues),
    }


def _ends(flow: FlowKey | None) -> JsonObject:
    remote, remote_port, local, local_port = flow or (None, None, None, None)
    return {
        "local_address": None if local is None else _address(local),
        "local_port": local_port,
        "remote_address": None if remote is None else _address(remote),
        "remote_port": remote_port,
    }


def _evicted(evicted: Evicted) -> JsonObject:
    return {**_ends(evicted.flow), "waited": evicted.waited, "oldest": evicted.oldest}


def _timer(row: TimerRow) -> JsonObject:
    return {
        "kind": "timer",
        "at": row.at,
        "host": row.node,
        **_ends(row.flow),
        "reason": row.reason and _reason(row.reason),
        "state": row.change and _states(row.change, row.change.new),
        "given_up": row.given_up and asdict(row.given_up),
        "queues": _queues(row.queues),
    }


def _icmp(error: IcmpError) -> JsonObject:
    return {
        "from": _address(error.src),
        "to": _address(error.dst),
        "type": error.kind,
        "code": error.code,
        "mtu": error.mtu if error.too_large else None,
        "says": error.says,
        "quoted": error.quoted.hex(),
    }


# Small parts.


@lru_cache(maxsize=4096)
def _address(packed: Address) -> str:
    """An address in text; a listener without one takes every one."""
    return address_text(packed) if packed else "0.0.0.0"


def _option(option: opt.Option) -> JsonObject:
    name, values = _OPTIONS[type(option)]
    return {"option": name, **values(option)}


def _nothing(_: Any) -> JsonObject:
    return {}


_OPTIONS: dict[type[opt.Option], tuple[str, Callable[[Any], JsonObject]]] = {
    opt.Eol: ("eol", lambda option: {"padding": option.padding.hex()}),
    opt.Nop: ("nop", _nothing),
    opt.Mss: ("mss", lambda option: {"value": option.value}),
    opt.WScale: ("window_scale", lambda option: {"shift": option.shift}),
    opt.SackOk: ("sack_permitted", _nothing),
    opt.Sack: ("sack", lambda option: {"blocks": [list(block) for block in option.blocks]}),
    opt.Timestamps: ("timestamps", lambda option: {"val": option.val, "ecr": option.ecr}),
    opt.FastOpen: (
        "fast_open",
        lambda option: {"cookie": option.cookie.hex(), "experimental": option.experimental},
    ),
    opt.Unknown: ("unknown", lambda option: {"number": option.kind, "data": option.data.hex()}),
    opt.Garbage: ("garbage", lambda option: {"data": option.data.hex()}),
}
