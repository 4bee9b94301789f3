"""The bits of `Acknowledging.pending`, and the least that a delayed ACK waits (inet_connection_sock.h)."""

from __future__ import annotations

from tcpemu.stack.base.units import MILLISECOND

SCHEDULED, TIMER, PUSHED, PUSHED_TWICE, NOW, NO_MEMORY = 1, 2, 4, 8, 16, 32
"""Bits of `ack_pending` (inet_connection_sock.h: inet_csk_ack_state_t)."""
ATO_MIN = DELACK_MIN = 40 * MILLISECOND
