"""Segments, and packets of Scapy, near what a host in a given state expects."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.testing.bench.bench_values import CLIENT, FULL, MASK, MSS, PORT, SACK, TS
from tcpemu.testing.bench.host_bench import Bench
from tcpemu.wire.options import NOP, Mss, Timestamps, WScale
from tcpemu.wire.segment import Segment

_FLAGS = ("A", "PA", "FA", "R", "RA", "S", "SA", "F", "", "UA", "FSRPAU", "SF")
"""The plainest first."""
_NEAR = (0, 1, -1, 2, 100, -100, 1460, 65_535, 10**6, 2**31, -(2**31))
_SYN_OPTIONS = (MSS, (), FULL, TS, SACK, (Mss(88), NOP, WScale(15)), (Timestamps(0, 1),))


def segments(
    host: Bench | None = None, *, port: int = CLIENT, lport: int = PORT, max_data: int = 1460
) -> st.SearchStrategy[Segment]:
    """Segments from a peer's `port` to `lport` of a host of `tcpemu.testing.bench`, as it stands at this moment.

    Their numbers are those that the host expects next, or near them; so are timestamps. Draw them one after another,
    `host.give(data.draw(segments(host)))`, for each changes what the host expects. Without a host they are of a peer
    that it knows nothing of. It shrinks to the plain ACK that the host expects.
    Raises ConfigurationError for what is no host of the bench.
    """
    if host is not None and not isinstance(host, Bench):
        raise ConfigurationError(f"host={host!r}: a host of tcpemu.testing.bench, such as established()")
    bench = host or Bench()
    return _segment(bench, port, lport, max_data)


@st.composite
def _segment(draw: st.DrawFn, bench: Bench, port: int, lport: int, max_data: int) -> Segment:
    # The same number of choices for each, or shrinking would prefer the flags that need fewer.
    seq, ack, stamp = _expected(bench, port, lport)
    near = st.one_of(st.just(0), st.sampled_from(_NEAR))
    flags = draw(st.sampled_from(_FLAGS))
    seq_off, ack_off = draw(near), draw(near)
    syn_options = draw(st.sampled_from(_SYN_OPTIONS))
    plain = bench.segment(
        flags,
        port=port,
        lport=lport,
        win=draw(st.sampled_from((65_535, 0, 1, 500))),
        ts=draw(st.one_of(st.just(stamp), st.just(None), st.sampled_from(((0, 0), (2**31, 1))))),
        data=draw(st.one_of(st.just(b""), st.binary(min_size=1, max_size=max_data))),
        opts=syn_options if "S" in flags else (),
    )
    return plain._replace(seq=seq + seq_off & MASK, ack=ack + ack_off & MASK if "A" in flags else 0)


@st.composite
def _packet(draw: st.DrawFn, drawn: st.SearchStrategy[Segment]) -> Any:
    from tcpemu.wire.bridge import to_scapy  # noqa: PLC0415 - loads Scapy, which nobody else here needs

    return to_scapy(draw(drawn))


def packets(
    host: Bench | None = None, *, port: int = CLIENT, lport: int = PORT, max_data: int = 1460
) -> st.SearchStrategy[Any]:
    """The same as packets of Scapy, IP / TCP, for code under test that speaks these."""
    return _packet(segments(host, port=port, lport=lport, max_data=max_data))


def _expected(bench: Bench, port: int, lport: int) -> tuple[int, int, tuple[int, int | None] | None]:
    """What the host expects of this peer next: sequence and acknowledgment number, and timestamps."""
    flow = bench.flow(port, lport)
    known = next(
        (one for key, one in bench.host.tables.host.flows.items() if key[1] == port and key[3] == lport), None
    )
    match known:
        case Connection():
            seq, ack = known.rcv.nxt, known.snd.nxt
        case Request():
            seq, ack = known.irs + 1, known.iss + 1
        case TimeWait():
            seq, ack = known.rcv_nxt, known.snd_nxt
        case _:
            seq, ack = flow.peer_isn, 0 if flow.isn is None else flow.isn + 1
    return seq, ack, None if flow.stamp is None else (120, 0)
