"""What `ss -ti` prints of a connection: TCP_INFO in words and numbers, in its order."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.tables.socket_table import FIRST_OF_MANY, SOCKETS_LISTED
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.tcp_info import TcpInfo
from tcpemu.wire.segment import FlowKey, endpoint_text

_NO_THRESHOLD = 0xFFFF
"""From here on ss leaves the threshold out: the connection has met no loss yet."""
_USUAL_REORDERING = 3
_NO_MIN_RTT = 2**32 - 1
_RECOVERY = ("Open", "Disorder", "CWR", "Recovery", "Loss")


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """One connection as its host has it."""

    flow: FlowKey
    """Remote address and port, local ones."""
    control: str
    """Its congestion control."""
    info: TcpInfo


def recovery_word(ca_state: int) -> str:
    """The state of congestion avoidance by its number: Open, Disorder, CWR, Recovery or Loss."""
    return _RECOVERY[ca_state]


def connection_lines(one: ConnectionInfo, width: int) -> list[Line]:
    """Both ends and the state of recovery, then the figures as `ss -ti` prints them, wrapped to the width."""
    remote, remote_port, local, local_port = one.flow
    ends = f"  {endpoint_text((local, local_port))} to {endpoint_text((remote, remote_port))}"
    state = State(one.info.state)
    recovery = f", congestion state {recovery_word(one.info.ca_state)}"
    return [
        line(f"{ends}, {state.ss_name}{recovery}", Role.QUIET),
        *(line(f"    {text}") for text in textwrap.wrap(connection_figures(one), width - 4)),
    ]


def info_lines(connections: Sequence[ConnectionInfo], width: int) -> list[Line]:
    """The lines of each connection; of very many, of the first."""
    most = len(connections) if len(connections) <= SOCKETS_LISTED else FIRST_OF_MANY
    lines = [each for one in connections[:most] for each in connection_lines(one, width)]
    if len(connections) > most:
        lines.append(line(f"  … and {len(connections) - most:,} more", Role.QUIET))
    return lines


def connection_figures(one: ConnectionInfo) -> str:
    """The second line of `ss -ti`. What ss leaves out is left out; so are counts of segments, and paces."""
    info = one.info
    return " ".join(
        [one.control, *_timing(info), *_sizes(info), *_rates(info), *_losses(info), *_windows(info)]
    )


def _timing(info: TcpInfo) -> Iterator[str]:
    if info.wscales:
        yield f"wscale:{info.wscales & 15},{info.wscales >> 4}"
    yield f"rto:{info.rto / 1000:g}"
    if info.backoff:
        yield f"backoff:{info.backoff}"
    if info.rtt:
        yield f"rtt:{_milliseconds(info.rtt)}/{_milliseconds(info.rttvar)}"
    if info.ato:
        yield f"ato:{info.ato / 1000:g}"


def _sizes(info: TcpInfo) -> Iterator[str]:
    named = {"mss": info.snd_mss, "pmtu": info.pmtu, "rcvmss": info.rcv_mss, "advmss": info.advmss}
    yield from (f"{name}:{value}" for name, value in named.items() if value)
    yield f"cwnd:{info.snd_cwnd}"
    if info.snd_ssthresh < _NO_THRESHOLD:
        yield f"ssthresh:{info.snd_ssthresh}"
    moved = {"bytes_acked": info.bytes_acked, "bytes_received": info.bytes_received}
    yield from (f"{name}:{value}" for name, value in moved.items() if value)


def _rates(info: TcpInfo) -> Iterator[str]:
    if info.rtt:
        yield f"send {info.snd_mss * 8 * info.snd_cwnd * 1_000_000 // info.rtt}bps"
    since = {"lastsnd": info.last_data_sent, "lastrcv": info.last_data_recv, "lastack": info.last_ack_recv}
    yield from (f"{name}:{value}" for name, value in since.items() if value)
    if info.delivered:
        yield f"delivered:{info.delivered}"
    if info.delivered_ce:
        yield f"delivered_ce:{info.delivered_ce}"


def _losses(info: TcpInfo) -> Iterator[str]:
    if info.unacked:
        yield f"unacked:{info.unacked}"
    if info.retrans or info.total_retrans:
        yield f"retrans:{info.retrans}/{info.total_retrans}"
    counts = {"lost": info.lost, "sacked": info.sacked, "dsack_dups": info.dsack_dups}
    yield from (f"{name}:{value}" for name, value in counts.items() if value)
    if info.reordering != _USUAL_REORDERING:
        yield f"reordering:{info.reordering}"
    if info.reord_seen:
        yield f"reord_seen:{info.reord_seen}"


def _windows(info: TcpInfo) -> Iterator[str]:
    if info.rcv_rtt:
        yield f"rcv_rtt:{_milliseconds(info.rcv_rtt)}"
    sizes = {"rcv_space": info.rcv_space, "rcv_ssthresh": info.rcv_ssthresh, "notsent": info.notsent_bytes}
    yield from (f"{name}:{value}" for name, value in sizes.items() if value)
    if info.min_rtt and info.min_rtt != _NO_MIN_RTT:
        yield f"minrtt:{_milliseconds(info.min_rtt)}"
    yield from (
        f"{name}:{value}" for name, value in (("snd_wnd", info.snd_wnd), ("rcv_wnd", info.rcv_wnd)) if value
    )


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:g}"
