"""One end of transfers on the real kernel: in a network namespace of its own, behind a TUN device that it gives away.

Started by `_goodput_kernel.py` as `unshare --net python _goodput_end.py`, with what it is to do as JSON on its standard
input. What came of each transfer goes to its standard output, one line of JSON for each.
"""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
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
    octets = 0 if task["serves"] else task["octets"]
    contents = [content(each["seed"], octets) for each in task["transfers"]]
    device = _open_network(SERVER if task["serves"] else CLIENT, task["sysctls"])
    with socket.socket(fileno=task["give_to"]) as relay:
        socket.send_fds(relay, [b"tun"], [device])
        ready = _listener(len(task["transfers"])) if task["serves"] else None
        relay.sendall(b"!")
        relay.recv(1)  # both ends are ready
    controls = [each["control"] for each in task["transfers"]]
    with ahead_of_others():
        if ready is not None:
            work = [threading.Thread(target=_receive, args=(ready,)) for _ in controls]
        else:
            senders = enumerate(zip(controls, contents, strict=True))
            work = [threading.Thread(target=_send, args=(index, *what)) for index, what in senders]
            if task.get("sample"):
                threading.Thread(target=_sample, args=(task["sample"],), daemon=True).start()
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()


@contextlib.contextmanager
def ahead_of_others() -> Iterator[None]:
    """Let this process run as soon as there is something to do.

    A late relay is a longer round trip, and a program that writes late leaves the window empty.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


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


def _say(**what: Any) -> None:
    with _said:
        os.write(1, json.dumps(what).encode() + b"\n")


def _send(index: int, control: str, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, TCP_CONGESTION, control.encode())
        connection.bind((CLIENT, FIRST_PORT + index))
        _say(index=index, began=time.monotonic(), digest=digest)
        connection.connect((SERVER, PORT))
        connection.sendall(data)


def _sample(every: float) -> None:
    """Say how the connections stand, as `ss -ti` shows them, every so many seconds."""
    command = ["ss", "--tcp", "--info", "--numeric", "--no-header", "--oneline"]
    while True:
        before = time.monotonic()
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = time.monotonic()
        _say(sampled=(before + after) / 2, told=told)
        time.sleep(max(every - (after - before), 0))


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
