"""What Fast Open (RFC 7413) remembers: of a listener, of a connection at either end, of a peer, and of the host."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.wire.options import FastOpen
from tcpemu.wire.segment import Address

CLIENT, SERVER, CLIENT_NO_COOKIE, SERVER_NO_COOKIE, ALL_LISTENERS = 1, 2, 4, 0x200, 0x400
"""The bits of net.ipv4.tcp_fastopen (include/net/tcp.h: TFO_CLIENT_ENABLE and the like)."""
COOKIE_UNAVAILABLE, DATA_NOT_ACKED, SYN_RETRANSMITTED = 1, 2, 3
"""Why Fast Open failed, as `tcpi_fastopen_client_fail` tells (include/uapi/linux/tcp.h: TFO_COOKIE_UNAVAILABLE ...)."""
Path: TypeAlias = tuple[Address, Address]
"""The host's own address, and the peer's."""


@dataclass(slots=True, eq=False, repr=False)
class FastOpenQueue:
    """A listener's children that wait for their final ACK (include/net/request_sock.h: struct fastopen_queue)."""

    pending: int = 0
    """How many there are, with those below (qlen); the limit is TCP_FASTOPEN's."""
    resets: deque[int] = field(default_factory=deque)
    """Those that were accepted, and that a RST ended: when each is forgotten, in nanoseconds (rskq_rst_head)."""
    closed: bool = False
    """The listener is gone."""


@dataclass(slots=True, eq=False, repr=False)
class FastOpenState:
    """How Fast Open goes on one connection, whichever end it is."""

    request: object | None = None
    """Of a listener's child: its request, as long as it waits for the final ACK (fastopen_rsk)."""
    queue: FastOpenQueue | None = None
    """Where that one counts."""
    taken: int = 0
    """Octets that came with the SYN."""
    accepted: bool = False
    """accept() has taken the child."""
    deferred: bool = False
    """connect() was called, and the SYN waits for the first data (DEFER_CONNECT)."""
    trying: bool = False
    """The SYN is to carry data, or to ask for a cookie (fastopen_req)."""
    more_waits: bool = False
    """A call waits for the connection, to send what the SYN has not carried (sk_write_pending)."""
    option: FastOpen | None = None
    """What the next SYN says of Fast Open; None for nothing."""
    asked: bool = False
    """A SYN has said so (syn_fastopen)."""
    asked_experimentally: bool = False
    """By the option of experiments (syn_fastopen_exp)."""
    syn_data: bool = False
    """The SYN carried data (syn_data)."""
    data_acked: bool = False
    """Data travelled on the SYN and was taken (syn_data_acked)."""
    data_came: bool = False
    """The peer has sent data since the handshake (data_segs_in)."""
    probing: bool = False
    """The first one since Fast Open was suspected (syn_fastopen_ch)."""
    client_fail: int = 0
    """Why it failed, as `tcpi_fastopen_client_fail` tells: 0 to 3."""


@dataclass(slots=True, eq=False, repr=False)
class KnownServer:
    """What is remembered of a server (tcp_metrics.c: struct tcp_fastopen_metrics)."""

    mss: int = 0
    """Its MSS; 0 while it is not known."""
    cookie: FastOpen | None = None
    """The cookie that it gave."""
    ask_experimentally: int = 0
    """1: ask by the option of experiments next time; 2: that was tried too (try_exp)."""
    syn_losses: int = 0
    """SYNs with data in a row that seem to have been lost on the way."""


@dataclass(slots=True, eq=False, repr=False)
class FastOpenClient:
    """What a host that connects by Fast Open remembers."""

    servers: dict[Path, KnownServer] = field(default_factory=dict)
    disabled_at: int = 0
    """When it last looked as if something on the way swallowed it, in nanoseconds (tfo_active_disable_stamp)."""
    disabled_times: int = 0
    """How often so, without a success in between (tfo_active_disable_times)."""
