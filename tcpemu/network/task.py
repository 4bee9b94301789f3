"""Applications: coroutines that run in virtual time, one step whenever what they wait for has come.

A coroutine says what it waits for by awaiting `pause(arm)`: once it stands still, `arm` is called with a
`Wake`, and whoever calls that wakes it. A Wake works once, so several may hold it (a socket and a deadline)
and the first one wins. Nothing here knows what sockets are.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, Protocol, TypeAlias

from tcpemu.network.clock import nanoseconds, seconds_text
from tcpemu.network.loop import Loop
from tcpemu.network.record import PROGRAM_ENDS, Record
from tcpemu.network.recorded.entries import call_made
from tcpemu.stack.base.errors import ConfigurationError, SocketError
from tcpemu.wire.segment import FlowKey

_LOG = logging.getLogger("tcpemu")
_WHAT_TO_AWAIT = "await calls of nodes, listeners and connections only, such as node.sleep(10 * MILLISECOND)"

Arm: TypeAlias = Callable[["Wake"], None]


class Pause:
    """What an application's coroutine gives to its task; anything else comes from another framework."""

    __slots__ = ("arm",)

    def __init__(self, arm: Arm) -> None:
        self.arm = arm


@types.coroutine
def pause(arm: Arm) -> Generator[Pause, None, None]:
    """Stand still until the Wake that `arm` gets is called."""
    yield Pause(arm)


async def sleep(loop: Loop, time: int) -> None:
    """Let so many nanoseconds pass."""
    wakes = loop.now + nanoseconds("sleep", time)
    await pause(lambda wake: loop.at(wakes, wake))


class Sleeper(Protocol):
    """Whoever stands still until it is woken."""

    def step(self) -> None:
        """Go on, until it stands still again."""


def check_function(function: object) -> None:
    """Raises ConfigurationError for what cannot be called with a node and awaited, a coroutine above all."""
    if inspect.iscoroutine(function):
        name = function.__name__
        function.close()  # else it would warn that nobody has awaited it
        raise ConfigurationError(
            f"spawn takes the function and calls it with the node: write {name}, not {name}(node)"
        )
    if not callable(function):
        raise ConfigurationError(f"{function!r} cannot be called; spawn takes an async function of a node")


class Wake:
    """Wakes an application, the first time it is called."""

    __slots__ = ("_task", "used")

    def __init__(self, task: Sleeper) -> None:
        self._task = task
        self.used = False

    def __call__(self) -> None:
        if not self.used:
            self.used = True
            self._task.step()


class Applications:
    """All applications of a network, and which of them runs."""

    __slots__ = ("_live", "_loop", "_record", "current", "failed", "off")

    def __init__(self, loop: Loop, record: Record) -> None:
        self._loop, self._record = loop, record
        self.failed: list[Task] = []
        """Those that a SocketError has ended."""
        self.current = ""
        """The name of the one that runs; empty between them."""
        self.off: set[str] = set()
        """Hosts that have crashed: no application begins there."""
        self._live: dict[Task, None] = {}

    def start(
        self, node: str, name: str, function: Callable[[], Coroutine[Any, Any, object]], at: int
    ) -> Task:
        """Run the application from `at` on."""
        task = Task(node, name, function, self, bool(self.current))
        self._live[task] = None
        self._loop.at(at, task.step)
        return task

    def start_each(
        self,
        node: str,
        times: Iterator[int],
        make: Callable[[], tuple[str, Callable[[], Coroutine[Any, Any, object]]]],
    ) -> None:
        """Run an application from each of these times on; `make` gives its name and function once it is time."""
        child = bool(self.current)

        def start() -> None:
            name, function = make()
            task = Task(node, name, function, self, child)
            task.errors_are_noted = True
            self._live[task] = None
            task.step()

        self._loop.in_order(times, start)

    def forget(self, task: Task) -> None:
        """It has ended."""
        self._live.pop(task, None)

    def kill(self, node: str) -> None:
        """End all of a host that has crashed, but for those that are to begin later by themselves."""
        for task in [task for task in self._live if task.node == node and task.goes_with_its_host]:
            task.kill()

    def log(self, node: str, text: str, result: str, flow: FlowKey | None = None, why: str = "") -> None:
        if self._record.wants_calls:
            self._record.add(call_made(self._loop.now, node, self.current, text, result, flow, why))

    def warn(self, task: Task, error: SocketError) -> None:
        """Say that an error has ended an application, which nobody may have awaited."""
        _LOG.warning(
            "application %r on node %r was ended by %s at %s of virtual time: %s",
            task.name,
            task.node,
            error.name,
            seconds_text(self._loop.now),
            error.strerror,
        )

    def blame(self, task: Task, error: BaseException) -> None:
        """Say in the traceback where in the network the user's code failed."""
        error.add_note(
            f"in application {task.name!r} on node {task.node!r}, at {seconds_text(self._loop.now)} of "
            "virtual time"
        )
        if isinstance(error, RuntimeError) and "no running event loop" in str(error):
            error.add_note(f"asyncio's own calls do not run in virtual time; {_WHAT_TO_AWAIT}")


class Task:
    """One application: it waits, runs, or has ended."""

    __slots__ = (
        "_applications",
        "_child",
        "_coroutine",
        "_function",
        "done",
        "error",
        "errors_are_noted",
        "name",
        "node",
        "result",
    )

    def __init__(
        self,
        node: str,
        name: str,
        function: Callable[[], Coroutine[Any, Any, object]],
        applications: Applications,
        child: bool = False,
    ) -> None:
        """`child` says that another application has started it."""
        self.node, self.name = node, name
        self._child = child
        self.done = False
        self.result: object = None
        """What the coroutine returned."""
        self.error: SocketError | None = None
        """What ended it before its time."""
        self.errors_are_noted = False
        """Whether somebody else says so, and no warning need be logged."""
        self._function, self._applications = function, applications
        # Made when it starts: a coroutine that never gets so far would warn that nobody awaited it.
        self._coroutine: Coroutine[Any, Any, object] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        """Copied or pickled, it is what came of it so far; a coroutine cannot be, so it does not go on."""
        return _past, (self.node, self.name, self.done, self.result, self.error, self.errors_are_noted)

    @property
    def goes_with_its_host(self) -> bool:
        """Whether a crash of the host ends it: it runs, or one that runs has asked for it."""
        return self._child or self._coroutine is not None

    def kill(self) -> None:
        """The host has crashed. What the coroutine does on its way out has no effect."""
        self.done = True
        self._applications.forget(self)
        if self._coroutine is not None:
            with contextlib.suppress(Exception):
                self._coroutine.close()

    def step(self) -> None:
        """Run until the coroutine waits again, or ends."""
        applications = self._applications
        if self.done:
            return
        if self._coroutine is None and self.node in applications.off:
            self.kill()
            return
        before, applications.current = applications.current, self.name
        try:
            self._run()
        except Exception as error:
            self.done = True
            applications.forget(self)
            applications.blame(self, error)
            raise
        finally:
            applications.current = before

    def _run(self) -> None:
        if self._coroutine is None:
            self._coroutine = self._function()
        try:
            waits = self._coroutine.send(None)
        except StopIteration as stop:
            self.result = stop.value
            self._end("")
        except SocketError as error:
            self.error = error
            self._end(error.name)
            self._applications.failed.append(self)
            if not self.errors_are_noted:
                self._applications.warn(self, error)
        else:
            self._wait(waits)

    def _wait(self, waits: object) -> None:
        if not isinstance(waits, Pause):
            raise TypeError(
                f"the application awaits {waits!r}, which does not run in virtual time; {_WHAT_TO_AWAIT}"
            )
        waits.arm(Wake(self))

    def _end(self, result: str) -> None:
        self.done = True
        self._applications.forget(self)
        self._applications.log(self.node, PROGRAM_ENDS, result)


def _past(
    node: str, name: str, done: bool, result: object, error: SocketError | None, errors_are_noted: bool
) -> Task:
    """A task that was pickled."""
    task = Task(node, name, _never, Applications(Loop(), Record()))
    task.done, task.result, task.error, task.errors_are_noted = done, result, error, errors_are_noted
    return task


async def _never() -> None:
    raise RuntimeError("this application was copied or pickled, so it does not go on")
