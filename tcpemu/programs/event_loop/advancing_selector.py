"""The selector of the emulated event loop: while nothing is ready, it lets the network go on.

Nothing waits for real. The loop asks for what is ready within some time; the next thing due in the network happens,
and it is looked again, until something is ready or that much virtual time has passed.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Mapping
from typing import Any

from tcpemu.network import seconds_text
from tcpemu.programs.files.interest_list import InterestList
from tcpemu.programs.files.open_files import ERR, HUP, IN, OUT, OpenFile
from tcpemu.programs.waiting.computers import Process, StuckError
from tcpemu.programs.waiting.standing_still import count_call

_IN_BITS, _OUT_BITS = IN | HUP | ERR, OUT | HUP | ERR


class AdvancingSelector(selectors.BaseSelector):
    """It has one network, whose time goes on in `select`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._list = InterestList(process)
        self._list.references = 1
        self._keys: dict[int, selectors.SelectorKey] = {}
        self.until: int | None = None
        """The time at which `stop` is called."""
        self.latest: int | None = None
        """Where nothing calls `stop`, virtual time may go on to here; then StuckError is raised."""
        self.ends: Callable[[], bool] = lambda: False
        """Asked after each step of the network: whether to call `stop`."""
        self.stop: Callable[[], None] | None = None
        """Ends the loop. Without it, a wait for what can never come raises StuckError."""
        self._looks_up = False
        self.who_waits: Callable[[], str] = lambda: ""

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = _number(fileobj)
        if number in self._keys:
            raise KeyError(f"{fileobj!r} (FD {number}) is already registered")
        self._list.add(number, self._file(number), _bits(events))
        key = self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._keys.pop(self._known(fileobj))
        self._list.remove(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = self._known(fileobj)
        if events != self._keys[number].events:
            self._list.change(number, _bits(events))
        key = self._keys[number] = self._keys[number]._replace(events=events, data=data)
        return key

    def _file(self, number: int) -> OpenFile:
        file = self._process.computers.files.get(number)
        if not isinstance(file, OpenFile):
            raise ValueError(  # noqa: TRY004 - what a selector says of a file that it cannot take
                f"descriptor {number} is not of an emulated socket: this event loop waits in virtual time, and for "
                "sockets of hosts only"
            )
        return file

    def _known(self, fileobj: Any) -> int:
        """Its number, also of a socket that was closed since."""
        try:
            number = _number(fileobj)
        except ValueError:
            number = next((key.fd for key in self._keys.values() if key.fileobj is fileobj), -1)
        if number not in self._keys:
            raise KeyError(f"{fileobj!r} is not registered")
        return number

    def look_up(self) -> None:
        """Let the loop go through what it is to call, though no file may be ready."""
        self._looks_up = True

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return _ByFile(self)

    def close(self) -> None:
        for number in list(self._keys):
            self._list.remove(number)
        self._keys.clear()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        count_call(self._process)
        computers = self._process.computers
        deadline = None if timeout is None else computers.now + max(round(timeout * 1e9), 0)
        while True:
            if self._list.poll() and (found := self._list.ready()):
                return self._ready(found)
            if self._looks_up:
                self._looks_up = False
                return []
            if self.ends() or not self._advance(deadline):
                if self.stop is not None:
                    self.stop()
                return []
            if deadline is not None and computers.now >= deadline and not self._due_now():
                return self._ready(self._list.ready())

    def _due_now(self) -> bool:
        network = self._process.computers.network
        return network.next_due() == network.now

    def _advance(self, deadline: int | None) -> bool:
        """Let the next thing happen that is due by the deadline; False where the loop is to stop instead."""
        network = self._process.computers.network
        until = self.until
        limit = deadline if until is None or (deadline is not None and deadline <= until) else until
        if self.stop is None and self.latest is not None and network.now >= self.latest:
            raise StuckError(f"at {seconds_text(network.now)} this still does not end:\n{self.who_waits()}")
        due = network.next_due()
        if due is not None and (limit is None or due <= limit):
            network.step()
            if self._list.poll():
                self._end_instant()
            return True
        if due is None and deadline is None:
            self._nothing_can_happen()
            return False
        assert limit is not None
        network.surroundings.loop.reach(limit)
        return limit == deadline

    def _end_instant(self) -> None:
        """Let all happen that is due at this instant already: who is woken goes on behind it, as a thread does.

        So a hundred packets that arrive at once are one turn of the event loop, and not a hundred.
        """
        network = self._process.computers.network
        if network.next_due() == network.now:
            passed: list[bool] = []
            network.surroundings.loop.at(network.now, passed.append, True)
            while not passed:
                network.step()

    def _nothing_can_happen(self) -> None:
        if self.stop is None:
            raise StuckError(f"nothing can happen any more:\n{self.who_waits()}")

    def _ready(self, found: list[tuple[int, int]]) -> list[tuple[selectors.SelectorKey, int]]:
        ready = []
        for number, bits in found:
            key = self._keys[number]
            events = (selectors.EVENT_READ if bits & _IN_BITS else 0) | (
                selectors.EVENT_WRITE if bits & _OUT_BITS else 0
            )
            if events & key.events:
                ready.append((key, events & key.events))
        return ready


class _ByFile(Mapping[Any, selectors.SelectorKey]):
    """The keys of a selector, by file or number."""

    def __init__(self, selector: AdvancingSelector) -> None:
        self._selector = selector

    def __len__(self) -> int:
        return len(self._selector._keys)

    def __iter__(self) -> Any:
        return iter(self._selector._keys)

    def __getitem__(self, fileobj: Any) -> selectors.SelectorKey:
        return self._selector._keys[self._selector._known(fileobj)]


def _number(fileobj: Any) -> int:
    number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"Invalid file object: {fileobj!r}")
    return number


def _bits(events: int) -> int:
    if not events or events & ~(selectors.EVENT_READ | selectors.EVENT_WRITE):
        raise ValueError(f"Invalid events: {events!r}")
    return (IN if events & selectors.EVENT_READ else 0) | (OUT if events & selectors.EVENT_WRITE else 0)
