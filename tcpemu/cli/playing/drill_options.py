"""The options of `tcpemu drill`."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.user_mistakes import UsageError, clear_errors

Scripts: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SCRIPT...", help="packetdrill scripts (.pkt), or folders of them."),
]
Defines: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("-D", "--define", metavar="NAME=VALUE", help="What a name in the scripts stands for."),
]
ScriptOptions: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "-O",
        "--option",
        metavar="NAME=VALUE",
        help="An option of packetdrill, above those in the scripts: tolerance_usecs=4000, ip_version=ipv6.",
    ),
]
Kernel: TypeAlias = Annotated[
    str | None,
    typer.Option("--generation", metavar="KERNEL", help="The kernel under test (see tcpemu list --kernels)."),
]
Hz: TypeAlias = Annotated[
    int | None,
    typer.Option("--hz", metavar="HZ", help="Timers as late as with 100, 250 or 1000 ticks a second."),
]
Captures: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="Write captures: a file for one script, else a folder; with --from the script.",
    ),
]
OnKernel: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--kernel",
        help="Run them on this machine's kernel instead, in real time, each in a network namespace of its own "
        "(Linux, root).",
    ),
]
OnBoth: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--both",
        help="Run them on the emulator and on this machine's kernel, and show where the packets of the two differ; "
        "a script passes where it does on both and they send the same.",
    ),
]
Jobs: TypeAlias = Annotated[
    int, typer.Option("-j", "--jobs", metavar="N", min=1, max=256, help="Run so many scripts at a time.")
]
Shell: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--shell",
        help="Have a shell run the scripts' commands, on your machine and as you: with --kernel all of them, else "
        "those that are not read for what they set. Without it no shell ever runs.",
    ),
]
FromCapture: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="CAPTURE",
        help="Write a script from what --host sent and got in a capture taken there, to -o or standard output.",
    ),
]
SeenHost: TypeAlias = Annotated[
    str | None,
    typer.Option("--host", metavar="ADDRESS", help="The host under test in the capture of --from."),
]
Failures: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--failures",
        metavar="DIR",
        help="Where a script that fails leaves its capture; made where needed.",
    ),
]
JunitFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write what became of the scripts as JUnit XML."),
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("-q", "--quiet", help="Print only what fails, and the sum of it.")
]
FAILURES = Path("drill-failures")


@clear_errors
def drill(
    scripts: Scripts = None,
    define: Defines = None,
    option: ScriptOptions = None,
    generation: Kernel = None,
    hz: Hz = None,
    output: Captures = None,
    failures: Failures = FAILURES,
    junit: JunitFile = None,
    on_kernel: OnKernel = False,
    on_both: OnBoth = False,
    shell: Shell = False,
    capture: FromCapture = None,
    host: SeenHost = None,
    jobs: Jobs = 1,
    quiet: Quiet = False,
) -> None:
    """Run packetdrill scripts on the emulator, in virtual time, or on this machine's kernel."""
    from tcpemu.cli.playing.drill_command import Manner, Places, run_scripts, settings_of

    settings = settings_of(define or [], option or [], generation, hz, shell)
    if capture is not None:
        from tcpemu.cli.playing.script_command import write_script

        if scripts:
            raise UsageError("--from writes a script, and runs none: leave out the names of scripts")
        raise typer.Exit(write_script(capture, host, settings, output))
    if not scripts:
        raise UsageError("name a script (.pkt), a folder of them, or a capture with --from")
    manner = Manner(on_kernel, on_both, jobs, quiet)
    manner.check(generation, hz)
    raise typer.Exit(run_scripts(scripts, settings, Places(output, failures, junit), manner))
