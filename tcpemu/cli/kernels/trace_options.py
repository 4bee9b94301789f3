"""What commands that answer step traces are asked."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Sources: TypeAlias = Annotated[
    list[Path],
    typer.Argument(metavar="FILE_OR_DIR...", help="Step traces (JSON), or directories of them."),
]
Answers: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A file for one trace, a directory for several; it is made if it is not there.",
    ),
]
Check: TypeAlias = Annotated[
    bool,
    typer.Option("--check", help="Compare with the log in each file; exit status 1 if any differs."),
]


RealKernelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--kernel",
        metavar="RELEASE",
        help="Ask a real kernel in place of the emulator: 'this' machine's, or one that is booted, such as 6.12.117 "
        "(see tcpemu kernel list), or the path of an image.",
    ),
]
