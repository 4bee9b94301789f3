"""What a stack makes of the options of a segment, and the options it sends itself.

Reading: tcp_input.c: tcp_parse_options. Writing: tcp_output.c: tcp_options_write, whose order is fixed:
MSS, SACK permitted packed with timestamps, window scale; padding by NOPs in front.
"""

from __future__ import annotations

from typing import NamedTuple

from tcpemu.stack.base.ip_families import DEFAULT_IPV6_MSS, IPV6_LENGTH
from tcpemu.stack.base.sysctls import Sysctls
from tcpemu.wire.options import (
    NOP,
    SACK_OK,
    Eol,
    FastOpen,
    Mss,
    Nop,
    Option,
    Sack,
    SackOk,
    Timestamps,
    WScale,
    mss,
    wscale,
)
from tcpemu.wire.segment import Address

DEFAULT_MSS = 536
"""What a peer takes that does not say (RFC 9293 section 3.7.1)."""
LEAST_MSS = 88
TIMESTAMPS_LENGTH = 12
"""What timestamps take of each segment, their two NOPs included."""
LARGEST_SHIFT = 14
_COOKIE_LENGTHS = (0, *range(4, 17, 2))
"""Octets of a cookie; of none where one is asked for (TCP_FASTOPEN_COOKIE_MIN, TCP_FASTOPEN_COOKIE_MAX)."""
_MOST_OPTIONS = 40
"""Octets that options can have (MAX_TCP_OPTION_SPACE)."""
_LENGTHS = {Nop: 1, Mss: 4, SackOk: 2, Timestamps: 10, WScale: 3}


class SynOptions(NamedTuple):
    """The options of a SYN, as far as they are allowed here."""

    mss: int
    """What may be sent to the peer, 1 to 65535."""
    shift: int | None
    """The peer's window scale, 0 to 14, or None."""
    sack: bool
    timestamps: Timestamps | None
    fast_open: FastOpen | None = None
    """The Fast Open cookie, empty where one is asked for."""


def default_mss(peer: Address) -> int:
    """What is sent at most to a peer that does not say (tcp_request_sock_ops, tcp_request_sock_ipv6_ops)."""
    return DEFAULT_IPV6_MSS if len(peer) == IPV6_LENGTH else DEFAULT_MSS


def read_syn(
    options: tuple[Option, ...], sysctls: Sysctls, user_mss: int = 0, usual_mss: int = DEFAULT_MSS
) -> SynOptions:
    """What a SYN or SYN|ACK offers. Of an option that stands twice the last counts; `usual_mss` where none says."""
    peer_mss, shift, sack, timestamps, fast_open = usual_mss, None, False, None, None
    for option in options:
        kind = type(option)
        if kind is Nop:
            continue
        if kind is Timestamps:
            if sysctls.tcp_timestamps:
                timestamps = option
        elif kind is Mss:
            peer_mss = option.value or peer_mss  # type: ignore[union-attr]
        elif kind is SackOk:
            sack = sysctls.tcp_sack != 0
        elif kind is WScale:
            if sysctls.tcp_window_scaling:
                shift = option.shift  # type: ignore[union-attr]
                if shift > LARGEST_SHIFT:
                    shift = LARGEST_SHIFT
        elif kind is FastOpen:
            fast_open = option if len(option.cookie) in _COOKIE_LENGTHS else None  # type: ignore[union-attr]
    if user_mss and user_mss < peer_mss:
        peer_mss = user_mss
    return tuple.__new__(SynOptions, (peer_mss, shift, sack, timestamps, fast_open))


def find_timestamps(options: tuple[Option, ...]) -> Timestamps | None:
    """The timestamps of a segment; of two the last counts."""
    found = None
    for option in options:
        if type(option) is Timestamps:
            found = option
    return found


def syn_options(
    own_mss: int, shift: int | None, sack: bool, stamps: Timestamps | None, order: str = "linux"
) -> tuple[Option, ...]:
    """The options of a SYN or SYN|ACK that we send, in the order that the family of kernels has."""
    if order != "linux":
        return _OTHER_ORDERS[order](own_mss, shift, sack, stamps)
    if stamps is not None:
        head: tuple[Option, ...] = (
            (mss(own_mss), SACK_OK, stamps) if sack else (mss(own_mss), NOP, NOP, stamps)
        )
    else:
        head = (mss(own_mss), NOP, NOP, SACK_OK) if sack else (mss(own_mss),)
    return head if shift is None else (*head, NOP, wscale(shift))


def with_fast_open(options: tuple[Option, ...], fast_open: FastOpen) -> tuple[Option, ...]:
    """The options of a SYN or SYN|ACK with Fast Open's behind them, where it fits (tcp_options_write)."""
    length = len(fast_open.cookie) + (4 if fast_open.experimental else 2)
    padding = (NOP, NOP) if length & 3 == 2 else ()
    taken = sum(_LENGTHS.get(type(option), 0) for option in options)
    room = _MOST_OPTIONS - (taken + 3 & ~3)
    return (*options, fast_open, *padding) if length + len(padding) <= room else options


def _mss_and_scale(own_mss: int, shift: int | None) -> list[Option]:
    """How the options begin where the window scale comes right after the MSS."""
    return [mss(own_mss)] if shift is None else [mss(own_mss), NOP, wscale(shift)]


def _bsd_order(own_mss: int, shift: int | None, sack: bool, stamps: Timestamps | None) -> tuple[Option, ...]:
    """MSS, NOP and window scale, SACK permitted, timestamps; padding after (FreeBSD tcp_output.c: tcp_addoptions)."""
    options = _mss_and_scale(own_mss, shift)
    if sack and stamps is not None:
        options += [SACK_OK, stamps]
    elif stamps is not None:
        options += [NOP, NOP, stamps]
    elif sack:
        options += [SACK_OK, Eol(b"\0")]
    return tuple(options)


def _windows_order(
    own_mss: int, shift: int | None, sack: bool, stamps: Timestamps | None
) -> tuple[Option, ...]:
    """MSS, NOP and window scale, NOP NOP and timestamps, NOP NOP and SACK permitted."""
    options = _mss_and_scale(own_mss, shift)
    if stamps is not None:
        options += [NOP, NOP, stamps]
    if sack:
        options += [NOP, NOP, SACK_OK]
    return tuple(options)


def _macos_order(
    own_mss: int, shift: int | None, sack: bool, stamps: Timestamps | None
) -> tuple[Option, ...]:
    """MSS, NOP and window scale, NOP NOP and timestamps, SACK permitted; padding after (XNU, tcp_output.c)."""
    options = _mss_and_scale(own_mss, shift)
    if stamps is not None:
        options += [NOP, NOP, stamps]
    if sack:
        options += [SACK_OK, Eol(b"\0")]
    return tuple(options)


def _solaris_order(
    own_mss: int, shift: int | None, sack: bool, stamps: Timestamps | None
) -> tuple[Option, ...]:
    """Timestamps stand in the template of the header and so before all else, with SACK permitted in the place of
    their padding (illumos, tcp_output.c: tcp_xmit_mp_aux_iss).
    """
    if stamps is None:
        return syn_options(own_mss, shift, sack, None)
    head: list[Option] = [SACK_OK, stamps] if sack else [NOP, NOP, stamps]
    return tuple(head + _mss_and_scale(own_mss, shift))


_OTHER_ORDERS = {
    "macos": _macos_order,
    "bsd": _bsd_order,
    "windows": _windows_order,
    "solaris": _solaris_order,
}


def established_options(
    stamps: Timestamps | None, blocks: tuple[tuple[int, int], ...] = ()
) -> tuple[Option, ...]:
    """The options of any other segment: timestamps, then as many SACK blocks as there is room for."""
    options: tuple[Option, ...] = () if stamps is None else (NOP, NOP, stamps)
    if blocks:
        room = 4 if stamps is None else 3
        options = (*options, NOP, NOP, Sack(blocks[:room]))
    return options
