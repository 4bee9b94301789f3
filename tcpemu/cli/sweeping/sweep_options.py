"""What `tcpemu sweep` is asked for."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.long_work import for_long_work
from tcpemu.cli.pictures.plot_options import whole_number
from tcpemu.cli.user_mistakes import UsageError, clear_errors

ScenarioOfRuns: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[NAME|FILE]", help="A built-in scenario (see tcpemu list) or a .toml file."),
]
Varied: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="KEY=VALUES",
        help="Values of a setting: server.backlog=1,2,5,16, or a range with so many values: "
        "clients.NAME.start.rate=100..2000:10, link.delay='1 ms..100 ms:5 log' for even ratios. May be repeated: "
        "every combination runs.",
    ),
]
Seeds: TypeAlias = Annotated[
    int, typer.Option(metavar="N", parser=whole_number, help="So many seeds for each combination.")
]
Measured: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        metavar="NAME,...",
        help="What is measured of each run (see --measures), as connected,connect_time.p99,ListenOverflows.",
    ),
]
SetInAll: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting in all runs. May be repeated."),
]
TableFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write a row for each run: .csv, .json or .parquet. What is done stays in FILE.runs, and is not "
        "done again by the same command, or by one with more seeds or values.",
    ),
]
PictureOfAll: TypeAlias = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw it: a .svg, .png or .pdf file.")
]
KindOfPicture: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="What --plot draws: lines (measures over the first setting, with bands), heat (over two settings), "
        "distribution (of all seeds), time (samples of a queue). If not given, what fits.",
    ),
]
KernelOfAll: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="KERNEL", help="The kernel of the server (see tcpemu list --kernels)."),
]
OnlyRun: TypeAlias = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Of a scenario with several runs, this one, not the first."),
]
EndOfEach: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="End each run at this virtual time: '10 s'.")
]
Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N", parser=whole_number, help="Processes; as many as there are processors if not given."
    ),
]
Cluster: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--dask", metavar="ADDRESS", help="Let the workers of a scheduler of dask do it: tcp://HOST:8786."
    ),
]
ListMeasures: TypeAlias = Annotated[
    bool, typer.Option("--measures", help="List what can be measured, and end.")
]


@clear_errors
@for_long_work
def sweep(
    name: ScenarioOfRuns = None,
    vary: Varied = None,
    seeds: Seeds = 1,
    measured: Measured = None,
    settings: SetInAll = None,
    output: TableFile = None,
    picture: PictureOfAll = None,
    kind: KindOfPicture = None,
    generation: KernelOfAll = None,
    only: OnlyRun = None,
    until: EndOfEach = None,
    jobs: Jobs = None,
    cluster: Cluster = None,
    list_measures: ListMeasures = False,
) -> None:
    """Run a scenario with every combination of settings and many seeds, and measure each run."""
    from tcpemu.cli import run_command
    from tcpemu.cli.sweeping import sweep_command

    if list_measures:
        sweep_command.show_measures()
        return
    if name is None:
        raise UsageError("name a scenario (see tcpemu list) or a .toml file")
    request = sweep_command.SweepRequest(
        name,
        vary or [],
        run_command.settings_of(settings, None, generation),
        only,
        seeds,
        [each for text in measured or [] for each in text.split(",")],
        run_command.until_of(until),
        output,
        picture,
        kind,
    )
    sweep_command.check_files(request)
    plan = sweep_command.plan_for(request)
    engine = sweep_command.engine_for(jobs, cluster, len(plan))
    sweep_command.show_sweep(request, sweep_command.swept_of(plan, engine, output))
