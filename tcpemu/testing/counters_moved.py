"""Counters that moved, by their names; one that no kernel has is a mistake, for it would be 0 for ever."""

from __future__ import annotations

import difflib
from collections import Counter

from tcpemu.explain.facts.counter_meanings import MEANING
from tcpemu.generations.linux_counters import counters_of
from tcpemu.stack.base.errors import ConfigurationError

KNOWN = counters_of((99, 0)) | MEANING.keys()
"""Those of the newest kernel, and of any that came before."""


class CountersMoved(Counter[str]):
    """A Counter of MIB counters; `counters["ListenOverflow"]` raises ConfigurationError, that is ListenOverflows."""

    def __missing__(self, name: str) -> int:
        if name in KNOWN:
            return 0
        near = difflib.get_close_matches(name, sorted(KNOWN), 1)
        hint = (
            f"did you mean {near[0]}?" if near else "`nstat` and docs/reference/counters.md have their names"
        )
        raise ConfigurationError(f"there is no counter {name!r}; {hint}")
