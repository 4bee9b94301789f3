"""The time-sequence graph."""

import pytest

from tcpemu.explain.plots.picture import (
    Meaning,
    NothingToDrawError,
)
from tcpemu.explain.plots.sequence_plot import directions, flows_of, sequence_picture
from tcpemu.network import MILLISECOND, SECOND
from tcpemu.network.record import Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tests.explain.lossy_upload import LOSSY
from tests.explain.plots.drawn_runs import ms, runs_of


def test_a_connection_segment_by_segment():
    [result] = runs_of("time-server")
    record = result.record
    client, server = directions(record, flows_of(record)["client-1"])
    assert (client.sender, client.receiver, server.sender) == ("client", "server", "server")
    # SYN|ACK, 29 octets of time, FIN: sent 5 and 15 ms after the client began.
    assert [(at // MILLISECOND, first, end) for at, first, end in server.sent] == [
        (5, 0, 1),
        (15, 1, 30),
        (15, 30, 31),
    ]
    assert [(at // MILLISECOND, acked) for at, acked in server.acked] == [(15, 1), (25, 30), (25, 31)]
    assert server.window[0] == (15 * MILLISECOND, 1 + 64_512)
    assert server.again == server.lost == server.resets == []
    assert (server.octets, client.octets) == (29, 0)


def test_the_client_chosen_is_the_client_drawn():
    [result] = runs_of("time-server")
    first, second = (sequence_picture("", "", result, name).blocks[0] for name in ("client-1", "client-2"))
    assert "client-1" in first.heading
    assert [each.panels[-1].bars[0].spans[0][0] for each in (first, second)] == list(ms(5, 205))


def test_what_is_sent_again_and_what_is_lost_is_marked():
    scenario = """
title = "Data is lost"
duration = "3 s"
[link]
drop = [{ to = "server", flags = "P", nth = 1 }]
[[clients]]
name = "one"
do = ["connect", { send = 100 }]
"""
    [result] = build.run_all(load_scenario.from_text(scenario))
    client, _ = directions(result.record, flows_of(result.record)["one"])
    assert client.lost == [(10 * MILLISECOND, 101)]
    assert [(first, end) for _, first, end in client.again] == [(1, 101)]
    assert (10 * MILLISECOND, 1, 101) in client.sent
    [block] = sequence_picture("", "", result, "one").blocks
    assert [bars.label for bars in block.panels[-1].bars] == [
        "sent: 1 segment with data",
        "sent again as a probe: 1",
    ]


def test_unknown_and_unfit_clients_are_told():
    flood = runs_of("syn-flood", until=SECOND // 2)[0]
    with pytest.raises(
        NothingToDrawError, match="'flood' throws bare SYNs and has no connection; known: honest"
    ):
        sequence_picture("", "", flood, "flood")
    with pytest.raises(NothingToDrawError, match=r"no such client; did you mean 'honest'\?"):
        sequence_picture("", "", flood, "honset")
    with pytest.raises(NothingToDrawError, match="has not connected when the run ends"):
        sequence_picture("", "", flood, "honest")
    with pytest.raises(NothingToDrawError, match="no client connects"):
        sequence_picture("", "", flood, None)


def test_a_direction_with_next_to_no_data_is_left_out_with_a_word():
    [result] = runs_of("path-mtu")
    picture = sequence_picture("", "seed 1", result, None)
    assert [block.heading for block in picture.blocks] == ["Time-sequence graph of client: server to client"]
    assert picture.note == "seed 1 · client to server, 7 octets, is not drawn"


def test_a_transfer_has_its_window_its_sacks_and_counts_no_bare_ack_as_sent():
    [result] = build.run_all(load_scenario.from_text(LOSSY))
    up, server = directions(result.record, flows_of(result.record)["up"])
    sent = [seen for seen in result.record.packets("up", Point.SENT) if seen.segment.payload]
    assert up.segments + len(up.again) == len(sent)
    assert server.segments == 0
    assert up.sacked
    acked = dict(up.acked)
    assert all(acked[at] < first < end <= up.highest for at, first, end in up.sacked)
    [block] = sequence_picture("", "", result, "up").blocks
    panel = block.panels[-1]
    assert {bars.meaning for bars in panel.bars} == {Meaning.SENT, Meaning.FAST_AGAIN, Meaning.SACKED}
    assert {curve.meaning for curve in panel.curves} == {Meaning.ACKED, Meaning.WINDOW}


def test_without_a_wish_the_first_client_with_data_is_drawn_over_what_happens():
    [result] = runs_of("article")
    block = sequence_picture("", "", result, None).blocks[0]
    assert "queued" not in block.heading
    [bare] = sequence_picture("", "", result, "queued-1").blocks
    assert not bare.stretched
    assert all(curve.points[-1][0] == bare.span[1] for panel in bare.panels for curve in panel.curves)
