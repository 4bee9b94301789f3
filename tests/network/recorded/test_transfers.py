"""The inner life of connections is kept where somebody asks, agrees with TCP_INFO, and changes nothing else."""

import copy
import itertools
import pickle
from functools import partial
from socket import SHUT_WR

import pytest

from tcpemu.network import MILLISECOND, SECOND, Conditions, Network, Rule

OCTETS = 60_000


def transfer(*, followed=True, observe=True, look=None):
    """60 kB over 20 ms each way, of which the third segment is lost once."""
    network = Network(seed=3)
    server = network.host("server", "10.0.0.1", observe=observe)
    client = network.host("client", "10.0.0.2", observe=observe)
    lossy = Conditions(delay=20 * MILLISECOND, drop=Rule(payload=True, nth=3))
    network.link(client, server, lossy, Conditions(delay=20 * MILLISECOND))
    if followed:
        network.watch_transfers()
    if look:
        network.after_each_step(partial(look, network))

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        while await connection.recv(65536):
            pass
        connection.close()

    async def upload(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.send(bytes(OCTETS))
        connection.shutdown(SHUT_WR)  # and stays, so that the end is seen too

    network.spawn(server, serve)
    network.spawn(client, upload)
    network.run(5 * SECOND)
    return network


def of_host(network, name):
    ((_, flow, changes),) = [each for each in network.transfers if each[0] == name]
    assert network.transfers.of(name, flow) == changes
    return changes


@pytest.fixture(scope="module")
def followed():
    return transfer()


def test_slow_start_a_loss_and_its_repair_are_in_the_sender_s_figures(followed):
    changes = of_host(followed, "client")
    figures = [change.figures for change in changes]
    assert figures[1].cwnd == 10
    assert max(one.cwnd for one in figures) > 10
    assert [one.ca_state for one in figures][-1] == 0
    recovery = next(one for one in figures if one.ca_state == 3)
    assert recovery.ssthresh < 2**31 - 1
    assert (recovery.lost, recovery.sacked > 0) == (1, True)
    assert (figures[-1].total_retrans, figures[-1].acked) == (1, OCTETS + 2)  # SYN and FIN
    assert figures[-1].unacked == figures[-1].in_flight == figures[-1].notsent == 0
    assert max(one.received for one in [change.figures for change in of_host(followed, "server")]) >= OCTETS


def test_each_change_is_one_and_they_stand_in_order(followed):
    for name in ("client", "server"):
        changes = of_host(followed, name)
        assert [change.at for change in changes] == sorted(change.at for change in changes)
        assert all(one.figures != two.figures for one, two in itertools.pairwise(changes))


def test_in_flight_is_what_the_kernel_reckons(followed):
    for change in of_host(followed, "client"):
        one = change.figures
        assert one.in_flight == one.unacked - one.sacked - one.lost + one.retrans
        assert one.lost + one.sacked <= one.unacked


def test_after_each_step_the_last_change_is_what_tcp_info_says():
    seen = []

    def look(network, node, _):
        for host, flow, changes in network.transfers:
            info = node.host.tcp_info(flow) if host == node.name else None
            if info is None:
                continue
            one = changes[-1].figures
            assert (one.cwnd, one.ssthresh, one.ca_state) == (info.snd_cwnd, info.snd_ssthresh, info.ca_state)
            under_way = one.unacked, one.sacked, one.lost, one.retrans, one.total_retrans
            assert under_way == (info.unacked, info.sacked, info.lost, info.retrans, info.total_retrans)
            assert (one.srtt, one.snd_wnd, one.rcv_wnd) == (info.rtt, info.snd_wnd, info.rcv_wnd)
            assert (one.acked, one.received, one.mss) == (info.bytes_acked, info.bytes_received, info.snd_mss)
            seen.append(host)

    transfer(look=look)
    assert seen.count("client") > 30
    assert seen.count("server") > 30


def test_whoever_does_not_ask_has_the_same_run_and_nothing_is_kept(followed):
    silent = transfer(followed=False)
    assert silent.transfers is None
    assert silent.record == followed.record


def test_hosts_that_do_not_observe_are_followed_too(followed):
    """Their record is shorter, so that a change has another place in it."""
    silent, told = of_host(transfer(observe=False), "client"), of_host(followed, "client")
    assert [change._replace(place=0) for change in silent] == [change._replace(place=0) for change in told]


def test_a_copy_keeps_them(followed):
    for again in (copy.deepcopy(followed), pickle.loads(pickle.dumps(followed))):
        assert list(again.transfers) == list(followed.transfers)


def test_asked_for_twice_it_is_the_same():
    network = Network()
    assert network.watch_transfers() is network.watch_transfers() is network.transfers
    assert len(network.transfers) == 0


def test_a_host_has_no_figures_of_a_connection_that_it_does_not_know():
    network = Network()
    host = network.host("one", "10.0.0.1").host
    nobody = (b"\x0a\x00\x00\x09", 1, b"\x0a\x00\x00\x01", 2)
    assert (host.figures(nobody), host.tcp_info(nobody), host.congestion_control(nobody)) == (None, None, "")


def test_nothing_is_under_way_once_the_fin_is_acknowledged_and_the_connection_waits():
    network = Network(seed=3)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    network.link(client, server, Conditions(delay=20 * MILLISECOND), Conditions(delay=20 * MILLISECOND))
    network.watch_transfers()

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        while await connection.recv(65536):
            pass
        connection.close()

    async def upload(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.send(bytes(OCTETS))
        connection.close()

    network.spawn(server, serve)
    network.spawn(client, upload)
    network.run(5 * SECOND)
    for name in ("client", "server"):
        before, last = (change.figures for change in of_host(network, name)[-2:])
        assert before.in_flight >= 1
        assert (last.in_flight, last.unacked) == (0, 0)
        assert last.cwnd == before.cwnd
