"""All that the calls of a script act on, on the kernel: its descriptors, and how a call is made."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tcpemu.drill.on_kernel.kernel_flows import KernelFlows
from tcpemu.drill.on_kernel.kernel_stage import KernelStage
from tcpemu.drill.playing.call_arguments import Arguments
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_flow import DrillFlow
from tcpemu.drill.setup.drill_flags import DrillFlags

_LIBC = ctypes.CDLL(None, use_errno=True)
_LONG = (
    *("read", "readv", "recv", "recvfrom", "recvmsg", "write", "writev", "send", "sendto", "sendmsg"),
    *("sendfile", "splice"),
)
for _name in _LONG:
    getattr(_LIBC, _name).restype = ctypes.c_ssize_t


@dataclass(slots=True, eq=False)
class KernelFile:
    """A descriptor of the script."""

    live: int
    """The kernel's."""
    flow: DrillFlow | None = None
    """Of a socket."""
    opens: bool = False
    """A connection of its own has been begun."""


@dataclass(slots=True, eq=False)
class PreparedCall:
    """A call with its memory, to be made in any thread."""

    function: Callable[..., int]
    arguments: tuple[Any, ...]
    then: Callable[[int], int] = int
    """Looks at what was written, once it has succeeded, and gives the result as the script has it."""
    connects: tuple[KernelFile, int] | None = None
    """The socket that it may connect, and the peer's port."""

    kept: Any = None
    """Memory that the arguments point into."""

    def make(self) -> tuple[int, int]:
        """Result and errno."""
        ctypes.set_errno(0)
        result = self.function(*self.arguments)
        return result, ctypes.get_errno()


Preparation: TypeAlias = Callable[["KernelWorld", Arguments], PreparedCall]


def libc(name: str) -> Callable[..., int]:
    """A function of the C library; a call lets other threads run."""
    found: Callable[..., int] = getattr(_LIBC, name)
    return found


@dataclass(slots=True, eq=False)
class KernelWorld:
    """The kernel's side of a script."""

    stage: KernelStage
    flags: DrillFlags
    flows: KernelFlows
    files: dict[int, KernelFile] = field(default_factory=dict)
    """By the script's descriptors."""
    shell_files: dict[str, bytes] = field(default_factory=dict)
    """Files that commands of the script have made."""

    def live(self, number: int) -> int:
        """The kernel's descriptor for one of the script; -1 for one that there is not."""
        found = self.files.get(number)
        return -1 if found is None else found.live

    def file(self, number: int) -> KernelFile:
        """What a descriptor of the script stands for; one that is closed where it stands for nothing."""
        return self.files.get(number) or KernelFile(-1)

    def opened(self, arguments: Arguments, live: int, flow: DrillFlow | None) -> int:
        """A new descriptor under the number that the script gives to it."""
        wanted = arguments.value(arguments.call.result)
        if wanted < 0:
            os.close(live)
            return 3
        if wanted in self.files and not arguments.call.name.startswith("accept"):
            raise DrillFailure(arguments.place, f"descriptor {wanted} is in use already")
        self.files[wanted] = KernelFile(live, flow)
        return wanted
