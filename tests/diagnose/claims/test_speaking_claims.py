from tcpemu.diagnose import survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server
from tcpemu.diagnose.claims.sureness import Sure
from tests.diagnose.captured import SERVER, opened, save, seg


def claims_of(path, **more):
    return diagnose_server(survey(path), SERVER, 80, at="client", kernel="linux-6.18", **more).claims


def told(claims, words):
    return next(one for one in claims if words in one.what)


def syns(times, port=40000):
    return [(at, seg("client", "S", 100, port=port, ip_id=at + 1)) for at in times]


def test_syns_in_a_line_do_not_count_for_tcp_syn_retries(tmp_path):
    # Four waits of a second come from tcp_syn_linear_timeouts, and after that one of 2 s.
    times = [0, 1010, 2040, 3050, 4090, 5100, 7150]
    claims = claims_of(save(tmp_path / "x.pcapng", syns(times)))
    claim = told(claims, "connect() of 10.0.0.2 asked 7 times")
    assert claim.setting == ("client.syn_retries", (3, 127))
    assert "linux-6.18" in told(claims, "sends its SYNs when").setting[1]


def test_connect_that_gave_up_is_told_where_the_capture_goes_on(tmp_path):
    later = [(60_000, seg("client", "S", 900, port=41000)), (60_001, seg("server", "SA", 5, 901, port=41000))]
    timed = [*syns([0, 3000, 9000]), *syns([1, 3001, 9001], port=40001), *later]
    timed.sort(key=lambda one: one[0])
    claims = claims_of(save(tmp_path / "x.pcapng", timed))
    claim = told(claims, "asked 3 times and gave up")
    assert (claim.sure, claim.setting) == (Sure.LIKELY, ("client.syn_retries", (2, 2)))
    # A first wait of 3 s is that of kernels before 3.1.
    names = told(claims, "sends its SYNs when").setting[1].split(",")
    assert "linux-2.6.32" in names
    assert "linux-6.18" not in names


def test_data_that_is_sent_again_bounds_tcp_retries2(tmp_path):
    sent = [500, 705, 1110, 1910, 3520, 6740]
    timed = [*opened(), *((at, seg("client", "PA", 101, 501, b"hello", ip_id=at)) for at in sent)]
    claim = told(claims_of(save(tmp_path / "x.pcapng", timed)), "sent its data again 5 times")
    assert claim.setting[0] == "client.retries2"
    low, high = claim.setting[1]
    assert 1 < low < 15 <= high


def test_of_a_server_that_answers_nobody_no_setting_is_claimed(tmp_path):
    claims = claims_of(save(tmp_path / "x.pcapng", syns([0, 500, 1000])))
    assert not [one for one in claims if one.setting and not one.setting[0].startswith("client.")]
