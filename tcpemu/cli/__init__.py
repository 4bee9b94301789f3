"""The command line: thin commands over the other rooms. `tcpemu.cli:main` is the program."""

import os
import sys


def main() -> None:
    """Run the program with the arguments of the process."""
    if sys.stdout is None:  # closed by who started it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    from tcpemu.cli.app import app
    from tcpemu.cli.user_mistakes import flush_quietly

    try:
        app()
    finally:
        flush_quietly(sys.stdout)
