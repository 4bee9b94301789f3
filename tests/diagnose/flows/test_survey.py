"""What is counted of each end, and ICMP errors beside the connection that they are about."""

from tcpemu.diagnose import fate_words, survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server
from tcpemu.diagnose.claims.sureness import Sure
from tcpemu.diagnose.flows.flow_fate import remarks
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.wire import encode
from tcpemu.wire.icmp import IcmpError, encode_icmp
from tests.diagnose.captured import CLIENT, SERVER, opened, save, seg


def only_flow(path):
    (flow,) = survey(path).flows
    return flow


def data(at, seq, octets):
    return at, seg("client", "PA", seq, 501, b"x" * octets, ip_id=at)


def test_octets_sent_again_are_those_that_had_been_seen(tmp_path):
    # 101..111, a hole of 10 that is filled, 5 of 10 again, and 20 that nobody acknowledges.
    timed = [*opened(), data(20, 101, 10), data(21, 121, 10), data(40, 111, 10), data(60, 126, 25)]
    timed += [(70, seg("server", "A", 501, 131))]
    flow = only_flow(save(tmp_path / "x.pcapng", timed))
    client = flow.client
    assert (client.repeats, client.repeated_octets, client.gaps) == (0, 5, [])
    assert flow.unacknowledged(client) == 20
    assert "20 octets of the client had not been acknowledged at the end" in remarks(flow)


def test_icmp_is_filed_under_its_connection(tmp_path):
    syn = encode(seg("client", "S", 100))
    error = encode_icmp(IcmpError(SERVER, CLIENT, 3, 13, syn[:28]))
    path = save(tmp_path / "x.pcapng", [(0, syn), (1, error)])
    flow = only_flow(path)
    assert fate_words(flow) == "unanswered: 1 SYN"
    assert "administratively prohibited" in remarks(flow)[0]
    assert survey(path).facts.left_out == {}
    claims = diagnose_server(survey(path), SERVER, 80, at="client", kernel="linux-6.18").claims
    assert [one.frames for one in claims if one.cause == "ICMP"] == [(2,)]


def test_counters_tell_unread_data_from_linger(tmp_path):
    timed = [
        *opened(),
        data(50, 101, 9),
        (60, seg("server", "A", 501, 110)),
        (90, seg("server", "RA", 501, 110)),
    ]
    path = save(tmp_path / "x.pcapng", timed)
    zero = dict.fromkeys(("TCPAbortOnClose", "TCPAbortOnData", "TCPAbortOnTimeout"), 0)
    for name, cause in (("TCPAbortOnClose", "CLOSED_UNREAD"), ("TCPAbortOnData", "LINGER_ZERO")):
        known = Known(counters=zero | {name: 1})
        claims = diagnose_server(
            survey(path), SERVER, 80, at="server", known=known, kernel="linux-6.18"
        ).claims
        assert [(one.cause, one.sure) for one in claims if one.cause] == [(cause, Sure.CERTAIN)]


def test_a_rst_after_probes_is_a_keepalive_that_gave_up(tmp_path):
    probes = [(1000 * k, seg("server", "A", 500, 101, ip_id=k)) for k in (1, 2, 3)]
    path = save(tmp_path / "x.pcapng", [*opened(), *probes, (4000, seg("server", "RA", 501, 101))])
    claims = diagnose_server(survey(path), SERVER, 80, at="server", kernel="linux-6.18").claims
    assert any("3 keepalive probes" in one.what and one.cause == "KEEPALIVE" for one in claims)
