"""What a test gives to a world: each mistake in one sentence, before anything runs."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from tcpemu.network import Conditions, Fault
from tcpemu.stack import Generation
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.testing.time_values import Time, nanoseconds_of
from tcpemu.wire.segment import address_text


def check_seed(seed: object) -> None:
    """A whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        kernel = f"; the kernel is World(generation={seed!r})" if isinstance(seed, str) else ""
        raise ConfigurationError(f"seed={seed!r}: a whole number{kernel}")


def check_settings(generation: object, sysctls: object) -> None:
    """The kernel by its name or as a value, and sysctls by their full names."""
    if generation is not None and not isinstance(generation, str | Generation):
        raise ConfigurationError(f"generation={generation!r}: the name of a kernel, as 'linux-6.18'")
    if sysctls is not None and not isinstance(sysctls, Mapping):
        raise ConfigurationError(
            f"sysctls={sysctls!r}: names with values, as {{'net.ipv4.tcp_syncookies': 0}}"
        )


def check_routes(routes: object) -> None:
    """Networks in text, in a list."""
    if routes is not None and (
        not isinstance(routes, Sequence)
        or isinstance(routes, str)
        or not all(isinstance(one, str) for one in routes)
    ):
        raise ConfigurationError(f"routes={routes!r}: a list of networks, as ['10.0.0.0/24']")


def address_text_of(address: object) -> str:
    """An address in text, from whatever form it has."""
    if isinstance(address, str):
        return address
    if isinstance(address, IPv4Address | IPv6Address):
        return str(address)
    if isinstance(address, bytes) and len(address) in (4, 16):
        return address_text(address)
    raise ConfigurationError(f"address={address!r} is no IP address; write it as '192.0.2.1'")


def conditions(delay: Time | Conditions, jitter: Time, others: dict[str, Any]) -> Conditions:
    """What was said of a link; ConfigurationError for a name that is none of its conditions."""
    known = [name for name in Conditions.__dataclass_fields__ if name not in ("delay", "jitter")]
    for name, value in others.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(
                f"{name}={value!r}: a link has no such condition{hint}; it has {', '.join(known)}"
            )
    if isinstance(delay, Conditions):
        if others or jitter:
            raise ConfigurationError("give Conditions alone, or a delay and what else the link has")
        return delay
    return Conditions(delay=nanoseconds_of("delay", delay), jitter=nanoseconds_of("jitter", jitter), **others)


def check_faults(faults: Sequence[object]) -> None:
    """Each is one, not a list of them nor a text."""
    for fault in faults:
        if isinstance(fault, list | tuple):
            raise ConfigurationError("several faults are given with a star: world.fault(*faults)")
        if not isinstance(fault, Fault):
            raise ConfigurationError(f"{fault!r} is no fault; make one, as lose('third-ack', of='client')")


def check_program(program: object) -> None:
    """What runs as a program is no coroutine."""
    first = program[0] if isinstance(program, list | tuple) and program else program
    if inspect.iscoroutinefunction(first) or inspect.iscoroutine(first):
        raise ConfigurationError(
            f"{_name(first)} is a coroutine, which runs by world.start(host, {_name(first)}()); a program is a "
            "function, a script or a module"
        )
    if program is None:
        raise ConfigurationError("program=None: give the function itself, without calling it")


def check_coroutine(coroutine: object) -> None:
    """What runs in the event loop is one."""
    if inspect.iscoroutine(coroutine):
        return
    name = _name(coroutine)
    if inspect.iscoroutinefunction(coroutine):
        raise ConfigurationError(f"{name} is a coroutine function: call it, world.start(host, {name}())")
    raise ConfigurationError(
        f"{name} is no coroutine; a function or a script runs by world.run(host, {name})"
    )


def _name(thing: object) -> str:
    return getattr(thing, "__name__", repr(thing))
