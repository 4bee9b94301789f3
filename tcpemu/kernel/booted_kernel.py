"""Other kernels than this machine's: `run_booted("6.12", traces)` boots one and has it answer step traces.

qemu runs it by software, with a count of instructions for a clock: an instruction is a nanosecond, and while every
task of the guest sleeps the clock leaps to the next timer. So waiting costs nothing, a busy machine makes no answer
late, and neither KVM nor a network is needed. A boot takes a quarter of a minute, and a trace about half a second.

The guest has one processor and 6 GiB (which it touches little of), so that defaults that grow with memory are those of
a large machine. Its programs `ip` and `ss` are this machine's.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.kernel import guest_files
from tcpemu.kernel.guest_init import ANSWER, END, MISTAKE, READY, unpacked
from tcpemu.kernel.kernel_errors import KernelError, KernelUnavailableError
from tcpemu.kernel.kernel_store import newest, stored
from tcpemu.wire.relative_numbers import Trace

QEMU = "qemu-system-x86_64"
MEMORY = "6G"
FIRST_LIMIT, LIMIT_EACH = 300, 30
"""Seconds that a boot may take, and more for each trace."""
_COMMAND_LINE = (
    "console=ttyS0 quiet panic=-1 reboot=t tsc=reliable lpj=1000000 thash_entries=262144 random.trust_cpu=on"
    " rdinit=/init"
)


@dataclass(slots=True)
class Answers:
    """What came of the traces, by the names they were given."""

    kernel: str
    """The release that answered."""
    answered: dict[str, Trace] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    """Why there is no answer."""


@dataclass(frozen=True, slots=True)
class BootableKernel:
    """A kernel to boot."""

    release: str
    """Empty for an image of one's own, which says itself what it is."""
    image: Path
    folder: Path | None
    """Where its modules are; None for an image that has everything built in."""


def kernel_to_boot(kernel: str) -> BootableKernel:
    """The newest kernel of the store with that release or start of one, or the image at that path.

    Raises KernelUnavailableError, which says how to get it.
    """
    there = stored()
    release = newest(kernel, there)
    if release is not None:
        return BootableKernel(release, there[release] / "vmlinuz", there[release])
    if Path(kernel).is_file():
        return BootableKernel("", Path(kernel), None)
    known = f"; there are {', '.join(there)}" if there else ""
    raise KernelUnavailableError(
        f"kernel {kernel!r} is not in the store{known}; bring it by tcpemu kernel get {kernel}, or name an image of "
        "your own by its path"
    )


def whats_missing_to_boot() -> str | None:
    """Why no kernel can be booted here, and what would help; None if one can."""
    if shutil.which(QEMU) is None:
        return f"not in PATH: {QEMU}; install qemu-system-x86"
    if absent := [program for program in (*guest_files.PROGRAMS, "ldd") if shutil.which(program) is None]:
        return f"not in PATH: {', '.join(absent)}; install iproute2 and libc-bin"
    return None


def run_booted(
    kernel: str, traces: Mapping[str, Trace], *, seed: int = 1, limit: float | None = None
) -> Answers:
    """Boot that kernel and let it answer the traces, one after the other.

    `seed` draws each trace's phase of the kernel's clock; `limit` is how many seconds all of it may take. Raises
    KernelUnavailableError where no kernel can be booted, KernelError where this one does not come up.
    """
    if missing := whats_missing_to_boot():
        raise KernelUnavailableError(missing)
    chosen = kernel_to_boot(kernel)
    asked = {str(number): trace for number, trace in enumerate(traces.values())}
    names = dict(zip(asked, traces, strict=True))
    patience = FIRST_LIMIT + LIMIT_EACH * len(traces) if limit is None else limit
    with tempfile.TemporaryDirectory(prefix="tcpemu-boot-") as folder:
        files = Path(folder, "initrd")
        files.write_bytes(guest_files.archive(chosen.folder, asked, seed))
        ended = _boot(chosen.image, files, patience)
        answers = _told(Path(folder, "serial"), chosen.release, names)
        if not answers.kernel:
            console = Path(folder, "console")
            said = console.read_text(errors="replace")[-1500:] if console.exists() else ""
            raise KernelError(f"the kernel {chosen.image} did not come up. {ended}{said}".strip())
    for name in traces:
        if name not in answers.answered:
            answers.mistakes.setdefault(name, ended or "the guest did not get so far")
    return answers


def _boot(image: Path, files: Path, patience: float) -> str:
    """Run the guest until it ends, or is ended; what there is to say of that."""
    command = [
        *(QEMU, "-M", "q35,accel=tcg", "-cpu", "max", "-smp", "1", "-m", MEMORY),
        *("-icount", "shift=0,sleep=off", "-rtc", "clock=vm"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-serial", f"file:{files.with_name('console')}", "-serial", f"file:{files.with_name('serial')}"),
        *("-kernel", str(image), "-initrd", str(files), "-append", _COMMAND_LINE),
    ]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as qemu:
        try:
            said, _ = qemu.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            return f"it took more than {patience:g} s"
        finally:
            if qemu.poll() is None:
                qemu.kill()
    return said.strip()[-500:]


def _told(serial: Path, release: str, names: Mapping[str, str]) -> Answers:
    """What the guest said on its serial port."""
    answers, own = Answers(""), release
    for kind, text, number in _lines(serial):
        if kind == READY:
            answers.kernel = release or text
            own = text if release in ("", text) else f"{release} ({text})"
        elif kind == ANSWER:
            answers.answered[names[number]] = {**json.loads(unpacked(text)), "kernel": own}
        elif kind == MISTAKE:
            answers.mistakes[names[number]] = unpacked(text)
    return answers


def _lines(serial: Path) -> Iterator[tuple[str, str, str]]:
    text = serial.read_text(errors="replace") if serial.exists() else ""
    for line in text.split("\n")[:-1]:  # what has no end was cut short
        if match := re.fullmatch(rf"({READY}|{ANSWER}|{MISTAKE}) (\S+) ?(\d*)|{END}", line.strip()):
            yield match[1] or END, match[2] or "", match[3] or ""
