"""What a page shows of a run, played back from scene to scene, is how the hosts really stood."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field

import pytest

from tcpemu.explain.capture.packet_comments import comment_on
from tcpemu.explain.facts.rows import PacketRow, rows_of
from tcpemu.explain.report.report_data import run_data
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.tables.host_state import last_queues
from tcpemu.network import Node, Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base.events import Outcome
from tcpemu.wire.segment import endpoint_text

MOMENTS = 12


@dataclass
class Standing:
    """All that a page says of a moment."""

    sockets: dict = field(default_factory=dict)
    queues: dict = field(default_factory=dict)
    counters: Counter = field(default_factory=Counter)


def told(one):
    """The run and the data of its page."""
    result = build.build(one)
    watch = SocketWatch(result.network)
    result.network.run(one.scenario.duration)
    return result, run_data(result, watch.changes)


def played(data, at):
    """How all stands after the last scene of that time."""
    standing = Standing()
    last = bisect_right([scene["at"] for scene in data["scenes"]], at)
    for scene in data["scenes"][:last]:
        for number, *row in scene.get("sockets", ()):
            standing.sockets.pop(number, None)
            if row:
                standing.sockets[number] = row
        for listener, *lengths in scene.get("queues", ()):
            standing.queues[listener] = lengths[:3]
        host = data["hosts"][scene["host"]]["name"]
        standing.counters.update({(host, name): by for name, by in scene.get("counted", {}).items()})
    return standing


def true_sockets(result):
    nodes = [node for node in result.network.nodes.values() if isinstance(node, Node)]
    return sorted(
        (node.name, row.state.ss_name, row.recv_q, row.send_q, row.local[1], _peer(row.remote))
        for node in nodes
        for row in result.network.table(node)
    )


def _peer(remote):
    return endpoint_text(remote) if remote else "0.0.0.0:*"


def shown_sockets(data, standing):
    found = []
    for number, row in standing.sockets.items():
        socket = data["sockets"][number]
        found.append((data["hosts"][socket["host"]]["name"], *row, socket["port"], socket["remote"]))
    return sorted(found)


BLOCKING = f"""
title = "Calls that wait until the host takes all of their data, and one that reads it late"
duration = "12 s"
[server]
accept = {{ at = ["3 s"] }}
then = "read_to_end"
[[clients]]
name = "sender"
sysctls."net.ipv4.tcp_wmem" = "4096 16384 65536"
do = ["connect", {{ send = "{"x" * 90_000}" }}, {{ send = "{"y" * 90_000}" }}, "close"]
"""
CLOSED = """
title = "A listener that is closed while connections wait for it"
duration = "8 s"
[server]
backlog = 2
accept = { never = true }
close_at = "2 s"
[[clients]]
name = "crowd"
count = 5
start = { every = "10 ms" }
"""
RUNS = [
    pytest.param(one, id=f"{name} {one.name}".strip())
    for name, scenario in (
        *((name, load_scenario.load(name)) for name in load_scenario.BUILT_IN_SCENARIOS),
        ("blocking sends", load_scenario.from_text(BLOCKING)),
        ("closed", load_scenario.from_text(CLOSED)),
        ("to the end of TIME-WAIT", load_scenario.load("time-server", {"duration": "70 s"})),
    )
    for one in load_scenario.runs(scenario)
]


@pytest.mark.parametrize("one", RUNS)
def test_each_scene_leaves_all_as_it_was(one):
    _, data = told(one)
    result = build.build(one)
    for number in range(1, MOMENTS + 1):
        at = one.scenario.duration * number**2 // MOMENTS**2
        result.network.run(at)
        standing = played(data, at)
        assert shown_sockets(data, standing) == true_sockets(result)
        for host, node in result.network.nodes.items():
            if isinstance(node, Node):
                counted = {
                    name: by for (owner, name), by in standing.counters.items() if owner == host and by
                }
                true = {name: by for name, by in result.network.counters(node).items() if by}
                assert counted == true
        queues = {
            (data["hosts"][listener["host"]]["name"], listener["port"]): standing.queues[number]
            for number, listener in enumerate(data["listeners"])
            if number in standing.queues
        }
        assert queues == {
            (host, queue.port): [queue.accept, queue.syn, queue.backlog]
            for host in result.network.nodes
            for queue in last_queues(result.record, host)
        }


@pytest.mark.parametrize("one", RUNS)
def test_each_packet_goes_from_one_scene_to_another(one):
    result, data = told(one)
    rows = [row for row in rows_of(result.record) if isinstance(row, PacketRow)]
    scenes = data["scenes"]
    sent = {packet: scene for scene in scenes for packet in scene.get("sent", ())}
    arrived = {scene["packet"]: scene for scene in scenes if "packet" in scene}
    assert len(data["packets"]) == len(rows) == len(sent)
    assert len(arrived) == len(result.record.packets(point=Point.RECEIVED))
    for number, (row, packet) in enumerate(zip(rows, data["packets"], strict=True)):
        assert sent[number]["at"] == row.at == packet["at"]
        assert data["hosts"][sent[number]["host"]]["name"] == row.sender
        assert (arrived[number]["at"] if number in arrived else None) == row.arrived == packet.get("arrived")
        assert packet.get("comment", "") == comment_on(row)
        assert packet["raw"] == [row.segment.seq, row.segment.ack, row.segment.window]
        if row.verdict:
            came_to_nothing = arrived[number].get("ignored") in {"dropped", "ignored"}
            assert came_to_nothing == (row.verdict.outcome is Outcome.DROPPED)


def test_a_copy_and_a_packet_that_is_still_on_its_way():
    text = """
title = "A link that copies, and a run that ends early"
duration = "103 ms"
[server]
[link]
duplicate = 1
[[clients]]
name = "one"
start = "100 ms"
"""
    (one,) = load_scenario.runs(load_scenario.from_text(text))
    _, data = told(one)
    copies = [packet for packet in data["packets"] if "copy_of" in packet]
    assert not copies  # the copy has not arrived yet
    first = data["packets"][0]
    assert "arrived" not in first
    assert "lost" not in first
    (one,) = load_scenario.runs(load_scenario.from_text(text, settings={"duration": "1 s"}))
    _, data = told(one)
    copies = [packet for packet in data["packets"] if "copy_of" in packet]
    assert copies
    for packet in copies:
        original = data["packets"][packet["copy_of"]]
        assert (original["source"], original["raw"]) == (packet["source"], packet["raw"])


def test_the_places_of_a_queue_are_those_of_the_kernel():
    for generation, places in {"linux-6.18": (2, 2), "linux-3.10": (2, 16), "linux-2.0": (1, None)}.items():
        (one,) = load_scenario.runs(
            load_scenario.load("ignored-ack", {"server.generation": generation, "look_at": ""})
        )
        _, data = told(one)
        listen = next(scene["queues"][0] for scene in data["scenes"] if "queues" in scene)
        assert listen[:4] == [0, 0, 0, 1]
        assert tuple(listen[4:]) == places, generation


def test_a_turning_point_leads_to_what_it_tells_of_among_all_that_happened_then():
    text = """
title = "Losses in a window that leaves at one instant"
duration = "5 s"
[server]
then = "read_to_end"
[link]
delay = "20 ms"
[[link.drop]]
to = "server"
data = true
nth = 7
[[clients]]
name = "one"
do = ["connect", { send = 60000 }, "close"]
"""
    (one,) = load_scenario.runs(load_scenario.from_text(text))
    _, data = told(one)
    found = {turn["title"]: data["scenes"][turn["scene"]] for turn in data["story"]}
    packets = data["packets"]
    assert any("lost" in packets[each] for each in found["The network loses a packet"]["sent"])
    ahead = packets[found["Data arrives out of order"]["packet"]]
    lost = next(packet for packet in packets if "lost" in packet)
    assert ahead["seq"] > lost["seq"]
    again = [packets[each] for each in found["Fast retransmit"]["sent"]]
    assert lost["seq"] in [packet["seq"] for packet in again if packet.get("repeat")]
    assert any("FIN" in packets[each]["flags"] for each in found["one closes first"]["sent"])
    for turn in data["story"]:
        assert data["scenes"][turn["scene"]]["at"] == turn["at"]
