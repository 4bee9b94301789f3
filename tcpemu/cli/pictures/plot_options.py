"""What `tcpemu plot` is asked for."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.wire.visible_text import visible


def whole_number(text: str) -> int:
    """What an option that counts takes."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{visible(text)!r} is not a whole number") from None


Drawing: TypeAlias = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FILE", help="The picture: a .svg, .png or .pdf file."),
]
KindOfPlot: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="queues: both queues of each listener, with limits, drops and retransmissions; sequence: the "
        "time-sequence graph of a connection, with SACKs and window; cwnd: congestion window, threshold, in flight and "
        "states of recovery; rtt: round-trip times and RTO; throughput: bits a second of each connection; compare: "
        "windows, data and round-trip times of several runs in one; rate: connections accepted a second in each run; "
        "ladder: the packets of a run, its data as trains, for a slide. Not given: compare with "
        "--vary; cwnd, or of short ones sequence, where few clients transfer data or --client is given; else queues.",
    ),
]
OneClient: TypeAlias = Annotated[
    str | None,
    typer.Option("--client", metavar="NAME", help="Whose connection: client, or client-2 of several."),
]
CurvesOf: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="KEY=VALUE,...",
        help="With --kind compare: a run for each value, as link.delay='10 ms','40 ms'. May be repeated.",
    ),
]
PictureTitle: TypeAlias = Annotated[
    str | None,
    typer.Option("--title", metavar="TEXT", help="What stands above it, in place of the scenario's own."),
]
PictureSize: TypeAlias = Annotated[
    str | None,
    typer.Option("--size", metavar="WxH", help="Width and height in inches, as 10x5.6 for a slide."),
]
Dots: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--dpi", metavar="N", parser=whole_number, help="Dots to the inch of a .png; 120 if not given."
    ),
]
PictureStyle: TypeAlias = Annotated[
    str,
    typer.Option(
        "--style", metavar="STYLE", help="light: in colours; print: in black and greys, with patterns."
    ),
]
