"""What each counter counts."""

from tcpemu.explain.facts.counter_meanings import MEANING, TCP_GROUP


def test_every_group_member_is_explained():
    assert set(MEANING) >= TCP_GROUP
