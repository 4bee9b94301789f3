"""A run in numbers."""

import pytest

from tcpemu.scenario.format.load_scenario import from_document, runs
from tcpemu.scenario.running.build import run, run_all
from tcpemu.scenario.running.summary import LABELS, Summary, accept_rate_limit, rows_of_numbers, summarize


def scenario(*clients, **tables):
    groups = [{"name": f"c{number}", **group} for number, group in enumerate(clients)]
    return from_document({"title": "t", "look_at": "l", "clients": groups, **tables})


def summary_of(*clients, **tables) -> Summary:
    (one,) = runs(scenario(*clients, **tables))
    return summarize(run(one))


def test_every_number_has_a_label():
    assert list(LABELS) == [field for field in Summary.__dataclass_fields__ if field != "name"]


def test_a_full_accept_queue():
    summary = summary_of(
        {"count": 4, "start": {"every": "100 ms"}},
        {"do": ["connect"], "port": 81},
        {"start": "20 s"},
        server={"backlog": 1, "accept": {"never": True}},
        duration="900 ms",
    )
    assert summary == Summary(
        name="",
        clients=6,
        connected=2,
        completed=2,
        connecting=2,
        refused=1,
        reset=0,
        timed_out=0,
        accepted=0,
        accept_queue=2,
        syn_queue=0,
        backlog=1,
        syns_dropped=2,
        acks_ignored=0,
        syn_acks_repeated=0,
        cookies_sent=0,
        resets_sent=1,
        accept_rate=None,
        accept_rate_limit=None,
    )


def test_final_acks_that_are_ignored():
    summary = summary_of(
        {},
        {"count": 3, "start": "1 s", "do": ["connect", {"wait_until": "80 s"}, {"send": "x"}, "recv"]},
        server={"backlog": 2, "accept": {"never": True}},
        duration="100 s",
    )
    assert (summary.connected, summary.accept_queue, summary.reset, summary.resets_sent) == (4, 3, 1, 1)
    assert summary.completed == 3
    assert (summary.acks_ignored, summary.syn_acks_repeated, summary.syns_dropped) == (6, 5, 0)


def test_clients_that_give_up():
    summary = summary_of(
        {},
        {"sysctls": {"net.ipv4.tcp_syn_retries": 1}, "start": 1},
        server={"backlog": 0, "accept": {"never": True}},
    )
    assert (summary.timed_out, summary.syns_dropped, summary.connecting) == (1, 3, 0)


def test_cookies_and_a_last_quarter():
    flood = {"count": 5, "do": ["syn"], "start": {"every": "1 ms"}}
    cookies = summary_of(flood, server={"backlog": 1}, duration="100 ms")
    assert (cookies.syn_queue, cookies.cookies_sent, cookies.syns_dropped, cookies.clients) == (2, 3, 0, 0)
    few = {"net.ipv4.tcp_syncookies": 0, "net.ipv4.tcp_max_syn_backlog": 3}
    quarter = summary_of(flood, server={"sysctls": few}, duration="100 ms")
    assert (quarter.syn_queue, quarter.cookies_sent, quarter.syns_dropped) == (4, 0, 1)


def test_nobody_listens_any_more():
    summary = summary_of(server={"close_at": "1 s"})
    assert (summary.backlog, summary.accept_queue) == (None, 0)


@pytest.mark.parametrize(
    ("server", "limit"),
    [
        ({"backlog": 4, "sysctls": {"net.ipv4.tcp_syncookies": 0}}, 500.0),
        ({"backlog": 4}, None),
        ({"backlog": 4, "accept": {"every": "1 ms"}}, 1000.0),
        ({"backlog": 4, "accept": {"every": "1 ms"}, "sysctls": {"net.ipv4.tcp_syncookies": 0}}, 500.0),
        ({"backlog": 40, "accept": {"every": "1 ms"}, "sysctls": {"net.ipv4.tcp_syncookies": 0}}, 1000.0),
    ],
)
def test_the_limit_of_the_accept_rate(server, limit):
    assert accept_rate_limit(scenario({"count": 5, "start": {"rate": 5}}, server=server)) == limit


@pytest.mark.parametrize(
    ("kernel", "limit"), [("linux-6.18", 500.0), ("linux-5.10.218", 400.0), ("linux-3.10", None)]
)
def test_the_limit_is_that_of_the_kernels_syn_queue(kernel, limit):
    server = {"backlog": 4, "generation": kernel, "sysctls": {"net.ipv4.tcp_syncookies": 0}}
    assert accept_rate_limit(scenario({"count": 5, "start": {"rate": 5}}, server=server)) == limit


def test_there_is_no_limit_where_clients_do_not_come_at_a_rate():
    assert accept_rate_limit(scenario({"count": 5}, server={"accept": {"every": 1}})) is None


def test_the_accept_rate_is_counted_from_when_the_queue_has_been_full():
    clients = {"start": {"rate": 400, "until": "1 s"}}
    summary = summary_of(clients, server={"backlog": 3, "accept": {"every": "10 ms"}}, duration="1 s")
    assert summary.accept_rate == summary.accept_rate_limit == 100.0


@pytest.mark.parametrize("kernel", ["linux-6.18", "linux-5.4"])
def test_the_accept_rate_does_not_depend_on_where_in_a_burst_the_run_ends(kernel):
    clients = {"start": {"rate": 1000, "until": "1 s"}}
    server = {"generation": kernel, "backlog": 9, "sysctls": {"net.ipv4.tcp_syncookies": 0}}
    for end in range(1000, 1100, 15):
        summary = summary_of(clients, server=server, link={"delay": "50 ms"}, duration=f"{end} ms")
        # SYNs come a millisecond apart, so a filling takes the round trip and one more.
        assert summary.accept_rate == pytest.approx(summary.accept_rate_limit * 100 / 101)


def test_too_few_for_a_rate():
    assert summary_of({"count": 4, "start": {"rate": 1000}}, server={"backlog": 3}).accept_rate is None


def test_runs_side_by_side():
    document = scenario({"count": 3, "start": {"every": 1}}, server={"accept": {"never": True}}).model_copy()
    one, five = (
        summarize(result)
        for result in run_all(
            from_document(
                {
                    **document.model_dump(mode="json", by_alias=True, exclude_unset=True),
                    "variants": [
                        {"name": "1", "set": {"server.backlog": 0}},
                        {"name": "5", "set": {"server.backlog": 5}},
                    ],
                }
            )
        )
    )
    rows = rows_of_numbers([one, five])
    assert ("in the accept queue", ["1", "3"]) in rows
    assert ("backlog", ["0", "5"]) in rows
    assert "SYN cookies sent" not in dict(rows)
    assert "accepted a second, at most" not in dict(rows)
