"""How random step traces are told: a cursor in time, and peers that know where both sequences stand.

Each thing done happens at the cursor, which then moves on by a little. The cursor keeps out of the moments in
which a timer of the host may fire, since nobody could say which of the two comes first: a kernel's timers are
late by up to an eighth of their delay, and an emulator's need not be.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

Step: TypeAlias = list[Any]
Steps: TypeAlias = list[Step]
Words: TypeAlias = list[list[Any]]
"""TCP options in a trace's words: [["mss", 1460], ["nop"]]."""
Action: TypeAlias = Callable[[], object]
Zone: TypeAlias = tuple[float, float]

V4 = "net.ipv4."
LISTENER_PORT = 8080
MSS: Words = [["mss", 1460]]
SILENCE_AFTER_SAMPLE = 0.04
"""A sample starts a program, which takes the machine some milliseconds."""


def when_late(delay: float) -> float:
    """How late a timer of that delay may be, and some."""
    return 0.05 + 0.12 * delay


class Script:
    """A trace in the making."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.at = 0.0
        self.steps: Steps = []
        self.sysctls: dict[str, int | str] = {}
        self.echoes = self.random.random() < 0.5
        """Whether peers echo the host's latest timestamp; else its first one, always."""
        self._zones: dict[int, list[Zone]] = {}

    # ------------------------------------------------------------------ chance

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def some(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def one_of(self, *values: Any) -> Any:
        return self.random.choice(values)

    def do_one(self, *actions: Action) -> None:
        """Do one of them; what stands twice is twice as likely."""
        self.random.choice(actions)()

    # ------------------------------------------------------------------ time

    def wait(self, low: float = 0.012, high: float = 0.06) -> None:
        self._move_to(self.at + self.random.uniform(low, high))

    def wait_until(self, moment: float) -> None:
        self._move_to(max(moment, self.at + 0.012))

    def wait_one_of(self, *ranges: tuple[float, float]) -> None:
        self.wait(*self.random.choice(ranges))

    def _move_to(self, moment: float) -> None:
        """The moment, or the first one after it in which no timer may fire."""
        zones = [zone for of_one in self._zones.values() for zone in of_one]
        while inside := [end for start, end in zones if start < moment < end]:
            moment = max(inside)
        self.at = round(moment + 0.0005, 3)

    def expect_timers(self, key: int, delays: Sequence[float]) -> None:
        """From now on timers of these delays follow one another; those the key had before are forgotten."""
        zones, due = [], self.at
        for delay in delays:
            due += delay
            zones.append((due - 0.05 - 0.02 * delay, due + when_late(due - self.at)))
        self._zones[key] = zones

    def expect_no_timers(self, key: int) -> None:
        self._zones.pop(key, None)

    # ------------------------------------------------------------------ steps

    def step(self, *words: Any) -> None:
        self.steps.append([self.at, *words])
        self.wait(0.012, 0.03)

    def sample(self) -> None:
        self.wait(0.02, 0.04)
        self.step("sample")
        self.wait(SILENCE_AFTER_SAMPLE, SILENCE_AFTER_SAMPLE + 0.02)

    def set(self, **values: int | str) -> None:
        """Sysctls, named without their `net.ipv4.`."""
        self.sysctls.update({V4 + name: value for name, value in values.items()})

    def cookies(self, *modes: int) -> None:
        self.set(tcp_syncookies=self.random.choice(modes or (0, 0, 1)))

    def listen(self, backlog: int, **options: Any) -> None:
        self.step("listen", backlog, *([options] if options else []))
        self.wait(0.01, 0.05)

    def accept(self, times: int = 1) -> None:
        for _ in range(times):
            self.step("accept")

    def interleave(self, parts: Sequence[Sequence[Action]], high: float = 0.06) -> None:
        """Every part's actions in its own order, the parts mixed at random."""
        left = [list(part) for part in parts if part]
        while left:
            part = self.random.choice(left)
            part.pop(0)()
            self.wait(0.003, high)
            left = [part for part in left if part]

    def end(self, low: float = 0.2, high: float = 1.2) -> dict[str, Any]:
        """What a trace consists of, but for its name."""
        self.wait(low, high)
        return {"sysctl": self.sysctls, "until": self.at, "steps": self.steps}


class Peer:
    """One port of the peer: a client of the host's listener, or what the host connects to."""

    def __init__(self, script: Script, port: int, options: Words, host_port: int = LISTENER_PORT) -> None:
        self.script, self.port, self.options, self.host_port = script, port, options, host_port
        self.address: str | None = None
        self.born = script.at
        self.seq = 0
        """The next sequence number of the peer."""
        self.sent = self.written = self.acked = 1
        """Up to where the host has sent, was asked to send, and had an ACK, if nothing went wrong."""
        self.prompt = False
        """Whether the host's application has switched Nagle's algorithm off."""
        self.echo = 0
        """The host's latest timestamp, in milliseconds since its first."""
        self.stamps: int | None = next((words[1] for words in options if words[0] == "TS"), None)
        largest: int = next((words[1] for words in options if words[0] == "mss"), 536)
        self.mss = max(48, min(largest or 536, 1460)) - (12 if self.stamps is not None else 0)
        """What the host puts into a segment: none and 0 count as 536, and 48 is the least."""

    def for_model(self) -> dict[str, Any]:
        """What a model that answers in its place is told of it: see `tcpemu/kernel/model_receiver.py`."""
        told = {
            "port": self.port,
            "sack": int(any(words[0] == "sackOK" for words in self.options)),
            "ts": int(self.stamps is not None),
            "win": 65535 if self.stamps is None else 512,
        }
        return told if self.stamps is None else {**told, "tsbase": self.stamps + 60}

    # ------------------------------------------------------------------ segments

    def segment(
        self, flags: str, seq: int, ack: int | None, options: Words | None = None, **more: Any
    ) -> None:
        """Any segment; with a timestamp if the peer uses them and no options are given."""
        options = self.stamp() if options is None else options
        more = {"opts": options, **more} if options else more
        if self.host_port != LISTENER_PORT:
            more["lport"] = self.host_port
        if self.address:
            more["ip"] = self.address
        self.script.step("in", self.port, flags, seq, ack, *([more] if more else []))

    def stamp(self, ahead: int = 0) -> Words:
        """The option that a segment bears now: the peer's clock, in milliseconds, and the echo."""
        if self.stamps is None:
            return []
        clock = self.stamps + 10 + int((self.script.at - self.born) * 1000) + ahead
        return [["nop"], ["nop"], ["TS", clock, self.echo if self.script.echoes else 0]]

    def syn(self, flags: str = "S", **more: Any) -> None:
        self.born, self.seq = self.script.at, 1
        self.script.expect_timers(self.port, (1, 2, 4, 8, 16, 32))
        self.segment(flags, 0, None, self.options, **more)

    def again(self, flags: str = "S", seq: int = 0, **more: Any) -> None:
        """The SYN again, or one like it, but the timers are left as they are."""
        self.segment(flags, seq, None, self.options, **more)

    def ack(self, **more: Any) -> None:
        self.segment("A", self.seq, self.sent, **more)
        self._acknowledged()

    def data(self, size: int, flags: str = "PA", **more: Any) -> None:
        self.segment(flags, self.seq, self.sent, len=size, **more)
        self.seq += size
        self._acknowledged()

    def fin(self, size: int = 0) -> None:
        self.segment("FA", self.seq, self.sent, len=size)
        self.seq += size + 1
        self._acknowledged()

    def rst(self, offset: int = 0) -> None:
        self.segment("R", self.seq + offset, None)

    def open(self, **more: Any) -> None:
        """The whole handshake of a client."""
        self.syn(**more)
        self.script.wait(0.012, 0.09)
        self.ack()

    def _acknowledged(self) -> None:
        self.acked = self.sent
        self.script.expect_no_timers(self.port)
        if self.sent < self.written:
            self._sent_up_to(self.written)

    def _sent_up_to(self, end: int) -> None:
        self.sent = end
        self.echo = max(0, int((self.script.at - self.born) * 1000) - 4)

    # ------------------------------------------------------------------ the host's application

    def send(self, size: int) -> None:
        """The host's send(); what does not fill a segment waits while anything is unacknowledged (Nagle)."""
        at_once = self.prompt or self.sent == self.acked
        self.script.step("send", self.port, size)
        self.written += size
        whole = (self.written - self.sent) // self.mss * self.mss
        self._sent_up_to(self.written if at_once else self.sent + whole)

    def recv(self, size: int) -> None:
        self.script.step("recv", self.port, size)

    def close(self, verb: str = "close", *how: int) -> None:
        """close, or another verb that makes the host send a FIN."""
        self.script.step(verb, self.port, *how)
        self.written += 1
        self._sent_up_to(self.written)

    def set_no_delay(self) -> None:
        self.script.step("setopt", self.port, 6, 1, 1)
        self.prompt = True

    def error(self) -> None:
        self.script.step("soerror", self.port)
