"""What a user may import from `tcpemu`, `tcpemu.explain` and `tcpemu.scenario` themselves."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import tcpemu
from tcpemu import explain, scenario


@pytest.mark.parametrize("package", [tcpemu, explain, scenario], ids=lambda package: package.__name__)
def test_every_name_that_is_exported_is_there_and_typed_at_the_same_home(package):
    homes = package._HOMES
    assert sorted(package.__all__) == sorted({*homes, *({"__version__"} if package is tcpemu else ())})
    for name, home in homes.items():
        assert getattr(package, name) is getattr(import_module(home), name)
    typed = {
        alias.name: node.module
        for block in ast.parse(Path(package.__file__).read_text()).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        for alias in node.names
    }
    assert typed == homes


@pytest.mark.parametrize("package", [tcpemu, explain, scenario], ids=lambda package: package.__name__)
def test_any_other_name_is_an_error(package):
    with pytest.raises(AttributeError, match="no attribute 'story_told'"):
        package.story_told  # noqa: B018 - asking for it is the test
