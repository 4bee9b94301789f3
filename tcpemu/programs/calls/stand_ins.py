"""Puts in place all that programs on hosts find instead of the real thing, and takes it away again.

A function or class is replaced wherever a module has it under some name, so that `from time import sleep` done
earlier makes no difference; the class socket.socket stays, and only what its constructor gives changes. All of
them do what they always did for code off the hosts.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import select
import selectors
import socket
import ssl
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from tcpemu.programs.calls import (
    host_lookup,
    lock_calls,
    process_calls,
    select_calls,
    signal_calls,
    thread_start,
    time_calls,
    tls_calls,
)
from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.emulated_socket import EmulatedSocket
from tcpemu.programs.waiting.whereabouts import here

if sys.version_info >= (3, 13):
    from tcpemu.programs.calls import threads_since_313 as thread_calls
else:
    from tcpemu.programs.calls import threads_until_312 as thread_calls

_OWN = "tcpemu.programs"
_REAL_CLASS = socket.socket  # a program may put another in its place
_REAL_NEW: Callable[..., Any] = socket.socket.__new__
_installed = 0
_undo: list[Callable[[], None]] = []


@contextmanager
def installed() -> Iterator[None]:
    """While this lasts, programs may run. It may be entered again within itself."""
    global _installed  # noqa: PLW0603 - it is the process that is changed, once
    if not _installed:
        _install()
    _installed += 1
    try:
        yield
    finally:
        _installed -= 1
        if not _installed:
            _uninstall()


def _install() -> None:
    try:
        _change_classes()
        _replace_everywhere(_all())
    except BaseException:
        _uninstall()
        raise


def _uninstall() -> None:
    while _undo:
        _undo.pop()()


@lru_cache(1)
def _all() -> dict[int, tuple[Any, Any]]:
    """Each real thing and its stand-in, by the identity of the real one."""
    pairs = [
        *select_calls.stand_ins(),
        *time_calls.stand_ins(),
        *lock_calls.stand_ins(),
        *thread_calls.stand_ins(),
        *process_calls.stand_ins(),
        *signal_calls.stand_ins(),
        *(
            (getattr(socket, name), on_hosts(getattr(socket, name), emulated))
            for name, emulated in host_lookup.STAND_INS.items()
            if hasattr(socket, name)
        ),
    ]
    return {id(real): (real, stand_in) for real, stand_in in pairs}


def _replace_everywhere(stand_ins: dict[int, tuple[Any, Any]]) -> None:
    """Put the stand-ins wherever a module has the real thing."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, types.ModuleType) and not name.startswith(_OWN):
            members = vars(module)
            for key in [key for key, value in list(members.items()) if id(value) in stand_ins]:
                real, stand_in = stand_ins[id(members[key])]
                _set(members, key, real, stand_in)


def _set(members: dict[str, Any], key: str, real: Any, stand_in: Any) -> None:
    members[key] = stand_in

    def undo() -> None:
        if members.get(key) is stand_in:
            members[key] = real

    _undo.append(undo)


def _uninstall_from_new_modules(stand_ins: dict[int, tuple[Any, Any]]) -> None:
    """Modules that were loaded meanwhile have taken stand-ins for the real thing."""
    back = {id(stand_in): real for real, stand_in in stand_ins.values()}
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType):
            members = vars(module)
            for key in [key for key, value in list(members.items()) if id(value) in back]:
                members[key] = back[id(members[key])]


def _change_classes() -> None:
    """What is changed in a class, rather than under a name."""
    _undo.append(lambda: _uninstall_from_new_modules(_all()))
    stand_ins = _all()
    hook = threading.excepthook
    _set(vars(threading), "excepthook", hook, on_hosts(hook, thread_start.excepthook))
    for name, method in time_calls.METHODS_OF_DATETIME.items():
        _change_in_c(datetime.datetime, name, method)
    _change(socket.socket, "__new__", staticmethod(_new_socket))
    _change(ssl.SSLContext, "_wrap_socket", tls_calls.wrap_socket)
    _change(selectors.SelectSelector, "_select", staticmethod(stand_ins[id(select.select)][1]))
    for name, real in (("PollSelector", "poll"), ("EpollSelector", "epoll")):
        if hasattr(selectors, name):
            _change(getattr(selectors, name), "_selector_cls", stand_ins[id(getattr(select, real))][1])


def _change(kind: type, name: str, value: Any) -> None:
    had = name in vars(kind)
    before = vars(kind).get(name)
    setattr(kind, name, value)
    _undo.append(lambda: setattr(kind, name, before) if had else delattr(kind, name))


def _change_in_c(kind: type, name: str, value: Any) -> None:
    """Change a class that is made in C, and does not let itself be changed."""
    (members,) = (one for one in gc.get_referents(vars(kind)) if isinstance(one, dict))
    before = members[name]

    def put(method: Any) -> None:
        members[name] = method
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))

    put(value)
    _undo.append(lambda: put(before))


def _new_socket(cls: Any, *arguments: Any, **named: Any) -> Any:
    """socket.socket.__new__: on a host an emulated socket, of a class that derives from the one asked for."""
    if here() is None or issubclass(cls, EmulatedSocket):
        return _REAL_NEW(cls)
    return _REAL_NEW(_emulated(cls))


@lru_cache
def _emulated(cls: Any) -> Any:
    """The class asked for, over an emulated socket."""
    if cls is _REAL_CLASS:
        return EmulatedSocket
    return type(cls.__name__, (cls, EmulatedSocket), {"__module__": cls.__module__})
