"""A packet that is taken away: that one is lost, and no other."""

from itertools import takewhile

import pytest

from tcpemu.playground.browser.packet_troubles import TroubleError
from tcpemu.playground.browser.shown_scenario import run_text
from tcpemu.playground.browser.text_changes import mended, troubled
from tcpemu.playground.experiments import experiments

LOSE = {"what": "lose"}
TEXTS = {each["name"]: each["text"] for each in experiments() if each["kind"] == "scenario"}


def ran(name):
    return run_text(f"{name}.toml", TEXTS[name])


def lost_on_purpose(before, after, run=0):
    """Packets that are lost now, by their place, of those that both runs have alike up to the first of them."""
    pairs = list(zip(before.pages[run]["packets"], after.pages[run]["packets"], strict=False))
    alike = list(takewhile(lambda pair: pair[0].get("lost") == pair[1].get("lost"), pairs))
    assert [(one["at"], one["raw"], one["flags"]) for one, _ in alike] == [
        (other["at"], other["raw"], other["flags"]) for _, other in alike
    ]
    one, other = pairs[len(alike)]
    assert (one["at"], one["raw"], one["source"]) == (other["at"], other["raw"], other["source"])
    return len(alike)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("handshake", 1),
        ("ignored-ack", 1),
        ("abort-on-overflow", 2),
        ("time-server", 2),
        ("nagle", 7),
    ],
)
def test_exactly_the_packet_that_is_taken_away_is_lost(name, step):
    before = ran(name)
    packets = before.pages[0]["packets"]
    chosen = [n for n in range(0, len(packets), step) if not packets[n].get("lost")]
    assert chosen
    for place in chosen:
        after = run_text(before.name, troubled(before, 0, place, LOSE))
        assert lost_on_purpose(before, after) == place
        lost = [n for n, packet in enumerate(after.pages[0]["packets"]) if packet.get("lost")]
        assert len([n for n in lost if n <= place]) == 1 + len(
            [n for n in range(place) if packets[n].get("lost")]
        )
        assert not after.results[0].network.unmet_faults


def test_packets_of_one_moment_are_told_apart():
    before = ran("slow-start")
    packets = before.pages[0]["packets"]
    burst = [
        n
        for n in range(1, len(packets))
        if packets[n]["at"] == packets[n - 1]["at"] and packets[n].get("length")
    ]
    assert lost_on_purpose(before, run_text("x", troubled(before, 0, burst[3], LOSE))) == burst[3]


def test_what_no_part_tells_apart_is_named_by_its_moment():
    before = ran("ignored-ack")
    acks = [
        n
        for n, packet in enumerate(before.pages[0]["packets"])
        if packet["flags"] == "ACK" and packet["at"] > 2 * 10**9
    ]
    text = troubled(before, 0, acks[1], LOSE)
    assert "[link]" in text
    assert " ns" in text
    assert lost_on_purpose(before, run_text(before.name, text)) == acks[1]
    with pytest.raises(TroubleError, match="no part tells"):
        troubled(before, 0, acks[1], {"what": "duplicate"})


def test_a_part_stays_what_it_is_when_other_settings_move():
    before = ran("handshake")
    text = troubled(before, 0, 2, LOSE).replace("duration", 'link = { delay = "77 ms" }\nduration')
    lost = [packet["flags"] for packet in run_text("x", text).pages[0]["packets"] if packet.get("lost")]
    assert lost == ["ACK"]


@pytest.mark.parametrize(
    "trouble", [{"what": "delay", "time": "1 s"}, {"what": "duplicate"}, {"what": "reorder"}]
)
def test_other_things_happen_to_it_too(trouble):
    before = ran("handshake")
    after = run_text(before.name, troubled(before, 0, 1, trouble))
    assert not after.results[0].network.unmet_faults
    assert after.pages[0]["packets"] != before.pages[0]["packets"]


def test_what_was_taken_away_can_be_given_back():
    before = ran("handshake")
    after = run_text(before.name, troubled(before, 0, 2, LOSE))
    assert run_text(before.name, mended(after, "faults", 0)).pages == before.pages


def test_a_packet_that_is_not_there():
    with pytest.raises(TroubleError, match="there is no packet 99"):
        troubled(ran("handshake"), 0, 99, LOSE)
