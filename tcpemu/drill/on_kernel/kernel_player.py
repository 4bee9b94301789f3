"""A script on the kernel, in real time. A call that the script has wait is made in a thread of its own."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from tcpemu.drill.language.drill_script import Command, Event, Script, TcpPacket
from tcpemu.drill.on_kernel.kernel_calls import PREPARATIONS, own_port
from tcpemu.drill.on_kernel.kernel_waits import WAITS
from tcpemu.drill.on_kernel.kernel_world import KernelFile, KernelWorld, PreparedCall
from tcpemu.drill.playing.code_blocks import values_of
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.drill_stage import Departure
from tcpemu.drill.playing.script_player import RunningCall, ScriptPlayer
from tcpemu.stack.sockets.tcp_info import info_of_octets
from tcpemu.wire.segment import SYN

_PREPARATIONS = {**PREPARATIONS, **WAITS}
_SPIN = 2_000_000
"""Nanoseconds: a sleep may end this much late, so the last bit before an event is spent awake."""
_GLANCE = 50_000
"""Nanoseconds between looks at whether a call has returned."""
_UNSAID = 10
"""Seconds that a call may wait of which the script does not say that it waits."""
_MOMENT = 20_000_000
"""Nanoseconds in which a call that was begun in a thread is under way, or has returned."""
_GOES_ON = (errno.EINPROGRESS, errno.EALREADY, errno.EISCONN, errno.EINTR)
"""Errors of connect() after which the connection is still the same."""
_TCP_INFO_OCTETS = 512
_SO_MEMINFO = 55
_MEMORY = tuple(
    f"SK_MEMINFO_{name}"
    for name in (
        *("RMEM_ALLOC", "RCVBUF", "WMEM_ALLOC", "SNDBUF", "FWD_ALLOC", "WMEM_QUEUED", "OPTMEM", "BACKLOG"),
        "DROPS",
    )
)
"""What code sees of SO_MEMINFO (include/uapi/linux/sock_diag.h)."""


class KernelPlayer(ScriptPlayer):
    """One script on the kernel of this namespace."""

    def __init__(
        self, script: Script, world: KernelWorld, commands: Callable[[Command], None], longest: int
    ) -> None:
        """No wait goes beyond `longest` nanoseconds from now."""
        super().__init__(script, world.stage, world.flows, world.flags, commands)
        self.world = world
        self.longest = world.stage.clock() + longest
        self.prepared: PreparedCall | None = None
        # The alarm ends a call that waits; it need do nothing else.
        signal.signal(signal.SIGALRM, lambda *_: None)

    # --- time -------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Listen until then; the last bit of it awake."""
        stage = self.world.stage
        while (left := until - stage.clock()) > 0:
            if left > _SPIN:
                stage.hear(left - _SPIN)
            else:
                stage.hear()

    def now(self, event: Event) -> int:
        """Between packets that are sent no time passes: those of a burst wait to be looked at, which takes its time."""
        if self.last is not None and _is_sent(self.last) and _is_sent(event):
            return max(self.offset, self.heard_at)
        return super().now(event)

    def next_departure(self, flow: DrillFlow, limit: int) -> Departure | None:
        """The next segment of that connection that is heard."""
        assert flow.ports is not None
        stage = self.world.stage
        limit = min(limit, self.longest)
        stage.hear()
        while not (queue := stage.heard.get(flow.ports)):
            left = limit - stage.clock()
            if left <= 0:
                return None
            stage.hear(left)
        return queue.popleft()

    def follows(self, before: Departure, departure: Departure) -> bool:
        """Whether a segment may be of the same piece as the one before it: its octets are the next ones."""
        if departure.segment.flags & SYN:
            return False
        end = (before.segment.seq + len(before.segment.payload)) & (2**32 - 1)
        return departure.segment.seq == end

    def ends_piece(self, departure: Departure) -> bool:  # noqa: ARG002
        """The device cuts, so that each packet is a piece."""
        return self.flags.strict_segments

    # --- calls ------------------------------------------------------------------------------------

    def begin(self, running: RunningCall) -> None:
        """The call is made; in a thread where the script says that it waits, as a thread takes its time to begin."""
        prepared = self.prepared = _PREPARATIONS[running.call.name](self.world, running.arguments)
        clock = self.world.stage.clock
        if running.end is None:
            signal.setitimer(signal.ITIMER_REAL, _UNSAID)
            _make(prepared, running, clock)
            signal.setitimer(signal.ITIMER_REAL, 0)
        else:
            threading.Thread(target=_make, args=(prepared, running, clock), daemon=True).start()
        if prepared.connects is not None:
            self._connects(running, *prepared.connects)

    def _connects(self, running: RunningCall, file: KernelFile, port: int) -> None:
        """The socket has begun a connection of its own, if it has a port now and had none before."""
        limit = self.world.stage.clock() + _MOMENT
        while file.live >= 0 and file.flow is not None and not file.opens:
            own = own_port(file.live)
            failed = running.error is not None and running.error.errno not in _GOES_ON
            if own and not failed:
                file.opens = True
                self.flows.opens(file.flow, (port, own))
            elif running.returned is not None or self.world.stage.clock() > limit:
                return
            else:
                time.sleep(0)

    def look_again(self) -> None:
        """The kernel does so by itself."""

    def await_return(self, running: RunningCall, limit: int) -> None:
        """Listen until it has returned; then look at what it wrote."""
        limit = min(limit, self.longest)
        while running.returned is None and self.world.stage.clock() < limit:
            self.world.stage.hear(_GLANCE)
        if _was_given_up(running):
            running.returned = None
        self._settle(running)

    def _settle(self, running: RunningCall | None) -> None:
        """A call that has returned takes its effect on the script's descriptors."""
        prepared = self.prepared
        if running is None or running.returned is None or prepared is None:
            return
        self.prepared = None
        if running.error is None:
            running.value = prepared.then(running.value)
        elif prepared.connects is not None:
            prepared.connects[0].opens = running.error.errno in _GOES_ON

    def tcp_info(self, flow: DrillFlow | None) -> Mapping[str, Any]:
        """TCP_INFO of the connection's socket."""
        self._settle(self.running)
        if flow is None or flow.descriptor is None:
            return {}
        try:
            with socket.socket(fileno=os.dup(flow.descriptor)) as same:
                octets = same.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_OCTETS)
                memory = same.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * len(_MEMORY))
        except OSError:
            return {}
        counts = struct.unpack(f"={len(memory) // 4}I", memory)
        return values_of(info_of_octets(octets)) | dict(zip(_MEMORY, counts, strict=False))


def _was_given_up(running: RunningCall) -> bool:
    """Whether the alarm has ended a call of which the script does not say that it waits."""
    interrupted = running.error is not None and running.error.errno == errno.EINTR
    return running.end is None and interrupted


def _is_sent(event: Event) -> bool:
    return isinstance(event.action, TcpPacket) and not event.action.inbound


def _make(prepared: PreparedCall, running: RunningCall, clock: Callable[[], int]) -> None:
    result, number = prepared.make()
    running.value = result
    if result < 0:
        running.value, running.error = -1, OSError(number, os.strerror(number))
    running.returned = clock()
