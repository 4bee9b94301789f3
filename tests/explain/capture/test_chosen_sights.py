"""A capture in pieces is the capture, whatever the network does to packets, and of packets keeps only a few."""

import pytest

from tcpemu.explain.capture.annotated_capture import CaptureInPieces, capture_of
from tcpemu.explain.capture.chosen_sights import ChosenSights
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.network import MILLISECOND, SECOND, Conditions, Network, Point
from tcpemu.wire.capture_file import read_capture, write_capture, write_packets


@pytest.fixture(scope="module")
def record():
    """Packets are lost, copied, overtaken, held by a rate; some of the copies are lost as well."""
    network = Network(seed=8)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    rough = Conditions(
        delay=20 * MILLISECOND,
        jitter=5 * MILLISECOND,
        loss=0.03,
        duplicate=0.7,
        reorder=0.1,
        rate=2 * 10**6,
        queue=4,
    )
    network.link(client, server, rough)

    async def serve(node):
        connection = await node.listen(80, backlog=5).accept()
        await connection.send(bytes(60_000))
        connection.close()

    async def ask(node):
        connection = await node.connect("10.0.0.1", 80)
        while await connection.recv(1000):
            pass
        connection.close()

    network.spawn(server, serve)
    network.spawn(client, ask)
    network.run(30 * SECOND)
    return network.record


def test_some_copies_are_lost(record):
    assert any(seen.copy_of for seen in record.packets(point=Point.LOST))


@pytest.mark.parametrize("suffix", [".pcapng", ".pcap"])
@pytest.mark.parametrize("with_lost", [False, True])
@pytest.mark.parametrize("comments", [False, True])
@pytest.mark.parametrize("seen_by", SeenBy)
def test_written_in_pieces_it_is_the_same_file(record, tmp_path, seen_by, comments, with_lost, suffix):
    whole, pieces = tmp_path / f"whole{suffix}", tmp_path / f"pieces{suffix}"
    write_capture(whole, capture_of(record, seen_by, ["f"], comments=comments, with_lost=with_lost))
    made = CaptureInPieces(record, seen_by, ["f"], comments=comments, with_lost=with_lost)
    write_packets(pieces, made.head, made.packets())
    assert pieces.read_bytes() == whole.read_bytes()
    packets = read_capture(whole).packets
    assert [packet.at for packet in packets] == sorted(packet.at for packet in packets)


@pytest.mark.parametrize("seen_by", [SeenBy.SERVER, SeenBy.CLIENT])
def test_each_packet_is_seen_once_or_was_no_business_of_the_viewer(record, seen_by):
    sights = list(ChosenSights(record, seen_by).each())
    numbers = [found.sight.number for found in sights]
    assert len(numbers) == len(set(numbers)) == len({seen.number for seen in record.packets()})
    own = {seen.number: seen for seen in record.packets(str(seen_by)) if seen.point is not Point.LOST}
    assert own == {found.sight.number: found.sight for found in sights if found.sight.number in own}
    assert {found.sight.point for found in sights if found.chosen and found.sight.number not in own} == {
        Point.LOST
    }


def test_nothing_is_there_of_a_file_that_was_not_finished(record, tmp_path):
    made = CaptureInPieces(record)

    def interrupted():
        yield next(made.packets())
        raise KeyboardInterrupt

    path = tmp_path / "x.pcapng"
    path.write_bytes(b"as it was")
    with pytest.raises(KeyboardInterrupt):
        write_packets(path, made.head, interrupted())
    assert [each.name for each in tmp_path.iterdir()] == ["x.pcapng"]
    assert path.read_bytes() == b"as it was"
