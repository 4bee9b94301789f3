"""How many peers are remembered: the kernel's number, the one that was met the longest time ago goes first."""

from tcpemu.stack.connection.measures import remembered_peers
from tcpemu.stack.records.peer_metrics import MOST_PEERS, PeerMetrics
from tcpemu.testing.bench import established


def ended(metrics, conn, peer, srtt=800):
    conn.rtt.srtt, conn.key = srtt, (peer.to_bytes(4), 1, b"", 80)
    remembered_peers.remember(metrics, conn)


def connection():
    (conn,) = established().host.tables.host.flows.values()
    return conn


def test_the_memory_of_peers_has_a_bound():
    assert MOST_PEERS == 98_304
    metrics, conn = PeerMetrics(), connection()
    others = range(5, 5 + MOST_PEERS - 3)
    for peer in (1, 2, 3, *others, 1, 4, 4):
        ended(metrics, conn, peer)
    assert [int.from_bytes(peer) for peer in metrics.srtt] == [3, *others, 1, 4]
    assert metrics.proven((1).to_bytes(4))
    assert not metrics.proven((2).to_bytes(4))


def test_what_is_remembered_falls_slowly_and_rises_at_once():
    metrics, conn = PeerMetrics(), connection()
    for srtt, kept in ((800, 800), (400, 750), (900, 900)):
        ended(metrics, conn, 1, srtt)
        assert list(metrics.srtt.values()) == [kept]
