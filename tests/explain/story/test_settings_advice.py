"""The settings that would have changed a turning point."""

import pytest

from tcpemu.explain.facts.rows import ListenerQueues
from tcpemu.explain.story.settings_advice import SettingsCase, settings_advice
from tcpemu.generations import generation
from tcpemu.stack.host import Host
from tcpemu.wire.segment import address
from tests.explain.story.stories import run_of, story, turn_of


def test_the_settings_that_would_have_changed_it_say_what_they_are_now():
    turns = story(run_of("ignored-ack", net__ipv4__tcp_synack_retries=4))
    full = turn_of(turns, "ACCEPT_QUEUE_FULL").change
    assert "a backlog above 1 (net.core.somaxconn, now 4096, caps it)" in full
    assert "net.ipv4.tcp_abort_on_overflow = 1 (now 0)" in full
    assert "net.ipv4.tcp_synack_retries (now 4)" in turn_of(turns, "REQUEST_EXPIRED").change
    assert turn_of(turns, "RESET").change == ""


def test_a_setting_that_is_named_does_change_it():
    assert not any(
        turn.reason == "ACCEPT_QUEUE_FULL" for turn in story(run_of("ignored-ack", server__backlog=2))
    )
    aborted = story(run_of("ignored-ack", net__ipv4__tcp_abort_on_overflow=1))
    assert "net.ipv4.tcp_abort_on_overflow = 0 (now 1)" in turn_of(aborted, "ABORT_ON_OVERFLOW").change
    with_cookies = story(run_of("syn-flood", "cookies on"))
    assert turn_of(with_cookies, "SYN_COOKIE").change == (
        "nothing has to change: with SYN cookies a client needs no place in the SYN queue (to hold all of the 292 SYNs "
        "without a place, backlog and limits have to be about 301)"
    )
    without = story(run_of("syn-flood", "cookies off"))
    assert "net.ipv4.tcp_syncookies = 1 (now 0)" in turn_of(without, "SYN_QUEUE_FULL").change


def test_a_backlog_at_its_cap_asks_for_a_higher_cap():
    turns = story(run_of("ignored-ack", server__backlog=9, net__core__somaxconn=1))
    assert turn_of(turns, "ACCEPT_FULL").change.startswith(
        "net.core.somaxconn above 1, which caps the 9 that listen() asked for;"
    )


def test_what_limits_the_syn_queue_goes_by_the_kernel():
    """Linux 2.2 asks tcp_max_syn_backlog alone, 6.18 the backlog alone."""
    old = advice("SYN_QUEUE_FULL", "linux-2.2", backlog=100, half_open=9, ipv4__tcp_max_syn_backlog=8)
    assert "net.ipv4.tcp_max_syn_backlog above 8" in old
    assert "a backlog above" not in old
    new = advice("SYN_QUEUE_FULL", backlog=8, half_open=9, ipv4__tcp_syncookies=0)
    assert "a backlog above 8" in new
    assert "tcp_max_syn_backlog" not in new


def test_against_a_flood_no_somewhat_larger_backlog_is_named():
    flood = turn_of(story(run_of("syn-flood", "cookies off")), "SYN_QUEUE_FULL").change
    assert flood.startswith("net.ipv4.tcp_syncookies = 1 (now 0): ")
    assert "a larger backlog is no mend here (to hold all of the 292 SYNs without a place" in flood
    assert "above" not in flood


def test_a_setting_that_the_kernel_does_not_have_is_not_named():
    full = turn_of(story(run_of("ignored-ack", server__generation="linux-2.2")), "ACCEPT_QUEUE_FULL").change
    assert full == "a backlog above 1; a program that calls accept() sooner"


def test_cookies_that_are_always_sent_can_be_had_only_while_the_queue_is_full():
    always = story(run_of("handshake", net__ipv4__tcp_syncookies=2))
    assert turn_of(always, "SYN_COOKIE_ALWAYS").change == (
        "net.ipv4.tcp_syncookies = 1 (now 2): cookies only while the SYN queue is full"
    )
    assert not any(
        turn.reason == "SYN_COOKIE_ALWAYS" for turn in story(run_of("handshake", net__ipv4__tcp_syncookies=1))
    )


def advice(reason, kernel="linux-6.18", *, backlog=1, waiting=0, half_open=0, **sysctls):
    settings = {f"net.{key.replace('__', '.')}": value for key, value in sysctls.items()}
    host = Host([address("10.0.0.1")], generation(kernel), sysctls=settings)
    queues = ListenerQueues("server", 80, waiting, half_open, backlog)
    return settings_advice(SettingsCase(reason, host, "server", queues))


COOKIES = "SYNs beyond the limit are"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (advice("REQUEST_EVICTED", backlog=5), "a backlog above 5 (net.core.somaxconn, now 4096, caps it)"),
        (
            advice("REQUEST_EVICTED", backlog=5, core__somaxconn=6),
            "a backlog above 5 (net.core.somaxconn, now 6, caps it)",
        ),
        (
            advice("REQUEST_EVICTED", backlog=5, core__somaxconn=5),
            "net.core.somaxconn above 5, which caps every backlog, and a backlog above 5",
        ),
        (
            advice("SYN_QUEUE_FULL", half_open=2, ipv4__tcp_syncookies=0),
            f"net.ipv4.tcp_syncookies = 1 (now 0): {COOKIES} answered with cookies; "
            "a backlog above 1 (net.core.somaxconn, now 4096, caps it)",
        ),
        (
            advice("SYN_COOKIE", half_open=2, ipv4__tcp_syncookies=2),
            "a backlog above 1 (net.core.somaxconn, now 4096, caps it)",
        ),
        (advice("SYN_COOKIE_ALWAYS", ipv4__tcp_syncookies=1), ""),
        (
            advice("SYN_AGAIN", ipv4__tcp_syn_retries=3),
            "net.ipv4.tcp_syn_retries of server (now 3): connect() gives up at the first time-out after 15 s, or "
            "sooner if 7 repeats have been sent: 4 that are 1 s apart (net.ipv4.tcp_syn_linear_timeouts), and 3 more",
        ),
        (
            advice("SYN_AGAIN", ipv4__tcp_syn_retries=3, ipv4__tcp_syn_linear_timeouts=0),
            "net.ipv4.tcp_syn_retries of server (now 3): connect() gives up after 3 repeats, 15 s",
        ),
        (
            advice("SYN_ACK_AGAIN", ipv4__tcp_synack_retries=2),
            "net.ipv4.tcp_synack_retries (now 2): how often a SYN|ACK is sent again",
        ),
        (
            advice("SYN_BACKLOG_LAST_QUARTER", ipv4__tcp_max_syn_backlog=8, ipv4__tcp_syncookies=0),
            "net.ipv4.tcp_max_syn_backlog above 8; "
            f"net.ipv4.tcp_syncookies = 1 (now 0): {COOKIES} answered with cookies",
        ),
        (advice("RESET"), ""),
    ],
)
def test_each_setting_is_named_with_what_it_is_now(found, words):
    assert found == words


@pytest.mark.parametrize(
    ("kernel", "limit", "half_open", "named"),
    [
        ("linux-2.2", 8, 9, {"tcp_max_syn_backlog above 8"}),
        ("linux-6.18", 8, 9, {"a backlog above"}),
    ],
)
def test_the_syn_queue_is_widened_by_what_limits_it(kernel, limit, half_open, named):
    words = advice("SYN_FULL", kernel, half_open=half_open, ipv4__tcp_max_syn_backlog=limit)
    said = {text for text in ("a backlog above", f"tcp_max_syn_backlog above {limit}") if text in words}
    assert said == named


def test_of_a_host_whose_settings_are_not_known_only_the_program_is_advised():
    queues = ListenerQueues("server", 80, 2, 0, 1)
    assert settings_advice(SettingsCase("ACCEPT_QUEUE_FULL", None, "server", queues)) == (
        "a backlog above 1; a program that calls accept() sooner"
    )
    assert settings_advice(SettingsCase("SYN_FULL", None, "server", queues)) == "a backlog above 1"
    assert settings_advice(SettingsCase("SYN_FULL", None, "server", None)) == ""
