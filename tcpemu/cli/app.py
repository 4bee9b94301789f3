"""The commands. Each imports what it needs when it is called, so that help and mistakes come at once.

What is in brackets in a text of help is markup to rich, unless a backslash stands before it.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.captures.diagnose_options import answer, diagnose
from tcpemu.cli.fault_options import Crashed, Cut, Delayed, Doubled, Lost, Overtaken, Rejected, ResetAt
from tcpemu.cli.kernels.kernel_app import kernels
from tcpemu.cli.kernels.trace_options import Answers, Check, RealKernelOption, Sources
from tcpemu.cli.labs.lab_app import labs
from tcpemu.cli.long_work import MEMORY, for_long_work, size_of
from tcpemu.cli.pictures.plot_options import (
    CurvesOf,
    Dots,
    Drawing,
    KindOfPlot,
    OneClient,
    PictureSize,
    PictureStyle,
    PictureTitle,
    whole_number,
)
from tcpemu.cli.playing.drill_options import drill
from tcpemu.cli.sweeping.advise_options import advise
from tcpemu.cli.sweeping.sweep_options import sweep
from tcpemu.cli.user_mistakes import UsageError, clear_errors
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.version import __version__, build

app = typer.Typer(
    name="tcpemu",
    help="A packet-level emulator of the Linux TCP stack, in virtual time, that says why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tcpemu {__version__} ({build()})")
        raise typer.Exit


VersionOption: TypeAlias = Annotated[
    bool,
    typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit."),
]


MemoryOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help=f"How much memory a run may take: '2 GB'. If not given, what {MEMORY} says, else all that is left.",
    ),
]


@app.callback()
@clear_errors
def _program(_: VersionOption = False, memory: MemoryOption = None) -> None:
    if memory is not None:
        size_of(memory)
        os.environ[MEMORY] = memory


ScenarioArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="[NAME|FILE]", help="A built-in scenario (see tcpemu list) or a .toml file."),
]
CaptureOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the packets to a .pcapng file, with comments that say why, or to a .pcap file. "
        "Where a scenario has several runs, those after the first go to FILE-RUN. Timers are exact; to lay it "
        "beside a kernel's capture: --set server.hz=250.",
    ),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a setting: net.ipv4.tcp_syncookies=0 (of the server), "
        "HOST:net.ipv4.tcp_sack=0, server.backlog=5, link.delay='20 ms'. May be repeated.",
    ),
]

app.add_typer(kernels, name="kernel")
app.add_typer(labs, name="lab")
Seed: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", parser=whole_number, help="Seed of every random choice.")
]
Until: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Stop at this virtual time: '10 s', '500 ms'; a bare number counts seconds."
    ),
]
KernelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="KERNEL", help="The kernel of the server, such as linux-6.18 (see tcpemu list --kernels)."
    ),
]
Only: TypeAlias = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Of a scenario with several runs, only this one."),
]
Whole: TypeAlias = Annotated[bool, typer.Option("--all", help="Show every packet of every run.")]
Where: TypeAlias = Annotated[
    SeenBy,
    typer.Option(
        help="Where the capture is taken: each packet once, as that side sees it. With 'all' each is there "
        "twice, which Wireshark takes for retransmissions.",
    ),
]
WithLost: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--with-lost",
        help="In the capture also what was lost on its way there, on an interface 'lost'. Wireshark may take "
        "packets around it for out of order.",
    ),
]
Plain: TypeAlias = Annotated[
    bool,
    typer.Option("--plain", help="No comments and no names in the capture, for programs that choke on them."),
]
JsonOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print all of every run as one JSON document, for programs, and nothing else. Its keys: "
        "python -m pydoc tcpemu.explain.as_json",
    ),
]


Since: TypeAlias = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Show the packets from this time on: '2 s', '500 ms'."),
]


@app.command()
@clear_errors
@for_long_work
def run(
    name: ScenarioArgument = "ignored-ack",
    output: CaptureOption = None,
    settings: Settings = None,
    seed: Seed = None,
    until: Until = None,
    generation: KernelOption = None,
    only: Only = None,
    whole: Whole = False,
    seen_by: Where = SeenBy.SERVER,
    with_lost: WithLost = False,
    plain: Plain = False,
    json: JsonOption = False,
    since: Since = None,
) -> None:
    """Run a scenario and show it: its packets as a ladder, with reasons; sockets; counters."""
    from tcpemu.cli import run_command
    from tcpemu.scenario.format.time_settings import time_of

    run_command.check_request(output, seen_by, plain=plain, json=json, with_lost=with_lost)
    stop, begin = run_command.until_of(until), time_of(since or "0", "--since")
    if begin and json:
        raise UsageError("--since goes with what is printed for people; --json has everything: leave one out")
    runs = run_command.chosen_runs(name, run_command.settings_of(settings, seed, generation), only)
    paths = run_command.paths_of(output, [each.name for each in runs], name) if output else []
    watch = run_command.follow_transfers if json else run_command.follow_if_few(runs)
    results = run_command.results_of_runs(name, runs, stop, watch)
    # The capture first: whoever reads the ladder may stop reading, as `head` does.
    written = run_command.write_captures(
        paths, results, name, seen_by, comments=not plain, with_lost=with_lost
    )
    if json:
        run_command.show_written(written, results, sys.stderr)
        run_command.show_json(name, results)
        return
    run_command.show_runs(name, results, fold=not whole, since=begin)
    run_command.show_written(written, results)


ColumnsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation",
        metavar="KERNEL,...",
        help="Kernels of the server, with commas between them (see tcpemu list --kernels). If neither this "
        "nor --vary is given, a handful that tells most.",
    ),
]
Varied: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="KEY=VALUE,...",
        help="A column for each value of a setting: net.ipv4.tcp_abort_on_overflow=0,1 or "
        "server.backlog=0,1,5. May be repeated, and go with --generation: then a column for each "
        "combination.",
    ),
]
Captures: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Write a .pcapng file of each column into this directory, which is made if it is not there.",
    ),
]
OneRun: TypeAlias = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Of a scenario with several runs, this one; else the first."),
]


@app.command()
@clear_errors
@for_long_work
def compare(
    name: ScenarioArgument = "ignored-ack",
    generations: ColumnsOption = None,
    vary: Varied = None,
    output: Captures = None,
    settings: Settings = None,
    seed: Seed = None,
    until: Until = None,
    only: OneRun = None,
) -> None:
    """Run a scenario on several kernels, or with several values of a setting, and show what differs."""
    from tcpemu.cli import compare_command, run_command

    if output is not None:
        compare_command.check_directory(output)
    stop = run_command.until_of(until)
    choices = compare_command.choices_of(generations, vary or [])
    columns = compare_command.columns_of(name, only, choices, run_command.settings_of(settings, seed, None))
    compare_command.tell_of_one_column(columns)
    paths = compare_command.checked_paths(output, name, columns) if output else []
    results = compare_command.results_of_columns(name, columns, stop)
    if paths:
        compare_command.write_captures_of_columns(paths, name, columns, results)
    compare_command.show_comparison(name, columns, results)
    if paths:
        compare_command.show_written_columns(paths, columns)


Frame: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        parser=whole_number,
        help="Of any capture, what became of this packet, counted from 1.",
    ),
]
Explained: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="[NAME|FILE]",
        help="A built-in scenario, a .toml file or, with --frame, any capture.",
    ),
]


@app.command()
@clear_errors
@for_long_work
def explain(
    name: Explained = "ignored-ack",
    frame: Frame = None,
    settings: Settings = None,
    seed: Seed = None,
    until: Until = None,
    generation: KernelOption = None,
    only: Only = None,
) -> None:
    """Tell the story of a scenario, one paragraph for each turning point; or of one packet of a capture."""
    from tcpemu.cli import explain_command, run_command

    if frame is not None:
        explain_command.check_alone(settings, seed, until, generation, only)
        explain_command.show_frame(Path(name), frame)
        return
    stop = run_command.until_of(until)
    explain_command.show_story(name, run_command.settings_of(settings, seed, generation), only, stop)


At: TypeAlias = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="TIME",
        help="The moment of virtual time: '3.2s', '500 ms'; a bare number counts seconds.",
    ),
]


@app.command()
@clear_errors
@for_long_work
def state(
    at: At,
    name: ScenarioArgument = "ignored-ack",
    settings: Settings = None,
    seed: Seed = None,
    generation: KernelOption = None,
    only: OneRun = None,
) -> None:
    """How each host stands at one moment: ss -tln, ss -tan, nstat, both queues, and the timers that wait."""
    from tcpemu.cli import explain_command, run_command
    from tcpemu.scenario.format.time_settings import time_of

    moment = time_of(at, "--at")
    explain_command.show_state(name, run_command.settings_of(settings, seed, generation), only, moment)


@app.command()
@clear_errors
@for_long_work
def plot(
    output: Drawing,
    name: ScenarioArgument = "ignored-ack",
    kind: KindOfPlot = None,
    client: OneClient = None,
    settings: Settings = None,
    seed: Seed = None,
    until: Until = None,
    generation: KernelOption = None,
    only: Only = None,
    vary: CurvesOf = None,
    title: PictureTitle = None,
    size: PictureSize = None,
    dpi: Dots = None,
    style: PictureStyle = "light",
    since: Since = None,
) -> None:
    r"""Draw a scenario: its queues, a connection, its windows and round-trip times, or its rates.

    Of a capture: --kind sequence, rtt or throughput of one connection.

    Needs matplotlib: pip install '.\[plot]' in a checkout, else pip install 'tcpemu\[plot]'.
    """
    from tcpemu.cli import run_command
    from tcpemu.cli.captures import named_capture
    from tcpemu.cli.pictures import plot_command

    foreign = named_capture.is_there(name)
    if foreign:
        named_capture.check_alone(name, "plot", settings, seed, until, generation, only, vary)
        named_capture.check_kind(name, kind)
    plot_command.check_plot(output, kind, client, name, vary or ())
    form = plot_command.form_of(title, size, dpi, output, style)
    begin = plot_command.since_of(since, kind)
    if foreign:
        plot_command.draw(output, named_capture.picture(Path(name), kind, client), form)
        return
    stop = run_command.until_of(until)
    changed = run_command.settings_of(settings, seed, generation)
    wanted = plot_command.kind_of(name, kind, changed, only, client, vary or ())
    results = plot_command.results_for(name, wanted, changed, only, stop, vary or ())
    plot_command.plot_scenario(name, output, wanted, client, results, form, begin)
    if kind is None:
        plot_command.tell_kind(wanted)


PageFile: TypeAlias = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="The page: a .html file that needs no network.")
]


@app.command()
@clear_errors
@for_long_work
def report(
    output: PageFile,
    name: ScenarioArgument = "ignored-ack",
    settings: Settings = None,
    seed: Seed = None,
    until: Until = None,
    generation: KernelOption = None,
    only: Only = None,
) -> None:
    """Write a page to step through a run in a browser: packets, queues, sockets, counters, and why.

    Of a capture: beside it what the best explanation's Linux sent, as tcpemu diagnose -o x.html.
    """
    from tcpemu.cli import report_command, run_command
    from tcpemu.cli.captures import named_capture
    from tcpemu.cli.printing import check_not_read, check_place

    check_place(output, report_command.PAGE_SUFFIXES)
    check_not_read(output, [name])
    if named_capture.is_there(name):
        named_capture.check_alone(name, "report", settings, seed, until, generation, only)
        raise typer.Exit(named_capture.write_page(Path(name), output))
    stop = run_command.until_of(until)
    report_command.write_report(name, output, run_command.settings_of(settings, seed, generation), only, stop)


ListKernels: TypeAlias = Annotated[
    bool,
    typer.Option("--kernels", help="List the kernels instead, each with what its listen path does."),
]


PageFolder: TypeAlias = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="DIR", help="The folder: a new one, or that of a playground."),
]
PyodideOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--pyodide",
        metavar="DIR",
        help="Pyodide's files, in a folder or in the archive that npm gives; brought by npm if not given.",
    ),
]


@app.command()
@clear_errors
def playground(output: PageFolder, pyodide: PyodideOption = None) -> None:
    """Write the playground: a page in which the emulator runs by itself in a browser. Needs npm and pip once."""
    from tcpemu.cli.playground_command import write_folder

    write_folder(output, pyodide)


@app.command("list")
@clear_errors
def list_scenarios(kernels: ListKernels = False) -> None:
    """List the built-in scenarios, each with what to look at; or the kernels."""
    from tcpemu.cli.list_command import show_built_in, show_kernels

    if kernels:
        show_kernels()
        return
    show_built_in()


Why: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--why",
        help="Print the reason of each segment that comes or goes, in place of the JSON if there is no -o.",
    ),
]
AnsweringKernelOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation", metavar="KERNEL", help="The kernel that answers (see tcpemu list --kernels)."
    ),
]
Ticks: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--hz",
        metavar="HZ",
        parser=whole_number,
        help="Timers as late as with 100, 250 or 1000 ticks a second.",
    ),
]


@app.command()
@clear_errors
def trace(
    sources: Sources,
    output: Answers = None,
    check: Check = False,
    generation: AnsweringKernelOption = None,
    hz: Ticks = None,
    why: Why = False,
    kernel: RealKernelOption = None,
) -> None:
    """Let the emulator answer step traces: the same JSON, with its log."""
    from tcpemu.cli.kernels.kernel_command import run_on_kernel
    from tcpemu.cli.playing.trace_command import AnsweringKernel, run_traces

    if kernel is not None:
        if generation is not None or hz is not None or why:
            raise UsageError(
                "--kernel asks a real kernel; --generation, --hz and --why are about the emulator"
            )
        raise typer.Exit(run_on_kernel(sources, output, kernel, check=check))
    raise typer.Exit(run_traces(sources, output, AnsweringKernel(generation, hz), check=check, why=why))


app.command()(drill)
app.command()(diagnose)
app.command()(answer)
app.command()(sweep)
app.command()(advise)


AsText: TypeAlias = Annotated[
    bool,
    typer.Option("--text", help="For people: every table and key with its meaning, default and an example."),
]


@app.command()
@clear_errors
def schema(as_text: AsText = False) -> None:
    """Print the JSON Schema of scenario files, for editors; with --text the same for people."""
    if as_text:
        from tcpemu.cli.list_command import show_reference

        show_reference()
        return
    import json

    from tcpemu.scenario.format.schema import scenario_schema

    typer.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))


HostsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="NAME=PROGRAM",
        help="A host and the Python program on it, with its arguments: server=server.py, or 'c*12=client.py server' "
        "for hosts c1 to c12, or 'web=-m http.server 80'. May be repeated; hosts know each other by name.",
    ),
]
EveryLink: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--link",
        metavar="TEXT",
        help="What lies between any two hosts: 'delay 20 ms, loss 1 %, rate 10 Mbit/s'; also jitter, duplicate, "
        "reorder, queue and mark (packets), queue_octets and mtu (octets), icmp no.",
    ),
]
ReportPage: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write a page to step through the run, as tcpemu report does: x.html.",
    ),
]
EverySetting: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="[HOST:]SYSCTL=VALUE",
        help="Change a sysctl of every host, or of one: server:net.ipv4.tcp_syncookies=0. May be repeated.",
    ),
]
Every: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="TIME",
        help="The time from the start on one host of NAME*N to that on the next: '20 ms'.",
    ),
]
EveryKernel: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation", metavar="KERNEL", help="The kernel of every host (see tcpemu list --kernels)."
    ),
]
PacketFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write the packets to a .pcapng file, with comments, or to a .pcap file.",
    ),
]
Drawn: TypeAlias = Annotated[
    bool, typer.Option("--ladder", help="Show all packets afterwards, with reasons.")
]
Real: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--real",
        help="Run them on the loopback of this machine instead, in real time, each with an address of its own.",
    ),
]


@app.command("exec", context_settings={"allow_extra_args": True})
@clear_errors
def execute(
    context: typer.Context,
    hosts: HostsOption = None,
    link: EveryLink = None,
    lost: Lost = None,
    delayed: Delayed = None,
    doubled: Doubled = None,
    overtaken: Overtaken = None,
    rejected: Rejected = None,
    reset: ResetAt = None,
    cut: Cut = None,
    crashed: Crashed = None,
    settings: EverySetting = None,
    every: Every = None,
    generation: EveryKernel = None,
    seed: Seed = None,
    until: Until = None,
    output: PacketFile = None,
    page: ReportPage = None,
    ladder: Drawn = False,
    real: Real = False,
) -> None:
    """Run Python programs, unchanged, on emulated hosts in virtual time.

    It ends when all have ended that are no servers. The exit status is that of the program which failed first.
    """
    from tcpemu.cli import exec_command

    exec_command.check_named(context.args)
    faults = {
        "lose": lost,
        "delay": delayed,
        "duplicate": doubled,
        "reorder": overtaken,
        "reject": rejected,
        "reset": reset,
        "cut": cut,
        "crash": crashed,
    }
    request = exec_command.request_of(
        hosts or [],
        link,
        {what: texts or [] for what, texts in faults.items()},
        settings or [],
        every,
        generation,
        seed,
        until,
        output,
        page,
        ladder=ladder,
    )
    raise typer.Exit(exec_command.run_real(request) if real else exec_command.run_emulated(request))


ClaimName: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="One claim, with the packets that decide it."),
]
KernelsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--generation",
        metavar="KERNELS",
        help="The kernels to ask: linux-3.10,bsd-4.4 and so on (see tcpemu list --kernels), or all.",
    ),
]
OwnClaims: TypeAlias = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="A .toml file with claims of your own.")
]


GridAlone: TypeAlias = Annotated[
    bool,
    typer.Option("--grid", help="Only the table of claims and kernels, with a mark for each verdict."),
]


@app.command()
@clear_errors
def claims(
    name: ClaimName = None, generation: KernelsOption = None, file: OwnClaims = None, grid: GridAlone = False
) -> None:
    """What well-known texts say of the backlog, and in which kernels it holds: decided by runs."""
    from tcpemu.cli.claims_command import show_claims

    show_claims(name, generation, file, grid=grid)
