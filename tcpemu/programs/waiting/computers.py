"""The hosts of a network that run programs, and one process on a host: records, without behaviour."""

from __future__ import annotations

import signal
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TextIO

from tcpemu.network import Network, Node

EPOCH = 1_700_000_000 * 10**9
"""What the clocks of all hosts show when virtual time begins: 14 November 2023, 22:13:20 UTC."""
MOST_CALLS_AT_AN_INSTANT = 200_000
REAL_PATIENCE = 2.5


class ProgramEnds(SystemExit):
    """Raised in a thread whose process is over, so that it lets go of what it holds."""


class StuckError(BaseException):
    """A program cannot go on in virtual time. No Exception, so that no program takes it for an error of its own."""


@dataclass(slots=True, eq=False, repr=False)
class ProgramThread:
    """One thread of a process, as others see it."""

    process: Process
    name: str
    waits_for: str = ""
    """What it stands still for, in words; empty while it runs."""
    waits_since: int = 0
    """When it began to stand still last, in nanoseconds of virtual time."""
    waits_until: int | None = None
    """When it goes on by itself at the latest, in nanoseconds of virtual time; None for never."""
    done: bool = False
    python_thread: Any = None
    """The threading.Thread that it is, where it is one."""

    @property
    def waits_until_some_time(self) -> bool:
        """Whether it goes on by itself at some time, or runs."""
        return not self.waits_for or self.waits_until is not None

    ending: bool = False
    """It is to end: what it does on its way out does not wait."""

    def end(self) -> None:
        """Make it end, wherever it stands."""
        raise NotImplementedError


@dataclass(slots=True, eq=False, repr=False)
class Process:
    """A running program: what it has of its own, and which host it is on."""

    name: str
    host: Node | None
    """None for what an event loop has for itself, which is on no host."""
    computers: Computers
    random: Random
    pid: int
    argv: list[str] = field(default_factory=list)
    path: list[str] | None = None
    """Its sys.path, where it has one of its own."""
    main_module: types.ModuleType | None = None
    stdout: TextIO | None = None
    stderr: TextIO | None = None
    files: dict[int, Any] = field(default_factory=dict)
    """What each of its file descriptors leads to."""
    threads: list[ProgramThread] = field(default_factory=list)
    signal_handlers: dict[int, Any] = field(
        default_factory=lambda: {int(signal.SIGINT): signal.default_int_handler}
    )
    had_event_loop: bool = False
    """It waited in an epoll, as asyncio does: tasks that never end would tell of it when they are collected."""
    exit_status: int | None = None
    """What it exits with, once it has said so."""
    at_end: list[Callable[[], object]] = field(default_factory=list)
    """Called when it is over."""
    over: bool = False
    """It has exited; what is left of its threads only lets go of what it holds."""
    refused: list[str] = field(default_factory=list)
    """What it has asked for that is not emulated, in words; each once."""
    signals: list[int] = field(default_factory=list)
    """Those that its main thread has yet to handle."""
    wakeup_file: Any = None
    """What signal.set_wakeup_fd() named: it is told the number of each signal."""
    alarm: tuple[int, int] = (0, 0)
    """When SIGALRM comes next, and each time later by how much; 0 for never."""
    find_host: Callable[[], Node] | None = None
    """Gives it a host when it first needs one, where it has none."""
    ahead: int = 0
    """Nanoseconds that its clock is ahead of the network's: while it ends, waiting takes no time."""
    instant: int = -1
    looks_at: int = -1
    looks_in_a_row: int = 0
    """How often it has looked for what is ready, and found nothing, at the instant `looks_at`."""
    calls_in_a_row: int = 0
    """Calls since it last waited, or since virtual time last moved."""

    @property
    def now(self) -> int:
        """What its clock shows, in nanoseconds since the start."""
        return self.computers.network.now + self.ahead

    @property
    def node(self) -> Node:
        """The host that it is on."""
        if self.host is None and self.find_host is not None:
            self.host = self.find_host()
        if self.host is None:
            raise RuntimeError(f"{self.name} is on no host, and has no network")
        return self.host

    @property
    def is_off(self) -> bool:
        """Whether its host has crashed and is not there again."""
        return self.host is not None and self.host.off

    @property
    def listens(self) -> bool:
        """Whether one of its sockets listens: it is a server, which need not end."""
        return any(file.listens for file in self.files.values())


@dataclass(slots=True, eq=False, repr=False)
class Computers:
    """All hosts of one network that run programs."""

    network: Network
    names: dict[str, Node] = field(default_factory=dict)
    """Every host by its name, which all of them know."""
    processes: list[Process] = field(default_factory=list)
    files: dict[int, Any] = field(default_factory=dict)
    """What every descriptor leads to, of whatever process: no two have the same number."""
    hostnames: dict[str, str] = field(default_factory=dict)
    """By the name of a host, the one that sethostname() has given it."""
    over: bool = False
    """The network has come to its end: nothing is sent any more."""
    stuck: StuckError | None = None
    """Raised in a thread that may have swallowed it; the driver raises it again."""
    calls_allowed: int = MOST_CALLS_AT_AN_INSTANT
    """So many calls a process may make while no virtual time passes."""
    patience: float = REAL_PATIENCE
    """Seconds of real time: a thread that has used no processor time from the first of them to the second blocks."""

    @property
    def now(self) -> int:
        return self.network.now

    @property
    def at(self) -> Callable[..., None]:
        """Have something done at a time: `at(when, action, *arguments)`."""
        return self.network.surroundings.loop.at
