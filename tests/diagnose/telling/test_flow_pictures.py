import pytest

from tcpemu.diagnose import survey
from tcpemu.diagnose.telling.flow_pictures import chosen_flow, flow_picture
from tcpemu.explain.plots.picture import Meaning, NothingToDrawError
from tests.diagnose.captured import MS, opened, save, seg


@pytest.fixture
def found(tmp_path):
    timed = [*opened(), (20, seg("server", "PA", 501, 101, b"x" * 1000)), (45, seg("client", "A", 101, 1501))]
    timed += [
        (50, seg("server", "PA", 1501, 101, b"y" * 1000)),
        (250, seg("server", "PA", 1501, 101, b"y" * 1000)),
    ]
    timed += [(280, seg("client", "A", 101, 2501)), *((at + 300, one) for at, one in opened(40001))]
    return survey(save(tmp_path / "x.pcapng", timed))


def test_the_graph_of_the_connection_with_most_data(found):
    picture = flow_picture(found, "sequence", None)
    assert picture.title == "x.pcapng: flow 1, 10.0.0.2:40000 to 10.0.0.1:80"
    (block,) = picture.blocks
    bars = {each.meaning: each.spans for panel in block.panels for each in panel.bars}
    assert bars[Meaning.SENT][1:] == ((20 * MS, 1, 1001), (50 * MS, 1001, 2001))
    assert bars[Meaning.SENT_AGAIN] == ((250 * MS, 1001, 2001),)


def test_a_round_trip_is_one_from_the_capture_and_back_and_none_of_what_was_sent_twice(found):
    (block,) = flow_picture(found, "rtt", "1").blocks
    (spots,) = block.panels[0].spots
    assert [(at, round(ms)) for at, ms in spots.points] == [(11 * MS, 10), (45 * MS, 25)]
    assert block.heading == "From the capture to 10.0.0.2:40000 and back"


def test_a_connection_is_named_by_its_number_or_its_clients_end(found):
    assert chosen_flow(found.flows, "2").client.port == 40001
    assert chosen_flow(found.flows, "10.0.0.2:40001").number == 2
    with pytest.raises(NothingToDrawError, match=r"give the number of a connection.*1 \(10.0.0.2:40000\)"):
        chosen_flow(found.flows, "client")
    with pytest.raises(NothingToDrawError, match="flow 2 carries no data"):
        flow_picture(found, "throughput", "2")
