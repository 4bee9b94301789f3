"""A constructor for each state of a connection. What each takes beside its own is what a Bench takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench.bench_values import MS, MSS, PORT, fails
from tcpemu.testing.bench.host_bench import Bench
from tcpemu.wire.options import Option, Timestamps

Options: TypeAlias = Sequence[Option]
"""What the peer's SYN offers."""
SocketOptions: TypeAlias = Iterable[tuple[int, int, Any]]
"""(level, name, value), set before listen() or connect()."""


def listening(backlog: int = 5, options: SocketOptions = (), **settings: Any) -> Bench:
    """A host that listens on port 8080 since 0 s."""
    host = Bench(**settings)
    host.listener = host.listen(backlog, options=options)
    return host.fresh()


def syn_recv(backlog: int = 5, opts: Options = MSS, options: SocketOptions = (), **settings: Any) -> Bench:
    """The same, with a request from port 41001 that came at 1 s; its SYN|ACK has been taken."""
    host = listening(backlog, options, **settings)
    host.send("S", at=1 * SECOND, opts=opts)
    return host.fresh()


def ack_of(opts: Options) -> tuple[int, int | None] | None:
    """The timestamps that go with the later segments of a peer with these options."""
    return (110, 0) if any(isinstance(option, Timestamps) for option in opts) else None


def unaccepted(
    backlog: int = 5,
    opts: Options = MSS,
    options: SocketOptions = (),
    win: int = 65535,
    **settings: Any,
) -> Bench:
    """A connection that is complete at 1.01 s and waits for accept(); the peer's window is `win`."""
    host = syn_recv(backlog, opts, options, **settings)
    host.send("A", 1, 1, at=1010 * MS, ts=ack_of(opts), win=win)
    return host.fresh()


def established(
    backlog: int = 5,
    opts: Options = MSS,
    options: SocketOptions = (),
    win: int = 65535,
    **settings: Any,
) -> Bench:
    """The same, accepted: `host.conn`. Its round-trip time is 10 ms, so its RTO is 210 ms."""
    host = unaccepted(backlog, opts, options, win, **settings)
    host.conn = host.accept()
    _reached(host, "ESTABLISHED")
    return host.fresh()


def closed_window(**settings: Any) -> tuple[Bench, int]:
    """A host that has no room for more, and the peer's next number."""
    host = established(options=[(sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 1)], **settings)
    seq, window = 1, 500
    while window:
        host.send("PA", seq, 1, data=min(window, 500))
        host.run(host.now + 100 * MS)
        [*_, (_, last)] = host.taken()
        seq, window = last.ack - host.flow().peer_isn, last.window
    return host.fresh(), seq


def close_wait(**settings: Any) -> Bench:
    """The peer has closed at 2 s and the host has acknowledged it."""
    host = established(**settings)
    host.send("FA", 1, 1, at=2 * SECOND, ts=ack_of(settings.get("opts", MSS)))
    host.run(2100 * MS)
    _reached(host, "CLOSE_WAIT")
    return host.fresh()


def last_ack(**settings: Any) -> Bench:
    """The same, and the host has closed at 2.1 s."""
    host = close_wait(**settings)
    host.conn.close()
    return host.fresh()


def fin_wait1(orphan: bool = False, **settings: Any) -> Bench:
    """The host has closed at 2 s, by shutdown() or for good; nothing was acknowledged."""
    host = established(**settings)
    host.run(2 * SECOND)
    if orphan:
        host.conn.close()
    else:
        host.conn.shutdown(1)
        _reached(host, "FIN_WAIT1")
    return host.fresh()


def fin_wait2(orphan: bool = False, **settings: Any) -> Bench:
    """The same, and the peer has acknowledged it at 2.01 s."""
    host = fin_wait1(orphan, **settings)
    host.send("A", 1, 2, at=2010 * MS, ts=ack_of(settings.get("opts", MSS)))
    return host.fresh()


def closing(**settings: Any) -> Bench:
    """Both have closed at 2 s, and neither FIN is acknowledged by the peer."""
    host = fin_wait1(**settings)
    host.send("FA", 1, 1, at=2010 * MS)
    _reached(host, "CLOSING")
    return host.fresh()


def time_wait(opts: Options = MSS, **settings: Any) -> Bench:
    """The host has closed first and is in TIME_WAIT since 2.02 s. Next numbers: the peer's 2, its own 2."""
    host = fin_wait2(orphan=True, opts=opts, **settings)
    ts = ack_of(opts)
    host.send("FA", 1, 2, at=2020 * MS, ts=None if ts is None else (ts[0] + 1, ts[1]))
    return host.fresh()


def syn_sent(options: SocketOptions = (), **settings: Any) -> Bench:
    """A host that has called connect() from port 8080 at 1 s; its SYN has been taken."""
    host = Bench(**settings)
    host.run(1 * SECOND)
    host.conn = host.socket()
    host.conn.bind(PORT)
    for option in options:
        host.conn.setsockopt(*option)
    with fails("EINPROGRESS"):
        host.conn.connect()
    return host.fresh()


def crossed(opts: Options = MSS, **settings: Any) -> Bench:
    """The same, and the peer's SYN crossed ours at 1.01 s."""
    host = syn_sent(**settings)
    host.send("S", 0, at=1010 * MS, opts=opts)
    _reached(host, "SYN_RECV")
    return host.fresh()


def connected(opts: Options = MSS, **settings: Any) -> Bench:
    """A client that is connected at 1.01 s."""
    host = syn_sent(**settings)
    ts = tuple(
        Timestamps(option.val, host.flow().stamp or 0) if isinstance(option, Timestamps) else option
        for option in opts
    )
    host.send("SA", 0, 1, at=1010 * MS, opts=ts)
    _reached(host, "ESTABLISHED")
    return host.fresh()


def _reached(host: Bench, state: str) -> None:
    """A setting may keep a connection from the state that is asked for."""
    if host.conn.state != state:
        raise AssertionError(f"with these settings the connection is in {host.conn.state}, not in {state}")
