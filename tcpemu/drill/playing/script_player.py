"""Plays a script: each event at its time, and what the host sends and gives against what the script says.

Packets that the host has sent wait until the script asks for them; then content, order and time have to be those of
the script. A call with an end goes on while other events happen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tcpemu.drill.language.drill_script import (
    Code,
    Command,
    Event,
    IcmpPacket,
    Script,
    SystemCall,
    TcpPacket,
)
from tcpemu.drill.playing import packet_checks
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.code_blocks import CodeBlocks
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.playing.drill_stage import BEGINNING, Departure, DrillStage
from tcpemu.drill.playing.flow_table import FlowTable
from tcpemu.drill.playing.inbound_packets import icmp_on_wire, segment_on_wire
from tcpemu.drill.setup.constant_names import CONSTANTS, errno_name
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.wire.segment import PSH, SYN

_MICROSECOND = 1_000
_PATIENCE = 2 * 10**9
"""Nanoseconds that a packet may be late before it is said not to have come."""
_LONGEST_WAIT = 3600 * 10**9
"""Nanoseconds in which a packet has to come that may come at any time, and a call has to return."""


@dataclass(slots=True, eq=False)
class RunningCall:
    """A call that has begun."""

    call: SystemCall
    arguments: Arguments
    began: int
    """Nanoseconds on the host's clock."""
    end: int | None
    """The same: when the script has it return."""
    returned: int | None = None
    value: int = 0
    error: OSError | None = None
    why: str = ""
    """What else there is to say of the error."""


class ScriptPlayer(ABC):
    """One script on one host. How time passes and what calls do is the host's."""

    def __init__(
        self,
        script: Script,
        stage: DrillStage,
        flows: FlowTable,
        flags: DrillFlags,
        commands: Callable[[Command], None],
    ) -> None:
        self.script = script
        self.stage = stage
        self.flows = flows
        self.flags = flags
        self.commands = commands
        self.code = CodeBlocks()
        self.running: RunningCall | None = None
        self.last: Event | None = None
        self.offset = 0
        """What relative times of the event count from, in nanoseconds from the first one."""
        self.heard_at = 0
        """When the last packet that the script has was sent, in nanoseconds from the first event."""
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
            self.code.run(action, self.tcp_info(self.flows.current))

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
        return self.now(event)

    def now(self, event: Event) -> int:  # noqa: ARG002
        """The time that an event finds, in nanoseconds from the first one."""
        return self.stage.clock() - BEGINNING

    def _tolerance(self, since: int) -> int:
        """How far off a time may be that comes so long after the one before it, in nanoseconds."""
        flags = self.flags
        part = int(flags.tolerance_percent / 100 * max(0, since))
        return max(flags.tolerance_usecs * _MICROSECOND, part)

    def _wait_until(self, event: Event, start: int) -> None:
        moment = BEGINNING + start
        if self.stage.clock() - moment > self._tolerance(start - self.last_time):
            late = (self.stage.clock() - BEGINNING) / 1e9
            raise DrillFailure(
                event.place, f"it is {late:.6f} s already; this was to happen at {start / 1e9:.6f} s"
            )
        self.advance(moment)

    @abstractmethod
    def advance(self, until: int) -> None:
        """Let time pass, to that time of the host's clock."""

    # --- packets that arrive ----------------------------------------------------------------------

    def _inject(self, packet: TcpPacket) -> None:
        flow = self.flows.of_inbound(packet)
        segment = segment_on_wire(packet, flow, self.flows, self.flags)
        try:
            self.stage.arrive(segment)
        except ValueError as error:
            raise DrillFailure(packet.place, f"this packet cannot be on a wire: {error}") from None
        self.look_again()

    def _inject_icmp(self, packet: IcmpPacket) -> None:
        flow = self.flows.current
        if flow is None or flow.ports is None:
            raise DrillFailure(packet.place, "no connection is there that this ICMP error could be about")
        self.stage.arrive_icmp(icmp_on_wire(packet, flow, self.flows))
        self.look_again()

    # --- packets that the host sends --------------------------------------------------------------

    def _expect_packet(self, event: Event, packet: TcpPacket, start: int, end: int) -> None:
        flow = self.flows.of_outbound(packet)
        whenever = event.time.whenever
        limit = BEGINNING + (start + _LONGEST_WAIT if whenever else end + _PATIENCE)
        departures = self._collect(packet, flow, limit)
        if not departures:
            when = "at any time" if whenever else f"at {start / 1e9:.6f} s"
            words = f"the host sends nothing on this connection; expected {when}: {packet_checks.packet_text(packet)}"
            raise DrillFailure(packet.place, words, self._last_reasons())
        self.heard_at = departures[-1].at - BEGINNING
        self._compare(packet, flow, departures, start)
        if not whenever:
            self._compare_time(event, departures[0].at - BEGINNING, start, end)

    def _collect(self, packet: TcpPacket, flow: DrillFlow, limit: int) -> list[Departure]:
        """The next segment of the connection, with those that follow it at once up to the script's octets."""
        assert flow.ports is not None
        taken: list[Departure] = []
        octets = 0
        while True:
            departure = self.next_departure(flow, limit)
            if departure is None:
                return taken
            if taken and not self.follows(taken[-1], departure):
                self.stage.heard[flow.ports].appendleft(departure)
                return taken
            taken.append(departure)
            octets += len(departure.segment.payload)
            if octets >= packet.size or not departure.segment.payload or self.ends_piece(departure):
                return taken

    @abstractmethod
    def next_departure(self, flow: DrillFlow, limit: int) -> Departure | None:
        """The next segment of that connection; None where none leaves up to that time of the host's clock."""

    @abstractmethod
    def follows(self, before: Departure, departure: Departure) -> bool:
        """Whether a segment may be of the same piece as the one before it."""

    def ends_piece(self, departure: Departure) -> bool:
        """Whether nothing that follows is of the same piece, though the script has more octets."""
        return bool(self.flags.strict_segments and departure.segment.flags & PSH)

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
                *([f"the host: {departures[0].reason}"] if departures[0].reason else []),
                *self._last_reasons(),
            )
            raise DrillFailure(
                packet.place,
                f"the host sends another packet: {', '.join(name for name, *_ in found)}",
                details,
            )

    def _ticks(self, start: int) -> int:
        flags = self.flags
        if not flags.tcp_ts_tick_usecs:
            return -1
        part = int(flags.tolerance_percent / 100 * start) // _MICROSECOND
        return max(flags.tolerance_usecs, part, flags.tcp_ts_tick_usecs) // flags.tcp_ts_tick_usecs

    def _compare_time(self, event: Event, at: int, start: int, end: int) -> None:
        slack = self._tolerance(start - self.last_time)
        if start - slack <= at <= end + slack:
            return
        wanted = f"at {start / 1e9:.6f} s" if start == end else f"from {start / 1e9:.6f} to {end / 1e9:.6f} s"
        early = "early" if at < start else "late"
        by = (start - at if at < start else at - end) / 1e6
        words = f"the packet is {by:.3f} ms too {early}: expected {wanted}, sent at {at / 1e9:.6f} s"
        raise DrillFailure(event.place, words, self._last_reasons())

    def _last_reasons(self) -> tuple[str, ...]:
        return tuple(f"had arrived at {words}" for words in self.stage.last_reasons())

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, call: SystemCall) -> None:
        end = None
        if call.end is not None:
            end = BEGINNING + self.offset + call.end * _MICROSECOND
        self.running = RunningCall(call, Arguments(self.script.text, call), self.stage.clock(), end)
        self.begin(self.running)
        if end is None:
            self._finish_running()

    @abstractmethod
    def begin(self, running: RunningCall) -> None:
        """The call begins, and may have returned at once."""

    @abstractmethod
    def look_again(self) -> None:
        """A packet has arrived: a call that waits may be able to return."""

    @abstractmethod
    def await_return(self, running: RunningCall, limit: int) -> None:
        """Wait until the call has returned, or up to that time of the host's clock."""

    @abstractmethod
    def tcp_info(self, flow: DrillFlow | None) -> Mapping[str, Any]:
        """TCP_INFO of a connection as code sees it; empty where there is none."""

    def _finish_running(self) -> None:
        """Wait for the call that goes on, and look at what it gave."""
        running = self.running
        if running is None:
            return
        self.await_return(running, self.stage.clock() + _LONGEST_WAIT)
        if running.returned is None:
            raise DrillFailure(
                running.call.place, f"{running.call.name}() never returns", self._last_reasons()
            )
        self.running = None
        self._compare_result(running)
        self._compare_end(running)

    def _compare_result(self, running: RunningCall) -> None:
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

    def _compare_end(self, running: RunningCall) -> None:
        if running.end is None or running.returned is None:
            return
        if abs(running.returned - running.end) > self._tolerance(running.end - running.began):
            at, wanted = ((moment - BEGINNING) / 1e9 for moment in (running.returned, running.end))
            words = f"{running.call.name}() returns at {at:.6f} s; expected at {wanted:.6f} s"
            raise DrillFailure(running.call.place, words, self._last_reasons())


def _arrives(event: Event) -> bool:
    return isinstance(event.action, TcpPacket | IcmpPacket) and event.action.inbound
