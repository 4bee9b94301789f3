"""SYN cookies: a SYN|ACK whose sequence number remembers what a full SYN queue cannot.

syncookies.c. The number is
    H0(flow) + IRS + (minute << 24) + ((H1(flow, minute) + index of the MSS) mod 2**24)   mod 2**32
and with timestamps the low six bits of TSval hold window scale, SACK and ECN. Nothing is kept, so nothing
is sent again, and an ACK is believed for two turns of the minute counter.
Differs: the hashes are keyed BLAKE2 and not SipHash, so the numbers themselves are not the kernel's.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.sequence_numbers import MASK, add
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, SynOptions, find_timestamps
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.measures import initial_numbers
from tcpemu.stack.listening import child, new_request, queues, syn_ack
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import Address, FlowKey, Segment

_INDEX_BITS = 24
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_TS_BITS = 6
_NO_SHIFT = 0xF
_SACK_BIT = 1 << 4
_ECN_BIT = 1 << 5


def answer_syn(listener: Listener, segment: Segment, offer: SynOptions) -> Reason:
    """Send a SYN|ACK that carries a cookie, and keep nothing."""
    host = listener.host
    if offer.timestamps is None or not host.generation.cookie_options:
        offer = without_options(offer)
    table = _table(host, segment.src)
    index = _mss_index(table, offer.mss)
    most = table[index] if host.generation.wire.mss_follows_peer else new_request.NO_LIMIT
    request = new_request.new_request(listener, segment, offer, offer.timestamps is not None, most)
    _, request.ts_offset = initial_numbers.flow_secrets(host, request.key)
    request.iss = _number(host, request.key, segment.seq, index)
    _note_overflow(listener)
    host.count("SyncookiesSent")
    _send(host, request)
    crowded = host.generation.queues.syn_full(listener, host.sysctls.tcp_max_syn_backlog)
    if host.sysctls.tcp_syncookies == 2 and not crowded:
        return reasons.SYN_COOKIE_ALWAYS
    return reasons.SYN_COOKIE


def try_ack(listener: Listener, segment: Segment) -> Reason | None:
    """The ACK of a cookie makes the connection; None when it is not to be taken for one.

    syncookies.c: cookie_v4_check. The accept queue's room is tested as for any final ACK, but nothing is
    kept when there is none, and tcp_abort_on_overflow is not asked.
    """
    host = listener.host
    if not host.sysctls.tcp_syncookies or not _sent_lately(listener):
        return None
    mss = _check(host, segment)
    if mss is None:
        host.count("SyncookiesFailed")
        return None
    host.count("SyncookiesRecv")
    remembers = host.sysctls.tcp_timestamps and host.generation.cookie_options
    stamps = find_timestamps(segment.options) if remembers else None
    offer = _remembered(host, segment, mss, stamps)
    if offer is None:
        return None
    if host.generation.queues.full_for_ack(listener):
        queues.overflow(listener)
        return reasons.COOKIE_ACCEPT_QUEUE_FULL
    if segment[:4] in host.flows:
        # A request of the same flow came between; the kernel makes the child, finds no place for it, and
        # drops it again (inet_hashtables.c: inet_ehash_insert).
        host.count("PassiveOpens")
        return reasons.COOKIE_FLOW_TAKEN
    request = _rebuild(listener, segment, offer)
    child.establish(listener, request, segment, stamps)
    return reasons.COOKIE_GOOD


def _rebuild(listener: Listener, segment: Segment, offer: SynOptions) -> Request:
    """The request as it would have been; its window is worked out anew from the cookie's MSS."""
    request = new_request.new_request(listener, segment, offer, False, window_mss=offer.mss)
    request.irs = add(segment.seq, -1)
    request.iss = add(segment.ack, -1)
    request.started = None
    _, request.ts_offset = initial_numbers.flow_secrets(listener.host, request.key)
    return request


def _send(host: HostServices, request: Request) -> None:
    """The SYN|ACK, with the options in the low bits of TSval (cookie_init_timestamp)."""
    if request.ts_recent is None:
        syn_ack.send_syn_ack(request, reasons.SENT_COOKIE)
        return
    terms = request.terms
    bits = _NO_SHIFT if terms.snd_shift is None else terms.snd_shift
    bits |= (_SACK_BIT if terms.sack else 0) | (_ECN_BIT if terms.ecn else 0)
    now = host.stamp_clock()
    # The time with its low bits replaced, and never later than now.
    stamp = now >> _TS_BITS << _TS_BITS | bits
    if stamp > now:
        stamp -= 1 << _TS_BITS
    # What send_syn_ack adds is the clock and the offset: make the offset say the difference.
    offset, request.ts_offset = request.ts_offset, request.ts_offset + stamp - now & MASK
    syn_ack.send_syn_ack(request, reasons.SENT_COOKIE)
    request.ts_offset = offset


def _remembered(
    host: HostServices, segment: Segment, mss: int, stamps: Timestamps | None
) -> SynOptions | None:
    """The options that the echoed timestamp holds; None when a sysctl forbids one (cookie_timestamp_decode)."""
    if stamps is None:
        return SynOptions(mss, None, False, None)
    offset = initial_numbers.flow_secrets(host, segment[:4])[1]
    bits = stamps.ecr - offset & MASK if stamps.ecr else 0
    sack = bool(bits & _SACK_BIT)
    if sack and not host.sysctls.tcp_sack:
        return None
    shift: int | None = bits & _NO_SHIFT
    if shift == _NO_SHIFT:
        shift = None
    elif not host.sysctls.tcp_window_scaling:
        return None
    return SynOptions(mss, shift, sack, stamps)


def _number(host: HostServices, key: FlowKey, irs: int, index: int) -> int:
    """The cookie: the initial sequence number of the SYN|ACK (secure_tcp_syn_cookie)."""
    minute = _minute(host)
    secret = host.secrets.cookie_hash
    low = secret(1, key, minute) + index & _INDEX_MASK
    return secret(0, key, 0) + irs + (minute << _INDEX_BITS) + low & MASK


def _check(host: HostServices, segment: Segment) -> int | None:
    """The MSS that the acknowledged cookie holds, or None (check_tcp_syn_cookie)."""
    key = segment[:4]
    secret = host.secrets.cookie_hash
    rest = segment.ack - 1 - secret(0, key, 0) - (segment.seq - 1) & MASK
    minute = _minute(host)
    age = minute - (rest >> _INDEX_BITS) & 0xFF
    if age >= host.generation.cookie_minutes:
        return None
    index = rest - secret(1, key, minute - age) & _INDEX_MASK
    table = _table(host, segment.src)
    return table[index] if index < len(table) else None


def _table(host: HostServices, peer: Address) -> tuple[int, ...]:
    """The MSSs that a cookie can hold (syncookies.c of net/ipv4 and net/ipv6: msstab)."""
    return host.generation.cookie_mss_ipv6 if is_ipv6(peer) else host.generation.cookie_mss


def _mss_index(table: tuple[int, ...], mss: int) -> int:
    """Which of these MSSs: the largest that the peer takes."""
    return max((i for i, least in enumerate(table) if least <= mss), default=0)


def _minute(host: HostServices) -> int:
    """The minute counter (tcp.h: tcp_cookie_time)."""
    return host.uptime() // (60 * SECOND)


def _note_overflow(listener: Listener) -> None:
    """Remember when cookies were last sent, at most once a second (tcp.h: tcp_synq_overflow)."""
    now = listener.host.now
    if listener.cookie_sent is None or now > listener.cookie_sent + SECOND:
        listener.cookie_sent = now


def _sent_lately(listener: Listener) -> bool:
    """Whether cookies were sent so lately that an ACK may carry one (tcp.h: tcp_synq_no_recent_overflow)."""
    sent = listener.cookie_sent
    return sent is not None and listener.host.now <= sent + listener.host.generation.cookie_overflow


def without_options(offer: SynOptions) -> SynOptions:
    """What a cookie without timestamps can remember: the MSS alone."""
    return SynOptions(offer.mss or DEFAULT_MSS, None, False, None)
