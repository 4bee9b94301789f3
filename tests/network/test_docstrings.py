"""What a user of the library can call has a docstring."""

import inspect

import pytest

from tcpemu import network, stack


@pytest.mark.parametrize("package", [network, stack])
def test_every_public_function_and_method_has_one(package):
    bare = []
    for name in package.__all__:
        value = getattr(package, name)
        if not callable(value) or getattr(value, "_is_protocol", False):
            continue
        if inspect.isbuiltin(value):  # of the compiled core: its functions cannot keep their docstrings
            continue
        members = inspect.getmembers(value) if inspect.isclass(value) else []
        own = [(each, what) for each, what in members if each[0] != "_" and _is_ours(what)]
        bare += [f"{name}.{each}" for each, what in own if not inspect.getdoc(what)]
        bare += [] if value.__doc__ else [name]
    assert bare == []


def _is_ours(member):
    function = member.fget if isinstance(member, property) else member
    return inspect.isfunction(function) and function.__module__.startswith("tcpemu")
