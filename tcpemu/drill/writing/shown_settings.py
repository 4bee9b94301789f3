"""What the host's SYNs show of its settings: options that it does not use, buffers behind window and scale."""

from __future__ import annotations

from tcpemu.drill.writing.seen_conversation import HostView, SeenIn
from tcpemu.wire.options import Mss, Option, SackOk, Timestamps, WScale
from tcpemu.wire.segment import ECE, SYN, Segment

_LARGE = 8192
_MOST_WINDOW = 65535
_WIDE = 540_000
"""Octets of a receive buffer that fills the first window, which has no scale."""
_ROUND = 10_000
_MAXIMA = {7: 6_291_456, 8: 15_728_640, 10: 33_554_432}
"""The largest receive buffers that are usual, by the scale that comes of them."""


def shown_sysctls(view: HostView) -> dict[str, str]:
    """Each option that the host does not use though it could, and room for what it writes."""
    found: dict[str, str] = {}
    for name, kind in (("timestamps", Timestamps), ("sack", SackOk), ("window_scaling", WScale)):
        if any(_declines(conversation.packets, kind) for conversation in view.conversations):
            found[f"net.ipv4.tcp_{name}"] = "0"
    for conversation in view.conversations:
        first = next((seen.segment for seen in conversation.packets if not seen.inbound), None)
        if conversation.opened_by_host and first is not None and first.flags & ECE:
            found["net.ipv4.tcp_ecn"] = "1"
        if sum(seen.size for seen in conversation.packets if not seen.inbound) > _LARGE:
            found["net.ipv4.tcp_wmem"] = "4096 4194304 4194304"
    return found


def _declines(packets: list[SeenIn], kind: type[Option]) -> bool:
    """Whether the host's SYN or SYN|ACK lacks an option, where the peer's SYN had it or the host comes first."""
    own = next((seen for seen in packets if not seen.inbound and seen.segment.flags & SYN), None)
    if own is None or any(isinstance(option, kind) for option in own.segment.options):
        return False
    asked = next((seen for seen in packets if seen.inbound and seen.segment.flags & SYN), None)
    if packets[0] is own:
        return True
    return asked is not None and any(isinstance(option, kind) for option in asked.segment.options)


def receive_buffers(view: HostView) -> dict[str, str]:
    """`tcp_rmem` that would give the window and the scale of the host's first SYN.

    A window is half the buffer, in whole segments (tcp_output.c: tcp_select_initial_window).
    """
    own = next((seen.segment for seen in view.packets if not seen.inbound and seen.segment.flags & SYN), None)
    if own is None:
        return {}
    usual = _first_buffer(own)
    scale = next((option.shift for option in own.options if isinstance(option, WScale)), None)
    most = _MAXIMA[7] if scale is None else _MAXIMA.get(scale, 3 << (14 + scale)) if scale else usual
    return {"net.ipv4.tcp_rmem": f"4096 {usual} {max(usual, most)}"}


def _first_buffer(own: Segment) -> int:
    if own.window == _MOST_WINDOW:
        return _WIDE
    mss = next((option.value for option in own.options if isinstance(option, Mss)), 536)
    least, most = 2 * own.window, 2 * (own.window + mss)
    rounded = -(-least // _ROUND) * _ROUND
    return rounded if rounded < most else least + mss


def mtu_of(view: HostView, headers: int) -> int | None:
    """The MTU that the host's MSS comes from; None where it says none."""
    for seen in view.packets:
        if not seen.inbound and seen.segment.flags & SYN:
            for option in seen.segment.options:
                if isinstance(option, Mss):
                    return option.value + headers
    return None
