"""What a connection is: its fields by concern, each with its type, its unit and what it is at first.

`conn.snd` and `conn.rcv` hold RFC 9293's SND and RCV variables (`conn.snd.una` is SND.UNA), with the kernel's
names for what the RFC does not have. `conn.ack` is about the ACKs that are owed to the peer, `conn.ts` about
timestamps, `conn.rtt` about round-trip times and the RTO, `conn.rtx` about what is sent again and the one timer
for it. What is under way, and its repair, is in `conn.scoreboard`, from the first octet sent on.

Sequence numbers are those on the wire, times are nanoseconds of virtual time, sizes are octets unless it says
otherwise. There is no behaviour here: the rules are functions in the rooms above. What leads back to the connection,
its timers above all, is a field of the connection itself: so the records that it is made of are plain data, which the
compiled core keeps from the garbage collector.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE, Congestion
from tcpemu.stack.base.sequence_numbers import MASK, offset
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.base.timer_queue import Timer
from tcpemu.stack.records.fast_open import FastOpenState
from tcpemu.stack.records.host_services import Flow, HostServices, SocketHandle
from tcpemu.stack.records.received_data import Fragment, SearchTree, Unread, UrgentOctet
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.send_buffer import SendBuffer
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.segment import Address

RCV_SHUTDOWN, SEND_SHUTDOWN, BOTH_SHUTDOWN = 1, 2, 3
"""Bits of `Connection.shutdown` (include/net/sock.h)."""
INITIAL_SCALING_RATIO = 128
"""Half of the buffer is taken for payload until segments show better (tcp.h: TCP_DEFAULT_SCALING_RATIO)."""


class WriteTimer(Enum):
    """What the one timer of a sender is set for (inet_connection_sock.h: icsk_pending)."""

    NOTHING = "nothing"
    RETRANS = "retransmission"
    REORDERING = "reordering"
    LOSS_PROBE = "loss probe"
    WINDOW_PROBE = "window probe"


@dataclass(slots=True, eq=False, repr=False)
class Sending:
    """What is sent: RFC 9293's SND variables, and the data that waits."""

    buffer: int
    """SO_SNDBUF as the kernel counts it, in octets of memory (sk_sndbuf)."""
    iss: int = 0
    """Initial sequence number, that of the SYN."""
    una: int = 0
    """SND.UNA: the oldest number that is not acknowledged."""
    nxt: int = 0
    """SND.NXT: the next number to be sent."""
    write_seq: int = 0
    """What the application has written ends before this number; SYN and FIN count as one each."""
    sml: int = 0
    """The end of the last segment sent that was not full (snd_sml), for Nagle's rule as Minshall has it."""
    wnd: int = 0
    """SND.WND: the peer's window, unscaled."""
    wl1: int = 0
    """SND.WL1: the sequence number of the segment that last set the window."""
    max_window: int = 0
    """The largest window that the peer has offered."""
    bytes_acked: int = 0
    """Octets acknowledged so far; an ACK that lies further back than that is not the peer's (RFC 5961)."""
    wscale: int = 0
    """The peer's window scale, 0 to 14."""
    mss_clamp: int = DEFAULT_MSS
    """The MSS that the peer announced."""
    mss_cache: int = DEFAULT_MSS
    """Payload of a full segment, options taken off."""
    path_mtu: int = 0
    """The MTU of the path for which `mss_cache` was worked out (icsk_pmtu_cookie)."""
    mtu_search: MtuSearch | None = None
    """How data itself looks for that MTU; None where it does not (tcp_mtu_probing)."""
    df: bool = True
    """Packets carry DF, Don't Fragment."""
    queue: deque[SendBuffer] | None = None
    """Data written and not sent yet; None before the first."""
    pushed_seq: int = 0
    """Where the data ended that was last marked PSH (pushed_seq)."""
    no_space: bool = False
    """send() or poll() found no room: whoever waits is told when there is some (SOCK_NOSPACE)."""
    busy_with: int = 0
    """What the time counts for: 0 nothing, 1 busy, 2 the peer's window, 3 the send buffer (chrono_type)."""
    busy_since: int = 0
    """Nanoseconds: since when (chrono_start)."""
    busy_time: int = 0
    """Nanoseconds that it was busy and nothing of these held it back (chrono_stat), as the next two."""
    window_limited: int = 0
    buffer_limited: int = 0
    held: bool = False
    """Nagle's algorithm holds the last, small part of it back."""
    nagle_push: bool = False
    """Until the next data is written nothing is held back, not even by a cork (TCP_NAGLE_PUSH)."""
    beyond: int = 0
    """After connect() with AF_UNSPEC: how far the next connection's number is from SND.NXT."""
    fin_queued: bool = False
    """A FIN follows what is unsent."""
    up: int | None = None
    """SND.UP, the number after the urgent octet; None once that is acknowledged, or where there was none."""
    agreed: bool = False
    """The peer's SYN has told its options."""
    scaled: bool = False
    """Both ends scale windows, be it by nothing (wscale_ok)."""
    segs_out: int = 0
    """Segments that were sent, ACKs and repeats too; of a SYN|ACK only what crossed a SYN (segs_out)."""
    data_segs_out: int = 0
    """Segments with data that were sent, repeats too (data_segs_out)."""
    bytes_sent: int = 0
    """The octets of data in these (bytes_sent)."""
    departed_at: int = 0
    """When the last segment left, or, at the pace of a paced connection, the next one may (tcp_wstamp_ns)."""
    paced: bool = False
    """Segments wait for that time (SK_PACING_NEEDED)."""
    pacing_rate: int = UNLIMITED_RATE
    """The pace, in octets per second; of a connection that is not paced it says how large a burst may be."""

    @property
    def window_end(self) -> int:
        """The right edge of the peer's window (tcp.h: tcp_wnd_end)."""
        return self.una + self.wnd & MASK

    @property
    def head_length(self) -> int:
        """Octets in the buffer that is to be sent next; 0 where only a FIN waits."""
        return len(self.queue[0].payload) if self.queue else 0

    @property
    def head_is_last(self) -> bool:
        """Whether no other buffer stands behind the one that is to be sent next."""
        return self.queue is None or len(self.queue) <= 1

    @property
    def head_ends_record(self) -> bool:
        """Whether a record ends with that buffer (MSG_EOR)."""
        return bool(self.queue) and self.queue[0].eor  # type: ignore[index]

    @property
    def unsent(self) -> int:
        """Octets of data that wait to be sent for the first time."""
        waiting = self.write_seq - self.nxt & MASK
        return waiting - 1 if self.fin_queued and waiting else waiting

    @property
    def has_unsent(self) -> bool:
        """Whether data or a FIN waits to be sent for the first time (tcp.h: tcp_send_head)."""
        return self.nxt != self.write_seq


@dataclass(slots=True, eq=False, repr=False)
class Receiving:
    """What is received: RFC 9293's RCV variables, the window that is offered, and the buffer behind it."""

    buffer: int
    """SO_RCVBUF as the kernel counts it, in octets of memory."""
    irs: int = 0
    """The peer's initial sequence number."""
    nxt: int = 0
    """RCV.NXT: the next number expected."""
    wup: int = 0
    """RCV.NXT as the last ACK said it: where the window that the peer knows begins."""
    copied_seq: int = 0
    """The next number that the application reads."""
    wnd: int = 0
    """The window as last offered, from `wup` on, unscaled."""
    wscale: int = 0
    """Our window scale, 0 to 14."""
    ssthresh: int = 0
    """The window is offered up to here for now; it grows (rcv_ssthresh)."""
    window_clamp: int = 0
    """The window is never offered beyond this."""
    advmss: int = 0
    """The MSS that we announced, less what timestamps take once they are agreed."""
    scaling_ratio: int = INITIAL_SCALING_RATIO
    """Payload per 256 octets of memory, as segments have it so far."""
    rmem: int = 0
    """Memory that the data in both queues takes (sk_rmem_alloc)."""
    queue: deque[Unread] | None = None
    """In order and not read yet; None before the first."""
    out_of_order: list[Fragment] | None = None
    """Beyond a hole, in order of numbers; None before the first."""
    search_tree: SearchTree | None = None
    """How the place of another one is found among them; None before the first."""
    sacks: tuple[tuple[int, int], ...] = ()
    """The SACK blocks to report, the newest first."""
    dsack: tuple[int, int] | None = None
    """The duplicate that the next ACK reports (RFC 2883)."""
    reported_seq: int = 0
    """Where the duplicate began that was reported last; 0 before the first (duplicate_sack)."""
    urgent: UrgentOctet | None = None
    """The urgent octet that was announced and not passed by reading; None where there is none (urg_data)."""
    predicted: int = -1
    """Header prediction is on for segments with this window field; -1 while it is off (pred_flags)."""
    rtt: int = 0
    """Eight times the round-trip time as the receiver sees it, in microseconds; 0 before the first (rcv_rtt_est)."""
    rtt_seq: int = 0
    """With this number a whole window has arrived since `rtt_began`."""
    rtt_began: int | None = None
    """Since when that round trip is measured; None before the first data."""
    last_ecr: int = 0
    """The last TSecr by which a round trip was measured, so that none is measured twice (rcv_rtt_last_tsecr)."""
    space: int = 0
    """The most octets that were read in a round trip so far (rcvq_space)."""
    space_seq: int = 0
    """What is read from this number on counts for the round trip that runs."""
    space_at: int = 0
    """When that round trip began."""
    segs_in: int = 0
    """Segments that came in, the SYN that opened it among them (segs_in)."""
    data_segs_in: int = 0
    """Those of them that had data (data_segs_in)."""
    segs_ahead: int = 0
    """Those of them that came ahead of what was missing (rcv_ooopack)."""
    reserved: int = 0
    """Octets of memory that the kernel has set aside, in whole pages, where that is more than all queues take."""


@dataclass(slots=True, eq=False, repr=False)
class MtuSearch:
    """How the search for the path's MTU stands (icsk_mtup, mtu_probe). Sizes are octets of IP packets."""

    high: int
    """The path is not known to carry more."""
    low: int
    """It is taken to carry so much; segments are no larger."""
    begun: int
    """When the search began, in nanoseconds."""
    probing: int = 0
    """The size that is asked for by a segment under way; 0 for none."""
    start: int = 0
    """Where that segment begins and ends."""
    end: int = 0
    held: list[tuple[int, int]] = field(default_factory=list)
    """Where a buffer begins that a probe was cut from, and how many octets: they take memory until it is gone."""


@dataclass(slots=True, eq=False, repr=False)
class Acknowledging:
    """The ACKs that we owe: inet_connection_sock.h: icsk_ack, and what is learnt of the peer's segments."""

    last_data_at: int
    """When data last came in (lrcvtime)."""
    pending: int = 0
    """Bits SCHEDULED, TIMER, PUSHED ... of `delayed_ack_bits.py`."""
    quick: int = 0
    """How many more ACKs are sent at once."""
    pingpong: int = 0
    """How often data answered data (up to 255): from tcp_pingpong_thresh on it may carry the ACK."""
    ato: int = 0
    """How long a delayed ACK waits, by the peer's pace; 0 before the first data."""
    rcv_mss: int = LEAST_MSS
    """The size of the peer's segments, as guessed."""
    last_seg_size: int = 0
    """Of the last segment, if it may have been a full one; else 0."""
    due: int = 0
    """When the delayed ACK is due."""
    duplicates: int = 0
    """Duplicate ACKs sent at once for the hole at `compressed_nxt` (dup_ack_counter)."""
    compressed_nxt: int = 0
    """RCV.NXT when those were counted (compressed_ack_rcv_nxt)."""
    compressed: int = 0
    """Duplicate ACKs that wait to be sent as one (compressed_ack)."""
    demand_cwr: bool = False
    """ECE goes out until the peer says CWR (RFC 3168); with DCTCP while the last packet was marked."""
    ecn_seen: bool = False
    """Some data came in a packet that was ECN-capable (TCP_ECN_SEEN)."""
    ce_state: bool = False
    """The last packet with data was marked, where the congestion control needs ECN."""
    prior_nxt: int = 0
    """RCV.NXT after the one before it."""
    flow_label: int = 0
    """That of the last data that came in over IPv6 (lrcv_flowlabel)."""


@dataclass(slots=True, eq=False, repr=False)
class Timestamping:
    """RFC 7323's timestamps."""

    ok: bool = False
    """Both ends have them."""
    offset: int = 0
    """Added to our clock in each TSval."""
    recent: int = 0
    """TS.Recent: the TSval to echo, by the rule of RFC 7323 section 4.3 (`ack_arrives.py` updates it)."""
    recent_at: int | None = None
    """When that came; None for never."""
    clock_at: int | None = None
    """The time that TSvals are of; None for now."""
    ecr: int = 0
    """TSecr of the segment that is being worked on; 0 when it has none."""


@dataclass(slots=True, eq=False, repr=False)
class RoundTrips:
    """RFC 6298's estimator, in the kernel's fixed point: microseconds, but for `rto`."""

    rto: int
    """The retransmission time-out now, in nanoseconds, doubled by `backoff`."""
    srtt: int = 0
    """Eight times the smoothed round-trip time; 0 before the first."""
    mdev: int = 0
    """Four times the mean deviation."""
    mdev_max: int = 0
    """The largest of that in this round trip."""
    rttvar: int = 0
    """Four times the deviation as the RTO takes it."""
    seq: int = 0
    """SND.NXT when this round trip began (rtt_seq)."""
    backoff: int = 0
    """How often the RTO has been doubled since the last measurement."""
    handshake_began: int | None = None
    """When the SYN or SYN|ACK was sent whose round trip the handshake times; None where it was sent twice."""


@dataclass(slots=True, eq=False, repr=False)
class Retransmission:
    """What is sent again, how often, and what the one timer for that is set for."""

    retransmits: int = 0
    """Time-outs in a row (icsk_retransmits)."""
    probes_out: int = 0
    """Probes of a closed window without an answer."""
    probes_began: int | None = None
    """When the first of these was sent; None while there is none (icsk_probes_tstamp)."""
    heard_at: int = 0
    """When an acceptable ACK last came (rcv_tstamp)."""
    total_retrans: int = 0
    """Segments sent again, over all."""
    bytes_retrans: int = 0
    """Octets of data in these (bytes_retrans)."""
    total_rto: int = 0
    """Time-outs, over all."""
    rto_recoveries: int = 0
    """Time-outs after which something was acknowledged, and the one since (total_rto_recoveries)."""
    rto_time: int = 0
    """Milliseconds from the first time-out in a row until its losses were repaired, over all (total_rto_time)."""
    rto_began: int | None = None
    """When the first time-out was whose losses are being repaired; None where there is none (rto_stamp)."""
    rehashes: int = 0
    """Time-outs that have chosen another path, which they do unless SO_TXREHASH is 0 (timeout_rehash)."""
    soft_error: int = 0
    """The errno that ICMP gave, told when the connection is given up; 0 for none (sk_err_soft)."""
    syn_timed_out: bool = False
    """A SYN or SYN|ACK was sent again after a time-out, and nothing shows that as spurious."""
    retrans_stamp: int | None = None
    """When the first of what is being repeated was sent; None while nothing is."""
    timer_is_for: WriteTimer = WriteTimer.NOTHING


@dataclass(slots=True, eq=False, repr=False)
class FirstSizes:
    """What the sizes of a connection are once its handshake is done, for others that begin alike."""

    path_mtu: int = 0
    """0 before they are worked out."""
    mss_cache: int = 0
    window_clamp: int = 0
    ssthresh: int = 0
    space: int = 0
    sndbuf: int = 0
    rcvbuf: int = 0


@dataclass(slots=True)
class QueuedError:
    """One entry of the error queue: struct sock_extended_err, and what comes with it (errqueue.h)."""

    errno: int
    origin: int
    """Who says so: 2 ICMP, 3 ICMPv6, 5 the end of a send() with MSG_ZEROCOPY."""
    kind: int
    """Type of the ICMP error."""
    code: int
    info: int
    """ICMP: the pointer of a parameter problem, else 0; MSG_ZEROCOPY: the number of the first send() that is over."""
    data: int
    """MSG_ZEROCOPY: the number of the last such send()."""
    octets: bytes
    """What is quoted of the segment, from its TCP header on."""
    offender: Address | None
    """Who sent the ICMP error."""
    target: tuple[Address, int] | None
    """Where the segment was to go."""

    @property
    def is_icmp(self) -> bool:
        """Whether it came as ICMP, of either IP."""
        return self.offender is not None


@dataclass(slots=True)
class ZerocopySend:
    """Sends with MSG_ZEROCOPY, by their numbers from the first to the last, and the number after their last octet."""

    first: int
    last: int
    end: int


@dataclass(slots=True, eq=False, repr=False)
class ErrorQueue:
    """What recvmsg() gives with MSG_ERRQUEUE, in order (sk_error_queue), and what it will be told yet."""

    entries: list[QueuedError] = field(default_factory=list)
    unfinished: list[ZerocopySend] = field(default_factory=list)
    """Sends with MSG_ZEROCOPY whose octets are still needed."""
    next_send: int = 0
    """The number of the next such send() (sk_zckey)."""


@dataclass(slots=True, eq=False, repr=False)
class Connection(Flow):
    """One TCP connection from SYN_SENT or SYN_RECV to CLOSE."""

    host: HostServices
    options: SocketOptions
    state: State
    snd: Sending
    rcv: Receiving
    ack: Acknowledging
    ts: Timestamping
    rtt: RoundTrips
    rtx: Retransmission
    congestion: Congestion
    """The congestion window: how much may be under way."""
    ip_id: int
    """Identification of the next IPv4 packet; 0 over IPv6."""
    flow_label: int = 0
    """That of its packets, over IPv6 (sk_txhash)."""
    opened_at: int = 0
    """When it was opened: the handshake was done, or the SYN that waits was sent."""
    scoreboard: Scoreboard | None = None
    """What was sent and is not acknowledged, and its repair; None before anything was sent."""
    sack_ok: bool = False
    """Both ends agreed to SACK."""
    ecn_ok: bool = False
    """Both ends agreed to ECN."""
    socket: SocketHandle | None = None
    """The socket that owns it; None before accept() and after close()."""
    parent: object | None = None
    """The listener in whose accept queue it waits, or None."""
    orphan: bool = False
    """close() was called, so no application owns it (SOCK_DEAD)."""
    error: int = 0
    """The errno that the next call meets; 0 for none (sk_err)."""
    shutdown: int = 0
    """RCV_SHUTDOWN, SEND_SHUTDOWN, or both."""
    peer_done: bool = False
    """The peer's FIN has been taken in (SOCK_DONE)."""
    write_timer: Timer | None = None
    """What `rtx.timer_is_for` says. Each timer is None before it is first set."""
    delayed_ack_timer: Timer | None = None
    """Due at `ack.due`."""
    compression_timer: Timer | None = None
    """Sends one ACK for the duplicates that `ack.compressed` counts."""
    pacing_timer: Timer | None = None
    """Waits for `snd.departed_at`."""
    keepalive_timer: Timer | None = None
    """Probes a peer that is silent (SO_KEEPALIVE), and ends an orphan in FIN_WAIT2."""
    no_route: bool = False
    """IP_TOS, IPV6_TCLASS or SO_MARK has changed: the next packet looks for the route anew (sk_dst_reset)."""
    error_queue: ErrorQueue | None = None
    """What MSG_ERRQUEUE gives; None before there was anything."""
    fast_open: FastOpenState | None = None
    """How Fast Open goes on it; None where it is not used."""
    saved_syn: bytes = b""
    """The headers of the SYN that opened it, for TCP_SAVED_SYN; empty once they have been read."""

    @property
    def opened_early(self) -> bool:
        """Whether it is a listener's child by Fast Open that waits for the final ACK (tcp_passive_fastopen)."""
        return self.fast_open is not None and self.fast_open.request is not None

    @property
    def opening(self) -> bool:
        """Whether the handshake is still to be done, and nothing else made it a connection before that."""
        return self.state in OPENING and not self.opened_early

    @property
    def recv_q(self) -> int:
        """Octets received and not read, as `ss` shows them; a FIN counts as one."""
        return max(offset(self.rcv.copied_seq, self.rcv.nxt), 0)

    @property
    def send_q(self) -> int:
        """Octets not acknowledged yet, as `ss` shows them; SYN and FIN count as one each."""
        return self.snd.write_seq - self.snd.una & MASK
