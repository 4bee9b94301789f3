"""Plays a step trace on the kernel of the network namespace that it runs in, in real time."""

import os
import select
import time
from collections.abc import Collection, Iterator
from typing import Any, TypeAlias

from tcpemu.kernel import tun_device
from tcpemu.kernel.kernel_errors import KernelError, StepError
from tcpemu.kernel.model_receiver import ModelReceiver
from tcpemu.kernel.observe import counters
from tcpemu.kernel.real_sockets import KernelSockets
from tcpemu.wire.checked_tcp import PROTOCOL_TCP
from tcpemu.wire.codec_choice import decode
from tcpemu.wire.refused import Refused
from tcpemu.wire.relative_numbers import RelativeNumbers, Trace, TraceEnds, ends_of
from tcpemu.wire.segment import Segment

TraceStep: TypeAlias = list[Any]

SETTLE, SETTLE_OF_IPV6 = 0.05, 0.3
"""Seconds between the device's start and the first step; IPv6 is there later."""
ANSWER_TIME = 0.0005
"""Seconds given to the kernel to answer a step before the next one."""
SPIN = 0.002
"""A sleep may end this much late, so the last bit before a step is spent awake."""

_LONGEST_WAIT = 0.05
SLEEP_SLACK = 1 / 500
"""A long sleep in poll(2) may end later still, by a thousandth of itself; twice that is kept back."""


def play(
    trace: Trace, *, spin: float = SPIN, slack: float = SLEEP_SLACK, set_before: Collection[str] = ()
) -> Trace:
    """The trace with the kernel's release and its answers.

    The last `spin` seconds before a step, or so large a share of the wait as `slack`, are spent awake. Sysctls
    `set_before` are left as they are.
    """
    return _Player(trace, spin, slack, set_before).play()


class _Player:
    def __init__(self, trace: Trace, spin: float, slack: float, set_before: Collection[str]) -> None:
        self.trace = trace
        self.spin, self.slack = spin, slack
        self.device = tun_device.open_device()
        ends = _ends(trace)
        tun_device.bring_up(trace.get("sysctl", {}), ipv6=ends.ipv6, set_before=set_before)
        time.sleep(SETTLE_OF_IPV6 if ends.ipv6 else SETTLE)
        self.numbers = RelativeNumbers(ends)
        self.applications = KernelSockets(counters(), ends)
        self.log: list[dict[str, Any]] = []
        self.done: list[TraceStep] = []
        self.model = ModelReceiver(trace["reactive"]) if "reactive" in trace else None
        self.poll = select.poll()
        self.poll.register(self.device, select.POLLIN)
        self.start = time.monotonic()

    def play(self) -> Trace:
        steps = list(_in_order(self.trace["steps"]))
        for place, (number, step) in enumerate(steps):
            self.let_model_speak_until(step[0])
            self.listen_until(step[0])
            try:
                self.do(step[1:])
            except (StepError, ValueError) as error:
                raise StepError(f"step {number}, {step}: {error}") from None
            self.done.append(step)
            if not _is_burst(step, steps[place + 1 : place + 2]):
                time.sleep(ANSWER_TIME)
                self.hear()
        self.let_model_speak_until(self.trace["until"])
        self.listen_until(self.trace["until"])
        self.do(["sample"])
        answered = {**self.trace, "steps": self.done, "kernel": os.uname().release, "log": self.log}
        answered.pop("reactive", None)
        return answered

    def let_model_speak_until(self, moment: float) -> None:
        """The model of a receiver, if there is one, answers what the host sends until then."""
        model = self.model
        while model is not None:
            due = model.next_time()
            if due is not None and due < moment:
                self.listen_until(due)
                for step in model.steps_due(self.now()):
                    self.do(step[1:])
                    self.done.append(step)
                    self.hear()
            elif self.now() < moment and due is None:
                # Whatever the host sends may give it something to do.
                self.poll.poll(max(0.0, min(moment - self.now(), _LONGEST_WAIT)) * 1000)
                self.hear()
            else:
                return

    # ------------------------------------------------------------------ time

    def now(self) -> float:
        return time.monotonic() - self.start

    def listen_until(self, moment: float) -> None:
        """Write down what the host sends until then."""
        while (left := moment - self.now()) > 0:
            self.poll.poll(max(0.0, left - max(self.spin, left * self.slack)) * 1000)
            self.hear()
        self.hear()

    # ------------------------------------------------------------------ steps and packets

    def do(self, step: TraceStep) -> None:
        at, (verb, *rest) = self.now(), step
        if verb == "in":
            at = self.inject(*rest)
            self.log.append({"t": round(at, 6), "in": rest})
        elif verb == "icmp":
            os.write(
                self.device,
                self.numbers.icmp_error(rest[0], rest[1], rest[2], rest[3] if len(rest) > 3 else {}),
            )
            self.log.append({"t": round(at, 6), "do": step, "ret": 0})
        else:
            self.log.append({"t": round(at, 6), "do": step, "ret": self.applications.call(verb, *rest)})

    def inject(self, port: int, flags: str, seq: int, ack: int | None, options: Any = None) -> float:
        """A segment from the peer arrives, and when. What the host has sent before that is written down before it."""
        packet = self.numbers.packet(port, flags, seq, ack, options or {})
        self.hear()
        at = self.now()
        os.write(self.device, packet)
        return at

    def hear(self) -> None:
        """Write down all that waits in the device."""
        while (packet := self.read()) is not None:
            at = round(self.now(), 6)
            if segment := _understood(packet):
                entry = {"t": at, **self.numbers.entry(segment)}
                self.log.append(entry)
                if self.model is not None:
                    self.model.sent(at, entry)

    def read(self) -> bytes | None:
        try:
            return os.read(self.device, 65536)
        except BlockingIOError:
            return None


def _ends(trace: Trace) -> TraceEnds:
    try:
        return ends_of(trace)
    except ValueError as error:
        raise StepError(str(error)) from None


def _is_burst(step: TraceStep, following: list[tuple[int, TraceStep]]) -> bool:
    """Whether this segment and the next step's arrive together, with no time in between to hear an answer."""
    return step[1] == "in" and any(other[:2] == step[:2] for _, other in following)


def _in_order(steps: list[TraceStep]) -> Iterator[tuple[int, TraceStep]]:
    """Steps by their time, those of one time as they stand, each with its place in the trace."""
    yield from sorted(enumerate(steps), key=lambda pair: pair[1][0])


def _understood(packet: bytes) -> Segment | None:
    """None for what is not TCP: ICMP, and the kernel's search for routers and neighbors of IPv6."""
    if packet[9 if packet[0] >> 4 == 4 else 6] != PROTOCOL_TCP:
        return None
    segment = decode(packet)
    if isinstance(segment, Refused):
        raise KernelError(f"the kernel sent a packet that cannot be read: {segment.detail}: {packet.hex()}")
    return segment
