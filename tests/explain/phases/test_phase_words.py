"""A phase in words."""

import pytest

from tcpemu.explain.phases import phase_words
from tests.explain.phases.followed import transfers_of
from tests.explain.phases.test_transfer_phases import LATE, PAUSE, SILENT, TAIL


def told(source, kind, only=""):
    """The paragraph of the first phase of that kind."""
    transfer = transfers_of(source, only)[0]
    phase = next(each for each in transfer.phases if type(each).__name__ == kind)
    return ". ".join(phase_words.sentences(phase, transfer.history))


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("slow-start", "SlowStart", ["10 segments", "has grown to 76 segments at 0.184131 s", "HyStart"]),
        ("fast-retransmit", "SlowStart", ["has grown to 19 segments at 0.12 s, where a loss ends it"]),
        (LATE, "SlowStart", ["where what looks like a loss ends it"]),
        (
            "fast-retransmit",
            "Recovery",
            [
                "SACKs tell that data sent later has arrived",
                "without waiting for the time-out (240 ms)",
                "18 segments of later data were kept at server until the gap is filled, and 4 duplicate ACKs said so",
                "1 segment is sent again; the state lasts until all that was under way is acknowledged, at 0.16 s",
                "The window was 19 segments; the threshold is 13 now",
            ],
        ),
        (
            "lost-retransmission",
            "Recovery",
            ["1 of the repeats is lost too", "so it is sent once more (RACK)"],
        ),
        (
            "time-out",
            "TimeOuts",
            [
                "sent again 322 ms after it was sent",
                "the next 5 come after 480 ms, 960 ms, 1.92 s, 3.84 s and 7.68 s",
                "The window falls from 10 segments to 1, the threshold is 7",
                "All that was under way is acknowledged at 16.442 s",
            ],
        ),
        (SILENT, "TimeOuts", ["To the end no ACK says that it has arrived"]),
        ("time-out", "LossProbe", ["data that was not sent yet", "The probe draws no ACK either"]),
        (TAIL, "LossProbe", ["the last segment again", "the probe has mended it: its ACK comes at 0.36 s"]),
        (LATE, "Undo", ["D-SACKs tell that each repeat was one too many"]),
        (PAUSE, "Restart", ["nothing was sent for 1.96 s", "it falls to 10"]),
    ],
)
def test_a_paragraph_says_what_began_it_what_it_did_and_what_ended_it(source, kind, words):
    text = told(source, kind)
    assert [each for each in words if each not in text] == [], text


def test_without_sack_duplicate_acks_are_what_tells():
    assert "as many duplicate ACKs have come as make a loss" in told("loss-burst", "Recovery", "no SACK")


def test_a_ladder_says_it_in_few_words():
    start, recovery = transfers_of("fast-retransmit")[0].phases
    assert phase_words.short_words(start) == "slow start ends with a loss; the window is 19 segments"
    assert phase_words.short_words(recovery) == "recovery begins: the window of 19 segments comes down to 13"
    assert phase_words.short_end(recovery) == "recovery is over after 40 ms; the window is 13 segments"


def test_the_source_names_the_counter_that_moved():
    start, recovery = transfers_of("fast-retransmit")[0].phases
    assert phase_words.source(recovery) == "tcp_input.c: tcp_enter_recovery; TCPSackRecovery +1"
    assert phase_words.source(transfers_of("slow-start")[0].phases[0]).startswith(
        "tcp_cubic.c: hystart_update"
    )
    assert phase_words.title(start) == "Slow start ends"
