"""What `tcpemu advise` is asked for."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.long_work import for_long_work
from tcpemu.cli.pictures.plot_options import whole_number
from tcpemu.cli.user_mistakes import UsageError, clear_errors

ArrivalRate: TypeAlias = Annotated[
    str | None, typer.Option("--rate", metavar="N/s", help="Clients a second: 800/s.")
]
ArrivalPattern: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--arrivals",
        metavar="PATTERN|FILE",
        help="How they come: poisson (by chance, if not given), even, '40 at once' (and nobody else), 'bursts of 50', "
        "'outage of 5 s' (all who waited for its end at once), 'retries of 50 every 3 s' (together, beside the "
        "others), or a file with a time to a line.",
    ),
]
ArrivalsOfCapture: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--capture", metavar="FILE", help="As connections were opened in a capture: each first SYN."
    ),
]
Pace: TypeAlias = Annotated[
    str,
    typer.Option(
        "--accept",
        metavar="PACE",
        help="How long the server is busy with each: 1000/s, '2 ms', 'exponential 2 ms', or '2 ms, 1 % 50 ms' "
        "where some take longer.",
    ),
]
Pauses: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pause",
        metavar="TIME",
        help="The server does not accept for a while: '200 ms every 2 s' (garbage collection), '1 s' once at "
        "the beginning (a reload). May be repeated.",
    ),
]
RoundTrip: TypeAlias = Annotated[
    str, typer.Option("--rtt", metavar="TIME", help="From the server to a client and back: 40ms.")
]
Patience: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--patience",
        metavar="TIME",
        help="How long a client waits for the connection, and then for the answer: 3s. As long as TCP tries "
        "if not given.",
    ),
]
Targets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        metavar="TARGET",
        help="What is wanted: 'p99 answer < 1 s' (if not given), 'p99 connect < 1 s', 'failed < 0.1 %', or any "
        "measure of tcpemu sweep --measures beside a number. May be repeated: all of them.",
    ),
]
Somaxconn: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N", parser=whole_number, help="net.core.somaxconn of the server, which caps the backlog."
    ),
]
NoCookies: TypeAlias = Annotated[
    bool, typer.Option("--no-cookies", help="net.ipv4.tcp_syncookies = 0 on the server.")
]
ServerKernel: TypeAlias = Annotated[
    str | None, typer.Option(metavar="KERNEL", help="The kernel of the server (see tcpemu list --kernels).")
]
ClientsOfARun: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", parser=whole_number, help="Clients in each run; 400 if not given.")
]
SeedsOfEach: TypeAlias = Annotated[
    int, typer.Option(metavar="N", parser=whole_number, help="Runs of each backlog, each with another seed.")
]
Workers: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="N", parser=whole_number, help="Processes; as many as processors if not given."),
]
QuestionFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the question as a scenario, to look at its runs: x.toml.",
    ),
]
PictureOfAdvice: TypeAlias = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw what was measured: a .svg, .png or .pdf file."),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the answer as JSON, for programs.")]


@clear_errors
@for_long_work
def advise(
    rate: ArrivalRate = None,
    arrivals: ArrivalPattern = None,
    capture: ArrivalsOfCapture = None,
    accept: Pace = "1000/s",
    pause: Pauses = None,
    rtt: RoundTrip = "40ms",
    patience: Patience = None,
    target: Targets = None,
    somaxconn: Somaxconn = None,
    no_cookies: NoCookies = False,
    generation: ServerKernel = None,
    clients: ClientsOfARun = None,
    seeds: SeedsOfEach = 10,
    jobs: Workers = None,
    output: QuestionFile = None,
    picture: PictureOfAdvice = None,
    json: AsJson = False,
) -> None:
    """Find the smallest backlog that meets a target, by many runs; and say what matters beside it."""
    from tcpemu.cli.sweeping import advise_command
    from tcpemu.sweep.advice import advice_target, asked

    advise_command.check_files(output, picture)
    if capture is not None and arrivals is not None:
        raise UsageError("--capture has the arrivals in it; leave out --arrivals")
    times = arrivals if capture is None else advise_command.starts_in(capture)
    question = asked.question(
        asked.coming(rate, times, clients, str(capture)),
        accept=accept,
        rtt=rtt,
        patience=patience,
        target=target or advice_target.USUAL_TARGET,
        pause=pause or [],
        somaxconn=somaxconn,
        generation=generation,
        cookies=not no_cookies,
        seeds=seeds,
    )
    advice = advise_command.advice_for(question, jobs)
    advise_command.show_advice(advice, output, picture, as_json=json)
