"""A user's mistake becomes one clear message and exit status 2; a fault of ours is shown whole."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

import typer

from tcpemu.wire.visible_text import visible

WRONG_USE = 2
READER_GONE = 141
"""What a shell reports for a program that a closed pipe ended: 128 + SIGPIPE."""

_NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

P = ParamSpec("P")
R = TypeVar("R")

_MISTAKES = (
    ("tcpemu.scenario.running.variations", "ComparisonError"),
    ("tcpemu.scenario.format.problems", "ScenarioError"),
    ("tcpemu.scenario.format.setting_paths", "SettingError"),
    ("tcpemu.drill.language.script_mistake", "ScriptError"),
    ("tcpemu.scenario.traces.step_trace", "TraceError"),
    ("tcpemu.stack.base.errors", "ConfigurationError"),
    ("tcpemu.sweep.advice.clients_coming", "QuestionError"),
    ("tcpemu.sweep.run_measures", "MeasureError"),
    ("tcpemu.sweep.journal", "JournalError"),
    ("tcpemu.sweep.outputs", "OutputError"),
    ("tcpemu.wire.capture_values", "CaptureError"),
    ("tcpemu.lab.format.lab_error", "LabError"),
    ("tcpemu.playground.playground_error", "PlaygroundError"),
)


class UsageError(ValueError):
    """What was asked for on the command line cannot be; the message says what would be right."""


def fail(message: str) -> NoReturn:
    """Print the message on standard error and end with status 2."""
    complain(message)
    raise typer.Exit(WRONG_USE)


def complain(message: str) -> None:
    """Print the message on standard error, each of its lines under the name of the program."""
    for line in message.split("\n"):
        with suppress(OSError):  # nobody reads standard error
            typer.echo(f"tcpemu: {visible(line)}", err=True)


def clear_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Run a command so that a mistake of its user ends in a message, not in a traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            _leave_quietly()
        except MemoryError:
            fail(
                "there is not enough memory for so much; ask for less: fewer clients, a shorter time (--until)"
            )
        except (OSError, ValueError) as error:
            message = mistake_in(error)
            if message is None:
                raise
            if _cannot_write(error):
                _into_the_void(sys.stdout)
            fail(message)

    return guarded


def mistake_in(error: Exception) -> str | None:
    """The message of an error that is the user's to mend; None for any other."""
    if isinstance(error, (UsageError, *_mistakes())):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if _cannot_write(error):
        return f"standard output: {error.strerror}"  # type: ignore[attr-defined]
    return None


def _cannot_write(error: Exception) -> bool:
    """Whether what is printed has no place, which an error tells without the name of a file."""
    return isinstance(error, OSError) and error.filename is None and error.errno in _NO_PLACE


def _mistakes() -> tuple[type[Any], ...]:
    """The error types of the rooms that are loaded; of others no error can have come up."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in _MISTAKES)
    return tuple(kind for kind in found if kind is not None)


def flush_quietly(stream: TextIO) -> None:
    """Write out what is left; a reader that is gone is no error worth a word, a full disk is one."""
    try:
        stream.flush()
    except BrokenPipeError:
        _into_the_void(stream)
    except OSError as error:
        _into_the_void(stream)
        complain(f"standard output: {error.strerror}")
        sys.exit(WRONG_USE)


def _leave_quietly() -> NoReturn:
    """The reader of our output has closed it, as `head` does."""
    _into_the_void(sys.stdout)
    raise typer.Exit(READER_GONE)


def _into_the_void(stream: TextIO) -> None:
    """What is still to be written goes nowhere, so that the end of the process does not fail over it."""
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, stream.fileno())
    os.close(void)
