"""`tcpemu lab`: its commands with their options. Each imports what it needs when it is called."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from tcpemu.cli.user_mistakes import clear_errors

labs = typer.Typer(
    help="Labs for a class: a capture and a key for each student, made and marked.", no_args_is_help=True
)

LabName: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="NAME|FOLDER", help="A lab that comes with the program, or the folder of one."),
]

Jobs: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "-j",
        "--jobs",
        metavar="N",
        min=1,
        max=256,
        help="So many processes at a time; one for each processor if not given.",
    ),
]


@labs.command("list")
@clear_errors
def list_labs() -> None:
    """List the labs that come with the program, each with what it asks."""
    from tcpemu.cli.labs.make_labs import show_labs

    show_labs()


@labs.command()
@clear_errors
def lesson(
    name: LabName,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write it as a page, x.html, in place of printing it."
        ),
    ] = None,
) -> None:
    """Print the lesson of a lab: a question to predict, experiments, what one sees, what it means."""
    from tcpemu.cli.labs.make_labs import show_lesson

    show_lesson(name, output)


@labs.command()
@clear_errors
def make(
    name: LabName,
    students: Annotated[
        Path,
        typer.Option(
            "--students",
            metavar="FILE",
            help="The class: a CSV file with a column id, and name and email if you like.",
        ),
    ],
    secret: Annotated[
        Path,
        typer.Option(
            "--secret",
            metavar="FILE",
            help="A file of 16 octets or more that nobody else has: the variants are made of it and the ids.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="A folder that is empty or not there.")
    ],
    jobs: Jobs = None,
) -> None:
    """Make a lab for a class: for each student a handout, a capture and a form; for the teacher keys and archives."""
    from tcpemu.cli.labs.make_labs import make_lab

    make_lab(name, students, secret, output, jobs)


@labs.command()
@clear_errors
def grade(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="DIR_OR_FILE", help="A folder with what students handed in, or one answers.toml."
        ),
    ],
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="The key: teacher/key.json, here or above, if not given."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON, for programs.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Write grades.csv and each student's results.json into this folder.",
        ),
    ] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(
            "--metadata", metavar="FILE", help="Gradescope's submission_metadata.json: who handed this in."
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="FILE",
            help="Write the results.json of one submission, as Gradescope reads it.",
        ),
    ] = None,
    jobs: Jobs = None,
) -> None:
    """Mark what students handed in. Programs of students are run: do that where it can do no harm."""
    from tcpemu.cli.labs.grade_labs import Wanted, grade_lab

    grade_lab(place, key, Wanted(as_json, output, metadata, results, jobs))


@labs.command()
@clear_errors
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there.")],
) -> None:
    """Make a small lab of your own to begin with."""
    from tcpemu.cli.labs.own_labs import make_new

    make_new(folder)


@labs.command()
@clear_errors
def check(
    name: LabName,
    variants: Annotated[
        int, typer.Option("--variants", metavar="N", min=1, max=1000, help="How many variants are drawn.")
    ] = 10,
) -> None:
    """Draw variants of a lab and show what comes of them; try the solutions of what is handed in."""
    from tcpemu.cli.labs.own_labs import check_lab

    check_lab(name, variants)


@labs.command()
@clear_errors
def ask(
    name: LabName,
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY]", help="SQL about one variant's run; the tables, if none is given."),
    ] = None,
) -> None:
    """Ask what happened in a run of a lab, as its queries do: select frame, flags from frames."""
    from tcpemu.cli.labs.own_labs import ask_lab

    ask_lab(name, query)
