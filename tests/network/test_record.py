"""Views of a record, on one written by hand."""

from tcpemu.network import SECOND, Call, HostEvent, Network, QueueLength, Record
from tcpemu.stack.base.events import Counted, QueueChanged


def record():
    written = Record()
    for at, event in [
        (1, Counted(1, "InSegs", 1)),
        (2, QueueChanged(2, 80, 0, 1, 5)),
        (2, QueueChanged(2, 81, 0, 1, 5)),
        (3, Counted(3, "InSegs", 2)),
        (3, Counted(3, "ListenDrops", 1)),
        (4, QueueChanged(4, 80, 1, 0, 5)),
    ]:
        written.add(HostEvent(at, "a", event))
    written.add(HostEvent(5, "b", Counted(5, "InSegs", 7)))
    written.add(HostEvent(5, "b", QueueChanged(5, 80, 9, 9, 9)))
    written.add(Call(6, "a", "server", "accept()", "waits"))
    written.add(Call(6, "a", "client", "recv(1)", "waits"))
    return written


def test_queue_lengths_of_one_port():
    assert record().queue_lengths("a", 80) == [QueueLength(2, 0, 1, 5), QueueLength(4, 1, 0, 5)]


def test_counters_at_the_end_and_before():
    assert record().counters("a") == {"InSegs": 3, "ListenDrops": 1}
    assert record().counters("a", at=2) == {"InSegs": 1}
    assert record().counters("a", at=0) == {}
    assert record().counters("b") == {"InSegs": 7}


def test_entries_of_one_node_one_kind_one_application():
    assert [entry.at for entry in record().of("b")] == [5, 5]
    assert [entry.at for entry in record().events(QueueChanged, node="a")] == [2, 2, 4]
    assert len(record().events()) == 8
    assert [call.text for call in record().calls(application="client")] == ["recv(1)"]
    assert len(record()) == 10


def test_a_record_that_hands_over_keeps_nothing():
    written, handed = Record(), []
    written.hand_to(handed.extend)
    for at in range(100_000):
        written.add(HostEvent(at, "a", Counted(at, "InSegs", 1)))
        assert len(written) < 40_000
    written.hand_over()
    assert [entry.at for entry in handed] == list(range(100_000))
    assert len(written) == 0


def test_what_nobody_wants_is_left_out():
    network = Network(seed=1)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2", observe=False)
    network.link(client, server)

    async def serve(node):
        node.listen(80, backlog=5)

    async def ask(node):
        await node.connect("10.0.0.1", 80)

    network.spawn(server, serve)
    network.spawn(client, ask)
    handed = []
    network.record.hand_to(handed.extend, [QueueChanged])
    network.run(SECOND)
    network.record.hand_over()
    assert {type(entry.event) for entry in handed} == {QueueChanged}
    assert [entry.event.accept for entry in handed] == [0, 0, 0, 1]
