"""What a wait waits for, and until when: a closed window, data that Nagle's algorithm holds, a timer near its edge."""

from collections.abc import Iterator, Sequence

from tcpemu.explain.facts.flow_memory import HELD, FlowEnd
from tcpemu.explain.facts.row_notes import BLACK_HOLE, ZERO_WINDOW
from tcpemu.explain.facts.rows import PacketRow, Row, TimerRow
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.network.record import WAITS, Call
from tcpemu.wire.segment import FIN

_TOO_LATE = frozenset({"ABORT_ON_DATA", "TIME_WAIT_RST"})
NEAR = 40
"""One part in so many of a limit counts as near it."""


class Waits:
    """Knows the calls and the packets of each flow."""

    def __init__(self, rows: Sequence[Row], calls: Sequence[Call]) -> None:
        self._rows, self._calls = rows, calls

    def sentence(self, row: Row, rule: str) -> str:
        """What there is to add on a row that waited; empty for most."""
        match row:
            case TimerRow():
                return _edge(row, self._repeats(row))
            case PacketRow() if rule == ZERO_WINDOW:
                return self._closed_window(row)
            case PacketRow() if rule == HELD:
                return self._held(row)
            case PacketRow() if rule == BLACK_HOLE:
                return self._swallowed(row)
            case PacketRow() if rule in _TOO_LATE and row.segment.payload:
                return self._crossed(row)
        return ""

    def _repeats(self, timer: TimerRow) -> Iterator[PacketRow]:
        """What the connection sent again by its retransmission timer before it gave up."""
        here = timer.node, timer.flow
        for row in self._rows:
            sent = row.sent if isinstance(row, PacketRow) and row.at < timer.at else None
            if (
                sent
                and sent.reason.name == "RETRANSMIT"
                and isinstance(row, PacketRow)
                and _from(row) == here
            ):
                yield row

    # A closed window.

    def _closed_window(self, row: PacketRow) -> str:
        here = _from(row)
        return f"{self._reader(row, here)}; {self._opened(row, here)}."

    def _reader(self, row: PacketRow, here: FlowEnd) -> str:
        """Who does not read, and since when."""
        calls = [call for call in self._calls if call.at <= row.at and (call.node, call.flow) == here]
        if not any(call.text.startswith(("accept(", "connect(")) for call in calls):
            return f"Nobody has accepted this connection at {row.sender}, so nobody reads"
        reads = [call.at for call in calls if call.text.startswith("recv(") and call.result != WAITS]
        if reads:
            return f"The program at {row.sender} last called recv() at {moment(reads[-1])}"
        return f"The program at {row.sender} has not called recv()"

    def _opened(self, row: PacketRow, here: FlowEnd) -> str:
        """What opens it again."""
        for later in self._rows:
            follows = isinstance(later, PacketRow) and later.at > row.at and _from(later) == here
            if follows and isinstance(later, PacketRow) and later.relative.window:
                return f"it is open again from {moment(later.at)}, with {later.relative.window:,} octets"
        return "it stays 0 to the end"

    # A path that swallows what is too large.

    def _swallowed(self, row: PacketRow) -> str:
        """Whether the octets came through later, and in what segments."""
        here, end = _from(row), row.relative.seq + len(row.segment.payload)
        ack = max((one.relative.ack or 0 for one in self._arrived_at(here)), default=0)
        if ack >= end:
            sizes = [octets for one in self._rows if (octets := _carried(one, here, row.at))]
            size = f" in segments of {max(sizes):,} octets" if sizes else ""
            return f"In the end the data came through{size}."
        return (
            f"To the end none of it is acknowledged: handshake and small segments pass, and what {row.sender} sends in "
            "full segments never arrives, though nothing tells it why."
        )

    def _arrived_at(self, here: FlowEnd) -> Iterator[PacketRow]:
        for row in self._rows:
            if isinstance(row, PacketRow) and row.arrived is not None and _to(row) == here:
                yield row

    # Data for a socket that is closed.

    def _crossed(self, data: PacketRow) -> str:
        """Whether its sender could know of the FIN."""
        fin = self._fin_to(data)
        if fin is None or fin.arrived is None:
            return ""
        if fin.arrived > data.at:
            early = span_words(fin.arrived - data.at)
            return f"It left {early} before the FIN of {fin.sender} arrived: the two crossed on the way."
        since = f"{data.sender} has had the FIN of {fin.sender} since {moment(fin.arrived)}"
        return f"{since}; that says only that no more comes from there, not that nobody reads."

    def crosses(self, row: Row, rule: str) -> bool:
        """Whether a FIN was on its way to the sender of data that came too late."""
        if not isinstance(row, PacketRow) or rule not in _TOO_LATE:
            return False
        fin = self._fin_to(row)
        return fin is not None and fin.arrived is not None and fin.arrived > row.at

    def _fin_to(self, data: PacketRow) -> PacketRow | None:
        """The FIN that the sender of this data is sent on the same connection, and that arrives."""
        found = None
        for row in self._rows:
            if not isinstance(row, PacketRow) or not row.segment.flags & FIN or not row.arrived:
                continue
            if _from(row) == _to(data):
                if found is not None and row.at > data.at:
                    break
                found = row  # of an earlier connection with the same ports, if a later one comes
        return found

    # Data held back.

    def longest(self, rows: Sequence[Row], rule: str) -> str:
        """Of data that was held more than once, what waited longest, where that was not the first."""
        held = [row for row in rows if isinstance(row, PacketRow) and row.waited] if rule == HELD else []
        if not held:
            return ""
        most = max(held, key=_time_held)
        if _time_held(most) <= _time_held(held[0]):
            return ""
        longest = f"What was sent at {moment(most.at)} waited longest, {span_words(_time_held(most))}."
        return " ".join(filter(None, (longest, self._held(most))))

    def _held(self, row: PacketRow) -> str:
        """When the ACK came that let it go, and how long that was delayed."""
        for ack in self._rows:
            came = isinstance(ack, PacketRow) and ack.arrived == row.at and _to(ack) == _from(row)
            if came and isinstance(ack, PacketRow):
                late = f", which {ack.sender} had delayed for {span_words(ack.waited)}" if ack.waited else ""
                return f"It waited for the ACK that arrived at {moment(row.at)}{late}."
        return ""


def _time_held(row: PacketRow) -> int:
    return row.waited or 0


def _from(row: PacketRow) -> FlowEnd:
    """The sender's end of its flow."""
    return row.sender, row.segment.sender_flow


def _to(row: PacketRow) -> FlowEnd:
    return row.receiver or "", row.segment[:4]


def _carried(row: Row, here: FlowEnd, since: int) -> int:
    """Octets of data of that end which left later and arrived."""
    if not isinstance(row, PacketRow) or row.at <= since or row.arrived is None or _from(row) != here:
        return 0
    return len(row.segment.payload)


def _edge(timer: TimerRow, repeats: Iterator[PacketRow]) -> str:
    """Whether a timer that decided by time was close to deciding otherwise."""
    given_up = timer.given_up
    if given_up is None or given_up.allowed is None:
        return ""
    if given_up.setting == "TCP_USER_TIMEOUT":  # the last time-out is cut short, to end just then
        return ""
    began = timer.at - given_up.waited
    short = [given_up.allowed - (row.at - began) for row in repeats if row.at - began < given_up.allowed]
    if short and min(short) * NEAR <= given_up.allowed:
        near = span_words(given_up.allowed - min(short))
        return (
            f"This hangs on {span_words(min(short))}: the time-out before came after {near}, just short of "
            f"{span_words(given_up.allowed)}, so it was sent once more."
        )
    over = given_up.waited - given_up.allowed
    if over * NEAR <= given_up.allowed:
        return (
            f"This hangs on {span_words(over)}: had this time-out come that much sooner, the same would have been sent "
            "once more."
        )
    return ""
