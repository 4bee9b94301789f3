"""What the compiler is shown: the source as it is, with four things said that mypyc would otherwise not see.

A dataclass gets its `__init__` written out, for mypyc leaves the one that `dataclass` makes to the interpreter; and
with it how it is pickled, since an object of a compiled class cannot be made before its fields are known. A constant
of a module that is set once is marked `Final`, so that its value stands where it is used. A record that cannot refer
back to itself is kept from the garbage collector, which would look at each of them again and again. All
are read off the source, and no line moves, so that tracebacks name the lines of the files as they are.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("wire", "stack", "generations", "network")
PLAIN = frozenset(
    {
        "tcpemu/wire/bridge.py",  # Scapy's packets
        "tcpemu/wire/codec_choice.py",  # asks whether the compiled codec is there
        "tcpemu/stack/base/errors.py",  # exceptions over OSError and ValueError cannot be compiled
        "tcpemu/wire/capture_values.py",  # nor can CaptureError
        # The formats of capture files: their errors lost their words when compiled.
        "tcpemu/wire/capture_file.py",
        "tcpemu/wire/pcap.py",
        "tcpemu/wire/pcapng.py",
        "tcpemu/network/recorded/packed_store.py",  # closes its file when it is let go
        "tcpemu/network/conditions.py",  # its rules may be subclassed by interpreted code
    }
)
"""Modules of these rooms that are not compiled, besides each room's `__init__`."""
BESIDES = (
    "tcpemu/explain/capture/annotated_capture.py",
    "tcpemu/explain/capture/chosen_sights.py",
    "tcpemu/explain/capture/packet_comments.py",
    "tcpemu/explain/facts/client_outcomes.py",
    "tcpemu/explain/facts/counter_meanings.py",
    "tcpemu/explain/facts/flow_memory.py",
    "tcpemu/explain/facts/flow_numbers.py",
    "tcpemu/explain/facts/foresight.py",
    "tcpemu/explain/facts/host_sides.py",
    "tcpemu/explain/facts/record_steps.py",
    "tcpemu/explain/facts/row_notes.py",
    "tcpemu/explain/facts/rows.py",
    "tcpemu/explain/ladder/fold.py",
    "tcpemu/explain/ladder/travel_times.py",
    "tcpemu/explain/lines/count_words.py",
    "tcpemu/explain/lines/segment_words.py",
    "tcpemu/explain/lines/style.py",
    "tcpemu/explain/lines/time_words.py",
)
"""Modules of other rooms that are: what is done for each packet of a run, whether it is shown or not."""

DOORS = {
    "tcpemu/stack/dispatch.py": {("arrived", "segment")},
    "tcpemu/stack/base/host_arguments.py": {("own_addresses", "addresses")},
    "tcpemu/stack/host.py": {
        ("__init__", "addresses"),
        ("__init__", "generation"),
        ("receive", "segment"),
        ("receive", "now"),
        ("receive_icmp", "now"),
        ("advance", "now"),
    },
    "tcpemu/stack/sockets/socket.py": {
        *[
            (call, "now")
            for call in ("listen", "accept", "connect", "send", "sendto", "recv", "shutdown", "close")
        ],
        ("_begin", "now"),
        ("_begin_stream", "now"),
    },
    "tcpemu/network/application_sockets.py": {("accept", "timeout"), ("recv", "timeout")},
    "tcpemu/network/network.py": {("spawn", "at"), ("at", "when"), ("sleep", "time"), ("run", "until")},
    "tcpemu/network/node.py": {("sleep", "time")},
    "tcpemu/network/socket_calls.py": {("complete", "timeout")},
    "tcpemu/network/task.py": {("sleep", "time")},
}
"""Parameters, by function, that the core tests with words of its own: compiled code would test their type before."""


@dataclass(frozen=True)
class _Field:
    name: str
    annotation: ast.expr
    default: ast.expr | None
    factory: ast.expr | None
    home: "_Module"
    """Where its annotation means something."""


@dataclass(frozen=True)
class _Module:
    name: str
    """`tcpemu/stack/host.py`."""
    text: str
    tree: ast.Module

    def home_of(self, name: str) -> str | None:
        """The module that a name comes from; None where it is a builtin."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and name in {one.asname or one.name for one in node.names}:
                return node.module
            defined = isinstance(node, ast.ClassDef) and node.name == name
            if defined or (isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets)):
                return self.name.removesuffix(".py").replace("/", ".")
        return None


def core(root: Path) -> list[str]:
    """The modules that are compiled."""
    found = [path for room in ROOMS for path in sorted((root / "tcpemu" / room).rglob("*.py"))]
    names = [path.relative_to(root).as_posix() for path in found if path.name != "__init__.py"]
    return [name for name in [*names, *BESIDES] if name not in PLAIN]


def write(root: Path, place: Path) -> list[Path]:
    """Write the source of the rooms to another place, prepared; gives the files to be compiled."""
    compiled = set(core(root))
    modules = {}
    paths = [path for room in ROOMS for path in (root / "tcpemu" / room).rglob("*.py")]
    for path in [*paths, *(root / name for name in BESIDES)]:
        name = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        modules[name] = _Module(name, text, ast.parse(text))
    fields = _all_fields(modules[name] for name in sorted(modules))
    plain_data = _plain_data([modules[name] for name in sorted(compiled)], fields)
    for name, module in modules.items():
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = _prepared(module, fields, plain_data) if name in compiled else module.text
        target.write_text(text, encoding="utf-8")
    for package in {parent for name in BESIDES for parent in Path(name).parents if parent.name}:
        (place / package / "__init__.py").write_text("", encoding="utf-8")
    return [place / name for name in sorted(compiled)]


def _prepared(module: _Module, fields: dict[str, tuple[_Field, ...]], plain_data: set[str]) -> str:
    lines = module.text.splitlines()
    _open_doors(module, lines)
    _mark_constants(module.tree, lines)
    _mark_plain_data(module.tree, plain_data, lines)
    needed: set[tuple[str, str]] = set()  # names from elsewhere, each behind the module that it comes from
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and _is_dataclass(node) and not _has_init(node):
            needed |= _write_init(module, node, fields[node.name], lines)
            if "__reduce__" not in _methods(node):
                _write_reduce(module, node, fields[node.name], lines)
    _tell_docstrings(module.tree, lines)
    missing = sorted((home, name) for home, name in needed if module.home_of(name) is None)
    if missing:
        last = [node for node in module.tree.body if isinstance(node, ast.ImportFrom)][-1]
        assert last.end_lineno is not None
        lines[last.end_lineno - 1] += "".join(f"; from {home} import {name}" for home, name in missing)
    return "\n".join(lines) + "\n"


# --- dataclasses ----------------------------------------------------------------------------------------------


def _all_fields(modules: Iterable[_Module]) -> dict[str, tuple[_Field, ...]]:
    """The fields of every dataclass by its name, those of its bases first."""
    classes: dict[str, tuple[_Module, ast.ClassDef]] = {}
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and _is_dataclass(node):
                classes[node.name] = module, node

    def of(name: str) -> tuple[_Field, ...]:
        if name not in classes:
            return ()
        module, node = classes[name]
        found: dict[str, _Field] = {}
        for base in node.bases:
            found |= {field.name: field for field in of(ast.unparse(base))}
        found |= {field.name: field for field in _own_fields(module, node)}
        return tuple(found.values())

    return {name: of(name) for name in classes}


def _own_fields(module: _Module, node: ast.ClassDef) -> Iterator[_Field]:
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if "ClassVar" in ast.unparse(statement.annotation):
            continue
        value, factory = statement.value, None
        if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
            options = {keyword.arg: keyword.value for keyword in value.keywords}
            if options.keys() & {"init", "kw_only"}:
                raise ValueError(f"{module.name}:{value.lineno}: fields that are not plain parameters")
            value, factory = options.get("default"), options.get("default_factory")
        yield _Field(statement.target.id, statement.annotation, value, factory, module)


def _is_dataclass(node: ast.ClassDef) -> bool:
    names = (ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list)
    return "dataclass" in names


def _has_init(node: ast.ClassDef) -> bool:
    return "__init__" in _methods(node)


def _methods(node: ast.ClassDef) -> set[str]:
    return {one.name for one in node.body if isinstance(one, ast.FunctionDef)}


def _write_init(
    module: _Module, node: ast.ClassDef, fields: tuple[_Field, ...], lines: list[str]
) -> set[tuple[str, str]]:
    """Put the `__init__` on the blank line behind the class; gives the names that it needs from elsewhere."""
    assert node.end_lineno is not None
    place = node.end_lineno
    if place < len(lines) and lines[place].strip():
        raise ValueError(f"{module.name}:{place}: a blank line is wanted behind {node.name}")
    parameters, body, needed = ["self"], [], set()
    for field in fields:
        annotation = ast.unparse(field.annotation)
        if field.home is not module:
            needed |= _from_elsewhere(field)
        if field.factory is not None:
            made = ast.unparse(ast.Call(field.factory, [], []))
            parameters.append(f"{field.name}: {annotation} | None = None")
            body.append(f"self.{field.name} = {made} if {field.name} is None else {field.name}")
            continue
        default = "" if field.default is None else f" = {ast.unparse(field.default)}"
        parameters.append(f"{field.name}: {annotation}{default}")
        body.append(f"self.{field.name} = {field.name}")
    if "__post_init__" in _methods(node):
        body.append("self.__post_init__()")
    text = f"    def __init__({', '.join(parameters)}) -> None: {'; '.join(body) or 'pass'}  # type: ignore[misc]"
    if place < len(lines):
        lines[place] = text
    else:
        lines.append(text)
    return needed


def _write_reduce(module: _Module, node: ast.ClassDef, fields: tuple[_Field, ...], lines: list[str]) -> None:
    """Put a `__reduce__` on the second blank line behind the class: to be made again of its fields."""
    assert node.end_lineno is not None
    place = node.end_lineno + 1
    if place < len(lines) and lines[place].strip():
        raise ValueError(f"{module.name}:{place}: two blank lines are wanted behind {node.name}")
    values = "".join(f"self.{field.name}, " for field in fields)
    text = f"    def __reduce__(self) -> tuple[object, ...]: return {node.name}, ({values})"
    if place < len(lines):
        lines[place] = text
    else:
        lines.append(text)


def _from_elsewhere(field: _Field) -> set[tuple[str, str]]:
    said = [one for one in (field.annotation, field.default, field.factory) if one is not None]
    names = {one.id for part in said for one in ast.walk(part) if isinstance(one, ast.Name)}
    return {(home, name) for name in names if (home := field.home.home_of(name)) is not None}


def _tell_docstrings(tree: ast.Module, lines: list[str]) -> None:
    """Behind all else, what mypyc forgets: the docstring of each class, for `help`."""
    told = {node.name: ast.get_docstring(node) for node in tree.body if isinstance(node, ast.ClassDef)}
    lines.extend(f"setattr({name}, '__doc__', {words!r})" for name, words in told.items() if words)


# --- what the garbage collector need not see ---------------------------------------------------------------------

_LEAVES = frozenset({"int", "bool", "str", "bytes", "float", "Address", "FlowKey"})
_CONTAINERS = frozenset({"tuple", "list", "deque", "dict", "set", "frozenset"})


def _plain_data(modules: Iterable[_Module], fields: dict[str, tuple[_Field, ...]]) -> set[str]:
    """The dataclasses no object of which can refer back to itself, by whatever way.

    Every type that one holds is known, and so on, and the class itself is not among them. One that has bases, or is
    one, is left as it is: an object may be more than its annotation says.
    """
    classes = [node for module in modules for node in module.tree.body if isinstance(node, ast.ClassDef)]
    bases = {ast.unparse(base) for node in classes for base in node.bases}
    words = {
        node.name for node in classes if {ast.unparse(base) for base in node.bases} & {"Enum", "IntEnum"}
    }
    records = {node.name for node in classes if _is_dataclass(node) and not node.bases} - bases

    def leads_to(name: str, met: set[str]) -> bool:
        """Put the records that this one holds into `met`; whether all that it holds is known."""
        for field in fields[name]:
            for part in ast.walk(field.annotation):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    return False
                if not isinstance(part, ast.Name) or part.id in _LEAVES | _CONTAINERS | words | met:
                    continue
                if part.id not in records:
                    return False
                met.add(part.id)
                if not leads_to(part.id, met):
                    return False
        return True

    found = set()
    for name in records:
        met: set[str] = set()
        if leads_to(name, met) and name not in met:
            found.add(name)
    return found


def _mark_plain_data(tree: ast.Module, names: set[str], lines: list[str]) -> None:
    """Say so to mypyc by one more decorator, for which the docstring makes room: see `_tell_docstrings`."""
    marked = False
    for node in tree.body:
        if not isinstance(node, ast.ClassDef) or node.name not in names or len(node.decorator_list) != 1:
            continue
        said, decorator = node.body[0], node.decorator_list[0]
        if ast.get_docstring(node) is None or decorator.lineno != decorator.end_lineno:
            continue
        assert said.end_lineno is not None
        top = decorator.lineno - 1
        head = ["@_mypyc_attr(acyclic=True)", *lines[top : said.lineno - 1]]
        lines[top : said.end_lineno] = head + [""] * (said.end_lineno - top - len(head))
        marked = True
    if marked:
        # mypyc alone reads the decorator: what it comes from is not there where the core runs.
        _import_as("TYPE_CHECKING", tree, lines, "TYPE_CHECKING")
        last = max(
            node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        )
        if lines[last].strip():
            raise ValueError(f"a blank line is wanted behind {lines[last - 1]}")
        lines[last] = "if TYPE_CHECKING: from mypy_extensions import mypyc_attr as _mypyc_attr"


# --- doors ----------------------------------------------------------------------------------------------------


def _open_doors(module: _Module, lines: list[str]) -> None:
    """Let anything come in where the core says itself what is wrong with it."""
    doors = DOORS.get(module.name, set())
    found = [
        (one.annotation, (node.name, one.arg))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for one in node.args.args
        if one.annotation is not None and (node.name, one.arg) in doors
    ]
    if left := doors - {door for _, door in found}:
        raise ValueError(f"{module.name}: DOORS names what is not there: {left}")
    # The last of a line first, since places behind it move.
    for said, _ in sorted(found, key=lambda each: (each[0].lineno, each[0].col_offset), reverse=True):
        line = said.lineno - 1
        lines[line] = lines[line][: said.col_offset] + "_Any" + lines[line][said.end_col_offset :]
    if found:
        _import_as("Any", module.tree, lines)


# --- constants ------------------------------------------------------------------------------------------------


def _mark_constants(tree: ast.Module, lines: list[str]) -> None:
    """`NAME = 1` becomes `NAME: Final = 1`, and `A, B = 1, 2` two of these, where nothing sets them again."""
    set_names = [
        one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]
    marked = False
    for node in tree.body:
        if not isinstance(node, ast.Assign) or node.lineno != node.end_lineno:
            continue
        pairs = list(_pairs(node))
        if not pairs or any(set_names.count(name) != 1 for name, _ in pairs):
            continue
        lines[node.lineno - 1] = "; ".join(f"{name}: _Final = {value}" for name, value in pairs)
        marked = True
    if marked:
        _import_as("Final", tree, lines)


def _import_as(name: str, tree: ast.Module, lines: list[str], called: str = "") -> None:
    """Have a name of `typing`, with `_` before it or as it is to be called, from the first line that can have it."""
    first = next(one for one in tree.body if isinstance(one, ast.Import | ast.ImportFrom | ast.Assign))
    at, wanted = first.lineno - 1, f"from typing import {name} as {called or f'_{name}'}"
    if isinstance(first, ast.ImportFrom) and first.module == "__future__":
        lines[at] += f"; {wanted}"
    else:
        lines[at] = f"{wanted}; {lines[at]}"


def _pairs(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """Names in capitals with whole numbers for values."""
    names: list[ast.expr] = list(node.targets)
    values = [node.value] * len(names)
    if len(names) == 1 and isinstance(names[0], ast.Tuple):
        if not isinstance(node.value, ast.Tuple) or len(node.value.elts) != len(names[0].elts):
            return
        names, values = names[0].elts, node.value.elts
    for name, value in zip(names, values, strict=True):
        if not isinstance(name, ast.Name) or not name.id.isupper() or not _whole_number(value):
            return
    for name, value in zip(names, values, strict=True):
        assert isinstance(name, ast.Name)
        yield name.id, ast.unparse(value)


def _whole_number(value: ast.expr) -> bool:
    """An expression of whole numbers and constants alone."""
    allowed = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Name, ast.Load, ast.Constant)
    parts = list(ast.walk(value))
    return (
        all(isinstance(one, allowed) for one in parts)
        and all(
            isinstance(one.value, int) and not isinstance(one.value, bool)
            for one in parts
            if isinstance(one, ast.Constant)
        )
        and all(one.id.isupper() for one in parts if isinstance(one, ast.Name))
    )
