"""What the engineer brings besides the capture: `nstat`, `ss -ltn`, `sysctl` of the server, as they were printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.wire.capture_values import CaptureError

_SYSCTLS = {
    "net.ipv4.tcp_syncookies": "cookies",
    "net.ipv4.tcp_abort_on_overflow": "abort",
    "net.ipv4.tcp_synack_retries": "synack_retries",
    "net.ipv4.tcp_max_syn_backlog": "max_syn_backlog",
}
"""Those that decide something about a listener, each with its name in `Supposed`."""
_LARGEST_TEXT = 1 << 22


@dataclass(slots=True)
class Known:
    """Settings that are known, by their names in `Supposed`; and counters."""

    values: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    """Of nstat, without `TcpExt` in front."""

    def says_never(self, counter: str) -> bool:
        """Whether that counter is there and has not moved."""
        return self.counters.get(counter) == 0


def known_settings(nstat: Path | None, ss: Path | None, sysctl: Path | None, port: int) -> Known:
    """What these files say of the listener on that port. Raises CaptureError for one that says nothing of the kind."""
    known = Known()
    if nstat is not None:
        known.counters = _counters(nstat)
    if ss is not None:
        known.values["backlog"] = _backlog(ss, port)
    if sysctl is not None:
        known.values |= _sysctls(sysctl)
    return known


def _lines(path: Path) -> list[list[str]]:
    with path.open(errors="replace") as file:
        return [line.split() for line in file.read(_LARGEST_TEXT).splitlines()]


def _counters(path: Path) -> dict[str, int]:
    found = {
        words[0].removeprefix("TcpExt").removeprefix("Tcp"): int(words[1])
        for words in _lines(path)
        if len(words) >= 2 and words[1].isdecimal() and words[0].startswith("Tcp")
    }
    if not found:
        raise CaptureError(f"{path}: no line of it is a counter of TCP; bring what 'nstat -az' prints")
    return found


def _backlog(path: Path, port: int) -> int:
    """Send-Q of a listener is the limit of its accept queue."""
    for words in _lines(path):
        if len(words) >= 4 and words[0] == "LISTEN" and words[2].isdecimal():
            own = next((word for word in words[3:] if ":" in word), "")
            if own.rpartition(":")[2] == str(port):
                return int(words[2])
    raise CaptureError(
        f"{path}: it lists no listener on port {port}; bring what 'ss -ltn' prints on the server"
    )


def _sysctls(path: Path) -> dict[str, int]:
    found = {}
    for words in _lines(path):
        name, _, value = " ".join(words).partition("=")
        key = _SYSCTLS.get(name.strip().replace("/", "."))
        if key and value.strip().isdecimal():
            found[key] = int(value)
    if not found:
        raise CaptureError(f"{path}: it says nothing of {', '.join(_SYSCTLS)}; bring what 'sysctl -a' prints")
    return found
