"""What is packed comes back entry for entry, and in few octets."""

import copy
import pickle
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.generations import generation
from tcpemu.network import SECOND, Conditions, Network, Record, Rule
from tcpemu.network.record import OPEN, TOGETHER, Call, HostEvent, PacketSeen, Point
from tcpemu.network.recorded.entry_forms import KIND_OF_EVENT, MOST, OF_PACKETS, EntryForms
from tcpemu.network.recorded.packed_entries import pack_entries, unpack_entries
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import (
    Counted,
    GivenUp,
    Outcome,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.stack.base.states import State
from tcpemu.wire import options as opt
from tcpemu.wire.codec import decode
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import ACK, SYN, Segment, address

SEGMENT = Segment(address("10.0.0.2"), 1024, address("10.0.0.1"), 80, 1, 0, SYN, 65535)
STAMPED = SEGMENT._replace(
    options=(opt.NOP, opt.NOP, opt.Timestamps(7, 9)), flags=ACK, payload=b"data", ack=3
)
ODD = SEGMENT._replace(
    options=(opt.Timestamps(1, 2), opt.Timestamps(3, 4), opt.Garbage(b"\x01")),
    ip_options=b"\x01\x01\x01\x01",
    df=False,
    reserved=5,
    src=address("2001:db8::1"),
)
FLOW = (address("10.0.0.1"), 80, address("10.0.0.2"), 1024)
REFUSED = decode(b"E")
assert isinstance(REFUSED, Refused)

segments = st.sampled_from([SEGMENT, STAMPED, ODD]) | st.builds(
    SEGMENT._replace,
    seq=st.integers(0, 2**32 - 1),
    payload=st.binary(max_size=3),
    ttl=st.integers(0, 255),
    options=st.lists(
        st.sampled_from([opt.NOP, opt.SACK_OK, opt.mss(1460), opt.Mss(1460), opt.Unknown(9, b"x")])
        | st.builds(opt.Timestamps, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
        max_size=4,
    ).map(tuple),
)
times = st.integers(0, 10) | st.integers(0, 2**62)
nodes, words = st.sampled_from(["a", "b"]), st.sampled_from(["", "x", "accept()"])
why = st.sampled_from(
    [reasons.SYN_QUEUED, reasons.SENT_SYN, Reason("SYN_QUEUED", "other words", "elsewhere")]
)
flows = st.just(FLOW) | st.tuples(
    st.just(b""), st.just(0), st.binary(min_size=4, max_size=4), st.integers(0, 65535)
)
numbers = st.none() | st.integers(1, 2**33)


@st.composite
def host_events(draw):
    at = draw(times)
    of_event = at if draw(st.integers(0, 9)) else at + 1
    event = draw(
        st.one_of(
            st.builds(Counted, st.just(of_event), st.sampled_from(["InSegs", "OutSegs"]), st.integers(1, 3)),
            st.builds(
                Verdict, st.just(of_event), segments | st.just(REFUSED), st.sampled_from(list(Outcome)), why
            ),
            st.builds(Sent, st.just(of_event), segments, why, st.integers(0, 3)),
            st.builds(
                StateChanged,
                st.just(of_event),
                flows,
                st.sampled_from(list(State)),
                st.sampled_from(list(State)),
                words,
            ),
            st.builds(QueueChanged, st.just(of_event), st.integers(0, 65535), *[st.integers(0, 9)] * 3),
            st.builds(TimerFired, st.just(of_event), flows, why, st.none() | st.just(GivenUp("s", 1, 2))),
        )
    )
    return HostEvent(at, draw(nodes), event, draw(numbers))


entries = st.one_of(
    host_events(),
    st.builds(
        PacketSeen,
        times,
        nodes,
        st.sampled_from(list(Point)),
        st.integers(1, 2**33),
        segments,
        words,
        numbers,
    ),
    st.builds(Call, times, nodes, words, words, words, st.none() | flows, words),
)


def same(one, other):
    """Equal, and with the same words: reasons with one name are equal whatever their words are."""
    return one == other and repr(one) == repr(other)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(entries, max_size=12), max_size=3))
def test_any_entries_come_back(pieces):
    forms = EntryForms()
    packed = [pack_entries(piece, forms) for piece in pieces]
    for octets, piece in zip(packed, pieces, strict=True):
        assert same(unpack_entries(octets, forms), piece)
    for other in (pickle.loads(pickle.dumps(forms)), forms.copied(), copy.deepcopy(forms)):
        again = pack_entries(pieces[0] if pieces else [], other)
        assert same(unpack_entries(again, other), pieces[0] if pieces else [])
        for octets, piece in zip(packed, pieces, strict=True):
            assert same(unpack_entries(octets, other), piece)


@settings(max_examples=40, deadline=None)
@given(st.lists(entries, max_size=20))
def test_whoever_wants_some_kinds_gets_these_and_perhaps_more(some):
    forms = EntryForms()
    octets = pack_entries(some, forms)
    packets = unpack_entries(octets, forms, frozenset(OF_PACKETS))
    assert [each for each in packets if isinstance(each, PacketSeen)] == [
        each for each in some if isinstance(each, PacketSeen)
    ]
    for kind, form in KIND_OF_EVENT.items():
        found = unpack_entries(octets, forms, frozenset([form]))
        assert of_event(found, kind) == of_event(some, kind)


def of_event(some, kind):
    return [each for each in some if isinstance(each, HostEvent) and isinstance(each.event, kind)]


@pytest.mark.parametrize(
    "odd",
    [
        Call(2**70, "a", "", "recv(1)", ""),
        Call(-5, "a", "", "recv(1)", ""),
        HostEvent(5, "a", Counted(5, "InSegs", 2**80)),
        HostEvent(5, "a", Counted(5, "InSegs", 1), 2**80),
        PacketSeen(5, "a", Point.SENT, 2**80, SEGMENT),
        PacketSeen(5, "a", Point.SENT, 1, SEGMENT._replace(seq=2**80)),
    ],
)
def test_what_no_network_would_write_comes_back_too(odd):
    forms = EntryForms()
    some = [Call(3, "a", "", "x", ""), odd, Call(4, "a", "", "x", "")]
    assert same(unpack_entries(pack_entries(some, forms), forms), some)


def test_more_forms_than_there_may_be():
    forms = EntryForms()
    some = [HostEvent(5, f"host-{number}", Counted(5, "InSegs", 1)) for number in range(MOST + 100)]
    assert unpack_entries(pack_entries(some, forms), forms) == some


def test_each_kernel_keeps_its_own_words_for_a_reason():
    old = generation("linux-3.10").reasons
    name = next(iter(old))
    new = generation("linux-6.18").reasons.get(name) or getattr(reasons, name)
    assert new == old[name]
    assert new.text != old[name].text or new.source != old[name].source
    forms = EntryForms()
    some = [HostEvent(5, "a", Sent(5, SEGMENT, why), 1) for why in (old[name], new, old[name])]
    again = unpack_entries(pack_entries(some, forms), forms)
    assert [entry.event.reason for entry in again] == [old[name], new, old[name]]
    assert [entry.event.reason.source for entry in again] == [old[name].source, new.source, old[name].source]


# A record of many entries.


def crowd(on_disk=False, looks=None) -> Record:
    """Some hundred connections, with packets lost and copied; what happened goes to `looks`, a little at a time."""
    network = Network(seed=4)
    if on_disk:
        network.record.keep_on_disk()
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    there = Conditions(delay=10**6, duplicate=0.05, loss=0.05, drop=(Rule(flags="S", nth=3),))
    network.link(client, server, there)

    async def serve(node):
        listening = node.listen(80, backlog=100)
        while True:
            connection = await listening.accept()
            await connection.send(b"now")
            connection.close()

    async def ask(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.recv(100)
        connection.close()

    network.spawn(server, serve)
    for number in range(450):
        network.spawn(client, ask, at=number * 10**7, errors_are_noted=True)
    for until in range(0, 20 * SECOND + 1, SECOND // 4):
        network.run(until)
        if looks is not None:
            new = len(network.record) - len(looks)
            assert new < OPEN // 2, "none of it is packed yet"
            looks.extend(network.record.since(len(looks)))
    return network.record


@pytest.fixture(scope="module")
def plain():
    """All that happened to the crowd, taken from its record before any of it was packed."""
    kept = []
    crowd(looks=kept)
    assert len(kept) > OPEN
    return kept


@pytest.fixture(scope="module", params=["in memory", "on disk"])
def record(request):
    return crowd(on_disk=request.param == "on disk")


def test_a_long_record_is_what_happened(plain, record):
    assert len(record) == len(plain)
    assert same(list(record), plain)
    assert record.entries == plain
    assert record.packets() == [entry for entry in plain if isinstance(entry, PacketSeen)]
    assert record.packets(point=Point.LOST) == [
        entry for entry in plain if isinstance(entry, PacketSeen) and entry.point is Point.LOST
    ]
    assert record.packets_sent == len(record.packets(point=Point.SENT))
    assert record.calls("client") == [
        entry for entry in plain if isinstance(entry, Call) and entry.node == "client"
    ]
    events = [entry for entry in plain if isinstance(entry, HostEvent)]
    assert record.events() == events
    for kinds in ((Counted,), (Verdict, Sent), (StateChanged,), (QueueChanged, TimerFired)):
        assert record.events(*kinds) == [entry for entry in events if isinstance(entry.event, kinds)]
    assert record.counters("client")["OutSegs"] == sum(
        entry.event.by
        for entry in events
        if entry.node == "client" and isinstance(entry.event, Counted) and entry.event.name == "OutSegs"
    )
    for place in (
        0,
        1,
        TOGETHER - 1,
        TOGETHER,
        OPEN // 2 - 1,
        OPEN // 2,
        OPEN - 1,
        len(plain) - 1,
        len(plain),
    ):
        assert list(record.since(place)) == plain[place:]


@pytest.mark.parametrize("again", [copy.copy, lambda record: pickle.loads(pickle.dumps(record))])
def test_a_copy_of_a_long_record_is_one_of_its_own(plain, record, again):
    other = again(record)
    for entry in plain[: OPEN // 2]:
        other.add(entry)
    assert list(other) == plain + plain[: OPEN // 2]
    assert len(record) == len(plain)


def test_a_record_may_grow_while_somebody_goes_through_it(plain):
    record = Record()  # of its own
    for entry in plain[: OPEN - 1]:
        record.add(entry)
    going = iter(record)
    seen = [next(going) for _ in range(OPEN // 2 + 5)]
    for entry in plain[OPEN - 1 :]:
        record.add(entry)
    assert seen + list(going) == plain


def test_a_packet_takes_some_ten_octets(plain):
    forms = EntryForms()
    some = plain[:TOGETHER]
    sent = sum(isinstance(entry, PacketSeen) and entry.point is Point.SENT for entry in some)
    assert len(pack_entries(some, forms)) / sent < 100
    assert all(one.at <= two.at for one, two in pairwise(plain) if not isinstance(one, PacketSeen))
