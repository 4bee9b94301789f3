"""The outline of a record is the same whether its entries are there as they came or packed."""

from hypothesis import given
from hypothesis import strategies as st

from tcpemu.network.record import Call, HostEvent, PacketSeen, Point
from tcpemu.network.recorded.entry_forms import EntryForms
from tcpemu.network.recorded.outline import Outline
from tcpemu.network.recorded.packed_entries import outline_packed, pack_entries
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Counted, QueueChanged, Sent, Verdict
from tcpemu.wire.segment import SYN, Segment, address

HERE, THERE = address("10.0.0.1"), address("10.0.0.2")
SEGMENT = Segment(THERE, 1024, HERE, 80, 1, 0, SYN, 65535)

segments = st.builds(
    SEGMENT._replace, src=st.sampled_from([HERE, THERE]), dst=st.sampled_from([HERE, THERE, address("::1")])
)
nodes = st.sampled_from(["a", "b"])
sights = st.builds(
    PacketSeen,
    st.just(1),
    nodes,
    st.sampled_from(Point),
    st.integers(1, 9) | st.just(2**64),  # which is too much to be packed
    segments,
    copy_of=st.none() | st.integers(1, 9),
)
reasons_sent = st.builds(Sent, st.integers(1, 2), segments, st.just(reasons.SENT_SYN), st.integers(0, 2))
verdicts = st.builds(
    lambda at, segment, reason: Verdict(at, segment, reason.outcome, reason),
    st.integers(1, 2),
    segments,
    st.sampled_from([reasons.SYN_QUEUED, reasons.NO_SOCKET]),
)
queues = st.builds(QueueChanged, st.integers(1, 2), st.integers(80, 81), *[st.integers(0, 9)] * 3)
events = st.builds(
    HostEvent,
    st.just(1),
    nodes,
    reasons_sent | verdicts | queues | st.just(Counted(1, "ActiveOpens", 1)),
    st.just(3),
)
calls = st.builds(
    Call,
    st.just(1),
    nodes,
    st.sampled_from(["x", "listen(1)"]),
    st.sampled_from(["listen(5)", "recv(1)"]),
    st.just(""),
    st.none(),
)


def told(outline: Outline) -> tuple[object, ...]:
    ways = outline.sent, outline.received, outline.copied, outline.sent_again
    return *ways, outline.listening, outline.ports, outline.verdicts


@given(st.lists(sights | events | calls, max_size=20))
def test_packed_or_not_it_is_the_same(entries):
    plain, packed, forms = Outline(), Outline(), EntryForms()
    plain.add(entries)
    outline_packed(pack_entries(entries, forms), forms, packed)
    assert told(packed) == told(plain)


def test_of_an_address_that_two_nodes_had_the_last_one_holds():
    outline = Outline()
    outline.add(
        PacketSeen(1, node, point, 1, SEGMENT)
        for node in ("a", "b")
        for point in (Point.SENT, Point.RECEIVED, Point.LOST)
    )
    assert (outline.sent, outline.received) == ({THERE: "b"}, {HERE: "b"})


def test_who_listens_and_what_became_of_segments():
    outline = Outline()
    outline.add([Call(1, "a", "", "listen(5)", ""), Call(1, "c", "listen(5)", "recv(1)", "")])
    outline.add([HostEvent(1, "b", QueueChanged(1, 80, 0, 0, 5))])
    verdict = Verdict(1, SEGMENT, reasons.SYN_QUEUED.outcome, reasons.SYN_QUEUED)
    outline.add([HostEvent(1, "b", verdict), HostEvent(2, "b", verdict)])
    assert (outline.listening, outline.ports) == ({"a", "b"}, {("b", 80)})
    assert outline.verdicts == {("b", "SYN_QUEUED"): 2}
