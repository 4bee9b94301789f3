"""The options of `tcpemu diagnose`."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.user_mistakes import clear_errors

CaptureFile: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="CAPTURE", help="A pcap or pcapng file, as it is or packed with gzip or zstd."),
]
WholeTable: TypeAlias = Annotated[
    bool, typer.Option("--all", help="Show every connection of a large capture.")
]
AsJson: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print all that is found as one JSON document, for programs. Its keys: "
        "python -m pydoc tcpemu.diagnose.telling.survey_json",
    ),
]


@clear_errors
def diagnose(capture: CaptureFile, whole: WholeTable = False, json: AsJson = False) -> None:
    """Read a capture of real systems: what it lacks, its connections and what became of each."""
    from tcpemu.cli.captures.diagnose_command import show_diagnosis

    show_diagnosis(capture, whole=whole, json=json)
