"""What may differ from one kernel to the next: numbers, and a few rules that have names.

A generation is a value. The stack asks it and never looks at its name; the values themselves live in the
room above, `tcpemu.generations`, and the rules that are functions beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.units import MILLISECOND


@dataclass(slots=True, eq=False, repr=False)
class Queues:
    """A listener's queues as rules about them see them."""

    backlog: int
    """The limit in force: N."""
    accepting: int
    """Completed connections that wait for accept(): A, `sk_ack_backlog`."""
    syn_queue: int
    """Requests that wait for their final ACK: Q, `icsk_accept_queue.qlen`."""
    young: int
    """Those among them whose timer has not fired yet: Y, `icsk_accept_queue.young`."""
    table: int
    """Entries of the table of requests, fixed at the first listen(); 0 where there is none."""


class Overflow(Enum):
    """What something meets for which a queue has no room."""

    DROP = "dropped"
    RESET = "answered with RST"
    EVICT = "let in, and an old half-open connection is thrown out for it"


# Rules of most kernels. They have names, so that a generation can be pickled.


def no_table(_backlog: int, _limit: int) -> int:
    """Half-open connections have no table of their own."""
    return 0


def never_crowded(_queues: Queues) -> bool:
    """Old requests keep their repeats."""
    return False


@dataclass(frozen=True, slots=True)
class ListedWaits:
    """The same waits however many retries there may be."""

    waits: tuple[int, ...]

    def __call__(self, _retries: int) -> tuple[int, ...]:
        """The waits one by one."""
        return self.waits


def doubled_waits(_retries: int) -> tuple[int, ...]:
    """No waits that are listed: `initial_rto`, doubled each time."""
    return ()


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How the queues of a listener are counted, and what happens when one is full."""

    syn_full: Callable[[Queues, int], bool]
    """(queues, tcp_max_syn_backlog): whether a SYN finds no room among the half-open."""
    full_for_syn: Callable[[Queues], bool]
    """Whether a SYN finds the accept queue full."""
    full_for_ack: Callable[[Queues], bool]
    """Whether the final ACK finds it full; never, where the SYN has taken its place already."""
    table: Callable[[int, int], int] = no_table
    """(backlog, tcp_max_syn_backlog) at the first listen(): entries of the table of half-open connections."""
    when_syn_full: Overflow = Overflow.DROP
    when_full_for_syn: Overflow = Overflow.DROP
    when_full_for_ack: Overflow = Overflow.DROP
    """DROP leaves the half-open connection as it is; RESET removes it."""
    evicts_after: int = 0
    """What is thrown out has had so many time-outs at least."""
    evicts_at_random: bool = False
    """It is any of these; else the oldest."""
    one_queue: bool = False
    """Half-open and completed connections stand in one queue."""
    counts_at_syn: bool = True
    """ListenOverflows and ListenDrops count SYNs too, and not the final ACK alone."""
    counts_cookies: bool = False
    """ListenDrops counts a SYN that is answered with a cookie."""
    keeps_reserve: bool = True
    """Without cookies the last quarter of tcp_max_syn_backlog is for peers that are known."""


@dataclass(frozen=True, slots=True)
class SynAckTimer:
    """How SYN|ACKs are sent again."""

    waits: tuple[int, ...] = ()
    """The waits one by one, the last until the half-open connection is given up; empty: `initial_rto`,
    doubled each time, as often as tcp_synack_retries allows."""
    interval: int = 0
    """0: each request has its own timer. Else one timer of the listener looks at a part of the table so often,
    and what is due is late by up to as long as one way through the table takes."""
    decay_at: Callable[[Queues], bool] = never_crowded
    """Whether old requests crowd the queue, so that they may be repeated less often."""
    restarts_on_syn: bool = True
    """A repeated SYN begins the present wait anew."""
    answers_syn: bool = True
    """A repeated SYN is answered at all."""
    resets_at_end: bool = False
    """What is given up is told by a RST."""
    outlive_listener: bool = True
    """Half-open connections stay for a while when their listener is closed."""


@dataclass(frozen=True, slots=True)
class SynTimer:
    """How a client repeats its SYN."""

    waits: Callable[[int], tuple[int, ...]] = doubled_waits
    """(tcp_syn_retries) -> the waits one by one, the last until ETIMEDOUT; empty: `initial_rto`, doubled after
    the linear ones, as often as tcp_syn_retries allows."""


class StampOffset(Enum):
    """What a host's timestamps are moved by, so that they do not tell how long it has been up."""

    NONE = "nothing"
    BY_FLOW = "a number for each flow"
    BY_PEER = "a number for each pair of addresses"


@dataclass(frozen=True, slots=True)
class Wire:
    """What a host's segments look like."""

    order: str = "linux"
    """Order of the options of a SYN: linux, bsd, macos or windows."""
    syn_ack_order: str = ""
    """That of a SYN|ACK, where it is another: solaris."""
    window_segments: int = 0
    """The first window is at most so many segments; 0 is no limit."""
    buffer_share: tuple[int, int] = (1, 2)
    """The part of the receive buffer that is offered as window."""
    scale_by_largest: bool = True
    """The window scale allows for the largest buffer there may be; else for the one there is."""
    fixed_window: int = 0
    """The first window whatever the buffer, in octets; 0 goes by the buffer."""
    syn_window: int = 0
    """The window of a client's first SYN, where it is another; 0 is the same."""
    syn_again_window: int = 0
    """The window of a client's SYN that is sent again, where it is another than a SYN|ACK's."""
    plain_syn: bool = False
    """A client's SYN asks for neither window scale nor timestamps, though a SYN|ACK agrees to both."""
    reset_ttl: int = 0
    """TTL of a RST for what belongs to no connection; 0 is the usual one."""
    reply_keeps_ecn: bool = False
    """A RST without a connection has the ECN bits of what it answers, and not its DSCP alone."""
    mss_headers: int = 40
    """Octets of the MTU that the MSS leaves for headers; over IPv6 20 more."""
    hop_limit: int = 64
    """Hop limit of IPv6."""
    mss_follows_peer: bool = False
    """A SYN|ACK announces no larger MSS than the SYN did."""
    dont_fragment: bool = True
    """SYN and SYN|ACK carry DF."""
    stamp_offset: StampOffset = StampOffset.BY_FLOW
    stamp_tick: int = MILLISECOND
    """The timestamps' clock advances by one each so many nanoseconds."""
    syn_ack_echoes: bool = True
    """A SYN|ACK has the SYN's TSval as its TSecr; else 0."""
    zero_stamp_is_none: bool = False
    """A SYN with a TSval of 0 is taken for one without timestamps."""


class BufferTuning(Enum):
    """What a receive buffer becomes when an application reads more in a round trip than ever before."""

    BY_GROWTH = "room for twice that, for twice its growth, and for what lies beyond a hole"
    BY_SHARE = "room for twice that and sixteen segments, and for its growth, at the share that segments show"
    BY_SEGMENTS = "the same in whole segments, each with the memory that a full one takes"


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How a receive buffer becomes a window."""

    measures: bool = True
    """The share of the buffer that is window follows what segments show; else it is half, always."""
    follows_share: bool = True
    """With that share the window moves at once, and not only its limit."""
    tuning: BufferTuning = BufferTuning.BY_GROWTH
    clamp_holds_at_once: bool = True
    """TCP_WINDOW_CLAMP changes the window of a connection, and not only its limit."""
    buffer_moves_clamp: bool = False
    """SO_RCVBUF on a connection moves the clamp of its window too, as TCP_WINDOW_CLAMP would (tcp_set_rcvbuf)."""
    widens_at_start: bool = False
    """A connection begins with room for four times twenty segments, up to tcp_rmem[2] (tcp_fixup_rcvbuf)."""
    grows_without_sack: bool = False
    """Data beyond a hole lets the window grow without SACK too."""
    first_is_limited: bool = False
    """A connection begins with a window of 65535 octets at most, and not only says so in its SYN."""
    small_head: int = 576
    """Memory for the head of a short segment, in octets; longer ones take 1024, 2048 and so on."""
    head_fits_pull: bool = True
    """It has room for the most that GRO pulls into it, which shows where many drivers are configured in."""
    pages_behind_head: bool = True
    """A long segment from a TUN device has a head of one page, and pages behind it, not one large head."""
    none_without_memory: bool = True
    """Data refused for lack of memory is answered with a window of 0."""
    spares_older: bool = True
    """For lack of memory only what lies beyond the segment that arrives is thrown away."""
    stamps_count: bool = True
    """What timestamps take of a segment is taken off before a listener's child keeps a segment of the window back."""
    least_echo: int = 0
    """An echo of the same tick counts for the receiver's round trip as so many ticks; 0: it does not count."""


@dataclass(frozen=True, slots=True)
class ArrivalRules:
    """What a connection makes of segments that are odd."""

    challenges_old_syn: bool = True
    """A SYN with a timestamp that is too old draws a challenge ACK; else it is taken for any old segment."""
    drops_old_acks: bool = True
    """A bare ACK that is old by number and timestamp is dropped silently; else it is answered."""
    overtaken_by: tuple[int, int] = (12, 10)
    """So many RTOs a bare duplicate ACK's timestamp may be too old, as a fraction."""
    challenges_unsent: bool = True
    """An ACK for what has not been sent draws a challenge ACK; else nothing."""
    takes_crossed: bool = True
    """The SYN|ACK of a simultaneous open makes the connection; else it draws a challenge ACK."""
    takes_old_acks: bool = True
    """While closing, data with an ACK that others have overtaken is taken; else a challenge ACK refuses it."""
    old_acks_stamp: bool = False
    """The timestamp of a segment with such an ACK is echoed."""
    zero_window_counts: bool = True
    """A window of 0 counts even in a segment that is not newer."""
    measures_beyond_hole: bool = True
    """Segments beyond a hole count too where the size of the peer's segments is guessed."""
    rehashes_repeats: bool = False
    """The same old data twice in a row means that our ACKs get lost, so that another path is tried; else only a new
    flow label does, over IPv6."""


@dataclass(frozen=True, slots=True)
class SendingRules:
    """What a connection sends, beside its congestion control."""

    buffer_memory: int = 832
    """What an empty buffer of data to send takes, in octets of memory (tcp_stream_alloc_skb)."""
    fills_first: bool = True
    """A small buffer is filled out of the one behind it before it is sent."""
    ack_is_due_by_round_trip: bool = True
    """What could be larger waits for the next ACK where a round trip says that it comes within a millisecond; else
    where half a round trip is over."""
    pushes_pieces: bool = True
    """What goes out as several segments ends with PSH."""
    counts_time_outs: bool = True
    """TCPTimeouts counts every time-out, and TCPLostRetransmit what was lost again; else TCPTimeouts counts the first
    in a row, where no other counter tells of it."""
    fin_needs_room: bool = True
    """A FIN without data waits for the congestion window too."""
    counts_progress: bool = True
    """PRR lets one segment more out for each ACK that makes progress and shows no new loss; else for one that
    acknowledges a retransmission, and only then as much as was delivered before."""
    acks_before_least_rto: bool = True
    """A delayed ACK goes out a tick before the shortest RTO at the latest; else it may wait 200 ms."""
    syn_data_is_lost: bool = True
    """Data of a SYN that its SYN|ACK does not acknowledge counts as lost; else it is sent again, and no more."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One family of kernels. Times are nanoseconds."""

    name: str
    about: str
    clamp_backlog: Callable[[int, int], int]
    """(backlog given to listen(), net.core.somaxconn) -> the limit in force."""
    queues: QueueRules
    initial_rto: int
    rto_min: int
    rto_max: int
    fallback_rto: int
    """RTO after a handshake that gave no round-trip time."""
    time_wait: int
    initial_cwnd: int
    cookie_mss: tuple[int, ...]
    """The MSSs that a SYN cookie can hold, in rising order."""
    cookie_mss_ipv6: tuple[int, ...]
    """The same over IPv6."""
    cookie_minutes: int
    """A SYN cookie is good while its minute counter has advanced fewer than this many times."""
    cookie_options: bool
    """A SYN cookie remembers window scale, SACK and ECN in the timestamps; without it a SYN|ACK with a cookie has
    an MSS and no more."""
    cookie_overflow: int
    """How long after the last cookie was sent ACKs are still tried as cookies."""
    quick_syn: int
    """After an ACK for something else in SYN_SENT the SYN is repeated this soon, once; 0: not."""
    challenges: bool
    """RFC 5961: a RST must hit RCV.NXT, and a SYN on a connection draws an ACK. Without it any RST or SYN
    inside the window resets."""
    challenges_vary: bool
    """How many challenge ACKs a second may have is drawn anew each second, from half of
    tcp_challenge_ack_limit to one and a half of it; else it is that limit."""
    challenge_inexact_rst: bool
    """An in-window RST that does not hit RCV.NXT of a request draws a challenge ACK and kills nothing."""
    request_takes_stamps: bool
    """A request notes the TSval of an ACK that it takes, to echo it in further SYN|ACKs."""
    request_window_scaled: bool
    """The window is scaled in an ACK that a request sends."""
    limits_replies: bool
    """Answers to segments out of window are sent at most each tcp_invalid_ratelimit."""
    limits_request_acks: bool
    """So are a request's ACKs to segments out of its window, and not only to repeated SYNs."""
    check_tsecr: bool
    """A final ACK whose TSecr no SYN|ACK has sent is not taken."""
    beyond_window: bool
    """Data that ends beyond the window is refused while the application has unread data."""
    fin_spoils_syn: bool
    """A listener drops a SYN that carries FIN too."""
    bad_ack_kills: bool
    """A final ACK with a wrong number draws a RST and removes the half-open connection too."""
    release: str = ""
    """The release whose rules these are, with its stable updates; empty where none was looked at."""
    bad_ack_spares_request: bool = False
    """A RST whose ACK has a wrong number leaves a request alone."""
    unverified: tuple[str, ...] = ()
    """What of this is from memory or from a single text, in words."""
    sysctls: Mapping[str, int | str | tuple[int, ...]] = field(default_factory=dict)
    """Defaults that are not those of the table in `tcpemu.stack.base.sysctls`."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Sysctls that this kernel does not have, each with since when there is one; `sysctls` says what is so
    in their absence."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Sysctls whose largest value is less than today's, with that."""
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    """Reasons by name that are told in another way than in `tcpemu.stack.base.reasons`: which function has the rule
    here, and words that name no sysctl that is missing."""
    counters: frozenset[str] | None = None
    """The counters there are; None stands for all."""
    synack: SynAckTimer = SynAckTimer()
    syn: SynTimer = SynTimer()
    wire: Wire = Wire()
    windows: WindowRules = WindowRules()
    arrivals: ArrivalRules = ArrivalRules()
    sending: SendingRules = SendingRules()
    header_room: int = 192
    """Octets that each segment leaves free for headers, as drivers that are built in ask for it (MAX_TCP_HEADER)."""
    hz: int = 250
    """Ticks a second that it is built with: what timers and their lateness go by where no other number is given."""
    drops_garbage: bool = False
    """A segment whose options cannot be read is dropped, as with CONFIG_TCP_AO; else what comes after the fault is."""
    counts_time_wait_at_end: bool = False
    """The counters TW and TWKilled move when TIME_WAIT is over, and not when it begins."""
    late_timers: Callable[[int, int, int], int] | None = None
    """(now, deadline, ticks a second) -> when a timer fires, as late as this kernel's are; None: not emulated."""
