"""What a booted kernel finds: this Python with the modules that are used, ip and ss, the kernel's modules, the traces.

An archive as the kernel unpacks it into memory before it starts (cpio, "newc"). Files lie where they lie here, so that
Python finds itself.
"""

import gzip
import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import tcpemu
from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError
from tcpemu.kernel.kernel_store import module_names
from tcpemu.wire.relative_numbers import Trace

PROGRAMS = ("ip", "ss")
TRACES, MODULES, SEED = "/traces.json", "/modules", "/seed"
"""Where the guest finds what it is to do."""
_URANDOM = (1, 9)
"""Its device, by two numbers."""
_LOADED = """
import sys
sys.path.insert(0, {root!r})
import tcpemu.kernel.guest_init, encodings.idna, encodings.latin_1, encodings.ascii
for module in list(sys.modules.values()):
    for file in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
        if file: print(file)
"""
_INIT = """#!{python} -SE
import sys
sys.path.insert(0, {root!r})
from tcpemu.kernel.guest_init import main
main()
"""


def archive(kernel: Path | None, traces: Mapping[str, Trace], seed: int) -> bytes:
    """The archive for a kernel of the store (None: one that has everything built in), packed.

    Raises KernelUnavailableError where a program is missing, KernelError where Python cannot be taken along.
    """
    root, python = str(Path(tcpemu.__file__).parent.parent), _python()
    files = {name: Path(name) for name in _loaded(python, root)}
    files[python] = Path(python)
    for program in PROGRAMS:
        found = shutil.which(program)
        if found is None:
            raise KernelUnavailableError(f"not in PATH: {program}; install iproute2")
        files[f"/bin/{program}"] = Path(found).resolve()
    for path in list(files.values()):
        if path.suffix not in (".py", ".pyc"):
            files |= {library: Path(library) for library in _libraries(path)}
    names = module_names(kernel) if kernel else []
    if kernel:
        files |= {f"{MODULES}/{name}.ko": kernel / f"{name}.ko" for name in names}
    texts = {
        f"{MODULES}/list": "\n".join(names),
        "/init": _INIT.format(python=python, root=root),
        SEED: str(seed),
        TRACES: json.dumps(traces),
    }
    octets: dict[str, tuple[bytes, int]] = {
        name: (path.read_bytes(), int(path.stat().st_mtime)) for name, path in files.items()
    }
    octets |= {name: (text.encode(), 0) for name, text in texts.items()}
    return gzip.compress(_cpio(octets), 1)


def _python() -> str:
    """The interpreter itself, where this one is that of a virtual environment."""
    asked = subprocess.run(
        [sys.executable, "-c", "import sys; print(getattr(sys, '_base_executable', sys.executable))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return os.path.realpath(asked.stdout.strip())


def _loaded(python: str, root: str) -> list[str]:
    """The files of all modules that the guest's program loads."""
    done = subprocess.run(
        [python, "-SEc", _LOADED.format(root=root)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise KernelError(f"{python} cannot load the guest's program: {done.stderr.strip()[-300:]}")
    return [name for name in done.stdout.splitlines() if Path(name).is_file()]


def _libraries(path: Path) -> Iterator[str]:
    """The shared libraries of a program, as ldd finds them."""
    told = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
    for line in told.splitlines():
        place = line.rpartition("=>")[2].split()
        if place and place[0].startswith("/"):
            yield place[0]


def _cpio(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """Each file with its octets and its time of change, its folders before it."""
    out = io.BytesIO()
    folders: dict[str, None] = {}
    for name in files:
        folders |= dict.fromkeys(str(above) for above in reversed(Path(name).parents) if above != Path("/"))
    folders |= dict.fromkeys(("/proc", "/sys", "/dev", "/tmp"))
    entries: list[tuple[str, int, bytes, int]] = [
        (name, stat.S_IFDIR | 0o755, b"", 0) for name in sorted(folders)
    ]
    entries += [(name, stat.S_IFREG | 0o755, *files[name]) for name in sorted(files)]
    # Before anything is mounted Python asks this, where getrandom() has nothing yet.
    entries += [("/dev/urandom", stat.S_IFCHR | 0o666, b"", 0), ("/TRAILER!!!", 0, b"", 0)]
    for number, (name, mode, octets, changed) in enumerate(entries, 1):
        label = name[1:].encode() + b"\0"
        device = _URANDOM if stat.S_ISCHR(mode) else (0, 0)
        fields = (number, mode, 0, 0, 1, changed, len(octets), 0, 0, *device, len(label), 0)
        _aligned(out, b"070701" + b"".join(b"%08X" % field for field in fields) + label)
        _aligned(out, octets)
    return out.getvalue()


def _aligned(out: io.BytesIO, octets: bytes) -> None:
    out.write(octets)
    out.write(b"\0" * (-out.tell() % 4))
