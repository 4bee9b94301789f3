"""One transfer of a run as plots of it need it: who sends, what became of the segments, and the sender's figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.plots.picture import Marks, Meaning, NothingToDrawError, thinned_moments
from tcpemu.explain.plots.sequence_plot import FlowDirection, chosen_connection, directions
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.scenario.running.result import Result
from tcpemu.wire.segment import FlowKey

MOST_RUNS = 12
"""In one picture."""
NO_THRESHOLD = 2**31 - 1
"""The slow start threshold before the first loss."""


@dataclass(frozen=True, slots=True)
class TransferView:
    """The data of one direction of a connection, from its sender."""

    client: str
    """The application whose connection it is."""
    run: str
    """Of a scenario with several, the name of the run."""
    way: FlowDirection
    changes: Sequence[FiguresChanged]
    """The sender's figures."""
    ended: int
    """When the run was over."""

    @property
    def heading(self) -> str:
        """Whose data it is, and in which run."""
        words = f"{self.client}: {self.way.sender} to {self.way.receiver or 'nobody'}"
        return f"{self.run} — {words}" if self.run else words

    @property
    def end(self) -> int:
        """When the last of it happened, in nanoseconds; a little after that, for what lasts."""
        times = [at for at, *_ in (*self.way.sent, *self.way.again, *self.way.acked)]
        return max(times, default=1)

    @property
    def span(self) -> tuple[int, int]:
        """From its first segment to a little after its last."""
        begin = min((at for at, *_ in self.way.sent), default=0)
        room = max((self.end - begin) // 25, 1)
        return begin - room, self.end + room


def viewed(result: Result, client: str | None) -> TransferView:
    """The transfer of a client, or the first one with data. Raises NothingToDrawError."""
    name, flow = chosen_connection(result, client)
    return view_of(result, name, flow)


def view_of(result: Result, name: str, flow: FlowKey) -> TransferView:
    """The transfer on this connection, addresses and ports as its SYN has them, in the direction with more data."""
    both = directions(result.record, flow)
    way = max(both, key=lambda each: each.octets)
    if not way.octets:
        raise NothingToDrawError(
            f"{name!r} sends no data and gets none before the run ends; try a later --until"
        )
    src, sport, dst, dport = flow
    own = (dst, dport, src, sport) if way is both[0] else flow
    transfers = result.network.transfers
    changes = [] if transfers is None else transfers.of(way.sender, own)
    return TransferView(name, result.name, way, changes, result.ended)


def viewed_runs(results: Sequence[Result], client: str | None) -> Iterator[TransferView]:
    """The transfer of each run. Raises NothingToDrawError."""
    if len(results) > MOST_RUNS:
        raise NothingToDrawError(f"{len(results)} runs are too many for one picture; choose one with --run")
    for result in results:
        yield viewed(result, client)


def events_of(view: TransferView) -> Iterator[Marks]:
    """When segments left that were lost, and when some were sent again, by cause."""
    if view.way.lost:
        times = sorted(at for at, _ in view.way.lost)
        yield Marks(Meaning.LOST, f"lost on the way: {len(times):,}", thinned_moments(times))
    for cause in dict.fromkeys(view.way.causes):
        times = [at for (at, *_), why in zip(view.way.again, view.way.causes, strict=True) if why is cause]
        yield Marks(cause, f"{cause.value}: {len(times):,}", thinned_moments(times))
