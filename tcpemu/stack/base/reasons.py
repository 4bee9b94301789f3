"""Why the stack did what it did: every reason that a `Verdict`, a `Sent` or a `TimerFired` can name.

A reason says the rule in words, where the kernel has it, and what became of the segment. The functions are those of
Linux 6.18, or of another system that is named; `Generation.reasons` has those of other kernels.
"""

from __future__ import annotations

from tcpemu.stack.base.events import Outcome, Reason

_ACCEPTED, _ANSWERED, _DROPPED = Outcome.ACCEPTED, Outcome.ANSWERED, Outcome.DROPPED
_WINDOWS = "Windows, whose source is not public"
_CONN_REQUEST = "tcp_input.c: tcp_conn_request"
_CHECK_REQ = "tcp_minisocks.c: tcp_check_req"
_STATE_PROCESS = "tcp_input.c: tcp_rcv_state_process"
_VALIDATE = "tcp_input.c: tcp_validate_incoming"
_SYN_SENT = "tcp_input.c: tcp_rcv_synsent_state_process"
_DATA_QUEUE = "tcp_input.c: tcp_data_queue"
_TCP_ACK = "tcp_input.c: tcp_ack"
_TIME_WAIT = "tcp_minisocks.c: tcp_timewait_state_process"
_TRY_FAST_OPEN = "tcp_fastopen.c: tcp_try_fastopen"
_SEND_SYN_DATA = "tcp_output.c: tcp_send_syn_data"
_RCV = "tcp_ipv4.c: tcp_v4_rcv"
_REQ_TIMER = "inet_connection_sock.c: reqsk_timer_handler"
_RETRANS_TIMER = "tcp_timer.c: tcp_retransmit_timer"
_ACTIVE_RESET = "tcp_output.c: tcp_send_active_reset"
_WRITE_ERR = "tcp_timer.c: tcp_write_err"
_ALL: list[Reason] = []


def _reason(name: str, text: str, source: str, outcome: Outcome = _ACCEPTED) -> Reason:
    reason = Reason(name, text, source, outcome)
    _ALL.append(reason)
    return reason


def _drop(name: str, text: str, source: str) -> Reason:
    return _reason(name, text, source, _DROPPED)


def _answer(name: str, text: str, source: str) -> Reason:
    return _reason(name, text, source, _ANSWERED)


FAST_OPEN_SYN = _answer(
    "FAST_OPEN_SYN",
    "a SYN inside the window of a connection that Fast Open has opened: a RST, and it goes on",
    _CHECK_REQ,
)
BAD_CHECKSUM = _drop("TCP_CSUM", "the checksum is wrong", _RCV)
MIN_TTL = _drop("TCP_MINTTL", "its TTL is less than IP_MINTTL asks for", _RCV)
BAD_HEADER = _drop("PKT_TOO_SMALL", "the headers cannot be right", _RCV)
BAD_OPTIONS = _drop(
    "TCP_AUTH_HDR",
    "its options cannot be read, so that a signature could hide in them",
    "tcp_ipv4.c: tcp_v4_rcv",
)
NOT_FOR_US = _drop(
    "NOT_LOCAL", "the destination is not an address of this host", "route.c: ip_route_input_slow"
)
NO_SOCKET = _answer("NO_SOCKET", "no socket has this port, so it is answered with a RST", _RCV)
NO_SOCKET_RST = _drop("NO_SOCKET_RST", "no socket has this port, and a RST is never answered", _RCV)
SYN_QUEUED = _reason("SYN_QUEUED", "the SYN enters the SYN queue and is answered with SYN|ACK", _CONN_REQUEST)
SYN_QUEUED_KNOWN = _reason(
    "SYN_QUEUED_KNOWN_PEER",
    "the last quarter of tcp_max_syn_backlog is kept for peers that are known, and this one is: a connection with "
    "it has ended before, and its round-trip time is remembered (ip tcp_metrics)",
    _CONN_REQUEST,
)
FAST_OPENED = _reason(
    "FAST_OPENED",
    "the SYN may open the connection by itself (Fast Open): it is queued for accept() at once, with its data",
    _TRY_FAST_OPEN,
)
SYN_COOKIE = _answer(
    "SYN_COOKIE", "the SYN queue is full, so a SYN cookie is sent and nothing is remembered", _CONN_REQUEST
)
SYN_COOKIE_ALWAYS = _answer(
    "SYN_COOKIE_ALWAYS",
    "tcp_syncookies is 2, so a SYN cookie is sent and nothing is remembered",
    _CONN_REQUEST,
)
SYN_QUEUE_FULL = _drop(
    "SYN_QUEUE_FULL", "the SYN queue is full and tcp_syncookies is 0, so the SYN is dropped", _CONN_REQUEST
)
ACCEPT_QUEUE_FULL_SYN = _drop(
    "ACCEPT_QUEUE_FULL_SYN", "the accept queue is full, so the SYN is dropped", _CONN_REQUEST
)
QUEUE_FULL_SYN = _drop(
    "QUEUE_FULL_SYN", "the queue is full, so the SYN is dropped", "4.4BSD, uipc_socket2.c: sonewconn1"
)
SYN_REFUSED = _answer("SYN_REFUSED", "the queue is full, so the SYN is answered with a RST", _WINDOWS)
NO_ROUTE = _drop("NO_ROUTE", "there is no route back to the client, so the SYN is dropped", _CONN_REQUEST)
LAST_QUARTER = _drop(
    "SYN_BACKLOG_LAST_QUARTER",
    "the last quarter of tcp_max_syn_backlog is kept for peers that are known, so the SYN is dropped",
    _CONN_REQUEST,
)
LISTENER_RST = _drop("LISTENER_RST", "a RST means nothing to a listener", _STATE_PROCESS)
LISTENER_ACK = _answer(
    "LISTENER_ACK",
    "an ACK for a connection that the listener does not know is answered with a RST",
    _STATE_PROCESS,
)
LISTENER_ACK_RST = _drop(
    "LISTENER_ACK_RST", "a RST for a connection that the listener does not know", _STATE_PROCESS
)
LISTENER_SYN_FIN = _drop("LISTENER_SYN_FIN", "SYN and FIN together are refused", _STATE_PROCESS)
LISTENER_NO_SYN = _drop(
    "LISTENER_FLAGS", "none of SYN, ACK and RST is set: nothing for a listener", _STATE_PROCESS
)
COOKIE_GOOD = _reason(
    "COOKIE_GOOD",
    "the ACK carries a good SYN cookie: the connection is made",
    "syncookies.c: cookie_v4_check",
)
COOKIE_FLOW_TAKEN = _drop(
    "COOKIE_FLOW_TAKEN",
    "the SYN cookie is good, but a request of the same flow waits in the SYN queue, so the ACK is dropped",
    "tcp_ipv4.c: tcp_v4_syn_recv_sock",
)
COOKIE_ACCEPT_QUEUE_FULL = _drop(
    "COOKIE_ACCEPT_QUEUE_FULL",
    "the SYN cookie is good but the accept queue is full: the ACK is ignored, and nothing is left to remind the client",
    "tcp_ipv4.c: tcp_v4_syn_recv_sock",
)
DUPLICATE_SYN = _answer("DUPLICATE_SYN", "a repeated SYN: the SYN|ACK is sent again", _CHECK_REQ)
DUPLICATE_SYN_IGNORED = _drop(
    "DUPLICATE_SYN_IGNORED", "a repeated SYN: only the timer sends the SYN|ACK again", _CHECK_REQ
)
DUPLICATE_SYN_LIMITED = _drop(
    "DUPLICATE_SYN_LIMITED", "a repeated SYN, within tcp_invalid_ratelimit of the last answer", _CHECK_REQ
)
REQUEST_BAD_ACK = _answer(
    "REQUEST_BAD_ACK",
    "it acknowledges something other than our SYN|ACK: answered with a RST; the request stays",
    _CHECK_REQ,
)
REQUEST_PAWS = _answer(
    "REQUEST_PAWS",
    "its timestamp is older than the SYN's: answered with an ACK that names the number expected",
    _CHECK_REQ,
)
REQUEST_TSECR = _answer(
    "REQUEST_TSECR",
    "it echoes a timestamp that no SYN|ACK has carried: answered with an ACK that names the number expected",
    _CHECK_REQ,
)
REQUEST_OUT_OF_WINDOW = _answer(
    "REQUEST_OUT_OF_WINDOW",
    "it lies outside the window: answered with an ACK that names the number expected",
    _CHECK_REQ,
)
REQUEST_REFUSED_QUIETLY = _drop(
    "REQUEST_REFUSED_QUIETLY", "it lies outside the window or is too old, and is not answered", _CHECK_REQ
)
REQUEST_RST_INEXACT = _answer(
    "REQUEST_RST_INEXACT",
    "a RST inside the window but not at its edge: a challenge ACK asks for it to be confirmed",
    _CHECK_REQ,
)
REQUEST_RST_LIMITED = _drop(
    "REQUEST_RST_LIMITED",
    "a RST inside the window but not at its edge, not answered again so soon",
    _CHECK_REQ,
)
REQUEST_RST = _reason("REQUEST_RST", "the client resets the connection: the request is removed", _CHECK_REQ)
REQUEST_SYN = _answer(
    "REQUEST_SYN", "a SYN inside the window: answered with a RST, and the request is removed", _CHECK_REQ
)
REQUEST_NO_ACK = _drop("REQUEST_NO_ACK", "no ACK flag: it cannot complete the handshake", _CHECK_REQ)
DEFER_ACCEPT = _drop(
    "DEFER_ACCEPT",
    "TCP_DEFER_ACCEPT waits for data, so the bare ACK does not complete the handshake",
    _CHECK_REQ,
)
ACCEPT_QUEUE_FULL = _drop(
    "ACCEPT_QUEUE_FULL",
    "the accept queue is full, so the final ACK is ignored; the request stays and its SYN|ACK will be sent again",
    _CHECK_REQ,
)
ABORT_ON_OVERFLOW = _answer(
    "ABORT_ON_OVERFLOW",
    "the accept queue is full and tcp_abort_on_overflow is 1: answered with a RST, and the request is removed",
    _CHECK_REQ,
)
ACCEPT_QUEUE_FULL_RST = _answer(
    "ACCEPT_QUEUE_FULL_RST",
    "the accept queue is full, so the final ACK is answered with a RST and the half-open connection is gone",
    "FreeBSD, tcp_syncache.c: syncache_expand",
)
HANDSHAKE_DONE = _reason(
    "HANDSHAKE_DONE", "the final ACK: the connection enters the accept queue", _CHECK_REQ
)
SYN_SENT_BAD_ACK = _answer(
    "SYN_SENT_BAD_ACK", "it acknowledges data that was never sent: answered with a RST", _SYN_SENT
)
SYN_SENT_BAD_ACK_RST = _drop(
    "SYN_SENT_BAD_ACK_RST", "a RST that acknowledges data that was never sent", _SYN_SENT
)
SYN_SENT_TSECR = _answer(
    "SYN_SENT_TSECR", "it echoes a timestamp that no SYN has carried: answered with a RST", _SYN_SENT
)
SYN_SENT_TSECR_RST = _drop(
    "SYN_SENT_TSECR_RST", "a RST that echoes a timestamp that no SYN has carried", _SYN_SENT
)
REFUSED = _reason("REFUSED", "the peer refuses the connection: ECONNREFUSED", _SYN_SENT)
SYN_SENT_NO_SYN = _drop("SYN_SENT_NO_SYN", "no SYN: it cannot open the connection", _SYN_SENT)
SYN_SENT_RST = _drop("SYN_SENT_RST", "a RST without ACK could come from anyone", _SYN_SENT)
CONNECTED = _reason("CONNECTED", "the SYN|ACK is good: the connection is established", _SYN_SENT)
CROSSED_SYN = _reason("CROSSED_SYN", "the peer's SYN crossed ours: a simultaneous open", _SYN_SENT)
PAWS = _answer("PAWS", "its timestamp is older than one already seen (PAWS): answered with an ACK", _VALIDATE)
PAWS_LIMITED = _drop(
    "PAWS_LIMITED",
    "its timestamp is older than one already seen (PAWS); not answered again so soon",
    _VALIDATE,
)
PAWS_OLD_ACK = _drop("PAWS_OLD_ACK", "an old ACK that later ones have overtaken (PAWS)", _VALIDATE)
OUT_OF_WINDOW = _answer(
    "OUT_OF_WINDOW", "outside the window: a duplicate, or too far ahead; answered with an ACK", _VALIDATE
)
OUT_OF_WINDOW_LIMITED = _drop(
    "OUT_OF_WINDOW_LIMITED",
    "outside the window; not answered, for the last answer was less than tcp_invalid_ratelimit ago",
    _VALIDATE,
)
OUT_OF_WINDOW_RST = _drop("OUT_OF_WINDOW_RST", "a RST outside the window", _VALIDATE)
RESET = _reason("RESET", "the peer resets the connection", _VALIDATE)
CHALLENGE_RST = _answer(
    "CHALLENGE_RST",
    "a RST that is not at the expected number: a challenge ACK asks for it to be confirmed",
    _VALIDATE,
)
SYN_RESETS = _answer(
    "SYN_RESETS", "a SYN inside the window: answered with a RST, and the connection is gone", _VALIDATE
)
CHALLENGE_SYN = _answer("CHALLENGE_SYN", "a SYN reaches an open connection: challenge ACK", _VALIDATE)
CHALLENGE_LIMITED = _drop(
    "CHALLENGE_LIMITED", "a challenge ACK was sent less than tcp_invalid_ratelimit ago", _VALIDATE
)
NO_FLAGS = _drop("TCP_FLAGS", "none of ACK, RST and SYN is set", _STATE_PROCESS)
ACK_UNSENT = _answer("ACK_UNSENT_DATA", "it acknowledges data that was never sent: a challenge ACK", _TCP_ACK)
ACK_UNSENT_SILENT = _drop(
    "ACK_UNSENT_SILENT", "it acknowledges data that was never sent: no answer", _TCP_ACK
)
ACK_UNSENT_RST = _answer(
    "ACK_UNSENT_RST", "it acknowledges data that was never sent: answered with a RST", _STATE_PROCESS
)
ACK_TOO_OLD = _answer("ACK_TOO_OLD", "it acknowledges data from long ago: a challenge ACK", _TCP_ACK)
ACK_CLOSING = _answer(
    "ACK_CLOSING", "its acknowledgment makes no sense while closing: a challenge ACK", _STATE_PROCESS
)
ACKED = _reason("ACKED", "the ACK is accepted", _TCP_ACK)
DATA = _reason("DATA", "the data is accepted", _DATA_QUEUE)
DATA_AHEAD = _reason(
    "DATA_AHEAD", "out of order: kept until the gap is filled", "tcp_input.c: tcp_data_queue_ofo"
)
DATA_OLD = _answer("OLD_DATA", "a duplicate: it was received before; answered with an ACK", _DATA_QUEUE)
DATA_ZERO_WINDOW = _answer("ZEROWINDOW", "the window is 0: answered with an ACK", _DATA_QUEUE)
DATA_NO_MEMORY = _answer(
    "PROTO_MEM", "the receive buffer is full: answered with an ACK that closes the window", _DATA_QUEUE
)
DATA_NO_MEMORY_SILENT = _drop(
    "PROTO_MEM_SILENT", "the receive buffer is full: dropped, and no ACK says so", _DATA_QUEUE
)
DATA_AHEAD_NO_MEMORY = _drop(
    "PROTO_MEM_AHEAD",
    "out of order, and the receive buffer has no room for it",
    "tcp_input.c: tcp_data_queue_ofo",
)
DATA_BEYOND = _answer("OVERWINDOW", "it lies beyond the window: answered with an ACK", _DATA_QUEUE)
FIN_ARRIVED = _reason("FIN", "the peer has closed its side: it sends nothing more", "tcp_input.c: tcp_fin")
ABORT_ON_DATA = _answer(
    "ABORT_ON_DATA", "data for a socket that is closed: answered with a RST", _STATE_PROCESS
)
LAST_ACK_DONE = _reason("LAST_ACK_DONE", "our FIN is acknowledged: the connection is gone", _STATE_PROCESS)
TW_ACK = _answer("TIME_WAIT_ACK", "TIME-WAIT repeats its last ACK", _TIME_WAIT)
TW_OLD_SYN = _answer(
    "TIME_WAIT_OLD_SYN",
    "neither the sequence number nor the timestamp of this SYN is newer than the old connection's, so TIME-WAIT "
    "repeats its last ACK, which the client answers with a RST",
    _TIME_WAIT,
)
TW_SYN_UNHEARD = _answer(
    "TIME_WAIT_SYN_UNHEARD",
    "this SYN could take the flow over from TIME-WAIT, but nobody listens here: TIME-WAIT repeats its last ACK",
    _TIME_WAIT,
)
TW_SYN_NEWER_NUMBER = _reason(
    "TIME_WAIT_SYN_NEWER_NUMBER",
    "the sequence number of this SYN is newer than any of the old connection (RFC 9293 section 3.6.1), so it takes "
    "the flow over from TIME-WAIT",
    _TIME_WAIT,
)
TW_SYN_NEWER_TIMESTAMP = _reason(
    "TIME_WAIT_SYN_NEWER_TIMESTAMP",
    "the timestamp of this SYN is newer than the old connection's last one (RFC 6191), so it takes the flow over "
    "from TIME-WAIT",
    _TIME_WAIT,
)
TW_LIMITED = _drop(
    "TIME_WAIT_LIMITED", "TIME-WAIT has answered less than tcp_invalid_ratelimit ago", _TIME_WAIT
)
TW_QUIET = _drop("TIME_WAIT_QUIET", "nothing new for a connection in TIME-WAIT", _TIME_WAIT)
TW_KILLED = _reason("TIME_WAIT_KILLED", "a RST ends TIME-WAIT or FIN-WAIT-2", _TIME_WAIT)
TW_RST = _answer(
    "TIME_WAIT_RST", "it is for a socket that is closed, so it is answered with a RST", _TIME_WAIT
)
TW_FIN = _reason("TIME_WAIT_FIN", "the peer's FIN arrives: TIME-WAIT begins", _TIME_WAIT)
SENT_SYN = _reason("SYN", "connect()", "tcp_output.c: tcp_connect")
SENT_SYN_FAST_OPEN_REQUEST = _reason(
    "SYN_FAST_OPEN_REQUEST", "connect(), which asks for a Fast Open cookie for the next time", _SEND_SYN_DATA
)
SENT_SYN_WITH_DATA = _reason("SYN_WITH_DATA", "the SYN carries data at once (Fast Open)", _SEND_SYN_DATA)
SENT_SYN_DATA_AGAIN = _reason(
    "SYN_DATA_AGAIN",
    "the SYN|ACK does not acknowledge the data that the SYN carried, so it is sent again at once",
    "tcp_input.c: tcp_rcv_fastopen_synack",
)
SENT_SYN_AT_ONCE = _reason(
    "SYN_AT_ONCE", "what answered it was of an old connection, so the SYN is sent again at once", _SYN_SENT
)
SENT_SYN_AGAIN = _reason("SYN_AGAIN", "retransmission time-out (RTO): no answer to the SYN", _RETRANS_TIMER)
SENT_SYN_ACK = _reason("SYN_ACK", "answers the SYN", _CONN_REQUEST)
SENT_SYN_ACK_WITH_COOKIE = _reason(
    "SYN_ACK_WITH_COOKIE",
    "answers the SYN, with a Fast Open cookie for the next time; data that comes with it is not taken",
    _TRY_FAST_OPEN,
)
SENT_SYN_ACK_FAST_OPEN = _reason(
    "SYN_ACK_FAST_OPEN", "answers the SYN that has opened the connection by itself (Fast Open)", _CONN_REQUEST
)
SENT_SYN_ACK_FAST_OPEN_AGAIN = _reason(
    "SYN_ACK_FAST_OPEN_AGAIN",
    "no final ACK in time of a connection that Fast Open has opened",
    "tcp_timer.c: tcp_fastopen_synack_timer",
)
SENT_COOKIE = _reason("SYN_ACK_COOKIE", "answers the SYN with a cookie", _CONN_REQUEST)
SENT_SYN_ACK_AGAIN = _reason("SYN_ACK_AGAIN", "no final ACK has completed the handshake in time", _REQ_TIMER)
SENT_SYN_ACK_DUPLICATE = _reason("SYN_ACK_DUPLICATE", "answers the repeated SYN", _CHECK_REQ)
SENT_SYN_ACK_CROSSED = _reason(
    "SYN_ACK_CROSSED", "answers the SYN that crossed ours", "tcp_output.c: tcp_send_synack"
)
SENT_REQUEST_ACK = _reason(
    "REQUEST_ACK",
    "an ACK that names what the half-open connection expects",
    "tcp_ipv4.c: tcp_v4_reqsk_send_ack",
)
SENT_RST = _reason("RST", "a RST in answer", "tcp_ipv4.c: tcp_v4_send_reset")
SENT_ACTIVE_RST = _reason(
    "ACTIVE_RST", "the connection is aborted, and what was not sent yet is thrown away", _ACTIVE_RESET
)
SENT_UNREAD_RST = _reason(
    "UNREAD_RST",
    "a RST in place of the FIN tells the peer that this data is lost (RFC 2525 section 2.17)",
    _ACTIVE_RESET,
)
SENT_UNACCEPTED_RST = _reason(
    "UNACCEPTED_RST", "it waited in the accept queue, and nobody will accept it now", _ACTIVE_RESET
)
SENT_LINGER2_RST = _reason(
    "LINGER2_RST", "no wait for the peer's FIN: the connection is reset", _ACTIVE_RESET
)
SENT_SMALLER = _reason(
    "SENT_SMALLER",
    "sent again in smaller segments, since ICMP says that a link holds less",
    "tcp_input.c: tcp_simple_retransmit",
)
SENT_TOO_MANY_ORPHANS_RST = _reason(
    "TOO_MANY_ORPHANS_RST",
    "more orphans than there may be: the connection is reset",
    "tcp.c: tcp_check_oom",
)
SENT_TW_ACK = _reason("TW_ACK", "TIME-WAIT repeats its last ACK", "tcp_ipv4.c: tcp_v4_timewait_ack")
SENT_ACK = _reason("ACK", "acknowledges what arrived", "tcp_output.c: __tcp_send_ack")
SENT_DELAYED_ACK = _reason("DELAYED_ACK", "the delayed ACK is due", "tcp_timer.c: tcp_delack_timer_handler")
SENT_CHALLENGE_ACK = _reason(
    "CHALLENGE_ACK", "it names the sequence number expected (RFC 5961)", "tcp_input.c: tcp_send_challenge_ack"
)
SENT_DUP_ACK = _reason(
    "DUP_ACK", "a duplicate ACK: it names the next octet expected", "tcp_input.c: tcp_send_dupack"
)
SENT_COMPRESSED_ACK = _reason(
    "COMPRESSED_ACK",
    "one ACK for several duplicates: it names the next octet expected",
    "tcp_timer.c: tcp_compressed_ack_kick",
)
SENT_WINDOW = _reason(
    "WINDOW_UPDATE", "the application has read, so the window opens", "tcp.c: __tcp_cleanup_rbuf"
)
SENT_DATA = _reason("DATA_SENT", "data that the application wrote", "tcp_output.c: tcp_write_xmit")
SENT_HELD_DATA = _reason(
    "HELD_DATA_SENT",
    "Nagle's algorithm held this data until what was under way was acknowledged (TCP_NODELAY sends it at once)",
    "tcp_output.c: tcp_nagle_check",
)
SENT_MTU_PROBE = _reason(
    "MTU_PROBE",
    "a larger segment than others, to see whether the path carries it",
    "tcp_output.c: tcp_mtu_probe",
)
SENT_KEEPALIVE_RST = _reason(
    "KEEPALIVE_RST", "the peer is taken for gone, and told so in case it is not", _ACTIVE_RESET
)
SENT_FIN = _reason("FIN_SENT", "the application closes", "tcp_output.c: tcp_send_fin")
SENT_AGAIN = _reason(
    "RETRANSMIT", "retransmission time-out (RTO): it was not acknowledged in time", _RETRANS_TIMER
)
SENT_FAST = _reason(
    "FAST_RETRANSMIT",
    "ACKs tell that later data has arrived, so this is presumed lost",
    "tcp_output.c: tcp_xmit_retransmit_queue",
)
SENT_AFTER_REORDERING = _reason(
    "REORDERING_RETRANSMIT",
    "RACK: later data was acknowledged and the reordering wait is over",
    "tcp_recovery.c: tcp_rack_reo_timeout",
)
SENT_SLOW_START = _reason(
    "SLOW_START_RETRANSMIT",
    "presumed lost since the time-out (RTO), and the congestion window has room for it",
    "tcp_output.c: tcp_xmit_retransmit_queue",
)
SENT_LOSS_PROBE = _reason(
    "LOSS_PROBE",
    "a tail loss probe: the last segment again, to draw an ACK",
    "tcp_output.c: tcp_send_loss_probe",
)
SENT_WINDOW_PROBE = _reason(
    "WINDOW_PROBE",
    "a zero window probe: it asks whether the window is open again",
    "tcp_output.c: tcp_write_wakeup",
)
SENT_KEEPALIVE = _reason(
    "KEEPALIVE",
    "a keepalive probe: it asks whether a silent peer is still there",
    "tcp_timer.c: tcp_keepalive_timer",
)
REQUEST_EXPIRED = _reason(
    "REQUEST_EXPIRED",
    "the SYN|ACK was sent as often as allowed: the half-open connection is removed, and nothing is sent",
    _REQ_TIMER,
)
REQUEST_CROWDED_OUT = _reason(
    "REQUEST_CROWDED_OUT",
    "the SYN queue is more than half full, so the SYN|ACK is repeated less often than the setting says: "
    "the half-open connection is removed, and nothing is sent",
    _REQ_TIMER,
)
REQUEST_EXPIRED_RST = _reason(
    "REQUEST_EXPIRED_RST",
    "the SYN|ACK was sent as often as allowed: the half-open connection is removed with a RST",
    "4.4BSD, tcp_subr.c: tcp_drop",
)
SENT_RST_AT_END = _reason("RST_AT_END", "the handshake is given up", "4.4BSD, tcp_subr.c: tcp_drop")
REQUEST_ORPHANED = _reason(
    "REQUEST_ORPHANED",
    "the listener is gone: the half-open connection is removed and nothing is sent",
    _REQ_TIMER,
)
REQUEST_EVICTED = _reason(
    "REQUEST_EVICTED",
    "the queue of half-open connections is full: one is thrown out for a new one",
    "illumos, tcp_input.c: tcp_drop_q0; XNU, tcp_input.c: tcp_dropdropablreq",
)
REQUEST_SILENT = _reason(
    "REQUEST_SILENT",
    "TCP_DEFER_ACCEPT: the client has acknowledged the SYN|ACK, so it is not sent again",
    _REQ_TIMER,
)
REQUEST_NOT_SENT = _reason(
    "REQUEST_NOT_SENT",
    "the SYN|ACK is due again, and the device has no room for it: the request is forgotten",
    _REQ_TIMER,
)
SYN_TIMED_OUT = _reason("SYN_TIMED_OUT", "no answer to the SYN: connect() fails with ETIMEDOUT", _WRITE_ERR)
FAST_OPEN_TIMED_OUT = _reason(
    "FAST_OPEN_TIMED_OUT",
    "no final ACK in time: the connection that Fast Open has opened is given up with ETIMEDOUT",
    "tcp_timer.c: tcp_fastopen_synack_timer",
)
TIMED_OUT = _reason("TIMED_OUT", "no ACK in time: the connection is given up with ETIMEDOUT", _WRITE_ERR)
ORPHAN_TIMED_OUT = _reason(
    "ORPHAN_TIMED_OUT",
    "no ACK in time, and no program holds the socket any more: the connection is given up",
    _WRITE_ERR,
)
PROBES_TIMED_OUT = _reason(
    "PROBES_TIMED_OUT",
    "no answer to the zero window probes: the connection is given up with ETIMEDOUT",
    "tcp_timer.c: tcp_probe_timer",
)
CLOSED_WINDOW_TIMED_OUT = _reason(
    "CLOSED_WINDOW_TIMED_OUT",
    "the window stayed closed for too long, answered probes or not: the connection is given up with ETIMEDOUT",
    "tcp_timer.c: tcp_probe_timer",
)
SHUT_WINDOW_TIMED_OUT = _reason(
    "SHUT_WINDOW_TIMED_OUT",
    "the peer closed its window over data under way and is silent: the connection is given up with ETIMEDOUT",
    "tcp_timer.c: tcp_retransmit_timer",
)
_V4_ERR = "tcp_ipv4.c: tcp_v4_err"
ICMP_REFUSED = _reason("ICMP_REFUSED", "connect() fails with what ICMP says", _V4_ERR)
ICMP_TOLD = _reason("ICMP_TOLD", "IP_RECVERR is on: the next call fails with what ICMP says", _V4_ERR)
ICMP_SOFT = _reason(
    "ICMP_SOFT", "the connection goes on; if it is given up, what ICMP says is the error", _V4_ERR
)
ICMP_TOO_LARGE = _reason(
    "ICMP_TOO_LARGE",
    "a link of the path holds less: segments become smaller",
    "tcp_ipv4.c: tcp_v4_mtu_reduced",
)
ICMP_REQUEST_GONE = _reason(
    "ICMP_REQUEST_GONE", "the half-open connection is removed and nothing is sent", "tcp_ipv4.c: tcp_req_err"
)
ICMP_OUT_OF_WINDOW = _drop(
    "ICMP_OUT_OF_WINDOW", "the number that ICMP quotes is not under way, so it is not believed", _V4_ERR
)
ICMP_IGNORED = _drop("ICMP_IGNORED", "TCP does not heed such ICMP", _V4_ERR)
ICMP_NO_FLOW = _drop("ICMP_NO_FLOW", "ICMP about a segment of no connection", _V4_ERR)
TOO_MANY_ORPHANS = _reason(
    "TOO_MANY_ORPHANS",
    "there are more orphans than there may be: this one is given up",
    "tcp_timer.c: tcp_out_of_resources",
)
TW_OVER = _reason("TIME_WAIT_OVER", "TIME-WAIT is over", "inet_timewait_sock.c: tw_timer_handler")
KEEPALIVE_OVER = _reason(
    "KEEPALIVE_OVER",
    "no keepalive probe was answered: the connection is given up with ETIMEDOUT",
    "tcp_timer.c: tcp_keepalive_timer",
)
LINGER_OVER = _reason(
    "LINGER_OVER",
    "close() has waited as long as SO_LINGER says for the ACK of all data and the FIN, and returns without it",
    "stream.c: sk_stream_wait_close",
)
FIN_WAIT2_OVER = _reason(
    "FIN_WAIT2_OVER",
    "the peer's FIN never came: FIN-WAIT-2 is given up",
    "inet_timewait_sock.c: tw_timer_handler",
)
REASONS: dict[str, Reason] = {reason.name: reason for reason in _ALL}
"""Every reason by its name."""
