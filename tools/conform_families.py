"""Random step traces in families: `random_trace("dup_syn", 7)` is the same trace on every run."""

import conform_bulk
import conform_fast_open
import conform_listening
import conform_odd
import conform_speaking
import conform_wide
from conform_base import FAMILIES, GROUPS, family_for, random_trace

__all__ = ["FAMILIES", "GROUPS", "MODULES", "family_for", "random_trace"]

MODULES = (conform_listening, conform_speaking, conform_wide, conform_bulk, conform_fast_open, conform_odd)
"""They enter their families when they are imported."""
