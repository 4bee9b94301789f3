"""The fuzzer: it finds nothing wrong with the stack, and what is made wrong on purpose."""

import sys
from pathlib import Path

import pytest

from tcpemu.generations.queue_rules import accepting_more_than
from tcpemu.stack import Host, dispatch
from tcpemu.stack.base.reasons import LISTENER_RST
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.connection.sending import stateless_replies, transmit
from tcpemu.stack.listening import listener_receives, queues, request_timer
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.sockets.socket import Socket

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import _fuzz_draw as drawing
import _fuzz_shrink as shrinking
import fuzz
from _fuzz_world import Arrive, Call, Open, SetSysctl, Setup, Wait, text_at

SEGMENTS = 10_000


@pytest.fixture(scope="module")
def summary():
    return fuzz.fuzz(seed=11, segments=SEGMENTS, jobs=1, keep_going=True)


def test_every_rule_holds(summary):
    assert not summary.failures, next(iter(summary.failures.values()))[0].failure
    assert summary.segments == SEGMENTS


def test_it_gets_everywhere(summary):
    assert {
        "nothing",
        "refused",
        "LISTEN",
        "LISTEN, accept queue full",
        "request",
        *(state.name for state in (State.SYN_SENT, State.SYN_RECV, State.ESTABLISHED, State.CLOSE_WAIT)),
        *(state.name for state in (State.FIN_WAIT1, State.FIN_WAIT2, State.LAST_ACK)),
        "bucket in TIME_WAIT",
    } <= set(summary.met)
    assert {"SYN_QUEUED", "SYN_COOKIE", "HANDSHAKE_DONE", "COOKIE_GOOD", "DATA_AHEAD"} <= set(
        summary.verdicts
    )


def test_an_episode_is_the_same_each_time():
    first, second = [], []
    one, other = fuzz.run(5, 200, 3, first), fuzz.run(5, 200, 3, second)
    assert first == second
    assert (one.met, one.verdicts, one.segments) == (other.met, other.verdicts, 200)


def test_another_seed_is_another_episode():
    first, second = [], []
    fuzz.run(5, 50, 3, first)
    fuzz.run(6, 50, 3, second)
    assert first != second


# --- what is wrong is found ----------------------------------------------------------------------------------


def accept_queue_without_limit(patch):
    patch.setattr(accepting_more_than, "__code__", (lambda _: False).__code__)


def connections_that_wait_uncounted(patch):
    patch.setattr(queues, "let_wait", lambda listener, conn: listener.accept_queue.append(conn))


def requests_that_leave_uncounted(patch):
    real = request_timer.leave

    def leave(request):
        real(request)
        request.listener.syn_queue += 1

    patch.setattr(request_timer, "leave", leave)


def requests_without_timer(patch):
    patch.setattr(request_timer, "arm", lambda _: None)


def timers_that_survive(patch):
    patch.setattr(closing, "stop_timers", lambda _: None)


def window_taken_back(patch):
    real = transmit.select_window
    monotonic = iter(range(65535, 0, -1))
    patch.setattr(transmit, "select_window", lambda conn: min(real(conn), next(monotonic)) // 2)


def data_one_octet_off(patch):
    real = Socket.recv
    patch.setattr(Socket, "recv", lambda socket, size, now: real(socket, size, now)[1:] or b"")


def resets_for_resets(patch):
    real = stateless_replies.send_reset
    plain = 1 << 4
    patch.setattr(
        stateless_replies, "send_reset", lambda host, segment: real(host, segment._replace(flags=plain))
    )
    refused = listener_receives.receive

    def receive(listener, segment):
        reason = refused(listener, segment)
        if reason is LISTENER_RST:
            stateless_replies.send_reset(listener.host, segment)
        return reason

    patch.setattr(dispatch.listener_receives, "receive", receive)


def crash_in_a_corner(patch):
    def crash(*_):
        raise KeyError("corner")

    patch.setattr(closing, "reset_by_peer", crash)


def wrong_errors(patch):
    def accept(socket, now):
        raise BlockingIOError(11, "not an error of ours")

    patch.setattr(Socket, "accept", accept)


def nobody_is_woken(patch):
    patch.setattr(HostServices, "wake", lambda *_: None)


def a_verdict_too_many(patch):
    real = Host.receive

    def receive(host, segment, now):
        real(host, segment, now)
        happened = host.tables.host.happened
        happened.append(happened[-1])

    patch.setattr(Host, "receive", receive)


def sent_behind_the_back(patch):
    real = Host.transmit
    patch.setattr(Host, "transmit", lambda host: real(host)[:1])


def overflows_not_dropped(patch):
    patch.setattr(queues, "overflow", lambda listener: listener.host.count("ListenOverflows"))


def wrong_state(patch):
    real = HostServices.state_changed
    patch.setattr(
        HostServices,
        "state_changed",
        lambda host, key, old, new, cause: real(
            host, key, old, State.CLOSING if new is State.ESTABLISHED else new, cause
        ),
    )


@pytest.mark.parametrize(
    ("sabotage", "kinds"),
    [
        (accept_queue_without_limit, {"no more than backlog + 1 wait for accept()"}),
        (connections_that_wait_uncounted, {"the accept queue's count is that of its connections"}),
        (requests_that_leave_uncounted, {"the SYN queue's counts are those of its requests"}),
        (requests_without_timer, {"every request and every TIME_WAIT ends"}),
        (timers_that_survive, {"no timer outlives its flow"}),
        (window_taken_back, {"the window's edge is not taken back"}),
        (data_one_octet_off, {"what is read is what was sent"}),
        (resets_for_resets, {"a dropped segment is not answered", "a RST never answers a RST"}),
        (crash_in_a_corner, {"KeyError in acceptability.py: _rst", "KeyError in syn_sent.py: _with_ack"}),
        (wrong_errors, {"BlockingIOError in outside"}),
        (nobody_is_woken, {"a socket that becomes ready is woken"}),
        (a_verdict_too_many, {"one verdict for each segment that arrives"}),
        (sent_behind_the_back, {"one Sent event for each segment sent"}),
        (overflows_not_dropped, {"every overflow is a drop"}),
        (wrong_state, {"states follow each other", "transitions are those of the table"}),
    ],
)
def test_what_is_wrong_is_found(monkeypatch, sabotage, kinds):
    sabotage(monkeypatch)
    failures = fuzz.fuzz(seed=2, segments=SEGMENTS, jobs=1, keep_going=True).failures
    assert kinds & set(failures)


def test_the_program_says_what_is_wrong_and_how_to_see_it(monkeypatch, capsys):
    requests_without_timer(monkeypatch)
    assert fuzz.main(["--segments", "800", "--seed", "2"]) == 1
    out = capsys.readouterr().out
    assert "every request and every TIME_WAIT ends" in out
    assert "again: python tools/fuzz.py --seed 2 --episode" in out
    assert "host.receive(Segment(" in out


def test_the_program_counts(capsys):
    assert fuzz.main(["--segments", "500", "--seed", "4"]) == 0
    out = capsys.readouterr().out
    assert "500 segments, by the state that they met" in out
    assert out.endswith("every rule holds\n")


# --- making it short -----------------------------------------------------------------------------------------


def test_a_failure_is_made_short(monkeypatch):
    crash_in_a_corner(monkeypatch)
    deeds = []
    report = next(
        report
        for episode in range(20)
        if (report := fuzz.run(2, 400, episode, deeds := [])).failure is not None
    )
    setup, _ = fuzz.start(2, report.episode)
    short = shrinking.shrink(setup, deeds, report.failure.kind)
    assert len(short) < 12 < len(deeds)
    assert shrinking.play(setup, short).kind == report.failure.kind


def test_the_short_way_is_a_program(capsys):
    setup = Setup((b"\xc0\0\2\1",), "linux-6.18")
    segment = fuzz.Drawer(fuzz.Random(1), fuzz.World(setup)).clients.segment(0)._replace(dst=b"\xc0\0\2\1")
    listen = [Open(0, 1), Call(0, 1, "bind", (None, 80)), Call(0, 1, "listen", (5,))]
    exec(shrinking.program(setup, [*listen, Arrive(0, segment)]), {})
    assert " answered: " in capsys.readouterr().out


# --- the text of streams -------------------------------------------------------------------------------------


def test_text_belongs_to_its_number():
    whole = text_at(1000, 300_000)
    assert len(whole) == 300_000
    assert text_at(1007, 50) == whole[7:57]
    assert text_at(2**32 - 10, 20) == text_at(2**32 - 10, 10) + text_at(0, 10)
    assert text_at(1, 8) != text_at(2, 8)


# --- what it learned ------------------------------------------------------------------------------------------


def test_a_deed_that_hangs_is_a_failure(monkeypatch):
    def hang(*_):
        while True:
            pass

    monkeypatch.setattr("_fuzz_world.LONGEST_DEED", 0.2)
    monkeypatch.setattr(request_timer, "fire", hang)
    reports = (fuzz.run(11, 400, episode) for episode in range(20))
    kinds = {report.failure.kind for report in reports if report.failure is not None}
    assert kinds == {"a deed takes a moment"}


def test_a_host_that_acts_otherwise_when_it_is_watched_is_found(monkeypatch):
    real = HostServices.count

    def count(self, name, by=1):
        real(self, name, by if self.observe else by + 1)

    monkeypatch.setattr(HostServices, "count", count)
    report = fuzz.run(11, 200, 0)
    assert report.failure is not None
    assert report.failure.kind == "watching changes no counter"


def test_settings_go_to_their_ends_and_change_in_mid_run():
    deeds = []
    for episode in range(60):
        fuzz.run(11, 60, episode, deeds)
    changed = {deed.name for deed in deeds if isinstance(deed, SetSysctl)}
    assert changed - set(drawing._SYSCTLS), "others than those of interest too"
    setups = [fuzz.start(11, episode)[0] for episode in range(200)]
    assert {setup.sysctls.get("net.ipv4.tcp_max_syn_backlog") for setup in setups} >= {2**31 - 1}
    waits = {deed.at for deed in deeds if isinstance(deed, Wait)}
    assert any(at >= 2**31 * 10**6 - 10 * 10**9 for at in waits), "the clock wraps on purpose"
