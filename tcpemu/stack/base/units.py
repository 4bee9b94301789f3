"""Time is a whole number of nanoseconds since the start of the run."""

from __future__ import annotations

MICROSECOND = 1_000
"""In nanoseconds."""
MILLISECOND = 1_000_000
"""In nanoseconds."""
SECOND = 1_000_000_000
"""In nanoseconds."""
