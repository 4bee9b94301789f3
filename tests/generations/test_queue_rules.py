"""How much the queues of each generation hold, and what comes when they are full."""

import pytest

from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench import FULL, MSS
from tcpemu.wire.options import Mss
from tests.generations.rows import (
    LINUX,
    MODERN,
    OTHERS,
    each,
    flags,
    kinds,
    listener,
    only,
    rows,
    since,
    soon,
    until,
)

# --- the limit ----------------------------------------------------------------------------------------

_ASKED = (-1, 0, 1, 5, 100, 200, 5000, 70000)
_MOST_128 = (128, 0, 1, 5, 100, 128, 128, 128)
_ZERO_IS_128 = (128, 128, 1, 5, 100, 128, 128, 128)


@each(
    {
        "linux-1.2": (5, 0, 1, 5, 5, 5, 5, 5),
        "linux-2.0": _ZERO_IS_128,
        "linux-2.2": (128, 1, 1, 5, 100, 128, 128, 128),
        **rows(since("linux-2.4", "linux-4.19"), _MOST_128),
        **rows(since("linux-5.4"), (4096, 0, 1, 5, 100, 200, 4096, 4096)),
        "bsd-4.4": (0, 0, 1, 5, 5, 5, 5, 5),
        "freebsd-14": _MOST_128,
        "macos-15": _ZERO_IS_128,
        "solaris": (1, 0, 1, 5, 100, 128, 128, 128),
        "windows-2003": (200, 0, 1, 5, 100, 200, 200, 200),
    },
)
def test_the_limit_that_listen_gives(name, value):
    """The row of 1.2 is the text's that it is named for: its last sources cut at 128."""
    assert tuple(listener(name, backlog).queues()[2] for backlog in _ASKED) == value


@each(
    {**rows(["linux-2.6.32", "linux-3.0"], 0), **rows(MODERN, 65536)},
    only=["linux-2.6.32", "linux-3.0", *MODERN],
)
def test_the_limit_is_held_in_16_bits_until_4_1(name, value):
    assert listener(name, 70000, somaxconn=65536).queues()[2] == value


@pytest.mark.parametrize("name", since("linux-2.6.32"))
def test_a_second_listen_changes_the_limit(name):
    host = listener(name, 5)
    host.listener.listen(3)
    assert host.queues()[2] == 3


# --- one client after another -------------------------------------------------------------------------

_SILENCE, _RESET = "silence", "RST"
_IGNORED = "SYN|ACK, then silence"
_REFUSED = "SYN|ACK, then RST"


def client(host, port):
    """A client that does its handshake at once; what it meets."""
    host.send("S", at=soon(host), opts=MSS, port=port)
    answer = flags(host.taken())
    if answer != ["SA"]:
        return _SILENCE if not answer else _RESET
    waiting = host.queues()[0]
    host.send("A", 1, 1, at=soon(host), port=port)
    answer = flags(host.taken())
    if host.queues()[0] > waiting:
        return "accepted"
    return _REFUSED if answer else _IGNORED


def complete(host):
    """How many clients in a row complete, and what the next two meet."""
    for port in range(50000, 50040):
        met = client(host, port)
        if met != "accepted":
            return port - 50000, met, client(host, port + 1)
    return "all", "accepted", "accepted"


_ALL = ("all", "accepted", "accepted")


@each(
    {
        "linux-1.2": [(0, _SILENCE), (1, _SILENCE), (5, _SILENCE)],
        "linux-2.0": ["all", (1, _SILENCE), (5, _SILENCE)],
        "linux-2.2": [(2, _IGNORED), (2, _IGNORED), (6, _IGNORED)],
        **rows(since("linux-2.4", "linux-4.4"), [(1, _IGNORED), (2, _IGNORED), (6, _IGNORED)]),
        **rows(since("linux-4.10"), [(1, _SILENCE), (2, _SILENCE), (6, _SILENCE)]),
        "bsd-4.4": [(1, _SILENCE), (2, _SILENCE), (8, _SILENCE)],
        "freebsd-14": [(1, _REFUSED), (2, _REFUSED), (8, _REFUSED)],
        "macos-15": ["all", (1, _SILENCE), (5, _SILENCE)],
        "solaris": [(0, _SILENCE), (1, _SILENCE), (5, _SILENCE)],
        "windows-2003": [(0, _RESET), (1, _RESET), (5, _RESET)],
    }
)
def test_so_many_connections_wait_for_accept_with_a_backlog_of_0_1_and_5(name, value):
    """The rows of macOS show a queue without half-open connections, so there is none to throw out."""
    for backlog, wanted in zip((0, 1, 5), value, strict=True):
        expected = _ALL if wanted == "all" else (*wanted, wanted[1])
        assert complete(listener(name, backlog)) == expected, backlog


@each({**rows(since("linux-2.4", "linux-4.4"), 2), **rows(since("linux-4.10"), 0)}, only=since("linux-2.4"))
def test_two_young_requests_get_in_beside_a_full_accept_queue_until_4_9(name, value):
    host = listener(name, 5)
    complete(host)
    for port in range(60000, 60005):
        client(host, port)
    assert host.queues() == (6, value, 5)


@pytest.mark.parametrize("name", since("linux-2.4", "linux-4.4"))
def test_when_they_are_young_no_more_others_get_in(name):
    host = listener(name, 5)
    complete(host)
    assert client(host, 60000) == _SILENCE
    host.fresh().run(6 * SECOND)
    host.fresh()
    assert client(host, 60001) == _IGNORED


# --- the final ACK ------------------------------------------------------------------------------------


@each(
    {
        **rows(["linux-1.2", "linux-2.0"], (3, 0, [])),
        **rows(since("linux-2.2"), (2, 1, [])),
        **rows(["bsd-4.4", "macos-15", "solaris"], (3, 0, [])),
        "freebsd-14": (2, 0, ["R"]),
    },
    only=[*LINUX, "bsd-4.4", "macos-15", "solaris", "freebsd-14"],
)
def test_a_final_ack_meets_a_queue_that_filled_up_meanwhile(name, value):
    """The backlog is lowered to 1 while three requests wait: who tests at the ACK has room for two."""
    host = listener(name, 5)
    for port in (1, 2, 3):
        host.send("S", at=soon(host), opts=MSS, port=port)
    host.listener.listen(1)
    host.fresh()
    for port in (1, 2, 3):
        host.send("A", 1, 1, at=soon(host), port=port)
    accepted, half_open, answers = value
    assert host.queues()[:2] == (accepted, half_open)
    assert flags(host.taken()) == answers


@each(
    {**rows(since("linux-2.4", "linux-3.0"), (0, 1)), **rows(since("linux-3.10"), (1, 1))},
    only=since("linux-2.4"),
)
def test_counters_tell_of_syns_dropped_at_the_accept_queue_since_3_9(name, value):
    host = listener(name, 5)
    for port in range(1, 4):
        host.send("S", at=soon(host), opts=MSS, port=port)
    host.listener.listen(0)
    host.send("A", 1, 1, at=soon(host), port=1)
    host.fresh().send("S", at=soon(host), opts=MSS, port=4)
    at_syn, at_ack = value
    moved = host.moved()
    assert (moved.get("ListenOverflows", 0), moved.get("ListenDrops", 0)) == (at_syn, at_syn)
    host.send("A", 1, 1, at=soon(host), port=2)
    assert host.moved()["ListenOverflows"] == at_ack


@pytest.mark.parametrize("name", since("linux-2.4"))
def test_abort_on_overflow_answers_it_with_a_reset(name):
    host = listener(name, 5, abort_on_overflow=1)
    for port in (1, 2):
        host.send("S", at=soon(host), opts=MSS, port=port)
    host.listener.listen(0)
    host.fresh()
    for port in (1, 2):
        host.send("A", 1, 1, at=soon(host), port=port)
    assert flags(host.taken()) == ["R"]
    assert host.queues()[:2] == (1, 0)


# --- half-open connections ----------------------------------------------------------------------------

_EVICTS = "lets it in and throws another out"


def half_open(host, most=1200):
    """How many SYNs are queued with nobody answering, and what the next meets; a cookie looks as an eviction does."""
    for port in range(1, most + 1):
        before = host.queues()[1]
        host.send("S", at=host.now + MS // 10, opts=MSS, port=port)
        answer = flags(host.taken())
        if host.queues()[1] == before:
            return before, _EVICTS if answer == ["SA"] else _RESET if answer else _SILENCE
    return most, "SYN|ACK"


def without_cookies(name):
    return {"syncookies": 0} if name in since("linux-2.2") else {}


@each(
    {
        **rows(["linux-1.2", "linux-2.0"], (5, _SILENCE)),
        "linux-2.2": (129, _SILENCE),
        "linux-2.4": (769, _SILENCE),
        **rows(since("linux-2.6.32", "linux-3.10"), (16, _SILENCE)),
        **rows(since("linux-4.4", "linux-5.10.218"), (5, _SILENCE)),
        **rows(since("linux-5.10"), (6, _SILENCE)),
        "bsd-4.4": (8, _SILENCE),
        "freebsd-14": (1200, "SYN|ACK"),
        "macos-15": (5, _EVICTS),
        "solaris": (1029, _SILENCE),
        "windows-2003": (5, _RESET),
    },
)
def test_so_many_half_open_connections_fit_beside_a_backlog_of_5(name, value):
    """2.4 keeps the last quarter of 1024 for peers that it knows; 2.6 to 4.3 have a table of 16 at least."""
    assert half_open(listener(name, 5, **without_cookies(name))) == value


@each(
    {
        **rows(since("linux-2.6.32", "linux-3.10"), (16, 16, 16, 32, 256)),
        **rows(since("linux-4.4", "linux-5.10.218"), (0, 1, 7, 16, 128)),
        **rows(since("linux-5.10"), (1, 2, 8, 17, 129)),
    },
    only=since("linux-2.6.32"),
)
def test_the_syn_queue_goes_by_the_table_until_4_3_and_by_the_backlog_since(name, value):
    """request_sock.c: reqsk_queue_alloc; inet_connection_sock.h: inet_csk_reqsk_queue_is_full."""
    found = tuple(half_open(listener(name, n, syncookies=0))[0] for n in (0, 1, 7, 16, 128))
    assert found == value


@each(
    {**rows(since("linux-2.6.32", "linux-3.10"), 16), **rows(since("linux-4.4", "linux-5.10.218"), 100)},
    only=since("linux-2.6.32", "linux-5.10.218"),
)
def test_the_table_is_laid_at_the_first_listen_and_a_second_does_not_change_it(name, value):
    host = listener(name, 5, syncookies=0)
    host.listener.listen(100)
    assert half_open(host)[0] == value


@each(
    {"linux-2.2": (65, "silence"), "linux-2.4": (49, "silence"), **rows(since("linux-4.4"), (49, "silence"))},
    only=["linux-2.2", "linux-2.4", *MODERN],
)
def test_the_last_quarter_is_kept_for_known_peers_since_2_4(name, value):
    """Of a tcp_max_syn_backlog of 64; tcp_ipv4.c of 2.2.1 has no such rule, and holds one more than the limit."""
    assert half_open(listener(name, 128, syncookies=0, max_syn_backlog=64)) == value


@each(
    {name: 0 if name in since("linux-2.4", "linux-3.10") else 1 for name in since("linux-2.4")},
    only=since("linux-2.4"),
)
def test_half_open_connections_outlive_their_listener_since_4_4(name, value):
    host = listener(name)
    host.send("S", at=soon(host), opts=MSS)
    host.listener.close()
    assert sum(row.startswith("SYN-RECV") for row in host.table()) == value


# --- cookies ------------------------------------------------------------------------------------------

_COOKIES = since("linux-2.2")


def crowded(name, mtu=1500):
    """A host whose SYN queue is full, so that the next SYN draws a cookie."""
    limit = {"linux-2.2": 4, "linux-2.4": 64}.get(name, 1024)
    host = listener(name, 1, mtu=mtu, syncookies=1, max_syn_backlog=limit)
    crowd(host)
    return host


def crowd(host):
    """SYNs until one draws a cookie."""
    for _ in range(200):
        host.filler = getattr(host, "filler", 20000) + 1
        if host.send("S", opts=MSS, port=host.filler) == "SYN_COOKIE":
            host.fresh()
            return
    raise AssertionError("no cookie")


@each(
    {**rows(since("linux-2.2", "linux-2.6.32"), _SILENCE), **rows(since("linux-3.0"), "SYN|ACK")},
    only=_COOKIES,
)
def test_cookies_are_sent_unasked_since_2_6_37(name, value):
    host = listener(name, 1)
    held, _ = half_open(host, 1100)
    host.send("S", at=soon(host), opts=MSS, port=60000)
    assert flags(host.taken()) == ([] if value == _SILENCE else ["SA"])
    assert host.queues() == (0, held, 1)


@pytest.mark.parametrize("name", [*until("linux-2.0"), *OTHERS])
def test_others_send_no_cookies(name):
    host = listener(name, 1)
    half_open(host, 1100)
    assert not any("Cookie" in counter for counter in host.host.counters)


_OLDEST = {100: 64, 300: 256, 520: 512, 600: 536, 1400: 1024, 1459: 1440, 1460: 1460, 9000: 4312}
_OLD = {100: 64, 300: 64, 520: 512, 600: 536, 1400: 1024, 1459: 1440, 1460: 1460, 5000: 4312, 9000: 8960}
_NEW = {100: 536, 1299: 536, 1300: 1300, 1439: 1300, 1440: 1440, 1459: 1440, 1460: 1460, 9000: 1460}


@each(
    {
        **rows(since("linux-2.2", "linux-2.6.32"), _OLDEST),
        **rows(["linux-3.0", "linux-3.10"], _OLD),
        **rows(MODERN, _NEW),
    },
    only=_COOKIES,
)
def test_a_cookie_remembers_the_mss_by_its_class(name, value):
    """syncookies.c: msstab."""
    host = crowded(name, mtu=16000)
    for port, (offered, remembered) in enumerate(value.items(), 1):
        assert host.send("S", at=host.now + MS, opts=(Mss(offered),), port=port) == "SYN_COOKIE"
        assert host.send("A", 1, 1, at=host.now + MS, port=port) == "COOKIE_GOOD"
        host.fresh()
        conn = host.accept()
        conn.send(20000)
        assert len(host.taken()[0][1].payload) == remembered, offered


@each(
    {
        **rows(["linux-2.2", "linux-2.4"], "mss 1460"),
        **rows(since("linux-2.6.32", "linux-6.12"), "mss 1460, sackOK, TS, nop, ws 7"),
        **rows(since("linux-6.16"), "mss 1460, sackOK, TS, nop, ws 10"),
    },
    only=_COOKIES,
)
def test_a_syn_ack_with_a_cookie_has_the_options_since_2_6_26(name, value):
    host = crowded(name)
    assert host.send("S", at=host.now + MS, opts=FULL) == "SYN_COOKIE"
    assert kinds(only(host.taken())) == value


@each({"linux-2.2": "mss 536", "linux-2.4": "mss 1460"}, only=["linux-2.2", "linux-2.4"])
def test_in_2_2_a_cookie_announces_the_class_of_the_peers_mss(name, value):
    """tcp_output.c: tcp_make_synack of 2.2.1 announces no more than the request remembers."""
    host = crowded(name)
    assert host.send("S", at=host.now + MS, opts=(Mss(1000),)) == "SYN_COOKIE"
    assert kinds(only(host.taken())) == value


def cookie_answered_after(name, seconds, keep_sending):
    """Whether a cookie's ACK is good so much later; cookies may be sent to others until 1 s before."""
    host = crowded(name)
    assert host.send("S", at=host.now + MS, opts=MSS) == "SYN_COOKIE"
    host.fresh()
    start = host.now
    if keep_sending:
        host.run(start + (seconds - 1) * SECOND)
        crowd(host)
    host.run(start + seconds * SECOND)
    verdict = host.fresh().send("A", 1, 1)
    assert flags(host.taken()) == ([] if verdict == "COOKIE_GOOD" else ["R"])
    return verdict == "COOKIE_GOOD"


@each({**rows(since("linux-2.2", "linux-3.10"), 4), **rows(MODERN, 2)}, only=_COOKIES)
def test_a_cookie_is_good_for_so_many_turns_of_the_minute(name, value):
    """Minutes begin anywhere: it is good for one fewer in any case, and for no more (check_tcp_syn_cookie)."""
    assert cookie_answered_after(name, 60 * (value - 1) - 1, keep_sending=True)
    assert not cookie_answered_after(name, 60 * value + 1, keep_sending=True)


@each({**rows(since("linux-2.2", "linux-3.10"), (2, 5)), **rows(MODERN, (59, 122))}, only=_COOKIES)
def test_an_ack_is_tried_as_a_cookie_so_long_after_the_last_was_sent(name, value):
    """3 s until 3.12 (TCP_TIMEOUT_FALLBACK, TCP_TIMEOUT_INIT), 120 s since."""
    lately, long_ago = value
    assert cookie_answered_after(name, lately, keep_sending=False)
    assert not cookie_answered_after(name, long_ago, keep_sending=False)


@pytest.mark.parametrize("name", _COOKIES)
def test_the_ack_of_a_cookie_is_ignored_when_the_accept_queue_is_full(name):
    host = crowded(name)
    for port in (1, 2, 3):
        assert host.send("S", at=soon(host), opts=MSS, port=port) == "SYN_COOKIE"
    host.fresh()
    for port in (1, 2, 3):
        host.send("A", 1, 1, at=soon(host), port=port)
    host.expect()
    assert host.queues()[0] == 2


@pytest.mark.parametrize("name", MODERN)
def test_with_a_backlog_of_0_the_first_connection_comes_by_cookie_until_2025(name):
    """Q >= 0 is always so."""
    host = listener(name, 0)
    verdict = host.send("S", at=soon(host), opts=MSS)
    assert verdict == ("SYN_QUEUED" if name in since("linux-5.10") else "SYN_COOKIE")
    host.send("A", 1, 1, at=soon(host))
    assert host.queues()[0] == 1
