"""`tcpemu` for the commands of a page, without the second that its imports take each time.

One process loads all of tcpemu's commands, and for each call forks a child, which does what the call says: in the
caller's folder and environment, with the caller's standard files, to the caller's exit status. A program `tcpemu` in a
folder for the path asks it for that, so pipes and redirections of the shell are what they are.
"""

import atexit
import contextlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from importlib import import_module
from pathlib import Path

ASKS = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    socket.send_fds(asked, [len(call).to_bytes(4, "big")], [0, 1, 2])
    asked.sendall(call)
    answer = asked.recv(4)
sys.exit(int.from_bytes(answer, "big") if answer else 1)
"""


@cache
def folder():
    """The folder with that program, for the path; the process behind it ends with this one."""
    place = tempfile.TemporaryDirectory(prefix="tcpemu-warm-")
    address, program = f"{place.name}/socket", Path(place.name, "tcpemu")
    program.write_text(ASKS.format(python=sys.executable, address=address))
    program.chmod(0o755)
    server = subprocess.Popen(
        [sys.executable, "-c", f"from tests.warm_tcpemu import serve; serve({address!r})"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    server.stdout.readline()

    def end():
        server.communicate()  # the end of its standard input ends it
        place.cleanup()

    atexit.register(end)
    return place.name


def serve(address):
    """Answer calls until standard input ends."""
    import tcpemu.cli

    for module in pkgutil.walk_packages(tcpemu.cli.__path__, "tcpemu.cli."):
        import_module(module.name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
        while listener in select.select([listener, 0], [], [])[0]:
            asked, _ = listener.accept()
            with asked:
                if not os.fork():
                    listener.close()
                    _child(asked)


def _child(asked):
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = _call(asked)
    finally:
        with contextlib.suppress(OSError):
            asked.sendall(status.to_bytes(4, "big"))
        os._exit(status)


def _call(asked):
    size, files, *_ = socket.recv_fds(asked, 4, 3)
    call = asked.makefile("rb").read(int.from_bytes(size, "big"))
    arguments, place, environment = json.loads(call)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["tcpemu", *arguments]
    try:
        import_module("tcpemu.cli").main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
    return 0
