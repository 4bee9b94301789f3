"""The options of `tcpemu diagnose` and `tcpemu answer`."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.long_work import for_long_work
from tcpemu.cli.user_mistakes import clear_errors

CaptureFile: TypeAlias = Annotated[
    Path,
    typer.Argument(metavar="CAPTURE", help="A pcap or pcapng file, as it is or packed with gzip or zstd."),
]
WholeTable: TypeAlias = Annotated[bool, typer.Option("--all", help="Show all of it, however much that is.")]
AsJson: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print all that is found as one JSON document, for programs. Its keys: "
        "python -m pydoc tcpemu.diagnose.telling.survey_json",
    ),
]


Server: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="IP:PORT",
        help="The server that is asked about; [2001:db8::1]:80 of IPv6. If not given, the one that was asked most.",
    ),
]
TakenAt: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="server|client|middle",
        help="Where the capture was taken. If not given, it is guessed, and nothing is certain.",
    ),
]
OnlyKernel: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation",
        metavar="KERNEL",
        help="The kernel of the server, if it is known (see tcpemu list --kernels). If not given, all of Linux are "
        "tried.",
    ),
]
Nstat: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What 'nstat -az' printed on the server.")
]
Ss: TypeAlias = Annotated[Path | None, typer.Option(metavar="FILE", help="What 'ss -ltn' printed there.")]
SysctlFile: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What 'sysctl -a' printed there.")
]

DiagnosisFiles: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write what is found; may be repeated. x.pcapng: the capture, with what is claimed of its frames as "
        "comments; x.html: a page with the capture and the best explanation side by side. What reproduces the best "
        "explanation, each tried before it is written: x.toml: a scenario for tcpemu run; x.json: a step trace for "
        "tcpemu trace; x.pkt: a packetdrill script.",
    ),
]


@clear_errors
@for_long_work
def diagnose(
    capture: CaptureFile,
    server: Server = None,
    at: TakenAt = None,
    generation: OnlyKernel = None,
    nstat: Nstat = None,
    ss: Ss = None,
    sysctl: SysctlFile = None,
    outputs: DiagnosisFiles = None,
    whole: WholeTable = False,
    json: AsJson = False,
) -> None:
    """Read a capture of real systems: what it lacks, its connections, what happened at a server and why."""
    from tcpemu.cli.captures.diagnose_command import Question, show_diagnosis

    question = Question(server, at, generation, nstat, ss, sysctl)
    raise typer.Exit(show_diagnosis(capture, question, outputs or [], whole=whole, json=json))


OwnHost: TypeAlias = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="The host in whose place an emulated one answers.")
]
AnsweringKernel: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation", metavar="KERNEL", help="The kernel that answers (see tcpemu list --kernels)."
    ),
]
ItsSysctls: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SYSCTL=VALUE", help="Change a sysctl of it. May be repeated."),
]
BesideFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write both into a .pcapng file: what was captured, and on another interface what Linux would have sent.",
    ),
]


@clear_errors
@for_long_work
def answer(
    capture: CaptureFile,
    host: OwnHost,
    generation: AnsweringKernel = None,
    settings: ItsSysctls = None,
    output: BesideFile = None,
    whole: WholeTable = False,
) -> None:
    """What Linux would have answered to one side of a capture, beside what was answered."""
    from tcpemu.cli.captures.answer_command import show_answers

    show_answers(capture, host, generation, settings or [], output, whole=whole)
