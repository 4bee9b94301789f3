"""Builds the compiled core into a wheel, where it is asked for: `TCPEMU_COMPILE=1 pip install .`

Hatchling calls this for every wheel. Without the variable nothing is built and no compiler is needed; an
editable install stays plain with it too, since its source may change.What is compiled is a copy of the rooms
of the core, and of what is done for each packet that is told, that `compile_source.py` prepares; the `.py` files go
into the wheel beside the extension modules, for tracebacks and for whoever forces plain Python.
"""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NEEDS = ["mypy[mypyc]==2.4.1", "setuptools>=75"]
GROUP = "tcpemu"
CODEC = "tcpemu/wire/_codec.c"


def wanted() -> bool:
    return os.environ.get("TCPEMU_COMPILE", "") not in ("", "0")


class CompileHook(BuildHookInterface):  # type: ignore[misc]
    """Adds the extension modules to the wheel."""

    def dependencies(self) -> list[str]:
        return NEEDS if wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable" or not wanted():
            return
        self._place = tempfile.TemporaryDirectory(prefix="tcpemu-compile-")
        built = build(Path(self.root), Path(self._place.name))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"] |= {str(path): name for path, name in built}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if hasattr(self, "_place"):
            self._place.cleanup()


def build(root: Path, place: Path) -> list[tuple[Path, str]]:
    """Compile the core of the tree at `root` in `place`; each extension module, and where it goes in a wheel."""
    from mypyc.build import mypycify
    from setuptools import Distribution, Extension

    sys.path.insert(0, str(root / "tools"))
    import compile_source

    files = [str(path.relative_to(place)) for path in compile_source.write(root, place)]
    before = Path.cwd()
    os.chdir(place)
    try:
        options = [
            "--follow-imports=silent",
            "--ignore-missing-imports",
            "--config-file=",
            "--no-warn-no-return",
        ]
        modules = mypycify(
            [*options, *files],
            opt_level=os.environ.get("TCPEMU_COMPILE_LEVEL", "1"),
            debug_level="0",
            multi_file=True,
            group_name=GROUP,
        )
        flags = [] if sys.platform == "win32" else ["-O2"]
        codec = Extension("tcpemu.wire._codec", [str(root / CODEC)], extra_compile_args=flags)
        distribution = Distribution({"name": GROUP, "packages": [], "ext_modules": [*modules, codec]})
        command = distribution.get_command_obj("build_ext")
        command.build_lib, command.build_temp = "lib", "temp"
        command.parallel = os.cpu_count()
        command.ensure_finalized()
        _in_parallel(command)
        command.run()
    finally:
        os.chdir(before)
        sys.path.remove(str(root / "tools"))
    library = place / "lib"
    suffixes = {".so", ".pyd"}
    return [
        (path, path.relative_to(library).as_posix())
        for path in sorted(library.rglob("*"))
        if path.suffix in suffixes
    ]


def _in_parallel(command: Any) -> None:
    """Let the compiler work on as many files at once as there are cores: one extension has more than a hundred."""
    run = command.build_extensions

    def build_extensions() -> None:
        one_by_one = command.compiler.compile

        def compile_all(sources: list[str], **options: Any) -> list[str]:
            largest_first = sorted(sources, key=os.path.getsize, reverse=True)
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                made = pool.map(lambda source: one_by_one([source], **options), largest_first)
                objects = dict(zip(largest_first, made, strict=True))
            return [name for source in sources for name in objects[source]]

        command.compiler.compile = compile_all
        run()

    command.build_extensions = build_extensions
