"""A connection: what it knows, how it begins and how it ends.

What it does with segments is in `incoming.py`, `ack.py` and `text.py`, what it sends in `output.py` and
`acks.py`, its timers in `retransmit.py`, the active open in `active.py`: functions of a connection, cut where
the kernel cuts. Names are RFC 9293's with underscores, or the kernel's: `snd_una`, `rcv_wup`, `ato`.
"""

from __future__ import annotations

import errno
from collections import deque
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
    from tcpemu.stack.output import Unacked
    from tcpemu.stack.request import Request
    from tcpemu.stack.socket import Socket, SocketOptions

RCV_SHUTDOWN, SEND_SHUTDOWN, BOTH_SHUTDOWN = 1, 2, 3
_NEEDS_RESET = frozenset(
    (State.ESTABLISHED, State.CLOSE_WAIT, State.FIN_WAIT1, State.FIN_WAIT2, State.SYN_RECV)
)
_OPEN = (State.ESTABLISHED, State.CLOSE_WAIT)


class Connection:
    """One TCP connection from SYN_SENT or SYN_RECV to CLOSE. Times are nanoseconds, RTTs microseconds."""

    __slots__ = (
        "ack_pending",
        "ack_timer",
        "ack_timer_set",
        "advmss",
        "answered_at",
        "ato",
        "backoff",
        "before_loss",
        "bytes_acked",
        "congestion",
        "copied_seq",
        "delack_at",
        "demand_cwr",
        "dsack",
        "ecn",
        "error",
        "fin_queued",
        "high_seq",
        "host",
        "ip_id",
        "irs",
        "iss",
        "key",
        "last_seg_size",
        "local",
        "local_port",
        "lrcvtime",
        "max_window",
        "mdev",
        "mdev_max",
        "mss_cache",
        "mss_clamp",
        "options",
        "orphan",
        "out_of_order",
        "parent",
        "peer_done",
        "pending",
        "pingpong",
        "probes_out",
        "quick",
        "rcv_mss",
        "rcv_nxt",
        "rcv_queue",
        "rcv_shift",
        "rcv_ssthresh",
        "rcv_wnd",
        "rcv_wup",
        "rcvbuf",
        "remote",
        "remote_port",
        "retrans_stamp",
        "retransmits",
        "rmem",
        "rto",
        "rtt_seq",
        "rttvar",
        "rtx_queue",
        "sack",
        "sacks",
        "scaling_ratio",
        "shutdown",
        "snd_nxt",
        "snd_shift",
        "snd_sml",
        "snd_una",
        "snd_wl1",
        "snd_wnd",
        "socket",
        "srtt",
        "started",
        "state",
        "tlp_high_seq",
        "total_retrans",
        "total_rto",
        "ts_offset",
        "ts_ok",
        "ts_recent",
        "ts_recent_at",
        "tsecr",
        "undo_marker",
        "unsent",
        "window_clamp",
        "write_seq",
        "write_timer",
    )

    def __init__(  # noqa: PLR0915 - one line for each thing that a connection knows
        self, host: Host, key: FlowKey, options: SocketOptions, state: State
    ) -> None:
        self.host = host
        self.key = key
        self.remote, self.remote_port, self.local, self.local_port = key
        self.options = options
        self.state = state
        self.socket: Socket | None = None
        self.parent: object = None
        """The listener in whose accept queue it waits, or nothing."""
        self.orphan = False
        """close() was called: nobody owns it any more (SOCK_DEAD)."""
        self.error = 0
        self.shutdown = 0
        self.peer_done = False
        """The FIN has been taken in (SOCK_DONE)."""
        # sending
        self.iss = self.snd_una = self.snd_nxt = self.write_seq = self.snd_sml = 0
        self.snd_wnd = self.snd_wl1 = self.max_window = self.bytes_acked = 0
        self.snd_shift = 0
        self.mss_clamp = self.mss_cache = DEFAULT_MSS
        self.unsent = b""
        self.fin_queued = False
        self.rtx_queue: deque[Unacked] | None = None
        # receiving
        self.irs = self.rcv_nxt = self.rcv_wup = self.copied_seq = self.rcv_wnd = 0
        self.rcv_shift = self.rcv_ssthresh = self.window_clamp = self.advmss = 0
        self.rcvbuf = options.rcvbuf
        self.scaling_ratio = window.INITIAL_RATIO
        self.rmem = 0
        self.rcv_queue: deque[text.Chunk] | None = None
        self.out_of_order: list[reassembly.Fragment] | None = None
        # options agreed
        self.ts_ok = self.sack = False
        self.ts_offset = 0
        self.ts_recent = 0
        self.ts_recent_at: int | None = None
        self.tsecr = 0
        """TSecr of the segment being processed; 0 when it has no timestamps."""
        self.ecn = self.demand_cwr = False
        self.sacks: tuple[tuple[int, int], ...] = ()
        self.dsack: tuple[int, int] | None = None
        # acknowledging
        self.ack_pending = self.quick = self.pingpong = 0
        self.ato = 0
        self.lrcvtime = host.now
        self.rcv_mss = LEAST_MSS
        self.last_seg_size = 0
        self.ack_timer: Timer | None = None
        self.ack_timer_set = False
        self.delack_at = 0
        self.answered_at: int | None = None
        # time
        self.srtt = self.mdev = self.mdev_max = self.rttvar = 0
        self.rtt_seq = 0
        self.rto = host.generation.initial_rto
        self.backoff = self.retransmits = self.probes_out = 0
        self.total_retrans = self.total_rto = 0
        self.retrans_stamp: int | None = None
        self.undo_marker = False
        self.started: int | None = None
        self.write_timer: Timer | None = None
        self.pending = retransmit.NOTHING
        self.tlp_high_seq: int | None = None
        self.congestion = congestion.START
        self.before_loss: congestion.Reno | None = None
        """The congestion window before a time-out that is not repaired yet (CA_Loss)."""
        self.high_seq = 0
        self.ip_id = host.draw.getrandbits(16)

    # --- the passive open -------------------------------------------------------------------------

    @classmethod
    def from_request(cls, request: Request, segment: Segment, stamps: Timestamps | None) -> Connection:
        """The child of a listener (tcp_minisocks.c: tcp_create_openreq_child)."""
        listener = request.listener
        conn = cls(listener.host, request.key, listener.options, State.SYN_RECV)
        conn.parent = listener
        conn.iss, conn.irs = request.iss, request.irs
        conn.rcv_wup = conn.rcv_nxt = conn.copied_seq = request.irs + 1 & MASK
        conn.snd_una = conn.snd_nxt = conn.write_seq = conn.snd_sml = request.iss + 1 & MASK
        conn.sack, conn.ecn = request.sack, request.ecn
        conn.mss_clamp = request.mss
        conn.window_clamp = request.window_clamp
        conn.rcv_wnd = conn.rcv_ssthresh = request.rcv_wnd
        conn.advmss = request.own_mss
        if request.snd_shift is not None:
            conn.snd_shift, conn.rcv_shift = request.snd_shift, request.rcv_shift
        else:
            conn.window_clamp = min(request.window_clamp, window.LARGEST_WINDOW)
        conn.snd_wnd = conn.max_window = segment.window << conn.snd_shift
        conn.ts_offset = request.ts_offset
        if request.ts_recent is not None:
            conn.ts_ok = True
            conn.ts_recent = request.ts_recent
            if stamps is not None and not after(segment.seq, conn.rcv_nxt):
                conn.ts_recent = stamps.val
            conn.ts_recent_at = conn.host.now
        conn.total_retrans = request.repeats
        conn.undo_marker = bool(request.timeouts)
        conn.started = None if request.repeats else request.started
        if request.timeouts:
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
            first = self.host.clock_ms(self.retrans_stamp) + self.ts_offset & MASK
            if stamps.ecr == first:
                self.undo_marker = False

    def handshake_rtt(self) -> None:
        """The first round-trip time: of a SYN|ACK sent once, else by the timestamp (tcp_synack_rtt_meas)."""
        host = self.host
        if self.started is not None:
            rtt.sample(self, (host.now - self.started) // MICROSECOND)
        elif self.tsecr:
            rtt.sample(self, rtt.by_timestamp(self))

    def init_transfer(self) -> None:
        """Ready for data: MSS, RTO and windows (tcp_input.c: tcp_init_transfer)."""
        output.sync_mss(self)
        rtt.init_metrics(self)
        if self.total_retrans > 1 and self.undo_marker:
            self.congestion = self.congestion.restart()
        window.init_buffer_space(self)

    def init_rcv_mss(self) -> None:
        """A first guess at the peer's segments (tcp_input.c: tcp_initialize_rcv_mss)."""
        hint = min(self.advmss, self.mss_cache, self.rcv_wnd // 2, DEFAULT_MSS)
        self.rcv_mss = max(hint, LEAST_MSS)

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
        for timer in (self.ack_timer, self.write_timer):
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
