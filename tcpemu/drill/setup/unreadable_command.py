"""What is said of a command that cannot be read."""

from __future__ import annotations


class UnreadableCommandError(ValueError):
    """A command that only a shell could run."""
