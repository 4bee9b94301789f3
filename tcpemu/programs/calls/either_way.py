"""A function or class that does one thing on a host and another off it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tcpemu.programs.waiting.standing_still import count_call
from tcpemu.programs.waiting.whereabouts import here


def on_hosts(real: Callable[..., Any], emulated: Callable[..., Any]) -> Callable[..., Any]:
    """Calls `emulated` where the caller is on a host, else `real`."""

    @functools.wraps(real)
    def either(*arguments: Any, **named: Any) -> Any:
        process = here()
        if process is None:
            return real(*arguments, **named)
        count_call(process)
        return emulated(*arguments, **named)

    return either


class _OfEither(type):
    """What either constructor gives is an instance."""

    def __instancecheck__(cls, instance: object) -> bool:
        kinds: tuple[type, ...] = cls.kinds  # type: ignore[attr-defined]
        return isinstance(instance, kinds)

    def __subclasscheck__(cls, kind: type) -> bool:
        kinds: tuple[type, ...] = cls.kinds  # type: ignore[attr-defined]
        return issubclass(kind, kinds)


def class_on_hosts(
    real: Callable[..., Any], emulated: Callable[..., Any], kinds: tuple[type, ...], **more: Any
) -> type:
    """A class that makes what `emulated` gives where the caller is on a host, else what `real` gives."""

    def new(_cls: type, *arguments: Any, **named: Any) -> Any:
        return (real if here() is None else emulated)(*arguments, **named)

    name = getattr(real, "__name__", "stand_in")
    members = {"__new__": new, "__module__": getattr(real, "__module__", None), "kinds": kinds, **more}
    return _OfEither(name, (), members)
