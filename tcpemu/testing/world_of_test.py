"""The world of one test: made as marks and options say, run, ended."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from tcpemu.programs import StuckError
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.testing.world import World

MARK = "tcpemu"
SETTINGS = ("seed", "generation", "sysctls", "echo")
"""What the mark may say; as World has it."""
_WORLD = pytest.StashKey[World]()


def world_of(item: pytest.Item) -> World:
    """The world of this test, which is made when it is first asked for."""
    world = item.stash.get(_WORLD, None)
    if world is None:
        try:
            world = World(**_settings(item))
            world.__enter__()
        except ConfigurationError as error:
            pytest.fail(f"the world of this test: {error}", pytrace=False)
        item.stash[_WORLD] = world
    return world


def world_if_any(item: pytest.Item) -> World | None:
    """The world of this test; None where it has made none."""
    return item.stash.get(_WORLD, None)


def _settings(item: pytest.Item) -> dict[str, Any]:
    """The mark nearest to the test goes before those of its class and module, options before marks."""
    said: dict[str, Any] = {}
    for mark in item.iter_markers(MARK):
        if mark.args or set(mark.kwargs) - set(SETTINGS):
            given = ", ".join([*map(repr, mark.args), *(f"{name}=" for name in mark.kwargs)])
            pytest.fail(
                f"@pytest.mark.{MARK}({given}): it takes {', '.join(f'{name}=' for name in SETTINGS)} and no others",
                pytrace=False,
            )
        said = {**mark.kwargs, **said}
    parameters = parameters_of(item)
    chosen = {
        "seed": parameters.get("tcpemu_seed", item.config.getoption("tcpemu_seed")),
        "generation": parameters.get("tcpemu_generation"),
    }
    return {**said, **{name: value for name, value in chosen.items() if value is not None}}


def parameters_of(item: pytest.Item) -> dict[str, Any]:
    """What the test is parametrized with, by name."""
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def run_coroutine(item: pytest.Function) -> None:
    """Run a test that is a coroutine function, in the event loop of its world."""
    __tracebackhide__ = True
    arguments = {name: item.funcargs[name] for name in item._fixtureinfo.argnames}
    loop = world_of(item).event_loop
    assert inspect.iscoroutinefunction(item.obj)
    try:
        loop.run_until_complete(item.obj(**arguments))
    except StuckError as error:
        # Who waits for what is in its text; it was found deep inside the event loop.
        raise error.with_traceback(None) from None


def raise_untold(item: pytest.Item) -> None:
    """What ended a program or coroutine of a test that passed, and that nobody has seen, makes it fail."""
    world = world_if_any(item)
    if world is not None and (error := world.untold_failure) is not None:
        raise error


def end(item: pytest.Item) -> None:
    """The test is over."""
    world = world_if_any(item)
    if world is not None:
        del item.stash[_WORLD]
        world.close()
