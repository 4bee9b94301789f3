"""Kernels that were brought: a folder for each, with its image, its configuration and the modules that are loaded.

The store is $TCPEMU_KERNELS, or tcpemu-kernels in the user's cache. A kernel is whole once it has `modules.list`, which
names its modules in the order in which they are loaded.
"""

import gzip
import lzma
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tcpemu.kernel.kernel_errors import KernelError
from tcpemu.wire.atomic_write import kept_folder

MODULES = ("tun", "inet_diag", "tcp_diag", "tcp_bbr", "tcp_dctcp", "tcp_vegas", "sch_fq")
"""What a kernel is given besides what is built in, and what these need."""
_LIST = "modules.list"
_MODULE = re.compile(r"(.+)\.ko(\.xz|\.gz|\.zst)?")


def store() -> Path:
    """The folder of the kernels, made if it is not there."""
    return kept_folder("TCPEMU_KERNELS", "tcpemu-kernels")


def place_of(release: str) -> Path:
    """The folder of that kernel, whether it is there or not."""
    return store() / release


def stored() -> dict[str, Path]:
    """The kernels that are there, by release, oldest first."""
    there = {path.parent.name: path.parent for path in store().glob(f"*/{_LIST}")}
    numbered = [release for release in there if re.fullmatch(r"[\d.]+", release)]
    return {release: there[release] for release in sorted(numbered, key=in_order)}


def in_order(release: str) -> tuple[int, ...]:
    """What releases are sorted by: 6.9 comes before 6.12."""
    return tuple(int(number) for number in release.split(".") if number)


def newest(kernel: str, releases: Iterable[str]) -> str | None:
    """The newest of these releases that is `kernel`, or begins with it; `linux-` before it means nothing."""
    name = kernel.removeprefix("linux-")
    fitting = [release for release in releases if release == name or release.startswith(f"{name}.")]
    return max(fitting, key=in_order, default=None)


def ticks_a_second(release: str) -> int | None:
    """HZ, where the kernel's configuration is there."""
    try:
        text = (place_of(release) / "config").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^CONFIG_HZ=(\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else None


def module_names(folder: Path) -> list[str]:
    """The modules of a kernel in the order in which they are loaded."""
    return (folder / _LIST).read_text(encoding="ascii").split()


def put_away(release: str, unpacked: Path) -> None:
    """Keep of a kernel's unpacked packages what is wanted. Raises KernelError for what is no kernel."""
    new = store() / f".{release}.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    found: dict[str, Path] = {}
    for path in sorted(unpacked.rglob("*")):
        if not path.is_file():
            continue
        if module := _MODULE.fullmatch(path.name):
            found[module[1].replace("-", "_")] = path
        elif kept := re.match(r"(vmlinuz|config)(-|$)", path.name):
            shutil.copy(path, new / kept[1])
    if not (new / "vmlinuz").exists():
        raise KernelError(f"there is no kernel image in the packages of {release}")
    order: list[str] = []
    for name in MODULES:
        _want(name, found, order, new)
    (new / _LIST).write_text("".join(f"{name}\n" for name in order), encoding="ascii")
    new.rename(place_of(release))


def _want(name: str, found: dict[str, Path], order: list[str], into: Path) -> None:
    """Keep a module, what it needs before it. One that is not there is built in, or this kernel has none such."""
    if name not in found or name in order:
        return
    octets = _unpacked(found[name])
    for needed in needs_of(octets):
        _want(needed, found, order, into)
    order.append(name)
    (into / f"{name}.ko").write_bytes(octets)


def needs_of(module: bytes) -> list[str]:
    """The modules that a module's own description says it needs."""
    found = re.search(rb"\0depends=([^\0]*)\0", module)
    return [name for name in found[1].decode().replace("-", "_").split(",") if name] if found else []


def _unpacked(path: Path) -> bytes:
    octets = path.read_bytes()
    if path.suffix == ".xz":
        return lzma.decompress(octets)
    if path.suffix == ".gz":
        return gzip.decompress(octets)
    if path.suffix == ".zst":
        if shutil.which("zstd") is None:
            raise KernelError(f"{path.name} is packed by zstd, which is not in PATH: install zstd")
        return subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout
    return octets
