"""When a network has been quiet for so long that nothing is to be expected any more.

A server that looks around twice a second keeps virtual time going for ever, though nobody will ever send anything.
"""

from __future__ import annotations

from collections.abc import Callable

from tcpemu.network import SECOND, Network, Node

QUIET = 3600 * SECOND
"""After so long without a packet nothing is waited for any more, where no timer could bring any."""


class StandsStill:
    """Asked after each step of a network."""

    __slots__ = ("_goes_on", "_network", "_packets", "_since")

    def __init__(self, network: Network, goes_on: Callable[[int], bool]) -> None:
        """`goes_on` says whether somebody goes on by himself, where it has been quiet since that time."""
        self._network, self._goes_on = network, goes_on
        self._packets, self._since = network.record.packets_begun, network.now

    def __call__(self) -> bool:
        packets, now = self._network.record.packets_begun, self._network.now
        if packets != self._packets:
            self._packets, self._since = packets, now
        elif now - self._since >= QUIET:
            if not self._goes_on(self._since) and not self._has_timers():
                return True
            self._since = now
        return False

    def _has_timers(self) -> bool:
        return any(isinstance(node, Node) and node.host.pending() for node in self._network.nodes.values())
