"""A connection: what it knows, how it begins and how it ends.

What it does with segments is in `incoming.py`, `ack.py` and `text.py`, what it sends in `output.py` and
`acks.py`, its timers in `retransmit.py`, the active open in `active.py`: functions of a connection, cut where
the kernel cuts. Names are RFC 9293's with underscores, or the kernel's: `snd_una`, `rcv_wup`, `ato`.
"""

from __future__ import annotations

import errno
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from tcpemu.stack import acks, congestion, incoming, output, reassembly, retransmit, rtt, text, window
from tcpemu.stack.events import Reason
from tcpemu.stack.options import DEFAULT_MSS, LEAST_MSS, TIMESTAMPS_LENGTH
from tcpemu.stack.seq import MASK, after
from tcpemu.stack.states import State
from tcpemu.stack.timers import Timer
from tcpemu.stack.units import MICROSECOND
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import FIN, SYN, FlowKey, Segment

if TYPE_CHECKING:
    from tcpemu.stack.host import Host
    from tcpemu.stack.request import Request
    from tcpemu.stack.scoreboard import Scoreboard
    from tcpemu.stack.socket import Socket, SocketOptions

RCV_SHUTDOWN, SEND_SHUTDOWN, BOTH_SHUTDOWN = 1, 2, 3
_NEEDS_RESET = frozenset(
    (State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT1, State.FIN_WAIT2, State.SYN_RECV)
)
_OPEN = (State.ESTABLISHED, State.CLOSE_WAIT)


_AT_FIRST: dict[str, object] = {
    "parent": None,
    "peer_done": False,
    "iss": 0,
    "snd_una": 0,
    "snd_nxt": 0,
    "write_seq": 0,
    "snd_sml": 0,
    "snd_wnd": 0,
    "snd_wl1": 0,
    "max_window": 0,
    "bytes_acked": 0,
    "snd_shift": 0,
    "mss_clamp": DEFAULT_MSS,
    "mss_cache": DEFAULT_MSS,
    "irs": 0,
    "rcv_nxt": 0,
    "rcv_wup": 0,
    "copied_seq": 0,
    "rcv_wnd": 0,
    "rcv_shift": 0,
    "rcv_ssthresh": 0,
    "window_clamp": 0,
    "advmss": 0,
    "ts_ok": False,
    "sack": False,
    "ts_offset": 0,
    "ts_recent": 0,
    "ts_recent_at": None,
    "tsecr": 0,
    "ecn": False,
    "demand_cwr": False,
    "ack_pending": 0,
    "quick": 0,
    "pingpong": 0,
    "ato": 0,
    "rcv_mss": LEAST_MSS,
    "last_seg_size": 0,
    "ack_timer": None,
    "delack_at": 0,
    "answered_at": None,
    "mdev": 0,
    "mdev_max": 0,
    "rttvar": 0,
    "rtt_seq": 0,
    "backoff": 0,
    "retransmits": 0,
    "probes_out": 0,
    "heard_at": 0,
    "total_retrans": 0,
    "total_rto": 0,
    "undo_marker": False,
    "started": None,
    "write_timer": None,
    "linger_timer": None,
    "pending": retransmit.NOTHING,
}
"""What a field is before anything sets it. To set all of them for each connection would take a third of the
time that a handshake takes, and most connections never touch most of them."""
_SET_AT_ONCE = (
    *("host", "key", "remote", "remote_port", "local", "local_port", "options", "state", "socket", "orphan"),
    *(
        "error",
        "shutdown",
        "unsent",
        "fin_queued",
        "rtx_queue",
        "rcvbuf",
        "scaling_ratio",
        "rmem",
        "rcv_queue",
    ),
    *("out_of_order", "sacks", "dsack", "lrcvtime", "srtt", "rto", "retrans_stamp"),
    *("congestion", "ip_id"),
)


class Connection:
    """One TCP connection from SYN_SENT or SYN_RECV to CLOSE. Times are nanoseconds, RTTs microseconds."""

    __slots__ = (*_SET_AT_ONCE, *_AT_FIRST)

    # who
    parent: object
    """The listener in whose accept queue it waits, or None."""
    peer_done: bool
    """The FIN has been taken in (SOCK_DONE)."""
    # sending
    iss: int
    snd_una: int
    snd_nxt: int
    write_seq: int
    snd_sml: int
    snd_wnd: int
    snd_wl1: int
    max_window: int
    bytes_acked: int
    snd_shift: int
    mss_clamp: int
    mss_cache: int
    # receiving
    irs: int
    rcv_nxt: int
    rcv_wup: int
    copied_seq: int
    rcv_wnd: int
    rcv_shift: int
    rcv_ssthresh: int
    window_clamp: int
    advmss: int
    # options agreed
    ts_ok: bool
    sack: bool
    ts_offset: int
    ts_recent: int
    ts_recent_at: int | None
    tsecr: int
    """TSecr of the segment being processed; 0 when it has no timestamps."""
    ecn: bool
    demand_cwr: bool
    # acknowledging
    ack_pending: int
    quick: int
    pingpong: int
    ato: int
    rcv_mss: int
    last_seg_size: int
    ack_timer: Timer | None
    delack_at: int
    answered_at: int | None
    # round-trip times and repair
    mdev: int
    mdev_max: int
    rttvar: int
    rtt_seq: int
    backoff: int
    retransmits: int
    probes_out: int
    heard_at: int
    """When an ACK last came that was none too old (rcv_tstamp)."""
    total_retrans: int
    total_rto: int
    undo_marker: bool
    """The handshake has timed out, and nothing says that it had no need to."""
    started: int | None
    """When the SYN or SYN|ACK was sent whose round trip the handshake times."""
    write_timer: Timer | None
    linger_timer: Timer | None
    pending: retransmit.Pending

    def __init__(self, host: Host, key: FlowKey, options: SocketOptions, state: State) -> None:
        self.host = host
        self.key = key
        self.remote, self.remote_port, self.local, self.local_port = key
        self.options = options
        self.state = state
        self.socket: Socket | None = None
        self.orphan = False
        """close() was called: nobody owns it any more (SOCK_DEAD)."""
        self.error = self.shutdown = self.rmem = self.srtt = 0
        self.unsent = b""
        self.fin_queued = False
        self.rtx_queue: Scoreboard | None = None
        self.rcvbuf = options.rcvbuf
        self.scaling_ratio = window.INITIAL_RATIO
        self.rcv_queue: deque[text.Chunk] | None = None
        self.out_of_order: list[reassembly.Fragment] | None = None
        self.sacks: tuple[tuple[int, int], ...] = ()
        self.dsack: tuple[int, int] | None = None
        self.lrcvtime = host.now
        self.rto = host.generation.initial_rto
        self.retrans_stamp: int | None = None
        self.congestion: congestion.Congestion = host.first_congestion
        self.ip_id = host.draw.getrandbits(16)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            try:
                return _AT_FIRST[name]
            except KeyError:
                raise AttributeError(f"a connection has no {name}") from None

    # --- the passive open -------------------------------------------------------------------------

    @classmethod
    def from_request(cls, request: Request, segment: Segment, stamps: Timestamps | None) -> Connection:
        """The child of a listener (tcp_minisocks.c: tcp_create_openreq_child)."""
        listener = request.listener
        conn = cls(listener.host, request.key, listener.options, State.SYN_RECV)
        conn.parent = listener
        if request.tos != conn.options.tos:
            conn.options = replace(conn.options, tos=request.tos)
        conn.iss, conn.irs = request.iss, request.irs
        conn.rcv_wup = conn.rcv_nxt = conn.copied_seq = request.irs + 1 & MASK
        conn.snd_una = conn.snd_nxt = conn.write_seq = conn.snd_sml = request.iss + 1 & MASK
        conn.sack = request.sack
        if request.ecn:
            conn.ecn = True
        conn.mss_clamp = request.mss
        conn.window_clamp = request.window_clamp
        conn.rcv_wnd = conn.rcv_ssthresh = request.rcv_wnd
        conn.advmss = request.own_mss
        if request.snd_shift is not None:
            conn.snd_shift, conn.rcv_shift = request.snd_shift, request.rcv_shift
        else:
            conn.snd_shift = conn.rcv_shift = 0
            conn.window_clamp = min(request.window_clamp, window.LARGEST_WINDOW)
        conn.snd_wnd = conn.max_window = segment.window << conn.snd_shift
        conn.ts_offset = request.ts_offset
        if request.ts_recent is not None:
            conn.ts_ok = True
            conn.ts_recent = request.ts_recent
            if stamps is not None and not after(segment.seq, conn.rcv_nxt):
                conn.ts_recent = stamps.val
            conn.ts_recent_at = conn.host.now
        else:
            conn.ts_ok = False
        conn.total_retrans = request.repeats
        if not request.repeats:
            conn.started = request.started
        if request.timeouts:
            conn.undo_marker = True
            conn.retrans_stamp = request.started
        return conn

    def first_segment(self, segment: Segment, stamps: Timestamps | None) -> None:
        """The segment that made this connection reaches it (tcp_minisocks.c: tcp_child_process)."""
        if segment.flags & SYN:
            incoming.receive(self, segment)
            return
        self.tsecr = stamps.ecr if stamps is not None and self.ts_ok else 0
        self.establish(segment, stamps)
        if segment.payload or segment.flags & FIN:
            text.take(self, segment)
            output.push_pending(self)
            acks.check(self)

    def establish(self, segment: Segment, stamps: Timestamps | None) -> None:
        """SYN_RECV to ESTABLISHED (tcp_rcv_state_process)."""
        if not self.srtt:
            self.handshake_rtt()
        if self.ts_ok:
            self.advmss -= TIMESTAMPS_LENGTH
        if self.retrans_stamp is not None:
            self.undo_spurious_timeout(stamps)
            self.retrans_stamp = None
        self.init_transfer()
        self.set_state(State.ESTABLISHED, "the final ACK is good")
        self.snd_wnd = segment.window << self.snd_shift
        self.snd_wl1 = segment.seq
        self.init_rcv_mss()
        if self.shutdown & SEND_SHUTDOWN:
            self.set_state(State.FIN_WAIT1, "close() or shutdown() sends FIN")
            output.send_fin(self)
        if self.socket is not None:
            self.host.wake(self.socket)

    def undo_spurious_timeout(self, stamps: Timestamps | None) -> None:
        """The first SYN|ACK had arrived after all (tcp_try_undo_spurious_syn)."""
        if stamps is not None and self.ts_ok and self.retrans_stamp is not None:
            first = self.host.stamp_clock(self.retrans_stamp) + self.ts_offset & MASK
            if stamps.ecr == first:
                self.undo_marker = False

    def handshake_rtt(self) -> None:
        """The first round-trip time: of a SYN|ACK sent once, else by the timestamp (tcp_synack_rtt_meas)."""
        host = self.host
        if self.started is not None:
            rtt.sample(self, (host.now - self.started) // MICROSECOND)
        elif self.tsecr:
            rtt.sample_by_timestamp(self)

    def init_transfer(self) -> None:
        """Ready for data: MSS, RTO and windows (tcp_input.c: tcp_init_transfer)."""
        output.sync_mss(self)
        if not self.srtt or self.host.metrics:
            rtt.init_metrics(self)
        troubled = self.total_retrans > 1 and self.undo_marker
        self.congestion = self.congestion.begin(self.host.first_congestion, troubled)
        window.init_buffer_space(self)

    def init_rcv_mss(self) -> None:
        """A first guess at the peer's segments (tcp_input.c: tcp_initialize_rcv_mss)."""
        hint = DEFAULT_MSS
        if self.rcv_wnd < 2 * hint or self.advmss < hint or self.mss_cache < hint:
            hint = max(min(self.advmss, self.mss_cache, self.rcv_wnd // 2), LEAST_MSS)
        self.rcv_mss = hint

    @property
    def reuseaddr(self) -> bool:
        """Whether it lets others with SO_REUSEADDR have its port too."""
        return self.options.reuseaddr

    # --- state ------------------------------------------------------------------------------------

    def set_state(self, new: State, cause: str, shown: State | None = None) -> None:
        """The one place where the state changes (tcp.c: tcp_set_state).

        `shown` is what others see in its place when a TIME_WAIT bucket takes over.
        """
        old, host = self.state, self.host
        if new is State.ESTABLISHED or (new is State.CLOSE_WAIT and old is State.SYN_RECV):
            host.count("CurrEstab")
        elif old in _OPEN and new not in _OPEN:
            host.count("CurrEstab", -1)
        if new is State.CLOSE:
            if old in _OPEN:
                host.count("EstabResets")
            host.unhash(self)
        self.state = new
        if host.observe and old is not (shown or new):
            host.state_changed(self.key, old, shown or new, cause)

    def receive(self, segment: Segment) -> Reason:
        """A segment of this flow."""
        return incoming.receive(self, segment)

    def wake(self) -> None:
        """Tell the application that something may be ready."""
        if self.socket is not None:
            self.host.wake(self.socket)

    # --- the end ----------------------------------------------------------------------------------

    def done(self, cause: str, shown: State | None = None) -> None:
        """No more of it on the wire (tcp.c: tcp_done)."""
        if self.state in (State.SYN_SENT, State.SYN_RECV):
            self.host.count("AttemptFails")
        self.set_state(State.CLOSE, cause, shown)
        self.stop_timers()
        self.shutdown = BOTH_SHUTDOWN
        self.wake()

    def fail(self, number: int, cause: str) -> None:
        """End it with an error for the application (tcp_input.c: tcp_done_with_error)."""
        self.error = number
        self.purge()
        self.done(cause)

    def reset_by_peer(self) -> None:
        """A RST has been accepted (tcp_input.c: tcp_reset)."""
        numbers = {State.SYN_SENT: errno.ECONNREFUSED, State.CLOSE_WAIT: errno.EPIPE}
        self.fail(numbers.get(self.state, errno.ECONNRESET), "RST arrives")

    def disconnect(self) -> None:
        """Abort: RST where the peer may think that the connection lives (tcp.c: tcp_disconnect)."""
        old = self.state
        if old is not State.CLOSE:
            self.set_state(State.CLOSE, "aborted")
        if old in _NEEDS_RESET or (self.snd_nxt != self.write_seq and old in (State.CLOSING, State.LAST_ACK)):
            output.send_active_reset(self)
            self.error = errno.ECONNRESET
        elif old is State.SYN_SENT:
            self.error = errno.ECONNRESET
        self.stop_timers()
        self.purge()
        self.rcv_queue = self.out_of_order = None
        self.rmem = 0
        self.copied_seq = self.rcv_nxt
        self.shutdown = 0

    def purge(self) -> None:
        """Forget what was to be sent."""
        self.unsent = b""
        self.rtx_queue = None

    def stop_timers(self) -> None:
        for timer in (self.ack_timer, self.write_timer, self.linger_timer):
            if timer is not None:
                self.host.timers.cancel(timer)
        self.pending = retransmit.NOTHING

    # --- what `ss` shows --------------------------------------------------------------------------

    @property
    def recv_q(self) -> int:
        """Octets received and not read; a FIN counts as one."""
        return max((self.rcv_nxt - self.copied_seq + 0x80000000 & MASK) - 0x80000000, 0)

    @property
    def send_q(self) -> int:
        """Octets not acknowledged yet; SYN and FIN count as one each."""
        return self.write_seq - self.snd_una & MASK
