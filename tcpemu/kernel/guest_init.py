"""The first process of a booted kernel: loads modules, plays every trace, says the answers on the second serial port.

Each trace has a child with a network namespace of its own, so that none sees what another left behind. They run one
after the other: while all sleep, the guest's clock leaps to the next timer, so that waiting takes no time.
"""

import base64
import ctypes
import json
import os
import random
import signal
import sys
import time
import tty
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tcpemu.kernel.guest_files import MODULES, SEED, TRACES
from tcpemu.kernel.player import play
from tcpemu.kernel.tun_device import DEFAULTS
from tcpemu.wire.relative_numbers import Trace

READY, ANSWER, MISTAKE, END = "ready", "answer", "mistake", "end"
"""What a line on the serial port begins with."""
_SERIAL = "/dev/ttyS1"
_SYSCTLS = Path("/proc/sys")
_TICK = 0.02
"""Seconds from which a trace's phase of the kernel's clock is drawn."""
_AWAKE = 460
"""Seconds of uptime before the first trace. The kernel's ticks begin five minutes before they wrap, and then for two
minutes a listener that never saw a flood is taken for one that just did: it would try any ACK as a cookie."""
_GRACE = 60
_NEW_NETWORK = 0x40000000
_INIT_MODULE = 175
_RESTART = 0x1234567
_SPIN = 0.0003
"""A sleep ends on time here, so that little need be spent awake."""


def main() -> None:
    """Do all of it, and end the guest."""
    libc = ctypes.CDLL(None, use_errno=True)
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp")):
        libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None)
    os.environ["PATH"] = "/bin"
    _load_modules(libc)
    _allow_congestion_controls()
    port = os.open(_SERIAL, os.O_WRONLY | os.O_NOCTTY)
    tty.setraw(port)
    _say(port, READY, os.uname().release)
    machine_wide = _machine_wide(libc)
    draw = random.Random(Path(SEED).read_text(encoding="ascii"))
    time.sleep(_AWAKE)
    for name, trace in json.loads(Path(TRACES).read_text(encoding="utf-8")).items():
        time.sleep(_TICK * draw.random())
        with _for_all_namespaces(trace, machine_wide) as set_before:
            answer = _answer_of(libc, trace, set_before)
        _say(port, *answer, name)
    _say(port, END)
    os.sync()
    time.sleep(0.2)
    libc.reboot(_RESTART)


def _load_modules(libc: Any) -> None:
    for name in Path(MODULES, "list").read_text(encoding="ascii").split():
        octets = Path(MODULES, f"{name}.ko").read_bytes()
        if libc.syscall(_INIT_MODULE, octets, len(octets), b""):
            print(f"module {name}: {os.strerror(ctypes.get_errno())}", file=sys.stderr)


def _allow_congestion_controls() -> None:
    """A namespace may use those alone that the machine allows."""
    place = Path("/proc/sys/net/ipv4")
    known = (place / "tcp_available_congestion_control").read_text(encoding="ascii")
    (place / "tcp_allowed_congestion_control").write_text(known, encoding="ascii")


def _machine_wide(libc: Any) -> frozenset[str]:
    """The sysctls that are the machine's here and not a namespace's, as most of TCP's were before Linux 4.15."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        libc.unshare(_NEW_NETWORK)
        with os.fdopen(writing, "w") as out:
            out.write(" ".join(_sysctls()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as source:
        own = source.read().split()
    os.waitpid(child, 0)
    return frozenset(_sysctls()).difference(own)


def _sysctls() -> list[str]:
    folders = [_SYSCTLS / "net/ipv4", _SYSCTLS / "net/core"]
    return [".".join(path.relative_to(_SYSCTLS).parts) for folder in folders for path in folder.iterdir()]


@contextmanager
def _for_all_namespaces(trace: Trace, machine_wide: frozenset[str]) -> Iterator[list[str]]:
    """Set what the trace wants of these, for as long as it is played; which they are."""
    wanted = {**DEFAULTS, **trace.get("sysctl", {})}
    places = {name: Path(_SYSCTLS, *name.split(".")) for name in wanted if name in machine_wide}
    before = {name: place.read_text(encoding="ascii") for name, place in places.items()}
    refused = []
    for name, place in places.items():
        try:
            place.write_text(f"{wanted[name]}\n", encoding="ascii")
        except OSError:
            refused.append(name)  # its own attempt says so
    yield [name for name in places if name not in refused]
    for name, place in places.items():
        place.write_text(before[name], encoding="ascii")


def _answer_of(libc: Any, trace: Trace, set_before: Collection[str]) -> tuple[str, str]:
    """The child's answer: what it begins with, and its text, packed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            out.write(" ".join(_played(libc, trace, set_before)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as source:
        kind, _, text = source.read().partition(" ")
    os.waitpid(child, 0)
    return (kind, text) if kind else (MISTAKE, _packed("no answer within its time"))


def _played(libc: Any, trace: Trace, set_before: Collection[str]) -> tuple[str, str]:
    if libc.unshare(_NEW_NETWORK):
        return MISTAKE, _packed(f"no network namespace: {os.strerror(ctypes.get_errno())}")
    try:
        signal.alarm(int(trace["until"]) + _GRACE)
        answer = play(trace, spin=_SPIN, slack=0, set_before=set_before)
        return ANSWER, _packed(json.dumps(answer, separators=(",", ":")))
    except Exception as error:  # whatever it is, the other traces go on
        return MISTAKE, _packed(str(error) or repr(error))


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), 1)).decode()


def unpacked(text: str) -> str:
    """What `text` on the serial port stands for. Raises ValueError for what was cut short."""
    try:
        return zlib.decompress(base64.b64decode(text)).decode()
    except zlib.error as error:
        raise ValueError(str(error)) from None


def _say(port: int, *words: str) -> None:
    line = " ".join(words).encode() + b"\n"
    while line:
        line = line[os.write(port, line) :]
