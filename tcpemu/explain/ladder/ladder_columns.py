"""The columns of a ladder and how wide they are: time, left host, arrow, right host, queues."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.rows import ListenerQueues
from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.explain.lines.time_words import seconds

TIME_HEAD = "time (s)"
QUEUES_HEAD = "accept syn"


@dataclass(frozen=True, slots=True)
class QueueWords:
    """How the queues of listeners are written."""

    listeners: frozenset[tuple[str, int]]
    """Host and port of all whose queues are shown; with more than one, each length says whose it is."""
    short: bool = False
    """By numbers alone, under a head."""

    def text(self, queues: ListenerQueues | None) -> str:
        """Lengths before the stroke, the backlog behind it; empty where nobody listens."""
        if queues is None:
            return ""
        accept, syn = f"{queues.accept}/{queues.backlog}", f"{queues.syn}/{queues.backlog}"
        lengths = f"{accept:<6} {syn}" if self.short else f"accept {accept}  syn {syn}"
        return self._whose(queues) + lengths

    def width(self, shown: Iterable[ListenerQueues | None]) -> int:
        """The columns that the longest of them takes; nothing if there are none."""
        longest = max((len(self.text(queues)) for queues in shown), default=0)
        return max(longest, len(QUEUES_HEAD)) if self.short and longest else longest

    def _whose(self, queues: ListenerQueues) -> str:
        if len(self.listeners) < 2:
            return ""
        hosts = {host for host, _ in self.listeners}
        return f"{queues.node if len(hosts) > 1 else ''}:{queues.port} "


@dataclass(frozen=True, slots=True)
class LadderColumns:
    """Widths in characters; 0 for a column that is not there."""

    width: int
    """Of the whole line."""
    decimals: int
    """Of the seconds."""
    time: int
    left: int
    left_state: int
    right: int
    right_state: int
    queues: int
    words: QueueWords

    @property
    def arrow(self) -> int:
        """What the other columns leave."""
        others = (self.left, self.left_state, self.right, self.right_state)
        return self.room - sum(size + 1 for size in others if size)

    @property
    def room(self) -> int:
        """All between the time and the queues."""
        return self.width - self.time - 2 - (self.queues + 2 if self.queues else 0)

    @property
    def indent(self) -> int:
        """Where the line begins behind the time."""
        return self.time + 2

    def head(self, left: str, right: str) -> Line:
        """The names of the hosts over their columns."""
        middle = f"{left}{right:>{max(self.room - len(left), len(right) + 2)}}"
        queues = f"  {QUEUES_HEAD}" if self.words.short and self.queues else ""
        return (Span(f"{TIME_HEAD:>{self.time}}  {middle}{queues}", Role.QUIET),)

    def line(self, at: int, cells: Sequence[Span], queues: ListenerQueues | None) -> Line:
        """Left host, its state, arrow, right host, its state; then the queues."""
        sizes = (self.left, self.left_state, self.arrow, self.right, self.right_state)
        spans: list[Span] = []
        for size, cell in zip(sizes, cells, strict=True):
            if size:
                spans += (Span(f"{cell.text:<{size}}", cell.role), Span(" "))
        return (self._moment(at), *spans[:-1], *self._queues(queues))

    def aside(self, at: int, text: str, queues: ListenerQueues | None, *, right: bool, role: Role) -> Line:
        """Text on the side of the one host that it is about."""
        shown = text if len(text) <= self.room else text[: self.room - 1] + "…"
        body = Span(f"{shown:>{self.room}}" if right else f"{shown:<{self.room}}", role)
        return (self._moment(at), body, *self._queues(queues))

    def _moment(self, at: int) -> Span:
        return Span(f"{seconds(at, self.decimals):>{self.time}}  ", Role.QUIET)

    def _queues(self, queues: ListenerQueues | None) -> tuple[Span, ...]:
        return (Span("  "), Span(self.words.text(queues), Role.QUEUE)) if queues else ()
