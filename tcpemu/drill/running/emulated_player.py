"""A script on the emulated host, in virtual time: from timer to timer, up to the next event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tcpemu.drill.language.drill_script import Command, Script
from tcpemu.drill.playing.code_blocks import values_of
from tcpemu.drill.playing.drill_failure import DrillFailure, WouldWait
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.drill_stage import Departure
from tcpemu.drill.playing.script_player import RunningCall, ScriptPlayer
from tcpemu.drill.running.call_steps import STEPS
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.option_steps import OPTION_STEPS
from tcpemu.drill.running.waiting_steps import WAITING_STEPS
from tcpemu.stack import NotEmulatedError, Socket, SocketError
from tcpemu.wire.segment import SYN

_STEPS = {**STEPS, **WAITING_STEPS, **OPTION_STEPS}


class EmulatedPlayer(ScriptPlayer):
    """One script on one emulated host."""

    def __init__(self, script: Script, world: DrillWorld, commands: Callable[[Command], None]) -> None:
        super().__init__(script, world.stage, world.flows, world.flags, commands)
        self.world = world

    # --- time -------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        """Let time pass; what is due at that very time waits. The event itself then takes its time."""
        until += self.flags.event_usecs * 1_000
        stage = self.world.stage
        while (moment := self._next_moment()) is not None and moment < until:
            self._pass(moment)
        stage.now = max(stage.now, until)

    def _next_moment(self) -> int | None:
        moments = [
            moment
            for moment in (self.world.stage.host.next_timer(), self.world.deadline)
            if moment is not None
        ]
        return min(moments, default=None)

    def _pass(self, moment: int) -> None:
        """The next timer fires, or a call has waited long enough."""
        stage = self.world.stage
        due = stage.host.next_timer()
        if due is not None and due <= moment:
            stage.fire(due)
        stage.now = max(stage.now, moment)
        if self.world.deadline is not None and self.world.deadline <= moment:
            self.world.deadline = None
        self.look_again()

    # --- packets that the host sends --------------------------------------------------------------

    def next_departure(self, flow: DrillFlow, limit: int) -> Departure | None:
        """The next segment of that connection; timers fire until there is one."""
        assert flow.ports is not None
        while not (queue := self.stage.heard.get(flow.ports)):
            moment = self._next_moment()
            if moment is None or moment > limit:
                return None
            self._pass(moment)
        return queue.popleft()

    def follows(self, before: Departure, departure: Departure) -> bool:
        """Whether a segment may be of the same piece as the one before it: it left with it."""
        if departure.at != before.at or departure.segment.ack != before.segment.ack:
            return False
        if departure.segment.flags & SYN:
            return False
        end = (before.segment.seq + len(before.segment.payload)) & (2**32 - 1)
        return departure.segment.seq == end

    # --- calls ------------------------------------------------------------------------------------

    def begin(self, running: RunningCall) -> None:  # noqa: ARG002
        """The call is tried, and again whenever something happens."""
        self.look_again()

    def look_again(self) -> None:
        """Something has happened: a call that waits may be able to return."""
        stage = self.world.stage
        self.world.notice()
        running = self.running
        if running is None or running.returned is not None:
            return
        try:
            running.value = _STEPS[running.call.name](self.world, running.arguments)
        except WouldWait:
            stage.drain()
            return
        except SocketError as error:
            running.value, running.error = -1, error
        except NotEmulatedError as error:
            raise DrillFailure(running.call.place, str(error)) from None
        running.returned = stage.now
        self.world.progress.pop(id(running.call), None)
        self.world.waited.discard(id(running.call))
        self.world.deadline = None
        stage.drain()
        self.world.notice()

    def await_return(self, running: RunningCall, limit: int) -> None:
        """Timers fire until it returns."""
        while running.returned is None:
            moment = self._next_moment()
            if moment is None or moment > limit:
                return
            self._pass(moment)

    def tcp_info(self, flow: DrillFlow | None) -> Mapping[str, Any]:
        """TCP_INFO of the connection's socket."""
        if flow is None or flow.socket is None:
            return {}
        try:
            return values_of(flow.socket.tcp_info(self.world.stage.now)) | _memory_of(flow.socket)
        except (NotEmulatedError, OSError):
            return {}


def _memory_of(socket: Socket) -> dict[str, int]:
    """What code sees of SO_MEMINFO: the memory of a connection's buffers, as far as it is counted."""
    conn = socket.connection
    if conn is None:
        return {}
    return {
        "SK_MEMINFO_RMEM_ALLOC": conn.rcv.rmem,
        "SK_MEMINFO_RCVBUF": conn.rcv.buffer,
        "SK_MEMINFO_SNDBUF": conn.snd.buffer,
    }
