"""A sample of mutated captures, read; the tool does it with thousands."""

import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import mutate_captures as tool


def test_mutated_captures_are_read_or_refused(tmp_path):
    rng = random.Random(4)
    forms = tool.forms_of(tool.PCAPS / "ignored-ack.pcapng")
    became = Counter()
    for number in range(120):
        (tmp_path / "x").write_bytes(tool.mutated(forms[number % len(forms)], rng))
        became[tool.read_one(tmp_path / "x", whole=number % 60 == 0)] += 1
    assert became["read"] > 40
    assert became["refused"] > 5
    assert became["diagnosed"]
