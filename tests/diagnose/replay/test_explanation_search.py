"""Our own captures: the settings that they were made with are found again."""

from pathlib import Path

import pytest

from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.explanation_search import explain_listener
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.diagnose.replay.listen_path import listen_path
from tcpemu.diagnose.replay.listen_replay import CONTRADICTION, replay
from tcpemu.diagnose.replay.supposed_settings import LARGE, Supposed
from tcpemu.wire import address

PCAPS = Path(__file__).parents[3] / "pcaps"


def path_of(name):
    return listen_path(
        segments_of(PCAPS / f"{name}.pcapng", CaptureFacts()), address("10.0.0.1"), 80, at_server=True
    )


def costs(found, name):
    return {value: one.cost for value, one in found.others[name].items()}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ignored-ack-then-accept", {"backlog": 1}),
        ("abort-on-overflow", {"backlog": 1, "abort": 1}),
        ("syn-flood", {"backlog": 8, "cookies": 0}),
        ("listen-1-vs-5", {"backlog": 1}),
        ("listen-1-vs-5-listen-5", {"backlog": 5}),
        ("handshake", {"backlog": LARGE}),
    ],
)
def test_the_settings_of_a_run_are_found(name, settings):
    found = explain_listener(path_of(name), kernel="linux-6.18")
    assert found.best.supposed == Supposed(**settings)
    assert (found.best.cost, found.complete) == (0, True)


def test_the_kernel_of_a_published_trace_is_found():
    """One timer for all requests, and a queue that lets young ones in: Linux 3.10 and no other."""
    path = path_of("article")
    by_kernel = {
        kernel: min(replay(path, Supposed(kernel, backlog=backlog)).cost for backlog in (10, 11, LARGE))
        for kernel in ("linux-6.18", "linux-4.4", "linux-3.10", "linux-3.0")
    }
    assert min(by_kernel, key=by_kernel.get) == "linux-3.10"
    assert by_kernel["linux-3.10"] == 0


def test_what_each_other_value_would_cost():
    found = explain_listener(path_of("listen-1-vs-5"), kernel="linux-6.18")
    # Six SYNs were dropped: with a queue that is never full each was lost.
    assert costs(found, "backlog")[LARGE] > 3
    # A full SYN queue without cookies drops SYNs too.
    assert found.cheapest_without("ACCEPT_QUEUE_FULL_SYN") == 0
    assert len(set(costs(found, "cookies").values())) == 1


def test_a_setting_that_is_known_is_the_only_one_that_is_tried():
    known = Known(values={"backlog": 1, "cookies": 0})
    found = explain_listener(path_of("ignored-ack-then-accept"), known, "linux-6.18")
    assert (set(found.others["backlog"]), set(found.others["cookies"])) == ({1}, {0})
    assert found.best.cost == 0


def test_a_counter_that_never_moved_rules_overflows_out():
    known = Known(counters={"ListenOverflows": 0})
    found = explain_listener(path_of("ignored-ack-then-accept"), known, "linux-6.18")
    assert not found.best.accept_was_full
    assert found.best.cost > 0
    believed = [one for one in found.others["backlog"].values() if one.cost < CONTRADICTION]
    counted = {name for one in believed for judged in one.judged for name in judged.counted}
    assert believed
    assert "ListenOverflows" not in counted


def test_a_counter_that_moved_as_often_rules_out_what_does_not_move_it():
    path = path_of("syn-flood")
    known = Known(counters={"TCPReqQFullDrop": 51})
    without, with_it = explain_listener(path, None, "linux-6.18"), explain_listener(path, known, "linux-6.18")
    # Eight fill a backlog of 7 or the first three quarters of tcp_max_syn_backlog.
    assert without.values_within("max_syn_backlog", 0)[1:]
    assert with_it.values_within("max_syn_backlog", 3) == [0]
