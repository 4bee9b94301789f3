"""The command line: thin commands over the other rooms. `tcpemu.cli:main` is the program."""

import sys


def main() -> None:
    """Run the program with the arguments of the process."""
    from tcpemu.cli.app import app
    from tcpemu.cli.errors import flush_quietly

    try:
        app()
    finally:
        flush_quietly(sys.stdout)
