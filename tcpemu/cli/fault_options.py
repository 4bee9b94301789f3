"""Options of `tcpemu exec` that say what goes wrong: faults by the part that a packet plays."""

from typing import Annotated, TypeAlias

import typer

_FAULTS = "Faults"
Lost: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--lose",
        metavar="ROLE:HOST",
        help="Lose a packet of what a host opens: third-ack:c3, 'syn*3:c3' for three, 'data 2:c3#2' of its second "
        "connection, 'data 1:c3 by server'. Roles: syn, syn-ack, third-ack, fin, rst, data N, ack N, "
        "retransmission N (N is 1 if left out). All faults may be repeated.",
        rich_help_panel=_FAULTS,
    ),
]
Delayed: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--delay",
        metavar="ROLE:HOST=TIME",
        help="Let it arrive later: 'data 2:c3=1 s'.",
        rich_help_panel=_FAULTS,
    ),
]
Doubled: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--duplicate", metavar="ROLE:HOST", help="Let it arrive twice.", rich_help_panel=_FAULTS),
]
Overtaken: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--reorder", metavar="ROLE:HOST", help="Let the next packet overtake it.", rich_help_panel=_FAULTS
    ),
]
Rejected: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--reject",
        metavar="ROLE:HOST=WORDS",
        help="Lose it, and let a router say by ICMP why: 'syn:c3=host unreachable'; also net unreachable, port "
        "unreachable, prohibited, time exceeded.",
        rich_help_panel=_FAULTS,
    ),
]
ResetAt: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--reset",
        metavar="HOST@TIME",
        help="Let a RST come to both ends of a host's connections: 'c3@2 s', 'c3#1@2 s' of its first one.",
        rich_help_panel=_FAULTS,
    ),
]
Cut: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--cut",
        metavar="HOST@TIME..TIME",
        help="Lose all packets of a host for a time, or from then on: 'c3@2 s..5 s', 'by c3@2 s' what it sends.",
        rich_help_panel=_FAULTS,
    ),
]
Crashed: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--crash",
        metavar="HOST@TIME..TIME",
        help="Stop a host without a word; with a second time it starts again, and with it its servers: "
        "'server@2 s..5 s'.",
        rich_help_panel=_FAULTS,
    ),
]
