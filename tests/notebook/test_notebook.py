"""In a notebook values show themselves; rows are those of the record; a notebook of them runs."""

import textwrap

import pytest

from tcpemu import Host, Network, address, generation, run_scenario
from tcpemu.network import Point
from tcpemu.notebook import plot, rows
from tcpemu.notebook.shown_html import (
    MOST_LINES,
    host_html,
    network_html,
    node_html,
    record_html,
    run_html,
    world_html,
)
from tcpemu.testing import World


def test_a_host_shows_its_sockets_and_counters():
    host = Host([address("192.0.2.1")], generation("linux-6.18"))
    assert "none has moved" in host_html(host)
    socket = host.socket()
    socket.bind(None, 80)
    socket.listen(5, now=0)
    shown = host_html(host)
    assert "linux-6.18" in shown
    for cell in ("LISTEN", "*:80", "5"):
        assert f">{cell}</td>" in shown


def test_a_run_shows_its_clients_and_its_ladder():
    run = run_scenario("ignored-ack")
    shown = run_html(run)
    assert "ECONNRESET" in shown
    assert "the accept queue is full" in shown
    assert shown.count("\n") <= MOST_LINES + 5
    assert "more lines: print(tcpemu.ladder_text(record))" in shown
    whole = network_html(run.network)
    assert "10.0.0.1" in whole
    assert "ESTAB" in whole
    assert "server (10.0.0.1)" in node_html(run.network.nodes["server"])


def test_what_is_shown_is_text_and_no_markup():
    network = Network()
    assert "nothing has happened yet" in record_html(network.record)
    with World() as world:
        world.host("a")
        world.run("a", lambda: None)
        world.until()
    assert "<lambda>" not in world_html(world)


def test_rows_are_those_of_the_record():
    run = run_scenario("fast-retransmit", transfers=True)
    packets = rows(run)
    assert len(packets) == len(run.record.packets(point=Point.SENT))
    assert sum(one["repeat"] > 0 for one in packets) == 1
    assert max(one["cwnd"] for one in rows(run, "figures")) > 10
    assert [one["name"] for one in rows(run.network, "hosts")] == ["server", "client"]
    assert rows(run.result, "clients")[0]["sent"] == 100000
    with pytest.raises(ValueError, match="did you mean 'packets'"):
        rows(run, "packet")


def test_a_picture_shows_itself_and_can_be_written(tmp_path):
    run = run_scenario("fast-retransmit", transfers=True)
    for kind in ("cwnd", "rtt", "throughput", "sequence", "queues"):
        assert "<svg" in plot(run, kind)._repr_svg_()
    assert plot(run, "cwnd", size=(8, 5)).save(tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(ValueError, match="did you mean 'cwnd'"):
        plot(run, "cwmd")
    with pytest.raises(ValueError, match=r"name the file \.svg"):
        plot(run).save(tmp_path / "x.gif")


def test_in_a_notebook_nothing_has_to_be_called(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [
        "import tcpemu\nrun = tcpemu.run_scenario('ignored-ack')\nrun",
        "run.network",
        "run.record",
        "tcpemu.Host([tcpemu.address('192.0.2.1')], tcpemu.generation('linux-6.18'))",
        """
        from tcpemu.notebook import plot, rows
        plot(run)
        """,
        "len(rows(run, 'calls')) > 3",
    ]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(textwrap.dedent(one)) for one in cells]
    )
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    data = [cell.outputs[-1]["data"] for cell in notebook.cells]
    assert "ECONNRESET" in data[0]["text/html"]
    assert "Network of 4 hosts" in data[1]["text/html"]
    assert "the accept queue is full" in data[2]["text/html"]
    assert "none has moved" in data[3]["text/html"]
    assert "<svg" in data[4]["image/svg+xml"]
    assert data[5]["text/plain"] == "True"
