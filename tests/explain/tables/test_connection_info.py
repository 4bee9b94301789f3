"""A connection's figures stand as `ss -ti` has them: its order, its units, and nothing for what is as usual."""

import re

from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.tables.connection_info import ConnectionInfo, connection_figures, info_lines
from tcpemu.explain.tables.host_state import connections_of
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build

ORDER = [
    "wscale",
    "rto",
    "backoff",
    "rtt",
    "ato",
    "mss",
    "pmtu",
    "rcvmss",
    "advmss",
    "cwnd",
    "ssthresh",
    "bytes_acked",
    "bytes_received",
    "send",
    "lastsnd",
    "lastrcv",
    "lastack",
    "delivered",
    "delivered_ce",
    "unacked",
    "retrans",
    "lost",
    "sacked",
    "dsack_dups",
    "reordering",
    "reord_seen",
    "rcv_rtt",
    "rcv_space",
    "rcv_ssthresh",
    "notsent",
    "minrtt",
    "snd_wnd",
    "rcv_wnd",
]
"""Of iproute2's tcp_stats_print."""
UPLOAD = """
title = "An upload of which a segment is lost"
look_at = "the window"
[link]
delay = "20 ms"
rate = "10 Mbit/s"
queue = 20
[server]
then = "read_to_end"
[[clients]]
name = "client"
do = ["connect", { send = 1000000 }, "close"]
"""


def connection(at, host="client"):
    (one,) = load_scenario.runs(load_scenario.from_text(UPLOAD))
    (found,) = connections_of(build.run(one, at).hosts[host])
    return found


def names_of(text):
    return [re.split(r"[: ]", word)[0] for word in text.split()[1:] if not re.fullmatch(r"\d+bps", word)]


def test_in_recovery_all_that_counts_is_there_in_the_order_of_ss():
    words = connection_figures(connection(280_000_000))
    assert words.startswith("cubic wscale:10,10 rto:264 rtt:63.988/0.495 mss:1448 pmtu:1500 ")
    for part in (
        " cwnd:42 ssthresh:42 ",
        " retrans:6/7 lost:6 sacked:27 ",
        " unacked:69 ",
        " minrtt:40.096 ",
    ):
        assert part in words
    names = names_of(words)
    assert [name for name in ORDER if name in names] == names
    assert "ato" not in names  # it receives nothing


def test_before_the_first_loss_there_is_no_threshold_and_nothing_sent_again():
    names = names_of(connection_figures(connection(100_000_000)))
    assert not {"ssthresh", "retrans", "lost", "sacked", "backoff", "reordering"} & set(names)


def test_the_send_rate_is_a_window_each_round_trip():
    one = connection(100_000_000)
    rate = one.info.snd_mss * 8 * one.info.snd_cwnd * 10**6 // one.info.rtt
    assert f" send {rate}bps " in connection_figures(one)


def test_the_receiver_says_what_it_has_got():
    words = connection_figures(connection(280_000_000, "server"))
    assert " bytes_received:146248 " in words
    assert "bytes_acked" not in words


def test_the_lines_say_whose_they_are_and_keep_to_the_width():
    one = connection(280_000_000)
    lines = lines_text(info_lines([one], 72)).splitlines()
    assert lines[0].startswith("  10.0.0.2:")
    assert lines[0].endswith(" to 10.0.0.1:80, ESTAB, congestion state Recovery")
    assert all(len(line) <= 72 for line in lines)
    assert " ".join(line.strip() for line in lines[1:]) == connection_figures(one)


def test_of_very_many_the_first_are_shown_and_the_others_counted():
    one = connection(100_000_000)
    lines = lines_text(info_lines([ConnectionInfo(one.flow, "reno", one.info)] * 40, 100)).splitlines()
    assert sum("congestion state" in line for line in lines) == 5
    assert lines[-1] == "  … and 35 more"
