"""`tcpemu kernel`: its commands with their options. Each imports what it needs when it is called."""

from typing import Annotated

import typer

from tcpemu.cli.kernels.trace_options import Answers, Check, Sources
from tcpemu.cli.user_mistakes import clear_errors

kernels = typer.Typer(
    help="Real kernels: which can be booted, and what they answer to step traces.", no_args_is_help=True
)


@kernels.command("list")
@clear_errors
def list_bootable() -> None:
    """List real kernels: those that are here, and those that Debian has as packages."""
    from tcpemu.cli.kernels.kernel_command import show_bootable

    show_bootable()


@kernels.command("get")
@clear_errors
def get_bootable(
    releases: Annotated[
        list[str],
        typer.Argument(metavar="KERNEL...", help="A release, or the start of one: 6.12 is the newest 6.12."),
    ],
) -> None:
    """Bring kernels out of Debian's packages, to be booted. Needs a Debian machine and a network."""
    from tcpemu.cli.kernels.kernel_command import get_kernels

    get_kernels(releases)


@kernels.command("run")
@clear_errors
def run_on_bootable(
    kernel: Annotated[
        str,
        typer.Argument(
            metavar="KERNEL",
            help="A release, or the start of one; 'this' for this machine's; the path of an image.",
        ),
    ],
    sources: Sources,
    output: Answers = None,
    check: Check = False,
) -> None:
    """Boot a kernel under qemu, in virtual time, and let it answer step traces."""
    from tcpemu.cli.kernels.kernel_command import run_on_kernel

    raise typer.Exit(run_on_kernel(sources, output, kernel, check=check))
