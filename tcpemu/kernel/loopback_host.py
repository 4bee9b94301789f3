"""Runs one program as on a host of its own on the loopback: `python -m tcpemu.kernel.loopback_host PROGRAM ...`.

Names of hosts are looked up in the environment; a socket is bound to its host's address where the program names
none, and comes from there when it connects.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
from pathlib import Path
from typing import Any

from tcpemu.kernel.loopback_run import HOSTS_VARIABLE

_NO_PORT = getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24)


def settle(own: str, names: dict[str, str]) -> None:
    """From now on this process is the host `own`."""
    address = names[own]
    look_up, bind, connect, connect_ex = (
        socket.getaddrinfo,
        socket.socket.bind,
        socket.socket.connect,
        socket.socket.connect_ex,
    )

    def found(name: Any) -> Any:
        text = name.decode() if isinstance(name, bytes) else name
        return names.get(text, address if text in ("localhost", "127.0.0.1") else name)

    def bind_here(self: socket.socket, pair: Any) -> None:
        if self.family == socket.AF_INET:
            pair = (address if pair[0] in ("", "0.0.0.0") else found(pair[0]), pair[1])
        bind(self, pair)

    def from_here(self: socket.socket, pair: Any) -> Any:
        if self.family != socket.AF_INET:
            return pair
        if self.getsockname()[0] == "0.0.0.0":
            self.setsockopt(socket.IPPROTO_IP, _NO_PORT, 1)
            bind(self, (address, self.getsockname()[1]))
        return found(pair[0]), pair[1]

    def look_up_here(host: Any, port: Any, family: int = 0, *more: Any, **named: Any) -> Any:
        return look_up(found(host), port, family or socket.AF_INET, *more, **named)

    changed: Any = socket.socket
    changed.bind = bind_here
    changed.connect = lambda self, pair: connect(self, from_here(self, pair))
    changed.connect_ex = lambda self, pair: connect_ex(self, from_here(self, pair))
    socket.getaddrinfo = look_up_here
    socket.gethostbyname = lambda name: look_up_here(name, 0)[0][4][0]
    socket.gethostname = lambda: own


def main() -> None:
    hosts = json.loads(os.environ[HOSTS_VARIABLE])
    settle(hosts["own"], hosts["names"])
    what, *arguments = sys.argv[1:]
    if what == "-m":
        module, *arguments = arguments
        sys.argv = [module, *arguments]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    sys.argv = [what, *arguments]
    sys.path[0] = str(Path(what).resolve().parent)
    runpy.run_path(what, run_name="__main__")


if __name__ == "__main__":
    main()
