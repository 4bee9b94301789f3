"""What tcpemu adds to pytest: the fixture `world`, options, and an account of each test that fails with it.

    def test_a_client_waits_for_the_third_ack(world):
        server, client = world.host("server"), world.host("client")
        world.fault(lose("third-ack", of=client))
        world.run(server, "server.py")
        assert world.until(world.run(client, ask)) == b"hello"

A test that is a coroutine function runs in the event loop of its world: by itself, by pytest-asyncio or by anyio.

This module is loaded in every project that has tcpemu installed, so it imports nothing of it: all else comes with
the first test that asks for a world.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import asyncio

    from tcpemu.testing.world import World

_current: list[pytest.Item] = []
"""The test that runs."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tcpemu", "tests on an emulated network (fixture `world`)")
    group.addoption(
        "--tcpemu-seed", type=_seed, metavar="N", help="the seed of every world; the first, of several"
    )
    group.addoption(
        "--tcpemu-seeds",
        type=_seeds,
        metavar="N",
        help="run each test that has a world with so many seeds, one after another",
    )
    group.addoption(
        "--tcpemu-generation",
        type=_names,
        metavar="A,B",
        help="run each of them on these kernels: tcpemu list --kernels",
    )
    group.addoption(
        "--tcpemu-dir",
        metavar="DIR",
        help="the folder for captures of tests that fail; else a folder of pytest's own",
    )


def _seed(text: str) -> int:
    return _whole(text, 0)


def _seeds(text: str) -> int:
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    """A whole number from `least` on. ValueErrors would be told without what is wrong."""
    import argparse

    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
    return int(text)


def _names(text: str) -> list[str]:
    """Names of kernels that there are."""
    import argparse

    from tcpemu.generations import generation
    from tcpemu.stack.base.errors import ConfigurationError

    names = [name.strip() for name in text.split(",") if name.strip()]
    try:
        for name in names:
            generation(name)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not names:
        raise argparse.ArgumentTypeError("it names no kernel; `tcpemu list --kernels` shows what there is")
    return names


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Scripts of packetdrill are tests."""
    if file_path.suffix != ".pkt":
        return None
    from tcpemu.testing.drill_items import ScriptFile

    return ScriptFile.from_parent(parent, path=file_path)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "tcpemu(seed=, generation=, sysctls=, echo=): what the fixture `world` makes its world with.",
    )


# The fixtures.


@pytest.fixture
def tcpemu_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test's world."""
    return _world_of(request).network.seed


@pytest.fixture
def tcpemu_generation(request: pytest.FixtureRequest) -> str | None:
    """The kernel that --tcpemu-generation has for this test; None without that option."""
    name: str | None = getattr(request, "param", None)
    return name


@pytest.fixture
def world(request: pytest.FixtureRequest, tcpemu_seed: int, tcpemu_generation: str | None) -> World:
    """A tcpemu.testing.World for this test: hosts, links, faults, programs and coroutines in virtual time."""
    return _world_of(request)


def _world_of(request: pytest.FixtureRequest) -> World:
    from tcpemu.testing.world_of_test import world_of

    if not isinstance(request.node, pytest.Item):
        pytest.fail("a world is for one test: give what asks for it the scope of a function", pytrace=False)
    return world_of(request.node)


def _has_world(thing: Any) -> bool:
    """Whether it asks for this plugin's `world`, directly or by other fixtures, and not for one of another's."""
    return "tcpemu_seed" in getattr(thing, "fixturenames", ())


# Which tests there are, and in which event loop they run.


class _Loops:
    """Gives pytest-asyncio the event loop of a test's world. It is there while tests with a world are collected."""

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_asyncio_loop_factories(
        self, config: pytest.Config, item: pytest.Item
    ) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        return {"tcpemu": _loop_of_test}


def _loop_of_test() -> asyncio.AbstractEventLoop:
    from tcpemu.testing.world_of_test import world_of

    return world_of(_current[0]).event_loop


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None]:
    if not _has_world(metafunc):
        return (yield)
    seeds, generations = (metafunc.config.getoption(name) for name in ("tcpemu_seeds", "tcpemu_generation"))
    if generations is not None:
        metafunc.parametrize("tcpemu_generation", generations, indirect=True)
    if seeds is not None:
        first = metafunc.config.getoption("tcpemu_seed") or 0
        numbers = range(first, first + seeds)
        metafunc.parametrize("tcpemu_seed", numbers, indirect=True, ids=[f"seed{each}" for each in numbers])
    if "anyio_backend" in metafunc.fixturenames and not _is_said(metafunc, "anyio_backend"):
        loop = ("asyncio", {"loop_factory": _loop_of_test})
        metafunc.definition.add_marker(pytest.mark.parametrize("anyio_backend", [loop], ids=["tcpemu"]))
    loops = _Loops()
    metafunc.config.pluginmanager.register(loops)
    try:
        return (yield)
    finally:
        metafunc.config.pluginmanager.unregister(loops)


def _is_said(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether the test is parametrized by it already."""
    marks = metafunc.definition.iter_markers("parametrize")
    return any(name in str(mark.args[0] if mark.args else mark.kwargs.get("argnames")) for mark in marks)


# A test, from its beginning to its end.


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    seen = sys.modules.get("tcpemu.testing.failures_seen")
    if seen is not None:
        seen.watch()
    _current[:] = [item]
    try:
        return (yield)
    finally:
        _current.clear()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """The world ends after every fixture that a test has: what runs its event loop closes it first."""
    try:
        return (yield)
    finally:
        if "tcpemu.testing.world_of_test" in sys.modules:
            from tcpemu.testing.world_of_test import end

            end(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    __tracebackhide__ = True
    yield
    if _has_world(item):
        from tcpemu.testing.world_of_test import raise_untold

        raise_untold(item)


@pytest.hookimpl
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A coroutine function that no other plugin runs."""
    if not _has_world(pyfuncitem) or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    __tracebackhide__ = True
    from tcpemu.testing.world_of_test import run_coroutine

    run_coroutine(pyfuncitem)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and "tcpemu.testing.world" in sys.modules:
        from tcpemu.testing.failure_account import account
        from tcpemu.testing.failures_seen import taken
        from tcpemu.testing.world import World
        from tcpemu.testing.world_of_test import world_if_any

        failed = world_if_any(item) or taken()
        if isinstance(failed, World):
            report.sections.append(("tcpemu", account(item, failed)))
    return report
