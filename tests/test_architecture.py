"""The shape of the house: which room may know which, what the core may import, how large things may get."""

import ast
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

HOUSE = Path(__file__).parents[1] / "tcpemu"
FLOORS = (
    ("cli",),
    ("explain", "testing"),
    ("scenario", "drill", "kernel"),
    ("network",),
    ("generations",),
    ("stack",),
    ("wire",),
    ("version",),
)
"""From the top down. A room may use the rooms on the floors below its own."""
HEIGHT = {room: -height for height, floor in enumerate(FLOORS) for room in floor}
DOOR = "__init__"
"""The package itself, which opens the rooms to a user of the library; inside, only its version is of use."""
MODULES = sorted(HOUSE.rglob("*.py"))
LARGEST_FILE = 700
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 10


def name_of(path):
    return str(path.relative_to(HOUSE.parent))


def room_of(path):
    """The room that a module is in; the package's own modules are the door."""
    parts = path.relative_to(HOUSE).parts
    return parts[0] if len(parts) > 1 else DOOR


def imported(path):
    """Every module that this one imports, wherever in it, in full; a name out of a package counts as a module of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = path.relative_to(HOUSE.parent).parts[: -node.level]
                base = ".".join((*above, base)).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def rooms_used(path):
    for module in imported(path):
        package, _, rest = module.partition(".")
        room = rest.partition(".")[0]
        # The package's own version and place are no room's.
        if package == "tcpemu" and room and not room.startswith("__"):
            yield room if room in HEIGHT else DOOR
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "tcpemu" and node.attr[:2] != "__":
            yield node.attr if node.attr in HEIGHT else DOOR


def functions(path):
    """(name, lines) of each function, without its decorators and its docstring; one inside another counts in both."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            doc = first.end_lineno - first.lineno + 1 if told and isinstance(first.value.value, str) else 0
            yield f"{name_of(path)}: {node.name}", node.end_lineno - node.lineno + 1 - doc


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_uses_only_rooms_below_it(path):
    own = room_of(path)
    if own == DOOR:
        return
    assert own in HEIGHT, f"{own} is no room; FLOORS lists them"
    for room in set(rooms_used(path)) - {own}:
        assert room != DOOR, f"{name_of(path)} comes in again through the door"
        assert HEIGHT[room] < HEIGHT[own], f"{name_of(path)} uses {room}, which is not below {own}"


def test_every_room_is_on_a_floor():
    rooms = {path.name for path in HOUSE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert rooms <= HEIGHT.keys()
    assert {"wire", "stack", "generations", "network", "scenario", "explain", "cli"} <= rooms


def loaded_by(module):
    """Top-level modules that are loaded after the import of this one alone."""
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOUSE.parent
    )
    return set(run.stdout.split())


@pytest.mark.parametrize("module", ["tcpemu.stack", "tcpemu.wire", "tcpemu.generations"])
def test_the_core_loads_nothing_outside_the_standard_library(module):
    bare = loaded_by("json")
    foreign = loaded_by(module) - bare - sys.stdlib_module_names - {"tcpemu"}
    assert not foreign
    assert "scapy" not in loaded_by(module)


def test_only_the_bridge_imports_scapy():
    users = {
        name_of(path) for path in MODULES if any(one.partition(".")[0] == "scapy" for one in imported(path))
    }
    assert users == {"tcpemu/wire/bridge.py"}


IMPURE = {
    "time",
    "datetime",
    "socket",
    "os.path",
    "pathlib",
    "threading",
    "asyncio",
    "select",
    "subprocess",
    "uuid",
}


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path) == "stack"], ids=name_of)
def test_the_stack_has_no_clock_no_file_and_no_network(path):
    used = set(imported(path))
    assert not {name.partition(".")[0] for name in used} & IMPURE
    # Chance comes from a seeded source only, never from the module's own.
    assert {name for name in used if name.partition(".")[0] == "random"} <= {"random.Random"}
    calls = {node.func.id for node in ast.walk(ast.parse(path.read_text())) if _is_call_of_a_name(node)}
    assert not calls & {"open", "print", "input", "exec", "eval"}


def _is_call_of_a_name(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


@pytest.mark.parametrize(
    "path", [path for path in MODULES if room_of(path) in ("stack", "network")], ids=name_of
)
def test_the_code_asks_the_generation_and_never_its_name(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            assert not any("generation.name" in ast.unparse(side) for side in sides), name_of(path)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_file_is_large(path):
    assert len(path.read_text().splitlines()) < LARGEST_FILE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_long(path):
    assert [name for name, lines in functions(path) if lines > LONGEST_FUNCTION] == []


def test_functions_are_small():
    assert median(lines for path in MODULES for _, lines in functions(path)) < USUAL_FUNCTION
