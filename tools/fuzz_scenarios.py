"""Draws scenarios of two hosts and more, files with something wrong in them, and command lines, and runs them all.

    python tools/fuzz_scenarios.py [--number 300] [--seed 1] [--only 17] [--keep-going]

A scenario that is drawn is run and told in every way: nothing raises, nothing takes longer than DEADLINE, the same
seed gives the same words, no end reads more than the other has sent, and no sentence has a hole. A file with something
wrong in it, and a command line, end with 0, or with 2 and one message. What fails is shown with its number, and with
what to run; the exit status is 1 then.
"""

import argparse
import json
import re
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.explain.facts.flow_memory import octets_received
from tcpemu.generations import GENERATIONS
from tcpemu.network.record import Record
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running import build

DEADLINE = 60
"""Seconds that one command may take."""
_HOLES = re.compile(r"\bNone\b|\bnan\b|<.* object at|\{\w*\}|\(\)\(|, ,|\.\.(?!\.)| {2}\w+ {2}: ")
_SENT = re.compile(r"send\(([0-9]+) octets?\)")
_CLOSED = ("close", "half_close", "abort", "abandon")


class FailedError(Exception):
    """Something that must not be."""


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario and what to run of it; `{}` stands for the file."""

    text: str
    commands: tuple[tuple[str, ...], ...]
    sound: bool
    """Whether it was drawn to be right, so that each command must end with 0."""


# --------------------------------------------------------------------------------------- scenarios


def _time(random: Random, most: float = 5) -> str:
    return random.choice(
        [f'"{random.uniform(0, most):.3f} s"', f'"{random.randint(0, int(most * 1000))} ms"']
    )


def _act(random: Random, server: bool) -> str:
    size = random.choice([1, 10, 100, 1448, 1449, 5000, 40_000])
    choices = [f"{{ send = {size} }}", '"recv"', f"{{ wait = {_time(random, 2)} }}", f"{{ recv = {size} }}"]
    return random.choice([*choices, '"read_to_end"'] if server else choices)


def _acts(random: Random, server: bool) -> str:
    acts = [_act(random, server) for _ in range(random.randint(1, 4))]
    if random.random() < 0.7:
        acts.append(f'"{random.choice(_CLOSED[:3] if server else _CLOSED)}"')
    if not server:
        acts.insert(0, '"connect"')
    return f"[{', '.join(acts)}]"


def _way(random: Random) -> Iterator[str]:
    if random.random() < 0.5:
        yield f"delay = {random.choice([1, 5, 20, 100])}e-3"
    if random.random() < 0.3:
        yield f"loss = {random.choice([0.01, 0.2, 0.9])}"
    if random.random() < 0.2:
        yield f"rate = {random.choice([64_000, 10**6, 10**9])}"
    if random.random() < 0.2:
        yield f"duplicate = {random.choice([0.05, 0.5])}"


def _options(random: Random) -> str:
    drawn = {
        "nodelay": "true",
        "cork": "true",
        "keepalive": "true",
        "keepidle": "1",
        "user_timeout": '"2 s"',
        "linger": str(random.choice([0, 1])),
        "rcvbuf": str(random.choice([1, 2048, 100_000])),
        "sndbuf": str(random.choice([1, 4096])),
    }
    names = random.sample(sorted(drawn), random.randint(0, 3))
    return f"{{ {', '.join(f'{name} = {drawn[name]}' for name in names)} }}"


def _server(random: Random) -> Iterator[str]:
    yield f"backlog = {random.choice([-1, 0, 1, 2, 5, 128, 2**31 - 1])}"
    yield f"options = {_options(random)}"
    yield f"do = {_acts(random, server=True)}"
    if random.random() < 0.3:
        yield f'generation = "{random.choice(sorted(GENERATIONS))}"'
    elif random.random() < 0.3:
        yield f"hz = {random.choice([100, 250, 1000])}"
    if random.random() < 0.3:
        yield f"accept = {{ from = {_time(random)}, every = {_time(random, 1)} }}"
    if random.random() < 0.3:
        yield f'{random.choice(["stop_at", "close_at"])} = "2 s"\nlisten_at = ["3 s", "4 s"]'
    if random.random() < 0.2:
        yield "listeners = 2"


def _scenario(random: Random) -> str:
    lines = [
        f'title = "drawn"\nseed = {random.randint(0, 2**31)}\nduration = "{random.choice([5, 20, 300])} s"'
    ]
    lines += ["[link]", *_way(random)]
    for way in ("to_server", "to_client"):
        if random.random() < 0.2:
            lines.append(f"{way} = {{ {', '.join(_way(random))} }}")
    lines += ["[server]", *_server(random)]
    for number in range(random.randint(1, 3)):
        start = random.choice([_time(random), f"{{ every = {_time(random, 0.2)} }}"])
        lines += [f'[[clients]]\nname = "c{number}"\ncount = {random.choice([1, 1, 2, 9])}\nstart = {start}']
        lines += [f"options = {_options(random)}\ndo = {_acts(random, server=False)}"]
        if random.random() < 0.2:
            lines.append("sysctls = { 'net.ipv4.ip_local_port_range' = '40000 40002' }")
    if random.random() < 0.3:
        fault = random.choice(
            ['what = "crash"\nof = "server"', 'what = "crash"\nof = "c0"', 'what = "cut"', 'what = "reset"']
        )
        until = '\nuntil = "2.5 s"' if "reset" not in fault else ""
        lines.append(f'[[faults]]\n{fault}\nat = "2 s"{until}')
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------- what is wrong, and commands


def _broken(random: Random, text: str) -> str:
    """The text with a few things changed: a line gone or twice, a number or a word that is another, odd characters."""
    lines = text.splitlines()
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        odd = random.choice(
            ["-1", "1e400", "true", '"x"', "[]", "{}", "2024-01-01", "99999999999999999999", "nan", ""]
        )
        match random.randrange(5):
            case 0:
                del lines[at]
                lines = lines or [""]
            case 1:
                lines.insert(at, random.choice(lines))
            case 2:
                lines[at] = re.sub(r"[0-9]+", odd, lines[at], count=1)
            case 3:
                lines[at] = re.sub(r"= .*", f"= {odd}", lines[at], count=1)
            case _:
                cut = random.randint(0, len(lines[at]))
                lines[at] = lines[at][:cut] + random.choice("\0\x1b\u202e\ufeff\"'[]{}=#\\") + lines[at][cut:]
    return "\n".join(lines)


def _command(random: Random) -> tuple[str, ...]:
    """A command line, right or wrong."""
    odd = random.choice(
        ["", "-1", "x", "5 s", "1e999", "server.backlog=2", "a=b", "server.do=[", "\x1b", "linux-6.18"]
    )
    option = random.choice(["--set", "--seed", "--until", "--generation", "--run", "--nope"])
    command = random.choice(
        [("run",), ("explain",), ("state", "--at", odd), ("compare",), ("report", "-o", odd)]
    )
    return (*command, "{}", *random.choice([(), (option, odd), (option, odd, option, odd)]))


def case_of(seed: int, number: int) -> Case:
    """The case of that number."""
    random = Random(f"{seed}/{number}")
    text = _scenario(random)
    if number % 3 == 0:
        at = f"{random.uniform(0, 6):.3f} s"
        told = ("run", "{}"), ("explain", "{}"), ("run", "{}", "--json"), ("state", "{}", "--at", at)
        return Case(text, told, sound=True)
    if number % 3 == 1:
        return Case(_broken(random, text), (("run", "{}"), ("explain", "{}")), sound=False)
    return Case(text, (_command(random), _command(random)), sound=False)


# -------------------------------------------------------------------------------------------- rules


@contextmanager
def _in_time(what: str) -> Iterator[None]:
    def late(*_: object) -> None:
        raise FailedError(f"{what}: not done after {DEADLINE} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(DEADLINE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _said(arguments: Sequence[str], *, sound: bool) -> str:
    """What the command prints, once it has ended as it should."""
    what = " ".join(map(repr, arguments))
    with _in_time(what):
        done = CliRunner().invoke(app, list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        if isinstance(done.exception, FailedError):
            raise done.exception
        raise FailedError(f"{what}: {done.exception!r}") from done.exception
    if done.exit_code not in ({0} if sound else {0, 2}):
        raise FailedError(f"{what}: exit status {done.exit_code}: {done.stderr[-500:]}")
    if done.exit_code == 2 and not done.stderr.strip():
        raise FailedError(f"{what}: exit status 2 without a word")
    return done.stdout


def no_more_read_than_sent(record: Record) -> None:
    """What recv() gave on a connection, against what send() was given at its other end."""
    sent, read = Counter[object](), Counter[object]()
    for call in record.each_call():
        if call.flow is None:
            continue
        remote, remote_port, local, local_port = call.flow
        if found := _SENT.match(call.text):  # one that waits is told again when it ends: no end sends less
            sent[local, local_port, remote, remote_port] += int(found[1])
        elif octets := octets_received(call):
            read[remote, remote_port, local, local_port] += octets
    for way, octets in read.items():
        if octets > sent[way]:
            raise FailedError(f"{octets} octets were read on {way} where {sent[way]} were sent")


def hold(case: Case) -> None:
    """Run the case; raises FailedError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.toml"
        path.write_text(case.text, "utf-8", errors="surrogatepass")
        for command in case.commands:
            arguments = [str(path) if each == "{}" else each for each in command]
            said = _said(arguments, sound=case.sound)
            if case.sound and said != _said(arguments, sound=True):
                raise FailedError(f"{command}: two runs with one seed do not say the same")
            if "--json" in command:
                json.loads(said)
            elif case.sound and (hole := _HOLES.search(said)):
                raise FailedError(
                    f"{command}: a hole in what it says: {said[max(0, hole.start() - 80) : hole.end() + 20]!r}"
                )
    if case.sound:
        with _in_time("the network"):
            for each in load_scenario.runs(load_scenario.from_text(case.text)):
                no_more_read_than_sent(build.run(each).record)


def fuzz(seed: int, numbers: Sequence[int], *, keep_going: bool = False) -> dict[int, str]:
    """What failed, by the number of its case."""
    failures = dict[int, str]()
    for number in numbers:
        try:
            hold(case_of(seed, number))
        except (FailedError, ScenarioError) as error:
            failures[number] = str(error)
            if not keep_going:
                break
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--number", type=int, default=300, help="how many cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this case alone, with its text")
    parser.add_argument("--keep-going", action="store_true")
    asked = parser.parse_args()
    numbers = range(asked.number) if asked.only is None else [asked.only]
    if asked.only is not None:
        print(case_of(asked.seed, asked.only).text)
    failures = fuzz(asked.seed, numbers, keep_going=asked.keep_going)
    for number, why in failures.items():
        print(f"case {number}: {why}\n  python tools/fuzz_scenarios.py --seed {asked.seed} --only {number}")
    print(f"{len(numbers)} cases drawn, {len(failures)} failed")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
