"""The command line: thin commands over the other rooms. `tcpemu.cli:main` is the program.

Where things are:

    the program     app.py: every command with its options
    its commands    run_command.py · compare_command.py · claims_command.py · explain_command.py: explain and state ·
                    report_command.py · playground_command.py · list_command.py · exec_command.py, with
                    exec_request.py: what it is asked for, and fault_options.py: its options about faults
    captures        captures/: `tcpemu diagnose`, `tcpemu answer`
    pictures        pictures/: `tcpemu plot`
    scripts         playing/: step traces, packetdrill scripts
    many runs       sweeping/: `tcpemu sweep`
    labs            labs/: `tcpemu lab`
    many runs       sweeping/: `tcpemu sweep`, `tcpemu advise`
    real kernels    kernels/: `tcpemu kernel`, and `tcpemu trace --kernel`
    all of them     long_work.py: a limit of memory, no garbage collector · size_warning.py: what will not fit ·
                    printing.py: text for a terminal or a pipe, places for files · progress.py: how far a run has got ·
                    user_mistakes.py: a mistake becomes a message and exit status 2
"""

import os
import signal
import sys
from typing import NoReturn


def main() -> None:
    """Run the program with the arguments of the process."""
    if sys.stdout is None:  # closed by who started it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    from tcpemu.cli.app import app
    from tcpemu.cli.user_mistakes import flush_quietly

    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    finally:
        flush_quietly(sys.stdout)


def _end(number: int, _: object) -> NoReturn:
    """As the signal would end the process, but with half a file cleared away first."""
    sys.exit(128 + number)
