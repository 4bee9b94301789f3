"""What can be run: a file, a module or a function, with its arguments."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tcpemu.stack.base.errors import ConfigurationError

__tracebackhide__ = True  # in a failing test the program's own lines are shown, and none of these

Runnable: TypeAlias = str | Path | Callable[..., object] | Sequence[Any]
"""`"server.py 8000"`, `Path("server.py")`, `["-m", "http.server"]`, `serve`, or `[serve, 8000]`."""


@dataclass(slots=True)
class Prepared:
    """Something to call, in the process that is made for it."""

    title: str
    run: Callable[[], object]
    argv: list[str]
    main_module: types.ModuleType | None = None
    path: list[str] | None = None


def prepared(what: Runnable) -> Prepared:
    """What is to be run. Raises ConfigurationError where it cannot be."""
    if callable(what):
        return _function(what, ())
    if isinstance(what, Path):
        return _file(str(what), [])
    words = shlex.split(what) if isinstance(what, str) else list(what)
    if not words:
        raise ConfigurationError("there is no program to run; name a file, a module or a function")
    first, *arguments = words
    if callable(first):
        return _function(first, tuple(arguments))
    texts = [os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in arguments]
    if first == "-m":
        if not texts:
            raise ConfigurationError("-m: name the module to run after it")
        return _module(texts[0], texts[1:])
    return _file(os.fspath(first), texts)


def _function(function: Callable[..., object], arguments: tuple[Any, ...]) -> Prepared:
    title = getattr(function, "__name__", "function")
    return Prepared(title, lambda: function(*arguments), [title])


def _file(name: str, arguments: list[str]) -> Prepared:
    path = Path(name)
    if not path.is_file():
        raise ConfigurationError(f"{name}: there is no such file to run; a module is run by '-m {name}'")
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except SyntaxError as error:
        raise ConfigurationError(f"{name}: line {error.lineno}: {error.msg}") from None
    module = types.ModuleType("__main__")
    module.__file__ = str(path)
    members = vars(module) | {"__builtins__": __builtins__}
    vars(module).update(members)
    search = [str(path.resolve().parent), *sys.path]
    return Prepared(path.stem, lambda: exec(code, vars(module)), [name, *arguments], module, search)


def _module(name: str, arguments: list[str]) -> Prepared:
    spec = _spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _spec(f"{name}.__main__")
    loader: Any = spec.loader if spec is not None else None
    if spec is None or loader is None:
        raise ConfigurationError(f"-m {name}: there is no such module to run")
    code = loader.get_code(spec.name)
    module = types.ModuleType("__main__")
    module.__file__, module.__spec__, module.__package__ = spec.origin, spec, spec.parent
    vars(module)["__builtins__"] = __builtins__
    return Prepared(
        name, lambda: exec(code, vars(module)), [spec.origin or name, *arguments], module, ["", *sys.path]
    )


def _spec(name: str) -> Any:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
