"""The first window that a listener or an active open offers, with its clamp and scale (tcp_select_initial_window)."""

from __future__ import annotations

from functools import lru_cache

from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.socket_options import SocketOptions

LARGEST_WINDOW = 65535
LARGEST_SIGNED_WINDOW = 32767
_LARGEST_CLAMP = LARGEST_WINDOW << 14


def first_window(host: HostServices, options: SocketOptions, mss: int, scaling: bool) -> tuple[int, int, int]:
    """The first window in octets, its clamp, and our window scale: what this kernel's numbers make of it.

    Linux: half of the receive buffer, in whole segments. Of that a SYN or SYN|ACK can say 65535 at most, for its window
    is not scaled. tcp_minisocks.c: tcp_openreq_init_rwin; tcp_output.c: tcp_connect_init.
    """
    sysctls, wire = host.sysctls, host.generation.wire
    part, of = wire.buffer_share
    full = options.rcvbuf * part // of
    clamp = options.window_clamp
    if options.rcvbuf_locked and (clamp > full or not clamp):
        clamp = full
    largest = max(sysctls.tcp_rmem[2], sysctls.rmem_max) if wire.scale_by_largest else full
    signed = bool(sysctls.tcp_workaround_signed_windows)
    offered, clamp, shift = initial_window(full, mss, clamp, scaling, largest, signed)
    if host.generation.windows.first_is_limited:
        offered = min(offered, LARGEST_WINDOW)
    if wire.window_segments:
        offered = min(offered, wire.window_segments * mss)
    if wire.fixed_window and not options.rcvbuf_locked:
        offered = wire.fixed_window
    return offered, clamp, shift


@lru_cache(maxsize=1024)
def initial_window(
    space: int, mss: int, clamp: int, scaling: bool, largest_buffer: int, signed: bool
) -> tuple[int, int, int]:
    """The first window in octets, its clamp, and our window scale (tcp_output.c: tcp_select_initial_window)."""
    clamp = clamp or _LARGEST_CLAMP
    space = min(clamp, space)
    # Whole segments, so that a peer that fills the window sends no small one.
    if space > mss > 0:
        space -= space % mss
    window = min(space, LARGEST_SIGNED_WINDOW) if signed else space
    shift = 0
    if scaling:
        # The smallest scale with which the largest window fits into 16 bits.
        largest = min(max(space, largest_buffer), clamp)
        shift = min(max(largest.bit_length() - 16, 0), 14)
    return window, min(LARGEST_WINDOW << shift, clamp), shift
