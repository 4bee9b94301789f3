"""How many peers are remembered: the kernel's number, the one that was met the longest time ago goes first."""

from types import SimpleNamespace

from tcpemu.stack.connection.measures import remembered_peers
from tcpemu.stack.records.peer_metrics import MOST_PEERS, PeerMetrics


def ended(metrics, peer, srtt=800):
    conn = SimpleNamespace(
        host=SimpleNamespace(sysctls=SimpleNamespace(tcp_no_metrics_save=0)),
        rtt=SimpleNamespace(backoff=0, srtt=srtt),
        key=(peer.to_bytes(4), 1, b"", 80),
    )
    remembered_peers.remember(metrics, conn)


def test_the_memory_of_peers_has_a_bound(monkeypatch):
    assert MOST_PEERS == 98_304
    monkeypatch.setattr(remembered_peers, "MOST_PEERS", 3)
    metrics = PeerMetrics()
    for peer in (1, 2, 3, 1, 4, 4):
        ended(metrics, peer)
    assert [int.from_bytes(peer) for peer in metrics.srtt] == [3, 1, 4]
    assert metrics.proven((1).to_bytes(4))
    assert not metrics.proven((2).to_bytes(4))


def test_what_is_remembered_falls_slowly_and_rises_at_once():
    metrics = PeerMetrics()
    for srtt, kept in ((800, 800), (400, 750), (900, 900)):
        ended(metrics, 1, srtt)
        assert list(metrics.srtt.values()) == [kept]
