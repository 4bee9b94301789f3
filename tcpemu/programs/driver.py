"""Drives a network whose hosts run programs: until a time, or until all that can end has ended.

A server need not end: the run is over when every other program is, and one second later, so that what is on its way
arrives. Where nothing can happen any more and somebody still waits, that is a mistake, and it is said who waits for
what.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from tcpemu.network import SECOND, Network, Node, seconds_text
from tcpemu.programs.calls.stand_ins import installed
from tcpemu.programs.event_loop.emulated_loop import EmulatedEventLoop, collected_between_runs
from tcpemu.programs.event_loop.waiting_tasks import waiting_tasks
from tcpemu.programs.files.process_end import end_process, muted
from tcpemu.programs.launching.program import Program, new_process
from tcpemu.programs.launching.program_kinds import Runnable, prepared
from tcpemu.programs.waiting.computers import Computers, Process, StuckError
from tcpemu.programs.waiting.quiet_times import QUIET, StandsStill
from tcpemu.programs.waiting.whereabouts import on

T = TypeVar("T")
SETTLES = SECOND
"""How long what is on its way has to arrive, after the last program that ends."""
LONGEST = 24 * 3600 * SECOND
"""Virtual time that a run without an end of its own may take. A server that looks around twice a second makes it
long in real time too."""


class Driver:
    """Programs and coroutines on the hosts of one network. While it is open, the stand-ins are in place."""

    def __init__(self, network: Network, echo: bool = False) -> None:
        self.network = network
        self.computers = Computers(network)
        self.programs: list[Program] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self._echo = echo
        self._loop: EmulatedEventLoop | None = None
        self._awaited: Program | None = None
        """One of the programs whose end is waited for; asked first, as there may be thousands."""
        self._on_hosts: dict[str, Process] = {}
        self._homes: dict[asyncio.Task[Any], Process] = {}
        self._what_runs: dict[Program, Runnable] = {}
        self._to_start_again: dict[str, list[Program]] = {}
        """Of a host that has crashed: the programs that were servers."""
        self._held = contextlib.ExitStack()
        network.when_switched(self._switched)

    def open(self) -> None:
        """Put the stand-ins in place; what is random in this process begins at the network's seed."""
        self._held.enter_context(installed())
        self._held.enter_context(_seeded(self.network.seed))

    def close(self) -> None:
        """End all that still runs, and put the real things back."""
        try:
            self.computers.over = True
            cut_short = [program for program in self.programs if not program.done]
            noisy = any(each.process.had_event_loop for each in cut_short)
            with muted():
                for program in cut_short:
                    program.stop()
                loop = self._close_loop()
                for process in self.computers.processes:
                    end_process(process)
                if noisy or (loop is not None and not loop.silence()):
                    gc.collect()  # tasks that never ended would say so, whenever they are collected
        finally:
            self._held.close()

    def add_host(self, name: str, node: Node) -> None:
        """From now on every host knows this one by its name."""
        self.computers.names[name] = node

    # What runs.

    def run(self, node: Node, what: Runnable, name: str, at: int) -> Program:
        """Have a program begin at that time."""
        program = Program(self.computers, node, name, prepared(what), at, self._echo, self.until_done)
        self.programs.append(program)
        self._what_runs[program] = what
        return program

    def start(self, node: Node, coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Have a coroutine run on a host, from now on."""
        process = self._on_hosts.get(node.name)
        if process is None:
            process = self._on_hosts[node.name] = new_process(self.computers, node, node.name)
        with on(process):
            task = self.loop.create_task(coroutine, name=name)
        self.tasks.append(task)
        self._homes[task] = process
        return task

    @property
    def loop(self) -> EmulatedEventLoop:
        """The event loop of all coroutines, made when it is first asked for."""
        if self._loop is None:
            self._loop = EmulatedEventLoop(self.computers)
        return self._loop

    def take_in(self, name: str, host: Callable[[], Node]) -> None:
        """Have coroutines that were started off the hosts run on one of their own, made when they first need it."""
        guest = self.loop.guest = new_process(self.computers, None, name)
        guest.find_host = host
        self.loop.selector.latest = self.network.now + LONGEST
        self.loop.selector.who_waits = lambda: "\n".join(self.who_waits())

    # A host that crashes.

    def _switched(self, node: Node) -> None:
        if node.off:
            self._crashed(node)
            return
        for program in self._to_start_again.pop(node.name, ()):
            self.run(node, self._what_runs[program], program.name, self.network.now)

    def _crashed(self, node: Node) -> None:
        running = [
            one for one in self.programs if one.process.host is node and one.has_begun and not one.done
        ]
        self._to_start_again[node.name] = [one for one in running if one.process.listens]
        with muted():
            for program in running:
                program.crash()
        process = self._on_hosts.pop(node.name, None)
        if process is not None:
            self._cancel_tasks_of(process)

    def _cancel_tasks_of(self, process: Process) -> None:
        """Coroutines on a host end with it."""
        for task, home in self._homes.items():
            if home is process:
                task.cancel(f"{process.name} has crashed")
        self.loop.selector.look_up()
        with muted():
            end_process(process)

    # Time.

    def check_may_drive(self) -> None:
        """RuntimeError for a coroutine that would make the time go on that it itself runs in."""
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            raise RuntimeError(
                "this is a coroutine on the loop that makes time go on, so it awaits instead: `await task`, "
                "`await program`, `await asyncio.sleep(3)`"
            )

    def until(self, when: int) -> None:
        """Let virtual time reach `when`, or less where everything has ended before."""
        self._drive(self._all_ended, when)
        if not self._all_ended():
            self.network.surroundings.loop.reach(when)

    def wait(self, when: int) -> None:
        """Let virtual time reach `when`, whatever has ended before."""
        self._drive(lambda: False, when)
        self.network.surroundings.loop.reach(when)

    def until_done(self, ended: Callable[[], bool], what: str) -> None:
        """Let time go on until that has ended. StuckError where it never will."""
        self._drive_until(ended, f"{what} does not end")

    def until_all_ended(self) -> None:
        """Let time go on until every program has ended that is no server. StuckError where one never will.

        Who only listens for a while, as for one connection, is a server no longer and is waited for.
        """
        over = False
        while not over:
            self._drive_until(self._clients_ended, "some programs do not end")
            self._drive(lambda: not self._clients_ended() or self._all_ended(), self.network.now + SETTLES)
            over = self._clients_ended()

    def _drive_until(self, ended: Callable[[], bool], otherwise: str) -> None:
        """Let time go on until that has ended. StuckError with these words where nobody goes on before."""
        limit = self.network.now + LONGEST
        stands_still = StandsStill(self.network, self._somebody_goes_on)
        self._drive(lambda: ended() or stands_still(), limit)
        if not ended():
            raise StuckError(f"{otherwise}, {self._why_not(limit)}")

    def _why_not(self, limit: int) -> str:
        if self.network.now >= limit:
            why = f"though {LONGEST // SECOND} s have passed"
        elif self.network.next_due() is not None:
            why = f"and for {QUIET // SECOND} s there was no packet, only waits that came to nothing"
        else:
            why = "and nothing can happen any more"
        return f"{why}; at {seconds_text(self.network.now)}:\n" + "\n".join(self.who_waits())

    def _somebody_goes_on(self, quiet_since: int) -> bool:
        """Whether somebody goes on by himself at some time: who is waited for, or who has slept ever since."""
        if self._loop is not None and any(not timer.cancelled() for timer in self._loop.timers):
            return True
        for program in self.programs:
            for thread in program.process.threads:
                asleep = not _may_stay(program) or thread.waits_since <= quiet_since
                if not thread.done and thread.waits_until_some_time and asleep:
                    return True
        return False

    def who_waits(self) -> Iterator[str]:
        """A line for each thread and task that stands still: what it waits for."""
        for program in self.programs:
            for thread in program.process.threads:
                if not thread.done:
                    yield f"  {program.name} ({thread.name}) {thread.waits_for or 'has not begun'}"
            for words in program.process.refused:
                yield f"  {program.name} was refused something before: {words}"
        if self._loop is not None:
            for text in waiting_tasks(self._loop):
                yield f"  {text}"

    def _all_ended(self) -> bool:
        return all(program.done for program in self.programs) and all(task.done() for task in self.tasks)

    def _clients_ended(self) -> bool:
        """Whether all have ended but those that listen, or wait for somebody to connect."""
        if self._awaited is None or _may_stay(self._awaited):
            self._awaited = next((program for program in self.programs if not _may_stay(program)), None)
        return self._awaited is None and all(task.done() for task in self.tasks)

    def _drive(self, ends: Callable[[], bool], until: int) -> None:
        if self._loop is not None:
            self._drive_loop(self._loop, ends, until)
            return
        with collected_between_runs():
            network = self.network
            while not ends():
                due = network.next_due()
                if due is None or due > until:
                    return
                network.step()

    def _drive_loop(self, loop: EmulatedEventLoop, ends: Callable[[], bool], until: int) -> None:
        self.check_may_drive()
        selector = loop.selector
        selector.ends, selector.until, selector.stop = ends, until, loop.stop
        outer = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            loop.run_forever()
        finally:
            asyncio._set_running_loop(outer)
            selector.ends, selector.until, selector.stop = (lambda: False), None, None

    def _close_loop(self) -> EmulatedEventLoop | None:
        """Cancel what still runs, and close the loop, if there is one."""
        loop, self._loop = self._loop, None
        if loop is None:
            return None
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        for task in left:
            task.cancel()
        if left:
            self._settle(loop, left)
        loop.close()
        return loop

    def _settle(self, loop: EmulatedEventLoop, left: list[asyncio.Task[Any]]) -> None:
        """Let cancelled tasks end, as asyncio.run() does, for as long as that takes no more than a moment."""
        self._drive_loop(loop, lambda: all(task.done() for task in left), self.network.now + SETTLES)


def _may_stay(program: Program) -> bool:
    """Whether nobody waits for its end: it has ended, or it is a server."""
    return program.done or program.process.listens


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The module random begins at the seed, and afterwards where it was."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
