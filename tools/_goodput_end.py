"""One end of transfers on the real kernel: in a network namespace of its own, behind a TUN device that it gives away.

Started by `_goodput_kernel.py` as `unshare --net python _goodput_end.py`, with what it is to do as JSON on its standard
input. What came of each transfer goes to its standard output, one line of JSON for each.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from _goodput_ours import CLIENT, PORT, SERVER, content

from tcpemu.kernel.tun_device import DEVICE, MTU, QUEUE_LENGTH, open_device

FIRST_PORT = 10_000
"""The client's port in the first transfer; the next ones follow."""
TCP_CONGESTION = 13
_said = threading.Lock()


def main() -> None:
    task = json.load(sys.stdin)
    device = _open_network(SERVER if task["serves"] else CLIENT, task["sysctls"])
    with socket.socket(fileno=task["give_to"]) as relay:
        socket.send_fds(relay, [b"tun"], [device])
        ready = _listener(len(task["transfers"])) if task["serves"] else None
        relay.sendall(b"!")
        relay.recv(1)  # both ends are ready
    work = [
        threading.Thread(target=_end, args=(task, index, ready)) for index in range(len(task["transfers"]))
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


def _open_network(address: str, sysctls: dict[str, int]) -> int:
    device = open_device()
    for command in (
        "link set lo up",
        f"addr add {address}/24 dev {DEVICE}",
        f"link set {DEVICE} up mtu {MTU} txqueuelen {QUEUE_LENGTH}",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    for name, value in sysctls.items():
        Path("/proc/sys", *name.split(".")).write_text(f"{value}\n", encoding="ascii")
    return device


def _listener(backlog: int) -> socket.socket:
    listener = socket.socket()
    listener.bind((SERVER, PORT))
    listener.listen(backlog)
    return listener


def _end(task: dict[str, Any], index: int, listener: socket.socket | None) -> None:
    if listener is None:
        _send(index, task["transfers"][index], task["octets"])
    else:
        _receive(listener)


def _say(**what: Any) -> None:
    with _said:
        os.write(1, json.dumps(what).encode() + b"\n")


def _send(index: int, transfer: dict[str, Any], octets: int) -> None:
    data = content(transfer["seed"], octets)
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, transfer["control"].encode())
        connection.bind((CLIENT, FIRST_PORT + index))
        _say(index=index, began=time.monotonic(), digest=hashlib.sha256(data).hexdigest())
        connection.connect((SERVER, PORT))
        connection.sendall(data)


def _receive(listener: socket.socket) -> None:
    connection, (_, port) = listener.accept()
    digest, ended = hashlib.sha256(), 0.0
    with connection:
        while part := connection.recv(1 << 16):
            digest.update(part)
            ended = time.monotonic()
    _say(index=port - FIRST_PORT, ended=ended, digest=digest.hexdigest())


if __name__ == "__main__":
    main()
