"""What a package offers to users of the library, read from its source: signatures, docstrings, fields."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

ROOMS = (
    "tcpemu",
    "tcpemu.stack",
    "tcpemu.lab",
    "tcpemu.notebook",
    "tcpemu.testing",
    "tcpemu.testing.bench",
    "tcpemu.testing.strategies",
    "tcpemu.network",
    "tcpemu.scenario",
    "tcpemu.explain",
    "tcpemu.sweep",
    "tcpemu.wire",
    "tcpemu.generations",
    "tcpemu.kernel",
)
"""The packages that a user of the library imports from."""
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Entry:
    """One name that a package exports, or a member of one that is a class."""

    name: str
    signature: str
    """As it is written in the source; of a value what it is."""
    about: str
    """The docstring; of a value or a field the one that stands under it. Empty where there is none."""
    members: tuple["Entry", ...] = ()
    is_call: bool = False


def exported(room: str) -> list[Entry]:
    """Everything in the `__all__` of a package, in that order."""
    package = import_module(room)
    return [entry_of(package, name) for name in package.__all__ if not name.startswith("__")]


def entry_of(package: ModuleType, name: str) -> Entry:
    module, own_name = _home(package, name)
    body: list[Any] = tree_of(module).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef) and node.name == own_name:
            return _class_entry(getattr(package, name), node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == own_name:
            told = inspect.cleandoc(ast.get_docstring(node) or "")
            return Entry(name, _signature(node), told, is_call=True)
        if _assigns(node, own_name):
            return Entry(name, _assigned(name, node), _literal(below))
    raise LookupError(f"{package.__name__}.{name} is exported, and {module} does not make it")


def _class_entry(cls: type, node: ast.ClassDef) -> Entry:
    return Entry(node.name, _class_signature(node), doc_of(cls), tuple(members_of(cls)))


def doc_of(cls: type) -> str:
    """The docstring of a class as it stands in the source; not one that is inherited or made."""
    return inspect.cleandoc(ast.get_docstring(definition(cls)) or "")


@cache
def tree_of(module: str) -> ast.Module:
    """Read from the file, which is there beside a compiled module too."""
    place = ROOT.joinpath(*module.split("."))
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return ast.parse(path.read_text())


def definition(cls: type) -> ast.ClassDef:
    """The definition of a class in its module."""
    return next(
        node
        for node in tree_of(cls.__module__).body
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )


def _signature(node: Any, bound: bool = False) -> str:
    """`async recv(n: int, timeout: int | None = None) -> bytes`."""
    arguments = node.args
    if bound:
        arguments = ast.parse(ast.unparse(node)).body[0].args  # type: ignore[attr-defined]
        arguments.args = arguments.args[1:]
    result = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    before = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{before}{node.name}({ast.unparse(arguments)}){result}"


def _class_signature(node: ast.ClassDef) -> str:
    """How it is made, for one that a user makes."""
    init = next(
        (one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None
    )
    if init is None:
        return f"class {node.name}"
    return "class " + _signature(init, bound=True).replace("__init__", node.name, 1)


def members_of(cls: type) -> Iterator[Entry]:
    """What it has that is public, from the class itself and those of ours that it is made from."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("tcpemu"):
            continue
        for member in _own_members(base):
            if member.name not in seen:
                seen.add(member.name)
                yield member


def _own_members(cls: type) -> Iterator[Entry]:
    body: list[Any] = definition(cls).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        about = _literal(below)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if not node.name.startswith("_"):
                told = inspect.cleandoc(ast.get_docstring(node) or "")
                yield Entry(node.name, _method(node), told, is_call=not is_property(node))
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                default = f" = {ast.unparse(node.value)}" if node.value else ""
                yield Entry(name, f"{name}: {ast.unparse(node.annotation)}{default}", about)
            case ast.Assign(targets=[ast.Name(id=name)]) if issubclass(cls, Enum) and name.isupper():
                yield Entry(name, f"{name} = {ast.unparse(node.value)}", about)


def is_property(node: Any) -> bool:
    return "property" in map(ast.unparse, node.decorator_list)


def _method(node: Any) -> str:
    if is_property(node):
        return f"{node.name}: {ast.unparse(node.returns)}"
    return _signature(node, bound=True)


def _literal(node: Any) -> str:
    """The text of a string that stands by itself, as under a field."""
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return inspect.cleandoc(node.value.value)
    return ""


# ------------------------------------------------------------------------------------------ values


def _home(package: ModuleType, name: str) -> tuple[str, str]:
    """The module that makes it: the way leads through imports."""
    module = package.__name__
    while True:
        found = next((one.module for one in imports_of(module) if name in names_of(one)), None)
        if found is None:
            return module, name
        module = found


def imports_of(module: str) -> Iterator[ast.ImportFrom]:
    return (node for node in ast.walk(tree_of(module)) if isinstance(node, ast.ImportFrom))


def names_of(node: ast.ImportFrom) -> set[str]:
    """What it makes known here."""
    return {alias.asname or alias.name for alias in node.names}


def _assigns(node: Any, name: str) -> bool:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target) == name
    if isinstance(node, ast.Assign):
        return any(name in ast.unparse(target).strip("()").split(", ") for target in node.targets)
    return False


_LONGEST = 60


def _assigned(name: str, node: Any) -> str:
    annotation = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    value = ast.unparse(node.value) if node.value else ""
    one = isinstance(node, ast.AnnAssign) or not isinstance(node.targets[0], ast.Tuple)
    short = f" = {value}" if one and len(value) <= _LONGEST else ""
    return f"{name}{annotation}{short}"


def paragraphs(about: str) -> str:
    """A docstring as Markdown: what is indented in it is a block of code, and so is an example."""
    blocks = []
    for block in about.split("\n\n"):
        indented = all(line.startswith("    ") for line in block.splitlines())
        if block.startswith(">>>") or (indented and block.strip()):
            blocks.append(f"```text\n{textwrap.dedent(block)}\n```")
        else:
            blocks.append(block)
    return "\n\n".join(blocks)
