"""What a kind of congestion control says at the hooks that are none of its concern: no, and that nothing changes.

Each kind overrides those that it does go by; what they are for stands in `Congestion` of
`stack/base/congestion_hooks.py`.
"""

from __future__ import annotations

from typing import Self

from tcpemu.stack.base.congestion_hooks import Moment, Path


class Unconcerned:
    """A kind that goes by neither clock, round-trip times, rates nor marks, and does not control by itself."""

    __slots__ = ()

    @property
    def needs_moment(self) -> bool:
        return False

    @property
    def controls(self) -> bool:
        return False

    @property
    def begins(self) -> bool:
        return False

    @property
    def needs_ecn(self) -> bool:
        return False

    def timed(self, rtt: int, moment: Moment) -> Self:  # noqa: ARG002
        return self

    def controlled(self, path: Path) -> Self:  # noqa: ARG002
        return self

    def sending_restarts(self, path: Path) -> Self:  # noqa: ARG002
        return self

    def loss_began(self, path: Path) -> None:
        pass

    def undone(self, path: Path) -> None:
        pass

    def sending_starts(self, now: int, last: int) -> Self:  # noqa: ARG002
        return self

    def round_begins(self, nxt: int, delivered: int, delivered_ce: int) -> Self:  # noqa: ARG002
        return self

    def marks_echoed(self, una: int, nxt: int, delivered: int, delivered_ce: int) -> Self:  # noqa: ARG002
        return self

    def recovery_began(self) -> Self:
        return self
