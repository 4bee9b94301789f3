"""What a story says of causes: of failed calls, RSTs, waits, and what would change them. Each case is a small run."""

import pytest

from tcpemu.explain.facts.client_outcomes import client_outcome_lines, client_outcomes
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tests.explain.story.stories import story, turn_of

ABANDONED = "do = ['connect', { wait = '500 ms' }, 'abandon']"
UNREAD = "do = ['connect', { send = 'abcdef' }, { wait = '100 ms' }, 'recv', 'recv']"


def ran(server="", client="", duration="5 s", **more):
    text = f"title = 't'\nduration = '{duration}'\n{more.get('top', '')}\n[server]\n{server}\n"
    text += f"[[clients]]\nname = 'c'\n{client}\n{more.get('then', '')}"
    (run,) = load_scenario.runs(load_scenario.from_text(text))
    return build.run(run)


def paragraph(reason, *settings, **more):
    return turn_of(story(ran(*settings, **more)), reason)


@pytest.mark.parametrize(
    ("reason", "server", "client", "said", "change"),
    [
        (
            "TIMED_OUT",
            "answer = { text = 'tick' }\naccept = { at = ['1 s'] }\nsysctls = { 'net.ipv4.tcp_retries2' = 3 }",
            ABANDONED,
            "net.ipv4.tcp_retries2 is 3: that allows 3 s. This hangs on 60 ms: the time-out before came after 2.94 s",
            "net.ipv4.tcp_retries2 of server (now 3)",
        ),
        (
            "ORPHAN_TIMED_OUT",
            "then = 'close'\naccept = { at = ['1 s'] }\nsysctls = { 'net.ipv4.tcp_orphan_retries' = 2 }",
            ABANDONED,
            "net.ipv4.tcp_orphan_retries is 2",
            "net.ipv4.tcp_orphan_retries of server (now 2)",
        ),
        (
            "UNREAD_RST",
            "then = 'close'",
            UNREAD,
            "close() with 6 octets unread: a RST in place of the FIN",
            "a program that reads what has come before it calls close()",
        ),
        (
            "ECONNRESET",
            "answer = { text = 'answer' }\nthen = 'close'",
            UNREAD,
            "fails with ECONNRESET: a RST of server, sent at 0.015 s (close() with 6 octets unread)",
            "a program that reads what has come before it calls close()",
        ),
        (
            "UNACCEPTED_RST",
            "accept = { never = true }\nclose_at = '1 s'",
            "do = ['connect', 'recv']",
            "close() on the listener: it waited in the accept queue",
            "accepts what waits before it closes",
        ),
        (
            "ECONNREFUSED",
            "accept = { never = true }\nclose_at = '1 s'",
            "start = { at = ['2 s'] }",
            "at 2.01 s fails with ECONNREFUSED: a RST of server, sent at 2.005 s (in answer to the SYN",
            "a program that listens on port 80 of server",
        ),
        (
            "EADDRNOTAVAIL",
            "then = 'read_to_end'",
            "count = 5\nstart = { every = '100 ms' }\nsysctls = { 'net.ipv4.ip_local_port_range' = '50000 50003' }\n"
            "do = ['connect', 'close']",
            "(50000 to 50003) is taken: 4 in TIME-WAIT; the first TIME-WAIT ends at 60.02 s",
            "a wider net.ipv4.ip_local_port_range (now 50000 50003)",
        ),
        (
            "EADDRNOTAVAIL",
            "then = 'read_to_end'",
            "count = 2\nstart = { every = '100 ms' }\nsysctls = { 'net.ipv4.ip_local_port_range' = '50000 50000' }\n"
            "do = ['connect', 'close']",
            "is taken: 1 in TIME-WAIT",
            "net.ipv4.tcp_tw_reuse of c = 1 (now 2: only on loopback): with timestamps",
        ),
        (
            "EBADF",
            "close_at = '1 s'",
            "",
            "accept() at 1 s fails with EBADF: close() was called on this socket",
            "",
        ),
        (
            "EADDRINUSE",
            "then = 'close'\nstop_at = '1 s'\nlisten_at = '2 s'",
            "do = ['connect', 'read_to_end', 'close']",
            "(sockets on it: 1 in TIME-WAIT); the last TIME-WAIT ends at 60.025 s",
            "SO_REUSEADDR on the old and on the new socket",
        ),
        (
            "FIN_WAIT2_OVER",
            "",
            "sysctls = { 'net.ipv4.tcp_fin_timeout' = 1 }\ndo = ['connect', 'close']",
            "FIN-WAIT-2 is given up; 1 s in FIN-WAIT-2 have passed (net.ipv4.tcp_fin_timeout)",
            "net.ipv4.tcp_fin_timeout of c (now 1 s;",
        ),
        (
            "ZERO_WINDOW",
            "options = { rcvbuf = 2048 }\naccept = { never = true }",
            "do = ['connect', { send = 20000 }, 'recv']",
            "1,448 octets wait for recv(). Nobody has accepted this connection at server, so nobody reads; it stays 0",
            "calls recv() sooner",
        ),
        (
            "HELD_DATA_SENT",
            "then = 'read_to_end'",
            "do = ['connect', { send = 'GET' }, { send = 'more' }, { wait = '500 ms' }, 'close']",
            "It waited for the ACK that arrived at 0.02 s",
            "TCP_NODELAY",
        ),
        (
            "CLOSES_FIRST",
            "then = 'keep'",
            "do = ['connect', 'close']",
            "is in CLOSE-WAIT from 0.015 s to the end",
            "",
        ),
        (
            "ACCEPT_FULL",
            "backlog = 900\naccept = { never = true }\nsysctls = { 'net.core.somaxconn' = 1 }",
            "count = 4",
            "",
            "net.core.somaxconn above 1, which caps the 900 that listen() asked for;",
        ),
    ],
)
def test_cause_and_change(reason, server, client, said, change):
    turn = paragraph(reason, server, client, duration="100 s")
    assert said in turn.text
    assert (change in turn.change) if change else not turn.change


IDLE = "do = ['recv', { send = 100 }, 'again']\nidle_timeout = '1 s'"
SECOND_REQUEST = "do = ['connect', { send = 9 }, 'recv', { wait = '%s' }, { send = 9 }, 'recv']"


def test_a_request_and_a_fin_that_cross():
    result = ran(IDLE, SECOND_REQUEST % "993 ms")
    late = turn_of(story(result), "ABORT_ON_DATA")
    assert "It left 7 ms before the FIN of server arrived: the two crossed on the way." in late.text
    assert "a peer that stops using a connection before server does" in late.change
    lines = lines_text(client_outcome_lines(client_outcomes(result.record)))
    assert (
        "recv() gave the end of the stream at 1.02 s; a RST ended it at 1.023 s, which none of its calls met"
        in lines
    )


def test_data_for_one_who_has_closed_was_sent_in_spite_of_a_fin_that_tells_nothing():
    server = "do = [{ wait = '1 s' }, { send = 9 }, { wait = '1 s' }, { send = 9 }]"
    late = turn_of(story(ran(server, "do = ['connect', 'close']")), "TIME_WAIT_RST")
    assert (
        "server has had the FIN of c since 0.015 s; that says only that no more comes from there" in late.text
    )
    assert late.change.startswith("a program at c that calls shutdown(SHUT_WR)")
    assert "idle" not in late.change


def test_a_handshake_that_outlives_its_listener():
    server = "listeners = %s\naccept = { never = true }\nclose_at = '15 ms'"
    lost = turn_of(
        story(ran(server % 1, "do = ['connect']", top="[link]\ndelay = '10 ms'")), "REQUEST_ORPHANED"
    )
    assert "the half-open connection that was there is gone since 0.03 s: its listener is gone" in lost.text
    assert "tcp_migrate_req" not in lost.change  # nobody else listens
    crowd = "do = ['connect', 'recv']\ncount = 9"
    closed = turn_of(story(ran((server % 2).replace("15 ms", "1 s"), crowd)), "UNACCEPTED_RST")
    assert "net.ipv4.tcp_migrate_req = 1 (Linux 5.14 and later; not emulated)" in closed.change


CRASH = "[[faults]]\nwhat = 'crash'\nof = '%s'\nat = '2 s'\nuntil = '3 s'\n"


def test_a_client_that_comes_back_with_the_port_it_had():
    client = "sysctls = { 'net.ipv4.ip_local_port_range' = '40000 40000' }\nstart = { at = ['0 s', '4 s'] }\n"
    client += "do = ['connect', { send = 9 }, 'recv']"
    result = ran("do = ['recv', 'recv', 'recv']", client + "\n" + CRASH % "c")
    turns = story(result)
    assert turn_of(turns, "SYN_SENT_BAD_ACK").title == "The SYN is answered for an old connection"
    again = turn_of(turns, "SYN_AT_ONCE")
    assert "SYN sent again after 18 ms (1st repeat): what answered it was of an old connection" in again.text
    assert again.change == ""
    lines = lines_text(client_outcome_lines(client_outcomes(result.record)))
    assert "gone when its host crashed at 2 s" in lines
    assert [turn.reason for turn in turns][:2] == ["HOST_CRASHES", "HOST_STARTS_AGAIN"]


def test_a_new_syn_ends_time_wait_before_its_time():
    client = "sysctls = { 'net.ipv4.ip_local_port_range' = '40000 40000' }\nstart = { at = ['0 s', '4 s'] }\n"
    closes = turn_of(
        story(ran("then = 'close'", client + "do = ['connect', 'read_to_end', 'close']")), "CLOSES_FIRST"
    )
    assert (
        "from 0.025 s for 3.98 s, until 4.005 s: a new SYN takes over the flow. Then c-2 at 4.015 s."
        in closes.text
    )


def test_data_for_a_host_that_is_off():
    off = turn_of(
        story(ran("", "do = ['connect', { wait = '2 s' }, { send = 9 }]\n" + CRASH % "server")), "HOST_OFF"
    )
    assert off.title == "A packet goes to a host that is off"
    assert "c to server: data reaches nobody: the host is off" in off.text


def test_connect_in_vain_names_the_setting_of_the_client():
    client = "sysctls = { 'net.ipv4.tcp_syn_retries' = 2 }"
    turns = story(ran("", client, duration="100 s", top="[link]\nloss = '100 %'"))
    assert "net.ipv4.tcp_syn_retries is 2" in turn_of(turns, "ETIMEDOUT").text
    assert "net.ipv4.tcp_syn_retries of c (now 2): connect() gives up" in turn_of(turns, "ETIMEDOUT").change


def test_late_data_is_told_when_and_how_the_connection_ended():
    server = "then = 'close'\nsysctls = { 'net.ipv4.tcp_fin_timeout' = 10 }"
    client = "do = ['connect', { wait = '20 s' }, { send = 'late' }, { wait = '1 s' }, { send = 'again' }]"
    turns = story(ran(server, client, duration="30 s"))
    late = turn_of(turns, "LISTENER_ACK")
    assert late.title == "Data for a connection that is gone"
    assert "gone since 10.025 s: 10 s in FIN-WAIT-2 have passed (net.ipv4.tcp_fin_timeout)" in late.text
    assert "CLOSE-WAIT for 20 s, until it ends: RST arrives" in turn_of(turns, "CLOSES_FIRST").text
    assert "send(5 octets) at 21.01 s fails with EPIPE" in turn_of(turns, "EPIPE").text


def test_a_run_in_which_a_call_failed_does_not_say_that_nothing_happened():
    result = ran(
        "then = 'read_to_end'", "sysctls = { 'net.ipv4.ip_local_port_range' = '50000 50000' }\ncount = 2"
    )
    lines = lines_text(story_lines(Heading("t"), story(result), client_outcomes(result.record)))
    assert "EADDRNOTAVAIL" in lines
    assert "Nothing was dropped" not in lines


def test_what_recv_gave_before_the_reset_is_told_of_the_client():
    result = ran("answer = { text = 'answer' }\nthen = 'close'", UNREAD)
    lines = lines_text(story_lines(Heading("t"), story(result), client_outcomes(result.record)))
    assert "recv() gave 6 octets; then ECONNRESET at 0.11 s" in lines


def test_a_known_peer_gets_the_reserved_quarter():
    sysctls = "{ 'net.ipv4.tcp_syncookies' = 0, 'net.ipv4.tcp_max_syn_backlog' = 8 }"
    server = f"backlog = 8\nthen = 'read_to_end'\nsysctls = {sysctls}"
    client = "start = { at = ['0 s', '2 s'] }\ndo = ['connect', 'close']"
    flood = (
        "[[clients]]\nname = 'attack'\nspoof = '1.1.2.0/24'\ndo = ['syn']\n"
        "start = { from = '1 s', every = '10 ms' }\ncount = 7\n"
    )
    turn = paragraph("SYN_QUEUED_KNOWN_PEER", server, client, then=flood)
    assert "its round-trip time is remembered" in turn.text


def test_a_syn_that_never_arrives_was_sent_to_the_server_all_the_same():
    turns = story(ran("", "", duration="100 s", top="[link]\nloss = '100 %'"))
    assert turn_of(turns, "LOSS").text.startswith("c to server: SYN lost by chance (100 %).")


def test_the_user_timeout_of_connect_counts_from_the_first_syn_and_ends_it_on_time():
    turns = story(ran("", "options = { user_timeout = '5 s' }", top="[link]\nloss = '100 %'", duration="9 s"))
    given_up = turn_of(turns, "SYN_TIMED_OUT")
    assert "5 s have passed since the first SYN, and TCP_USER_TIMEOUT is 5000 ms" in given_up.text
    assert "This hangs on" not in given_up.text


def test_keepalive_that_gives_up_names_what_decided_it():
    server = "do = ['recv']\noptions = { keepalive = true, keepidle = 20, keepintvl = 5, keepcnt = 3 }"
    turns = story(ran(server, ABANDONED, duration="60 s"))
    failed = turn_of(turns, "ETIMEDOUT")
    assert "no keepalive probe was answered; TCP_KEEPCNT is 3" in failed.text
    assert "TCP_KEEPCNT of server (now 3); TCP_KEEPIDLE" in failed.change


def test_a_keepalive_probe_that_is_answered_is_called_so():
    server = "do = ['recv']\noptions = { keepalive = true, keepidle = 2 }"
    turns = story(ran(server, "do = ['connect', { wait = '9 s' }]"))
    assert "a keepalive probe: answered with an ACK" in turn_of(turns, "KEEPALIVE_ANSWERED").text
    assert not any(turn.reason == "OUT_OF_WINDOW" for turn in turns)


def test_a_window_that_stays_closed_for_the_user_timeout_is_not_called_silence():
    """The peer answers each probe: what ends the connection is that it never reads."""
    client = "options = { user_timeout = '5 s' }\ndo = ['connect', { send = 20000 }, 'recv']"
    turns = story(ran("options = { rcvbuf = 2048 }\naccept = { never = true }", client, duration="20 s"))
    assert turn_of(turns, "WINDOW_PROBE_ANSWERED")
    failed = turn_of(turns, "ETIMEDOUT")
    assert (
        "the window stayed closed for too long, answered probes or not; TCP_USER_TIMEOUT is 5000"
        in failed.text
    )
    assert failed.change.startswith("a program at the other end that calls recv() sooner; the socket option")


def test_of_data_that_nagle_held_the_longest_wait_is_told_with_the_delayed_ack():
    server = "do = [{ recv = 10 }, { send = 2 }, { recv = 10 }, { send = 2 }, 'read_to_end']"
    pair = "{ send = 4 }, { send = 6 }, { recv = 2 }"
    held = turn_of(story(ran(server, f"do = ['connect', {pair}, {pair}, 'close']")), "HELD_DATA_SENT")
    assert "What was sent at 0.08 s waited longest, 50 ms." in held.text
    assert "arrived at 0.08 s, which server had delayed for 40 ms" in held.text


FLOOD = "\n[[clients]]\nname = 'bots'\nspoof = '198.18.0.0/16'\ndo = ['syn']\nstart = { rate = 200, until = '2 s' }\n"


def test_a_crowded_queue_is_not_blamed_on_the_retries_of_the_syn_ack():
    """The kernel repeats it less often then, whatever tcp_synack_retries says."""
    turn = paragraph("REQUEST_CROWDED_OUT", "backlog = 16", "start.at = ['1 s']", then=FLOOD, duration="9 s")
    assert "more than half full, so the SYN|ACK is repeated less often than the setting says" in turn.text
    assert turn.change == "a backlog above 16 (net.core.somaxconn, now 4096, caps it)"
    roomy = story(ran("backlog = 4096", "start.at = ['1 s']", then=FLOOD, duration="9 s"))
    assert not any(found.reason == "REQUEST_CROWDED_OUT" for found in roomy)


def test_a_listener_with_syncnt_is_told_to_change_that():
    server = "backlog = 1\naccept = { never = true }\noptions = { syncnt = 2 }"
    turn = paragraph("REQUEST_EXPIRED", server, "start.at = ['0 s', '100 ms', '101 ms']", duration="20 s")
    assert "TCP_SYNCNT is 2" in turn.text
    assert turn.change == "the socket option TCP_SYNCNT of server (now 2)"


def test_an_idle_timeout_says_what_would_have_kept_the_connection():
    turn = paragraph(
        "EAGAIN", "idle_timeout = '1 s'\ndo = ['recv', 'close']", "do = ['connect', { wait = '3 s' }]"
    )
    assert turn.change == "a longer wait of this program; or a peer that sends before it is over"


def test_connections_that_different_settings_gave_up_have_a_paragraph_each():
    own = "[[clients]]\nname = 'own'\noptions = { syncnt = 2 }\n"
    turns = story(ran("", "", duration="140 s", top="[link]\nloss = '100 %'", then=own))
    changes = [turn.change for turn in turns if turn.reason == "SYN_TIMED_OUT"]
    assert [change.partition(" (now")[0] for change in changes] == [
        "the socket option TCP_SYNCNT of own",
        "net.ipv4.tcp_syn_retries of c",
    ]


@pytest.mark.parametrize("end", ["'close'", "'half_close', 'read_to_end', 'close'"])
def test_a_lingering_close_avoids_the_reset_as_advised(end):
    client = "do = ['connect', { send = 100000 }, { wait = '100 ms' }, 'read_to_end', 'close']"
    turns = story(ran(f"do = [{{ recv = 10 }}, {{ send = '413' }}, {end}]", client))
    reset = [turn for turn in turns if turn.reason == "UNREAD_RST"]
    assert bool(reset) == (end == "'close'")
    assert all("shutdown(SHUT_WR), then recv() until the end of the stream" in turn.change for turn in reset)


def test_a_bare_ack_that_waits_says_which_option_makes_it_wait():
    turn = paragraph("DEFER_ACCEPT", "options = { defer_accept = 5 }", "do = ['connect', { wait = '1 s' }]")
    assert turn.change == "a listener without TCP_DEFER_ACCEPT; or a client that sends its data first"


def test_a_socket_option_of_the_client_is_named_in_place_of_the_sysctl():
    """Linux 6.18 repeats the SYN 5 times with TCP_SYNCNT 2 and 4 linear time-outs: 7 s are over, not 6 repeats."""
    turns = story(ran("", "options.syncnt = 2", duration="100 s", top="[link]\nloss = '100 %'"))
    for reason in ("SYN_AGAIN", "SYN_TIMED_OUT", "ETIMEDOUT"):
        assert turn_of(turns, reason).change == (
            "the socket option TCP_SYNCNT of c (now 2): connect() gives up at the first time-out after 7 s, or sooner "
            "if 6 repeats have been sent: 4 that are 1 s apart (net.ipv4.tcp_syn_linear_timeouts), and 2 more"
        )
    assert (turn_of(turns, "SYN_AGAIN").times, turn_of(turns, "ETIMEDOUT").at) == (5, 7_000_000_000)


def test_an_end_whose_peer_is_gone_is_told_with_what_would_find_it_out():
    client = "do = ['connect', { wait = '1 s' }, 'abandon']"
    turns = story(ran("do = ['recv', 'close']", client, duration="100 s"))
    lone = turn_of(turns, "LONE_END")
    assert lone.title == "Nothing tells server that its peer is gone"
    assert (
        "stays ESTAB to the end of the run, and would for ever: c is gone without a word since 1.01 s"
        in lone.text
    )
    assert "Its program has waited in recv() since 0.015 s" in lone.text
    assert "7875 s after the last segment (net.ipv4.tcp_keepalive_time" in lone.change
    asking = "do = ['recv', 'close']\noptions = { keepalive = true }"
    assert not [turn for turn in story(ran(asking, client, duration="100 s")) if turn.reason == "LONE_END"]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("close_at = '1 s'", "; nobody has listened there since 1 s: close()"),
        ("shutdown_at = '1 s'", "; nobody has listened there since 1 s: shutdown()"),
        ("port = 81", ""),
    ],
)
def test_a_refused_connect_says_since_when_nobody_listens(server, words):
    refused = turn_of(story(ran(server, "start = '2 s'\nport = 80")), "ECONNREFUSED")
    assert refused.text.endswith(f"no socket has this port){words}.")
    assert refused.change == "a program that listens on port 80 of server"


def test_a_host_that_crashes_and_starts_again():
    crash = "[[faults]]\nwhat = 'crash'\nof = 'server'\nat = '1 s'\nuntil = '2 s'"
    talk = "do = ['connect', { send = 'a' }, 'recv', { wait = '2 s' }, { send = 'b' }, 'recv']"
    turns = story(ran("answer = 'echo'", talk, then=crash))
    assert turn_of(turns, "HOST_CRASHES").text == (
        "server stops without a word: what runs on it is gone, and with it 1 connection. Nothing is sent to its peers, "
        "and nothing reaches it for 1 s."
    )
    assert "It knows nothing of 1 connection of before" in turn_of(turns, "HOST_STARTS_AGAIN").text
    assert "the connection that was there is gone since 1 s: the host crashed" in " ".join(
        turn.text for turn in turns
    )


def test_a_reset_by_a_fault_is_told_of_as_one():
    fault = "[[faults]]\nwhat = 'reset'\nat = '1 s'"
    turns = story(ran("answer = 'echo'", "do = ['connect', { send = 'a' }, 'recv', 'recv']", then=fault))
    assert turn_of(turns, "FORGED_RST").title == "A fault puts a RST on its way"
    texts = [turn.text for turn in turns if turn.reason == "RESET"]
    assert (
        "RST|ACK of middlebox arrives at server: the peer resets the connection; middlebox sent it"
        in texts[0]
    )
    assert "RST|ACK of middlebox arrives at c: the peer resets the connection; middlebox sent it" in texts[1]
