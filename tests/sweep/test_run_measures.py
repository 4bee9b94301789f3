"""What each measure is, on runs whose outcome is known."""

from math import inf

import pytest

from tcpemu.scenario import from_text
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep import MeasureError, sweep
from tcpemu.sweep.run_measures import measures_of, names, quantile, wanted_by

FULL = """
title = "Nobody accepts"
duration = "3 s"
[server]
backlog = 1
accept.never = true
sysctls."net.ipv4.tcp_syncookies" = 0
[[clients]]
name = "one"
count = 4
start = { every = "100 ms" }
"""


def measured(text, *measure, **more):
    (row,) = sweep(from_text(text), {}, measure=measure, **more).rows()
    return {name: row[name] for name in row if name != "seed"}


def test_clients_queues_and_drops():
    found = measured(
        FULL, "clients", "connected", "connected.share", "unfinished", "accepted", "accept_queue.max",
        "accept_queue.at.1s", "accept_queue.at.50ms", "drops.ACCEPT_QUEUE_FULL_SYN", "drops", "ListenOverflows",
    )  # fmt: skip
    assert found["clients"] == 4
    assert found["connected"] == 2
    assert found["connected.share"] == 0.5
    assert (found["unfinished"], found["accepted"]) == (2, 0)
    assert (found["accept_queue.max"], found["accept_queue.at.1s"], found["accept_queue.at.50ms"]) == (
        2,
        2,
        1,
    )
    assert found["drops"] == found["drops.ACCEPT_QUEUE_FULL_SYN"] == found["ListenOverflows"] > 2


def test_the_mean_length_of_a_queue_is_over_time():
    # The final ACKs arrive at 15 and at 115 ms, of three seconds.
    assert measured(FULL, "accept_queue.mean")["accept_queue.mean"] == pytest.approx((2.985 + 2.885) / 3)


def test_a_quantile_knows_those_that_never_connected():
    found = measured(FULL, "connect_time.p50", "connect_time.p51", "connect_time.mean", "connect_time.max")
    assert found == {
        "connect_time.p50": 0.01,
        "connect_time.p51": inf,
        "connect_time.mean": 0.01,
        "connect_time.max": inf,
    }


def test_octets():
    text = """
title = "Two downloads"
[server]
answer = { octets = 100000 }
then = "close"
[[clients]]
name = "two"
count = 2
do = ["connect", "read_to_end", "close"]
"""
    found = measured(
        text, "goodput", "fairness", "throughput", "packets", "first_octet_time.max", "retransmissions"
    )
    assert found["fairness"] == 1
    assert found["retransmissions"] == 0
    assert found["goodput"] == pytest.approx(200_000 * 8 / 0.05, rel=0.5)
    assert found["throughput"] == pytest.approx(200_000 * 8 / 10, rel=0.1)
    assert found["packets"] > 140
    assert 0.01 < found["first_octet_time.max"] < 0.05


def test_an_upload_counts_where_it_is_read():
    text = """
title = "An upload"
[server]
then = "read_to_end"
[[clients]]
name = "up"
do = ["connect", { send = 50000 }, "close"]
"""
    assert measured(text, "fairness", "goodput")["goodput"] > 0


def test_nothing_to_measure_is_not_nought():
    assert measured(FULL, "goodput", "fairness") == {"goodput": None, "fairness": None}


def test_a_function_of_ones_own(tmp_path, monkeypatch):
    path = tmp_path / "mine.py"
    path.write_text("def late(result):\n    return sum(1 for entry in result.record.each_packet())\n")
    monkeypatch.chdir(tmp_path)
    assert measured(FULL, "mine.py:late")["mine.py:late"] > 10


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("served_by", "'served'"),
        ("connect_time", "connect_time.p99"),
        ("connect_time.p101", "connect_time.p99"),
        ("ListenOverflow", "ListenOverflows"),
        ("drops.ACCEPT_QUEUE", "ACCEPT_QUEUE_FULL"),
        ("accept_queue.at.soon", "a time such as"),
        ("accept_queue.every.1us", "samples"),
        ("nowhere.py:f", "no file"),
        ("math:nothing", "no function nothing"),
        ("no_such_module_at_all:f", "cannot be loaded"),
    ],
)
def test_a_mistake_says_what_would_be_right(name, words):
    with pytest.raises(MeasureError, match=words):
        measures_of([name], SECOND)


def test_a_function_that_gives_no_number(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def words(result):\n    return 'many'\n")
    with pytest.raises(MeasureError, match="gives a number"):
        measured(FULL, f"{path}:words")


def test_every_measure_that_is_listed_can_be_taken():
    forms = {"COUNT.share": "failed.share", "COUNTER": "ListenDrops", "FILE.py:FUNCTION": "math:floor"}
    for name, about in names():
        assert about
        shown = forms.get(name, name.replace("TIME", "500ms") if "queue" in name else name)
        assert measures_of([shown], SECOND)


def test_a_quantile_is_one_of_the_values():
    assert [quantile([1, 2, 3, 4], share) for share in (0, 0.25, 0.26, 0.99, 1)] == [1, 1, 2, 4, 4]


def test_a_run_without_a_record_measures_what_one_with_it_does(tmp_path, monkeypatch, crowd):
    # A function of one's own has the whole record kept; without one, each measure has only what it needs.
    (tmp_path / "mine.py").write_text("def one(result):\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    listed = [name for name, _ in names() if name.islower()]
    listed += ["accept_queue.every.100ms", "syn_queue.max", "drops.ACCEPT_QUEUE_FULL", "ListenOverflows"]
    settings = {"server.backlog": 1, "link.loss": "2 %"}
    (whole,) = sweep(crowd, {}, measure=(*listed, "mine.py:one"), settings=settings).rows()
    alike = {}
    for name in listed:
        alike.setdefault(wanted_by(measures_of([name], 4 * SECOND)), []).append(name)
    assert len(alike) == 5
    for some in alike.values():
        (row,) = sweep(crowd, {}, measure=some, settings=settings).rows()
        assert row == {each: whole[each] for each in row}
