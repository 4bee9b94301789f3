"""Make the reference in docs/reference/ anew, from the code.

usage: python tools/reference.py [--check]

With --check nothing is written: what is not as the code says is named, and the exit status is 1.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

sys.path.insert(0, str(Path(__file__).resolve().parent))

import judged
from _reference_library import ROOMS, Entry, doc_of, exported, members_of, paragraphs

from tcpemu import GENERATIONS
from tcpemu.explain.catalogue.kernel_list import listen_words
from tcpemu.explain.catalogue.rule_history import RULES
from tcpemu.explain.facts.counter_meanings import MEANING, group
from tcpemu.generations import DEFAULT
from tcpemu.generations.linux_counters import _SINCE as COUNTERS_SINCE
from tcpemu.generations.linux_sysctls import SINCE as SYSCTLS_SINCE
from tcpemu.lab.asking import fact_rows
from tcpemu.lab.format import lab_file
from tcpemu.scenario.format.key_reference import Key, sections
from tcpemu.scenario.format.strict_table import Table
from tcpemu.stack import REASONS, SYSCTLS
from tcpemu.stack.base import events
from tcpemu.stack.base.events import Outcome
from tcpemu.stack.base.sysctls import INT_MAX, Sysctl

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "*Made from the code by `python tools/reference.py`: change it there.*"


# ------------------------------------------------------------------------------------------ Markdown


def cell(text: str) -> str:
    """As it may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    return f"`{' '.join(text.split())}`" if text else ""


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    yield from (f"| {' | '.join(map(cell, row))} |" for row in rows)


def page(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", "", NOTE, *lines]).rstrip() + "\n"


# ------------------------------------------------------------------------------------------ commands


def commands() -> Iterator[str]:
    from tcpemu.cli.app import app

    yield "\n`tcpemu COMMAND --help` tells the same. `tcpemu --version` prints the version."
    rooms = [("", app.registered_commands)]
    rooms += [
        (f"{one.name} ", one.typer_instance.registered_commands)
        for one in app.registered_groups
        if one.typer_instance
    ]
    for room, command in ((room, command) for room, own in rooms for command in own):
        function = inspect.unwrap(command.callback or (lambda: None))
        yield f"\n## tcpemu {room}{command.name or function.__name__}\n"
        yield without_markup(inspect.cleandoc(function.__doc__ or ""))
        hints = get_type_hints(function, include_extras=True)
        asked = [(name, value) for name, value in parameters(function) if get_args(hints[name])]
        rows = [option_row(name, hints[name], value) for name, value in asked]
        yield from table(("argument or option", "does"), rows)


def parameters(function: Callable[..., object]) -> Iterator[tuple[str, object]]:
    """Its arguments with their defaults; one that must be given has none. The context of a command is among them."""
    for name, parameter in inspect.signature(function).parameters.items():
        yield name, parameter.default


def option_row(name: str, annotation: Any, default: object) -> tuple[str, str]:
    info = next(one for one in get_args(annotation) if hasattr(one, "param_decls"))
    # Within Annotated the first name that is given stands where a default would otherwise.
    written = [one for one in (info.default, *(info.param_decls or ())) if str(one).startswith("-")]
    is_option = type(info).__name__ == "OptionInfo"
    if not written and is_option:
        written = [f"--{name.replace('_', '-')}"]
    head = " ".join(filter(None, (", ".join(written), info.metavar or "")))
    if default is inspect.Parameter.empty and is_option:
        given = " Must be given."
    else:
        given = f" {code(str(default))} if not given." if default and isinstance(default, str) else ""
    return code(head or name), without_markup(info.help or "") + given


def without_markup(text: str) -> str:
    """Brackets stand with a backslash where rich would take them for markup."""
    return text.replace("\\[", "[")


# ------------------------------------------------------------------------------------------ scenarios


def scenario() -> Iterator[str]:
    yield "\nA scenario is a TOML file; [how to write one](../write-a-scenario.md)."
    yield "`tcpemu schema --text` tells the same."
    for section in sections():
        yield f"\n## {section.heading}\n"
        yield section.about
        if section.keys:
            yield from table(("as it may stand", "kind", "if not given", "means"), map(key_row, section.keys))


def key_row(key: Key) -> tuple[str, ...]:
    default = "must be given" if key.required else code(key.default)
    return code(key.example), key.kind, default, key.about


# ------------------------------------------------------------------------------------------ library


def labs() -> Iterator[str]:
    yield f"\n{inspect.cleandoc(lab_file.__doc__ or '').partition(chr(10) * 2)[2]}"
    for heading, model in LAB_TABLES.items():
        yield f"\n## {heading}\n\n{doc_of(model)}"
        keys = (
            (code(field.alias or name), field.description or "") for name, field in model.model_fields.items()
        )
        yield from table(("key", "is"), keys)
    yield "\n## What queries ask\n\n" + inspect.cleandoc(fact_rows.__doc__ or "").partition("\n\n")[2]
    for name, row in fact_rows.TABLES.items():
        yield f"\n### {name}\n\n{doc_of(row)}"
        columns = ((code(one.signature.partition(":")[0]), one.about) for one in members_of(row))
        yield from table(("column", "is"), columns)


LAB_TABLES: dict[str, type[Table]] = {
    "lab.toml": lab_file.LabFile,
    "draw.NAME": lab_file.Draw,
    "alike, and questions.holds": lab_file.Measured,
    "questions": lab_file.Question,
    "questions.wrong": lab_file.Slip,
    "questions.options": lab_file.Option,
    "questions.peers": lab_file.Peer,
}


def library() -> Iterator[str]:
    yield "\nWhat each package exports. Times are whole nanoseconds, addresses packed octets unless text is said."
    homes: dict[str, str] = {}
    for room in ROOMS[1:] + ROOMS[:1]:
        package = sys.modules.get(room) or __import__(room, fromlist=["_"])
        told, *rest = inspect.cleandoc(package.__doc__ or "").split("\n\n")
        yield f"\n## {room}\n\n{told}"
        example = next((block for block in rest if block.startswith(">>>")), "")
        if example:
            yield f"\n{paragraphs(example)}"
        for entry in exported(room):
            known = homes.setdefault(entry.name, room)
            if known == room:
                yield from entry_lines(entry)
            else:
                yield f"\n`{entry.name}`: see {known}"


def entry_lines(entry: Entry) -> Iterator[str]:
    yield f"\n### {entry.name}\n"
    yield f"```python\n{entry.signature}\n```"
    if entry.about:
        yield f"\n{paragraphs(entry.about)}"
    if entry.members:
        rows = [(code(member.signature), first_paragraph(member.about)) for member in entry.members]
        yield from table(("has", "which is"), rows)


def first_paragraph(about: str) -> str:
    return about.partition("\n\n")[0]


# ------------------------------------------------------------------------------------------ the stack


def event_kinds() -> Iterator[str]:
    yield "\nWhat `Host.events()` gives, in order. Each has `at`, its time in nanoseconds."
    for kind in get_args(events.Event):
        yield f"\n## {kind.__name__}\n\n{doc_of(kind)}"
        yield from table(("field", "is"), ((code(one.signature), one.about) for one in members_of(kind)))
    yield f"\n## Reason\n\n{doc_of(events.Reason)}"
    yield from table(("field", "is"), ((code(one.signature), one.about) for one in members_of(events.Reason)))


def reasons() -> Iterator[str]:
    yield (
        "\nEvery reason that a verdict, a packet sent or a timer can have, with the function of the kernel that has "
        "the rule (Linux 6.18 where no other system is named). Other kernels may word some in another way."
    )
    for outcome in Outcome:
        named = [reason for reason in REASONS.values() if reason.outcome is outcome]
        yield f"\n## {outcome.value.capitalize()}"
        if outcome is Outcome.ACCEPTED:
            yield "\nAmong them the reasons of what is sent, and of timers."
        rows = ((code(reason.name), reason.text, code(reason.source)) for reason in named)
        yield from table(("reason", "means", "where"), rows)


def counters() -> Iterator[str]:
    yield "\nThe counters of `Tcp` and `TcpExt` that are explained, as `nstat` names them,"
    yield "and the Linux that first has each."
    since = {name: version for version, names in COUNTERS_SINCE.items() for name in names.split()}
    rows = ((code(group(name) + name), told, version_text(since.get(name))) for name, told in MEANING.items())
    yield from table(("counter", "counts", "since"), rows)


def version_text(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version)) if version else ""


def sysctls() -> Iterator[str]:
    yield (
        f"\nWhat `sysctls` in a scenario, `--set` and `Host(sysctls=...)` take, with the defaults of {DEFAULT} on a "
        "machine with 16 GiB. A kernel older than `since` does not have it."
    )
    rows = (
        (
            code(name),
            code(value_text(one.default)),
            range_text(one),
            version_text(SYSCTLS_SINCE[name][0]),
            one.about,
        )
        for name, one in SYSCTLS.items()
    )
    yield from table(("sysctl", "default", "can be", "since", "decides"), rows)


def value_text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def range_text(sysctl: Sysctl) -> str:
    if sysctl.words:
        return " or ".join(map(code, sysctl.words))
    return f"{sysctl.low} or more" if sysctl.high == INT_MAX else f"{sysctl.low} to {sysctl.high}"


def kernels() -> Iterator[str]:
    yield "\nWhat `--generation` and `generation(...)` take, oldest first in each family."
    yield "`tcpemu list --kernels` tells the same."
    for name, kernel in GENERATIONS.items():
        yield f"\n## {name}\n\n{kernel.about}\n\n{listen_words(kernel)}"
        if kernel.unverified:
            yield "\nUnverified: " + "; ".join(kernel.unverified) + "."


def by_what_judged() -> Iterator[str]:
    yield "\nBy what each is judged. A kernel was booted, or ran, and answered step traces, many of them drawn:"
    yield "so many, and so many of them the generation answers as it did. `python tools/judged.py` counts."
    yield from table(("generation", "judged by", "traces", "the same", "what differs"), judged.rows())


def rules_of_kernels() -> Iterator[str]:
    asked = {name: kernel for name, kernel in GENERATIONS.items() if kernel.release}
    yield "\nThe rules that were told apart by asking kernels. N is the backlog, Q the half-open connections."
    rows = ((rule.name, *(rule.of(kernel) for kernel in asked.values())) for rule in RULES)
    yield from table(("rule", *(kernel.release for kernel in asked.values())), rows)


# ------------------------------------------------------------------------------------------ files

PAGES: dict[str, tuple[str, Callable[[], Iterator[str]]]] = {
    "commands.md": ("Commands", commands),
    "scenario.md": ("Scenario files", scenario),
    "lab.md": ("Labs", labs),
    "library.md": ("The library", library),
    "events.md": ("Events", event_kinds),
    "reasons.md": ("Reasons", reasons),
    "counters.md": ("Counters", counters),
    "sysctls.md": ("Sysctls", sysctls),
    "kernels.md": ("Kernels", kernels),
    "rules.md": ("Rules of kernels", rules_of_kernels),
    "judged.md": ("By what kernels are judged", by_what_judged),
}


def made() -> dict[str, str]:
    """Every page by the name of its file."""
    return {name: page(title, lines()) for name, (title, lines) in PAGES.items()}


def differences(directory: Path = REFERENCE) -> list[str]:
    """What in the directory is not as the code says."""
    pages = made()
    kept = {path.name: path.read_text() for path in directory.glob("*.md")}
    found = [f"{name}: nothing makes it" for name in kept.keys() - pages.keys()]
    found += [
        f"{name}: {first_difference(kept.get(name, ''), text)}"
        for name, text in pages.items()
        if kept.get(name) != text
    ]
    return sorted(found)


def first_difference(kept: str, text: str) -> str:
    """The first line that is not as it should be."""
    old, new = kept.splitlines(), text.splitlines()
    at = next(
        (at for at, pair in enumerate(zip(old, new, strict=False)) if len({*pair}) > 1),
        min(len(old), len(new)),
    )
    return f"line {at + 1} should be: {new[at] if at < len(new) else 'the end'}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the reference anew.")
    parser.add_argument("--check", action="store_true", help="write nothing, name what differs")
    if parser.parse_args().check:
        found = differences()
        print("\n".join(found) or "the reference is as the code says")
        return 1 if found else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in made().items():
        (REFERENCE / name).write_text(text)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
