"""The last world that ended with an error, for whoever tells of failing tests: see `failure_account.py`."""

from __future__ import annotations

_watched: list[bool] = []
_last: list[object] = []


def watch() -> None:
    """From now on keep the last of them. Nobody else wants worlds kept."""
    _watched[:] = [True]
    _last.clear()


def note(world: object) -> None:
    """Here is one that ended with an error."""
    if _watched:
        _last[:] = [world]


def taken() -> object:
    """The last one, which is forgotten with this call; None where there was none."""
    return _last.pop() if _last else None
