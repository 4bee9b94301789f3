"""The receive window: how it follows the buffer, and what fits into the buffer.

Buffers are counted as the kernel counts them, by the memory that segments take ("truesize") and not by their
octets; half of that is taken for payload until segments show better (`scaling_ratio`, in 256ths). The window offered
is the least of

    the payload that the free part of the buffer holds (`free_space`), or 0 where that is hardly worth a segment
    `rcv.ssthresh`, which begins small and grows with segments that fill their memory well (`grow`)
    `rcv.window_clamp`, which the buffer, TCP_WINDOW_CLAMP and tcp_app_win set

but never less than what the peer was told before and has not used (`select_window`): a window does not shrink.
tcp_output.c: tcp_select_window, __tcp_select_window; tcp_input.c: tcp_grow_window (Linux 6.18).
"""

from __future__ import annotations

from functools import lru_cache

from tcpemu.stack.base.congestion_hooks import INITIAL_WINDOW
from tcpemu.stack.base.sequence_numbers import MASK, offset
from tcpemu.stack.connection.measures.first_window import LARGEST_SIGNED_WINDOW, LARGEST_WINDOW
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import NO_MEMORY
from tcpemu.wire.options import encode_options
from tcpemu.wire.segment import Segment, ip_header_length

_HEADROOM, _SHARED_INFO, _SK_BUFF = 64, 320, 256
_FULL_SEGMENT = 1460
"""On a 64-bit machine: headroom, skb_shared_info, sk_buff, in octets."""
LEAST_BUFFER = 2304
"""Octets of memory that a receive buffer has at least, on a 64-bit machine (SOCK_MIN_RCVBUF)."""
_PAGE, _LARGEST_ORDER = 4096, 3
"""Octets of a page, and of a run of pages the binary logarithm of how many (PAGE_ALLOC_COSTLY_ORDER)."""


def from_space(ratio: int, space: int) -> int:
    """Payload that so much buffer holds (include/net/tcp.h: tcp_win_from_space)."""
    return space * ratio >> 8


def space_for(ratio: int, window: int) -> int:
    """The buffer that so much payload takes (include/net/tcp.h: tcp_space_from_win)."""
    return (window << 8) // ratio


def receive_window(conn: Connection) -> int:
    """What is left of the window that the peer was told (tcp.h: tcp_receive_window)."""
    rcv = conn.rcv
    left = offset(rcv.nxt, rcv.wup + rcv.wnd & MASK)
    return left if left > 0 else 0


def free_space(conn: Connection) -> int:
    """Payload that the buffer has room for (tcp.h: tcp_space)."""
    return from_space(conn.rcv.scaling_ratio, conn.rcv.buffer - conn.rcv.rmem)


def select_window(conn: Connection) -> int:
    """The window to announce, as the header has it. Never takes back what was offered.

    tcp_output.c: tcp_select_window.
    """
    rcv = conn.rcv
    old = rcv.wnd
    if conn.ack.pending & NO_MEMORY:
        # Data was refused for lack of room: say so, whatever was offered.
        rcv.predicted, rcv.wnd, rcv.wup = -1, 0, rcv.nxt
        return 0
    current = receive_window(conn)
    window = new_window(conn)
    if window < current and not _may_shrink(conn):
        if window == 0:
            conn.host.count("TCPWantZeroWindowAdv")
        window = _align(current, rcv.wscale)
    rcv.wnd = window
    rcv.wup = rcv.nxt
    if not rcv.wscale and conn.host.sysctls.tcp_workaround_signed_windows:
        window = min(window, LARGEST_SIGNED_WINDOW)
    field = min(window, LARGEST_WINDOW << rcv.wscale) >> rcv.wscale
    if field == 0:
        rcv.predicted = -1
        if old:
            conn.host.count("TCPToZeroWindowAdv")
    elif not old:
        conn.host.count("TCPFromZeroWindowAdv")
    return field


def new_window(conn: Connection) -> int:
    """The window that the buffer allows, in octets (tcp_output.c: __tcp_select_window)."""
    rcv = conn.rcv
    mss = conn.ack.rcv_mss
    free = free_space(conn)
    allowed = from_space(rcv.scaling_ratio, rcv.buffer)
    full = min(rcv.window_clamp, allowed)
    if mss > full:
        mss = full
        if mss <= 0:
            return 0
    if _may_shrink(conn):
        return _shrinking_window(conn, free, full >> 1, allowed >> 4, mss)
    if free < full >> 1:
        # The buffer gets short. Below a sixteenth of it, or a segment, better none than a silly window.
        conn.ack.quick = 0
        free -= free % (1 << rcv.wscale)
        if free < allowed >> 4 or free < mss:
            return 0
    free = min(free, rcv.ssthresh)
    if rcv.wscale:
        return _align(free, rcv.wscale)
    # Without a scale the window moves by whole segments, and stays where it is for less.
    window = rcv.wnd
    if window <= free - mss or window > free:
        return free - free % mss
    if mss == full and free > window + (full >> 1):
        return free
    return window


def _may_shrink(conn: Connection) -> bool:
    """Whether a window may be taken back (tcp_shrink_window, RFC 7323 section 2.4)."""
    return bool(conn.rcv.wscale and conn.host.sysctls.tcp_shrink_window)


def _shrinking_window(conn: Connection, free: int, half: int, least: int, mss: int) -> int:
    """The window where it may be taken back: never more than fits, so that nothing need be refused."""
    grain = 1 << conn.rcv.wscale
    free -= free % grain
    if free < half:
        conn.ack.quick = 0
        if free < least or free < mss or free < grain:
            return 0
    return _align(conn.rcv.ssthresh, conn.rcv.wscale) if free > conn.rcv.ssthresh else free


def init_buffer_space(conn: Connection) -> None:
    """Fit the clamp of the window to the buffer, with one segment kept back (tcp_input.c: tcp_init_buffer_space)."""
    rcv = conn.rcv
    if conn.host.generation.windows.widens_at_start:
        _widen(conn)
    largest = rcv.buffer * rcv.scaling_ratio >> 8
    clamp = _kept_back(rcv.window_clamp, largest, rcv.advmss, conn.host.sysctls.tcp_app_win)
    rcv.window_clamp = clamp
    if rcv.ssthresh > clamp:
        rcv.ssthresh = clamp
    # What is read in the first round trip is at most the first window (`buffer_tuning.py`).
    first = INITIAL_WINDOW * rcv.advmss
    if first > rcv.ssthresh:
        first = rcv.ssthresh
    rcv.space = first if first < rcv.wnd else rcv.wnd


def _widen(conn: Connection) -> None:
    """Room for four times what a peer sends at first, where no size was asked for (tcp_input.c: tcp_fixup_rcvbuf)."""
    if conn.options.rcvbuf_locked:
        return
    mss, sysctls = conn.rcv.advmss, conn.host.sysctls
    segments = 2 * INITIAL_WINDOW
    if mss > _FULL_SEGMENT:
        segments = max(_FULL_SEGMENT * segments // mss, 2)
    memory = 2 * segments * (mss + conn.host.generation.header_room + _SHARED_INFO + _SK_BUFF)
    if sysctls.tcp_moderate_rcvbuf:
        memory *= 4
    if conn.rcv.buffer < memory:
        conn.rcv.buffer = min(memory, sysctls.tcp_rmem[2])


@lru_cache(maxsize=4096)
def _kept_back(clamp: int, largest: int, mss: int, share: int) -> int:
    """The clamp for a buffer that holds `largest`; `share` is tcp_app_win: buffer >> share is kept back."""
    if clamp >= largest:
        clamp = largest
        if share and largest > 4 * mss:
            clamp = max(largest - (largest >> share), 4 * mss)
    if share and clamp > 2 * mss and clamp + mss > largest:
        clamp = max(2 * mss, largest - mss)
    return clamp


def set_clamp(conn: Connection, clamp: int) -> None:
    """Another clamp: a lower one holds at once, a higher one lets the window stay (tcp.c: tcp_set_window_clamp).

    None is below half of the least buffer, and 0 is none at all.
    """
    if not clamp:
        return
    clamp = max(clamp, LEAST_BUFFER // 2)
    if not conn.host.generation.windows.clamp_holds_at_once:
        conn.rcv.window_clamp = clamp
        return
    if clamp < conn.rcv.window_clamp:
        conn.rcv.ssthresh = min(conn.rcv.ssthresh, clamp)
    else:
        conn.rcv.ssthresh = max(conn.rcv.ssthresh, min(conn.rcv.wnd, clamp))
    conn.rcv.window_clamp = clamp


def grow(conn: Connection, length: int, truesize: int) -> None:
    """Let the window grow with segments that use their memory well (tcp_input.c: tcp_grow_window)."""
    room = min(conn.rcv.window_clamp, free_space(conn)) - conn.rcv.ssthresh
    if room <= 0:
        return
    if from_space(conn.rcv.scaling_ratio, truesize) <= length:
        step = 2 * conn.rcv.advmss
    else:
        step = _slow_growth(conn, length, truesize)
    if step:
        conn.rcv.ssthresh += min(room, max(step, 2 * length))
        conn.ack.quick |= 1  # so that an ACK tells of it soon


def _slow_growth(conn: Connection, length: int, truesize: int) -> int:
    """The step for a segment that wastes memory: two segments or none (tcp_input.c: __tcp_grow_window).

    The further the window is from its largest, halving by halving, the more waste is forgiven.
    """
    memory = from_space(conn.rcv.scaling_ratio, truesize) >> 1
    window = from_space(conn.rcv.scaling_ratio, conn.host.sysctls.tcp_rmem[2]) >> 1
    while conn.rcv.ssthresh <= window:
        if memory <= length:
            return 2 * conn.ack.rcv_mss
        memory >>= 1
        window >>= 1
    return 0


def segments_of(conn: Connection, segment: Segment) -> int:
    """How many segments it was before the network card put them together (GRO)."""
    size, length = conn.host.gro_size, len(segment.payload)
    return -(-length // size) if size and length > size else 1


def memory_of(conn: Connection, segment: Segment) -> tuple[int, int]:
    """Memory that the kernel takes for a segment from a TUN device, and how much of it is left to fill.

    skbuff.c: __alloc_skb: an sk_buff, its shared information, and a head of 576, 1024, 2048 .. octets; the smallest
    is the kernel's. tun.c: tun_alloc_skb: of what is longer the head is a page, and the rest lies in pages (Linux 6.6).
    Differs: network cards' drivers take memory in other ways, each in its own.
    """
    length = _HEADROOM + ip_header_length(segment) + 20 + len(segment.payload)
    if segment.options:
        length += len(encode_options(segment.options))
    windows = conn.host.generation.windows
    if length >= _PAGE and windows.pages_behind_head:
        return _PAGE + _SK_BUFF + _memory_in_pages(length - (_PAGE - _SHARED_INFO)), 0
    return memory_of_copy(length, windows.small_head)


@lru_cache(maxsize=4096)
def _memory_in_pages(length: int) -> int:
    """What so many octets take in runs of pages, the largest first that they fill (alloc_skb_with_frags)."""
    memory, run = 0, _PAGE << _LARGEST_ORDER
    while length > 0:
        while run > _PAGE and -(-length // _PAGE) * _PAGE < run:
            run >>= 1
        memory += run
        length -= run
    return memory


@lru_cache(maxsize=4096)
def memory_of_copy(length: int, small_head: int) -> tuple[int, int]:
    """The same for octets without headers in a buffer that the kernel has made for them (alloc_skb)."""
    # Up to a cache line, then up to what kmalloc hands out.
    head = (length + 63 & -64) + _SHARED_INFO
    head = small_head if head <= small_head else 1 << (head - 1).bit_length()
    return head + _SK_BUFF, head - _SHARED_INFO - length


def memory_without_rounding(length: int) -> int:
    """What so many octets are said to take by a kernel that leaves out how memory is handed out (SKB_TRUESIZE)."""
    return (length + 63 & -64) + _SHARED_INFO + _SK_BUFF


def _align(value: int, shift: int) -> int:
    """`value` rounded up to a multiple of 2**shift."""
    grain = 1 << shift
    return (value + grain - 1) & -grain
