"""What each counter counts."""

import re
from pathlib import Path

import tcpemu.stack
from tcpemu.explain.facts.counter_meanings import MEANING, TCP_GROUP


def test_every_group_member_is_explained():
    assert set(MEANING) >= TCP_GROUP


def test_whatever_the_stack_counts_is_explained():
    files = Path(tcpemu.stack.__file__).parent.rglob("*.py")
    counted = {
        name
        for file in files
        for call in re.findall(r"count\(([^()]*(?:\([^()]*\))?[^()]*)\)", file.read_text())
        for name in re.findall(r'"([A-Z][A-Za-z0-9]+)"', call)
    }
    assert {"PruneCalled", "TCPLossUndo", "TCPSackRecoveryFail"} <= counted
    assert not counted - MEANING.keys()
