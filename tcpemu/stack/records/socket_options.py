"""What setsockopt() has set: one value, which a child shares with its listener."""

from dataclasses import dataclass

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.base.units import MILLISECOND, SECOND

DELACK_MAX = 200 * MILLISECOND
"""tcp.h: TCP_DELACK_MAX."""
RTO_MIN_US = 200_000
"""tcp.h: TCP_RTO_MIN, in microseconds."""


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What setsockopt() has set; a child shares its listener's."""

    rcvbuf: int
    sndbuf: int
    rcvbuf_locked: bool = False
    sndbuf_locked: bool = False
    reuseaddr: bool = False
    reuseport: bool = False
    keepalive: bool = False
    keepidle: int = 0
    """Seconds of silence before the first keepalive probe; 0 for tcp_keepalive_time."""
    keepintvl: int = 0
    """Seconds between probes; 0 for tcp_keepalive_intvl."""
    keepcnt: int = 0
    """Probes without an answer that end the connection; 0 for tcp_keepalive_probes."""
    rcvlowat: int = 1
    """Octets that must wait before a socket is readable."""
    notsent_lowat: int = 0
    """Octets that may wait unsent before a socket is no longer writable; 0 for tcp_notsent_lowat."""
    oobinline: bool = False
    """The urgent octet stays in the stream."""
    linger: int | None = None
    """Seconds; None is off."""
    last_linger: int = 0
    """Seconds of SO_LINGER as last set, which getsockopt() tells even while it is off."""
    nodelay: bool = False
    cork: bool = False
    maxseg: int = 0
    syncnt: int = 0
    linger2: int = 0
    """Seconds in FIN_WAIT2; 0 for tcp_fin_timeout, negative for none."""
    fastopen: int = 0
    """TCP_FASTOPEN: children that may wait for their final ACK, opened by Fast Open; 0 is off."""
    fastopen_connect: bool = False
    """TCP_FASTOPEN_CONNECT: connect() waits for the first data, so that the SYN can carry it."""
    fastopen_no_cookie: bool = False
    """TCP_FASTOPEN_NO_COOKIE: data on a SYN needs no cookie, either way."""
    fastopen_keys: tuple[bytes, ...] = ()
    """TCP_FASTOPEN_KEY, one of 16 octets or two; none for the host's."""
    save_syn: int = 0
    """TCP_SAVE_SYN: children keep the headers of their SYN, for TCP_SAVED_SYN; 2 would have that of the link too."""
    defer_periods: int = 0
    """TCP_DEFER_ACCEPT as a number of SYN|ACK time-outs."""
    window_clamp: int = 0
    user_timeout: int = 0
    """Milliseconds; 0 is off."""
    tos: int = 0
    """IP_TOS; the two ECN bits are those of a congestion control that needs ECN."""
    ttl: int = 0
    thin_linear_timeouts: int = 0
    """TCP_THIN_LINEAR_TIMEOUTS: 1 as tcp_thin_linear_timeouts has it for all."""
    quickack: int = 1
    """TCP_QUICKACK as last set; 0 lets the first ACKs wait."""
    txrehash: int = 1
    """SO_TXREHASH; a flow has one path here."""
    recverr: bool = False
    """IP_RECVERR: an ICMP error is told at once, also to a connection that is open."""
    mtu_discover: int | None = None
    """IP_MTU_DISCOVER; None for what net.ipv4.ip_no_pmtu_disc says."""
    ipv6: bool = False
    """The socket is one of AF_INET6; its peer may speak IPv4 even so."""
    v6only: bool = False
    """IPV6_V6ONLY: it takes no IPv4."""
    v4only: bool = False
    """bind() took ::ffff:0.0.0.0: any address of IPv4, and none of IPv6."""
    hops: int = -1
    """IPV6_UNICAST_HOPS; -1 for the usual hop limit."""
    tclass: int = 0
    """IPV6_TCLASS, with ECN bits as `tos`."""
    recverr6: bool = False
    """IPV6_RECVERR, the same as `recverr` over IPv6."""
    mtu_discover6: int = 1
    """IPV6_MTU_DISCOVER."""
    autoflowlabel: bool | None = None
    """IPV6_AUTOFLOWLABEL; None for what net.ipv6.auto_flowlabels says."""
    kept: tuple[tuple[int, int, int], ...] = ()
    """Level, number and value of options that say nothing to TCP and are only remembered."""
    congestion: str = ""
    """The congestion control that TCP_CONGESTION has chosen; empty for that of the host."""
    max_pacing_rate: int = UNLIMITED_RATE
    """Octets per second (SO_MAX_PACING_RATE)."""
    rto_max: int = 120 * SECOND
    """Longest time-out, in nanoseconds (TCP_RTO_MAX_MS); a new socket has that of tcp_rto_max_ms."""
    rto_min_us: int = RTO_MIN_US
    """Shortest time-out of data, in microseconds (TCP_RTO_MIN_US); a new socket has that of tcp_rto_min_us."""
    delack_max: int = DELACK_MAX
    """How long an ACK waits at most, in nanoseconds (TCP_DELACK_MAX_US)."""
    min_ttl: int = 0
    """IP_MINTTL: what comes in with less is dropped."""
    min_hops: int = 0
    """IPV6_MINHOPCOUNT, the same of IPv6."""
    paced: bool = False
    """SO_MAX_PACING_RATE has been set: segments wait for the pace, whatever sets it, also once there is no limit."""
