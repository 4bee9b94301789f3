"""Random step traces in families: `random_trace("dup_syn", 7)` is the same trace on every run."""

import conform_listening
import conform_speaking
from conform_base import FAMILIES, family_for, random_trace

__all__ = ["FAMILIES", "MODULES", "family_for", "random_trace"]

MODULES = (conform_listening, conform_speaking)
"""They enter their families when they are imported."""
