"""Plays a script on the emulated host: each event at its time, in virtual time.

Packets that the host has sent wait until the script asks for them; then content, order and time have to be those of
the script. A call with an end goes on while other events happen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tcpemu.drill.language.drill_script import (
    Code,
    Command,
    Event,
    IcmpPacket,
    Script,
    SystemCall,
    TcpPacket,
)
from tcpemu.drill.running import packet_checks
from tcpemu.drill.running.call_arguments import Arguments
from tcpemu.drill.running.call_steps import STEPS
from tcpemu.drill.running.code_blocks import CodeBlocks
from tcpemu.drill.running.drill_failure import DrillFailure, WouldWait
from tcpemu.drill.running.drill_flow import DrillFlow
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.emulated_stage import BEGINNING, Departure
from tcpemu.drill.running.inbound_packets import icmp_on_wire, segment_on_wire
from tcpemu.drill.running.option_steps import OPTION_STEPS
from tcpemu.drill.running.waiting_steps import WAITING_STEPS
from tcpemu.drill.setup.constant_names import CONSTANTS, errno_name
from tcpemu.stack import NotEmulatedError, SocketError
from tcpemu.wire.segment import PSH, SYN

_STEPS = {**STEPS, **WAITING_STEPS, **OPTION_STEPS}
_MICROSECOND = 1_000
_PATIENCE = 2 * 10**9
"""Nanoseconds that a packet may be late before it is said not to have come."""
_LONGEST_WAIT = 3600 * 10**9
"""Nanoseconds in which a packet has to come that may come at any time, and a call has to return."""


@dataclass(slots=True, eq=False)
class _Running:
    """A call that has begun."""

    call: SystemCall
    arguments: Arguments
    end: int | None
    """Nanoseconds on the host's clock: when the script has it return."""
    returned: int | None = None
    value: int = 0
    error: SocketError | None = None


class ScriptPlayer:
    """One script on one host."""

    def __init__(self, script: Script, world: DrillWorld, commands: Callable[[Command], None]) -> None:
        self.script = script
        self.world = world
        self.stage = world.stage
        self.commands = commands
        self.code = CodeBlocks()
        self.running: _Running | None = None
        self.last: Event | None = None
        self.offset = 0
        """What relative times of the event count from, in nanoseconds from the first one."""
        self.last_time = 0
        """When the event before was to happen, in nanoseconds from the first one."""

    def play(self) -> None:
        """All events. DrillFailure for the first that is not as the script says; ScriptError."""
        for event in self.script.events:
            self._play_event(event)
        self._finish_running()

    def _play_event(self, event: Event) -> None:
        start, end = self._times(event)
        action = event.action
        self.stage.remark = f"line {event.place.line}"
        if isinstance(action, TcpPacket) and not action.inbound:
            self._expect_packet(event, action, start, end)
        else:
            if isinstance(action, SystemCall):
                self._finish_running()
            self._wait_until(event, start)
            self._act(action)
        self.last, self.last_time = event, start

    def _act(self, action: object) -> None:
        if isinstance(action, TcpPacket):
            self._inject(action)
        elif isinstance(action, IcmpPacket):
            self._inject_icmp(action)
        elif isinstance(action, SystemCall):
            self._call(action)
        elif isinstance(action, Command):
            self.commands(action)
        elif isinstance(action, Code):
            self.code.run(action, self.world.flows.current, self.stage.now)

    # --- time -------------------------------------------------------------------------------------

    def _times(self, event: Event) -> tuple[int, int]:
        """When the event is to happen, from and to, in nanoseconds from the first one."""
        time = event.time
        self.offset = offset = self._offset(event) if time.relative else 0
        start = offset + time.start * _MICROSECOND
        return start, start if time.end is None else offset + time.end * _MICROSECOND

    def _offset(self, event: Event) -> int:
        """What a relative time counts from: now, or between packets that arrive the time of the one before."""
        if self.last is not None and _arrives(self.last) and _arrives(event):
            return self.last_time
        return self.stage.now - BEGINNING

    def _tolerance(self, start: int) -> int:
        flags = self.world.flags
        part = int(flags.tolerance_percent / 100 * max(0, start - self.last_time))
        return max(flags.tolerance_usecs * _MICROSECOND, part)

    def _wait_until(self, event: Event, start: int) -> None:
        moment = BEGINNING + start
        if self.stage.now - moment > self._tolerance(start):
            late = (self.stage.now - BEGINNING) / 1e9
            raise DrillFailure(
                event.place, f"it is {late:.6f} s already; this was to happen at {start / 1e9:.6f} s"
            )
        self.advance(moment)

    def advance(self, until: int) -> None:
        """Let time pass; what is due at that very time waits."""
        while (moment := self._next_moment()) is not None and moment < until:
            self._pass(moment)
        self.stage.now = max(self.stage.now, until)

    def _next_moment(self) -> int | None:
        moments = [
            moment for moment in (self.stage.host.next_timer(), self.world.deadline) if moment is not None
        ]
        return min(moments, default=None)

    def _pass(self, moment: int) -> None:
        """The next timer fires, or a call has waited long enough."""
        due = self.stage.host.next_timer()
        if due is not None and due <= moment:
            self.stage.fire(due)
        self.stage.now = max(self.stage.now, moment)
        if self.world.deadline is not None and self.world.deadline <= moment:
            self.world.deadline = None
        self._poke()

    # --- packets that arrive ----------------------------------------------------------------------

    def _inject(self, packet: TcpPacket) -> None:
        flow = self.world.flows.of_inbound(packet)
        segment = segment_on_wire(packet, flow, self.world.flows, self.world.flags)
        try:
            self.stage.arrive(segment)
        except ValueError as error:
            raise DrillFailure(packet.place, f"this packet cannot be on a wire: {error}") from None
        self._poke()

    def _inject_icmp(self, packet: IcmpPacket) -> None:
        flow = self.world.flows.current
        if flow is None or flow.ports is None:
            raise DrillFailure(packet.place, "no connection is there that this ICMP error could be about")
        self.stage.arrive_icmp(icmp_on_wire(packet, flow, self.world.flows))
        self._poke()

    # --- packets that the host sends --------------------------------------------------------------

    def _expect_packet(self, event: Event, packet: TcpPacket, start: int, end: int) -> None:
        flow = self.world.flows.of_outbound(packet)
        whenever = event.time.whenever
        limit = BEGINNING + (start + _LONGEST_WAIT if whenever else end + _PATIENCE)
        departures = self._collect(packet, flow, limit)
        if not departures:
            when = "at any time" if whenever else f"at {start / 1e9:.6f} s"
            words = f"the host sends nothing on this connection; expected {when}: {packet_checks.packet_text(packet)}"
            raise DrillFailure(packet.place, words, self._last_reasons())
        self._compare(packet, flow, departures, start)
        if not whenever:
            self._compare_time(event, departures[0].at - BEGINNING, start, end)

    def _collect(self, packet: TcpPacket, flow: DrillFlow, limit: int) -> list[Departure]:
        """The next segment of the connection, with those that follow it at once up to the script's octets."""
        assert flow.ports is not None
        taken: list[Departure] = []
        octets = 0
        while True:
            departure = self._next_departure(flow, limit)
            if departure is None:
                return taken
            if taken and not self._follows(taken[-1], departure):
                self.stage.heard[flow.ports].appendleft(departure)
                return taken
            taken.append(departure)
            octets += len(departure.segment.payload)
            ends_piece = self.world.flags.strict_segments and departure.segment.flags & PSH
            if octets >= packet.size or not departure.segment.payload or ends_piece:
                return taken

    def _next_departure(self, flow: DrillFlow, limit: int) -> Departure | None:
        assert flow.ports is not None
        while not (queue := self.stage.heard.get(flow.ports)):
            moment = self._next_moment()
            if moment is None or moment > limit:
                return None
            self._pass(moment)
        return queue.popleft()

    def _follows(self, before: Departure, departure: Departure) -> bool:
        """Whether a segment may be of the same piece as the one before it."""
        if departure.at != before.at or departure.segment.ack != before.segment.ack:
            return False
        if departure.segment.flags & SYN:
            return False
        end = (before.segment.seq + len(before.segment.payload)) & (2**32 - 1)
        return departure.segment.seq == end

    def _compare(self, packet: TcpPacket, flow: DrillFlow, departures: list[Departure], start: int) -> None:
        segment = packet_checks.joined([departure.segment for departure in departures])
        if segment.flags & SYN and not flow.number_known:
            flow.number_known = True
            flow.local.live = segment.seq
            flow.local.scripted = packet.seq if packet.flags & SYN else 0
        actual = packet_checks.in_script_numbers(segment, packet, flow)
        found = list(packet_checks.differences(packet, actual, self._ticks(start)))
        if found:
            fields = [f"{name}: expected {wanted}, got {got}" for name, wanted, got in found]
            details = (
                f"script: {packet_checks.packet_text(packet)}",
                f"actual: {packet_checks.segment_text(actual)}, at {(departures[0].at - BEGINNING) / 1e9:.6f} s",
                *fields,
                f"the host: {departures[0].reason}",
                *self._last_reasons(),
            )
            raise DrillFailure(
                packet.place,
                f"the host sends another packet: {', '.join(name for name, *_ in found)}",
                details,
            )

    def _ticks(self, start: int) -> int:
        flags = self.world.flags
        if not flags.tcp_ts_tick_usecs:
            return -1
        part = int(flags.tolerance_percent / 100 * start) // _MICROSECOND
        return max(flags.tolerance_usecs, part, flags.tcp_ts_tick_usecs) // flags.tcp_ts_tick_usecs

    def _compare_time(self, event: Event, at: int, start: int, end: int) -> None:
        slack = self._tolerance(start)
        if start - slack <= at <= end + slack:
            return
        wanted = f"at {start / 1e9:.6f} s" if start == end else f"from {start / 1e9:.6f} to {end / 1e9:.6f} s"
        early = "early" if at < start else "late"
        by = (start - at if at < start else at - end) / 1e6
        words = f"the packet is {by:.3f} ms too {early}: expected {wanted}, sent at {at / 1e9:.6f} s"
        raise DrillFailure(event.place, words, self._last_reasons())

    def _last_reasons(self) -> tuple[str, ...]:
        return tuple(f"before that, {words}" for words in self.stage.last_reasons())

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, call: SystemCall) -> None:
        end = None
        if call.end is not None:
            end = BEGINNING + self.offset + call.end * _MICROSECOND
        self.running = _Running(call, Arguments(self.script.text, call), end)
        self._poke()
        if end is None:
            self._finish_running()

    def _poke(self) -> None:
        """Something has happened: a call that waits may be able to return."""
        self.world.notice()
        running = self.running
        if running is None or running.returned is not None:
            return
        try:
            running.value = _STEPS[running.call.name](self.world, running.arguments)
        except WouldWait:
            self.stage.drain()
            return
        except SocketError as error:
            running.value, running.error = -1, error
        except NotEmulatedError as error:
            raise DrillFailure(running.call.place, str(error)) from None
        running.returned = self.stage.now
        self.world.progress.pop(id(running.call), None)
        self.world.waited.discard(id(running.call))
        self.world.deadline = None
        self.stage.drain()
        self.world.notice()

    def _finish_running(self) -> None:
        """Wait for the call that goes on, and look at what it gave."""
        running = self.running
        if running is None:
            return
        limit = self.stage.now + _LONGEST_WAIT
        while running.returned is None:
            moment = self._next_moment()
            if moment is None or moment > limit:
                raise DrillFailure(
                    running.call.place, f"{running.call.name}() never returns", self._last_reasons()
                )
            self._pass(moment)
        self.running = None
        self._compare_result(running)
        self._compare_end(running)

    def _compare_result(self, running: _Running) -> None:
        call = running.call
        wanted = running.arguments.value(call.result)
        got = str(running.value) if running.error is None else f"-1 {errno_name(running.error.errno or 0)}"
        why = (str(running.error.strerror),) if running.error is not None else ()
        error = CONSTANTS[call.error.name] if call.error is not None else None
        if running.value != wanted or (
            error is not None and running.error is not None and running.error.errno != error
        ):
            expected = f"{wanted} {call.error.name}" if call.error is not None else str(wanted)
            words = f"{call.name}() gives {got}; expected {expected}"
            raise DrillFailure(call.place, words, (*why, *self._last_reasons()))

    def _compare_end(self, running: _Running) -> None:
        if running.end is None or running.returned is None:
            return
        if abs(running.returned - running.end) > self._tolerance(running.end - BEGINNING):
            at, wanted = ((moment - BEGINNING) / 1e9 for moment in (running.returned, running.end))
            words = f"{running.call.name}() returns at {at:.6f} s; expected at {wanted:.6f} s"
            raise DrillFailure(running.call.place, words, self._last_reasons())


def _arrives(event: Event) -> bool:
    return isinstance(event.action, TcpPacket | IcmpPacket) and event.action.inbound
