"""The shape of the house: which room may know which, what the core may import, how large things may get.

Names and maps too: that a file is called like no other, and that each room's map names all that is in it.
"""

import ast
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from statistics import median

import pytest

HOUSE = Path(__file__).parents[1] / "tcpemu"
FLOORS = (
    ("cli",),
    ("notebook", "playground"),
    ("lab",),
    ("testing", "diagnose", "sweep"),
    ("explain",),
    ("scenario", "drill"),
    ("kernel",),
    ("programs",),
    ("network",),
    ("generations",),
    ("stack",),
    ("wire",),
    ("version",),
)
"""From the top down. A room may use the rooms on the floors below its own."""
FLOORS_WITHIN = {
    "stack": (
        ("sockets",),
        ("listening",),
        ("connection",),
        ("recovery",),
        ("control",),
        ("records",),
        ("base",),
    ),
    "stack/connection": (("arriving",), ("lifetime",), ("sending",), ("measures",)),
    "programs": (("event_loop",), ("launching",), ("calls",), ("files",), ("waiting",)),
    "drill": (("running", "on_kernel", "writing"), ("playing",), ("setup",), ("language",)),
    "diagnose": (("telling",), ("reproducing",), ("claims",), ("replay",), ("flows",), ("reading",)),
    "lab": (("making", "marking"), ("pages",), ("drawing",), ("trying",), ("asking",), ("format",)),
    "scenario": (("claims",), ("running",), ("format", "traces")),
}
"""Rooms whose sub-rooms stand on floors of their own, from the top down; a module beside them is above them all."""
HEIGHT = {room: -height for height, floor in enumerate(FLOORS) for room in floor}
DOOR = "__init__"
"""The package itself, which opens the rooms to a user of the library; inside, only its version is of use."""
MODULES = sorted(HOUSE.rglob("*.py"))
PACKAGES = sorted(path.parent for path in MODULES if path.stem == "__init__")
LARGEST_FILE = 700
MOST_MODULES = 16
"""In one folder: what is more cannot be taken in at a glance, and belongs into sub-rooms."""
LONGEST_FUNCTION = 60
USUAL_FUNCTION = 10


def name_of(path):
    return str(path.relative_to(HOUSE.parent))


def room_of(path):
    """The room that a module is in; the package's own modules are the door."""
    parts = path.relative_to(HOUSE).parts
    return parts[0] if len(parts) > 1 else DOOR


def imported(path, tree=None):
    """Every module that this one imports, wherever in it, in full; a name out of a package counts as a module of it.

    Of a part of the file only, where its tree is given.
    """
    for node in ast.walk(tree or ast.parse(path.read_text())):
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
        if package == "tcpemu" and room and room != "version" and not room.startswith("__"):
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


# Files: no circles, and floors within a room.


def files_imported(tree, path):
    """The files of this house that the imports in the tree lead to; a name out of a module is that module."""
    for module in imported(path, tree):
        place = HOUSE.parent.joinpath(*module.split("."))
        above = place.parent
        ways = (
            place.with_suffix(".py"),
            place / "__init__.py",
            above.with_suffix(".py"),
            above / "__init__.py",
        )
        yield from [way for way in ways if way in FILES][:1]


FILES = frozenset(MODULES)
ARROWS_FROM = {
    path: frozenset(files_imported(ast.parse(path.read_text()), path)) - {path} for path in MODULES
}
"""Each file, and those it imports, for types included."""


def reached_from(path):
    """All files that this one leads to, by any way."""
    reached, ahead = set(), [path]
    while ahead:
        new = ARROWS_FROM[ahead.pop()] - reached
        reached |= new
        ahead += new
    return frozenset(reached)


REACHED_FROM = {path: reached_from(path) for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_file_is_in_a_circle(path):
    circle = [name_of(other) for other in REACHED_FROM[path] if path in REACHED_FROM[other]]
    assert circle == [], f"{name_of(path)} and these import each other: {circle}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_import_for_types_closes_a_circle(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            back = [name_of(file) for file in files_imported(node, path) if path in REACHED_FROM[file]]
            assert back == [], f"{name_of(path)} imports for its types what imports it: {back}"


def test_sub_rooms_use_only_what_is_below_them():
    """Where these folders are there. What stands beside them, such as `host.py`, none of them may use."""
    for room, floors in FLOORS_WITHIN.items():
        height = {sub: -number for number, floor in enumerate(floors) for sub in floor}
        for path in (HOUSE / room).glob("*/**/*.py"):
            own = path.relative_to(HOUSE / room).parts[0]
            assert own in height, f"{room}/{own} is on no floor; FLOORS_WITHIN lists them"
            for other in ARROWS_FROM[path]:
                if other.is_relative_to(HOUSE / room):
                    used = other.relative_to(HOUSE / room).parts[0]
                    assert used == own or height.get(used, 1) < height[own], (
                        f"{name_of(path)} uses {name_of(other)}"
                    )


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if room_of(path) == "stack"],
    ids=name_of,
)
def test_what_a_record_has_is_declared_and_not_looked_up(path):
    defined = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert not [node.name for node in defined if node.name in ("__getattr__", "__getattribute__")]


# Names and maps.


def alike(one, other):
    """Whether a letter or a plural is all that tells two names apart."""
    if len(one) > len(other):
        one, other = other, one
    if other in (one, f"{one}s", f"{one}es", f"{one.removesuffix('y')}ies"):
        return True
    if len(other) - len(one) > 1:
        return False
    same = next((at for at, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1), len(one))
    return one[same + (len(one) == len(other)) :] == other[same + 1 :]


@pytest.mark.parametrize(
    ("one", "other", "are"),
    [
        ("ack", "ack", True),
        ("ack", "acks", True),
        ("rack", "ack", True),
        ("compare", "compared", True),
        ("reply", "replies", True),
        ("text", "test", True),
        ("pcap", "pcapng", False),
        ("resend", "retransmit", False),
    ],
)
def test_names_are_alike(one, other, are):
    assert alike(one, other) is alike(other, one) is are


def test_no_two_files_have_names_that_are_alike():
    files = [path for path in MODULES if path.stem not in ("__init__", "__main__")]
    found = [
        f"{name_of(one)} and {name_of(other)}"
        for one, other in combinations(files, 2)
        if alike(one.stem, other.stem)
    ]
    assert found == []


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_the_map_of_a_room_names_all_that_is_in_it_and_nothing_else(package):
    told = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert set(re.findall(r"(?<![\w/.])(\w+)\.py\b", told)) == modules
    folders = set(re.findall(r"(?<![\w/.])(\w+)/(?![\w/])", told))
    assert {folder.name for folder in PACKAGES if folder.parent == package} <= folders
    assert {name for name in folders if not (package / name).is_dir()} == set()


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_folder_can_be_taken_in_at_a_glance(package):
    assert len(list(package.glob("*.py"))) - 1 <= MOST_MODULES


def test_the_tests_are_in_rooms_of_the_same_names():
    tests = HOUSE.parent / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")} - {Path()}
    assert {str(folder) for folder in folders if not (HOUSE / folder).is_dir()} == {"tools"}


# What is loaded, and what is asked.


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


@pytest.mark.parametrize("module", ["tcpemu", "tcpemu.network", "tcpemu.wire.bridge"])
def test_hosts_networks_and_packets_do_without_pydantic(module):
    """PyPy has none."""
    assert not {"pydantic", "pydantic_core"} & loaded_by(module)


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
