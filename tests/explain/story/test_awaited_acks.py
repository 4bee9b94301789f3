"""ACKs that wait while the sender waits for them."""

from tests.explain.story.stories import turn_of
from tests.explain.story.test_transfer_points import told_of


def test_a_delayed_ack_that_nagle_waits_for_is_told_with_its_price():
    held = turn_of(told_of("nagle", "as it is"), "DELAYED_ACK")
    assert held.times == 2
    assert "client, which sends on when the ACK arrives at 0.056 s" in held.text
    assert "That happens twice, 80 ms in all" in held.text
    assert "TCP_QUICKACK" in held.change


def test_without_nagle_nobody_waits():
    assert not [turn for turn in told_of("nagle", "TCP_NODELAY") if turn.reason == "DELAYED_ACK"]
