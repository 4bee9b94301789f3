"""What `pydoc` says of the packages that a user imports from: their examples run, and what they export is explained."""

import ast
import doctest
import inspect
import pydoc
import re
import sys
import textwrap
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from _reference_library import ROOMS, exported

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
EXPORTS = [(room, entry) for room in ROOMS for entry in exported(room)]
SPEAKS_FOR_ITSELF = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}


@pytest.mark.parametrize("room", ROOMS)
def test_the_examples_of_a_room_do_what_they_show(room, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(import_module(room), optionflags=OPTIONS)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("room", ROOMS)
def test_pydoc_shows_the_map_the_example_and_every_name(room):
    told = pydoc.plain(pydoc.render_doc(room))
    assert ">>> from tcpemu" in told
    missing = [name for name in import_module(room).__all__ if not re.search(rf"\b{name}\b", told)]
    assert missing == [name for name in missing if name == "__version__"]


@pytest.mark.parametrize(("room", "entry"), EXPORTS, ids=lambda one: getattr(one, "name", one))
def test_what_is_exported_is_explained(room, entry):
    assert entry.about or entry.name in SPEAKS_FOR_ITSELF, f"{room}.{entry.name} has no docstring"


@pytest.mark.parametrize(("room", "entry"), EXPORTS, ids=lambda one: getattr(one, "name", one))
def test_every_public_method_of_a_class_that_is_exported_is_explained(room, entry):
    # Of a Protocol the methods are those of the class that its docstring names.
    if not issubclass_of_protocol(room, entry):
        assert [one.name for one in entry.members if one.is_call and not one.about] == []


def issubclass_of_protocol(room, entry):
    return getattr(getattr(import_module(room), entry.name), "_is_protocol", False)


TIMES = {"now", "until", "at", "time", "timeout", "when"}
ONCE_FOR_ALL = {"Socket": "in nanoseconds"}
"""Classes whose docstring says it for all of their methods."""


@pytest.mark.parametrize(("room", "entry"), EXPORTS, ids=lambda one: getattr(one, "name", one))
def test_where_a_time_is_taken_its_unit_is_said(room, entry):
    if issubclass_of_protocol(room, entry):
        return
    told = ONCE_FOR_ALL.get(entry.name, "")
    assert told in entry.about
    for one in (entry, *entry.members):
        if one.is_call and any(re.search(rf"\b{name}: int", one.signature) for name in TIMES):
            assert "nanoseconds" in one.about.lower() or told, one.signature


@pytest.mark.parametrize(("room", "entry"), EXPORTS, ids=lambda one: getattr(one, "name", one))
def test_errors_that_a_function_raises_by_itself_are_in_its_docstring(room, entry):
    thing = getattr(import_module(room), entry.name)
    calls = [(entry, thing)] if inspect.isfunction(thing) else []
    if inspect.isclass(thing):
        calls = [(one, getattr(thing, one.name)) for one in entry.members if one.is_call]
    for one, function in calls:
        if inspect.isfunction(function):
            assert {name for name in raised_by(function) if name not in one.about} == set(), one.signature


def raised_by(function):
    """The errors that it names behind `raise`, but for those of functions in it: of a SocketError the errno."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    inner = [node for node in definition.body if isinstance(node, ast.FunctionDef)]
    definition.body = [node for node in definition.body if node not in inner]
    for node in ast.walk(definition):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            first = ast.unparse(node.exc.args[0]) if node.exc.args else ""
            name = ast.unparse(node.exc.func)
            if name != "SocketError":
                yield name
            elif first.startswith("errno."):
                yield first.removeprefix("errno.")
