"""Ten questions that people have asked about backlog sizes, answered by `tcpemu advise`; three also on real loopback.

usage: python tools/backlog_questions.py [--only N] [--real] [--seeds 5] [--keep DIRECTORY]

How clients come and how fast the server is stands in the question, or is an example of what it says: each answer shows
what it was, the command that asks it, and the one that shows a run in which a smaller backlog fails. With --real the
questions that are bursts are also put to a real server on the loopback of this machine, with the backlog that was asked
about and with the one that is advised: the share of clients that are answered within a second.
"""

import argparse
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tcpemu.scenario.format.load_scenario import Run
from tcpemu.scenario.format.scenario_text import toml_of
from tcpemu.scenario.running.build import run
from tcpemu.scenario.running.worker_process import usual_jobs
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep import Advice, spread
from tcpemu.sweep.advice.asked import coming, question
from tcpemu.sweep.advice.backlog_question import BacklogQuestion
from tcpemu.sweep.advice.backlog_search import answer


@dataclass(frozen=True)
class Asked:
    """A question as it was asked, and as it is put here: in the words of `tcpemu advise`."""

    where: str
    backlog: int
    """What they had."""
    what: str
    rate: str | None = None
    clients: int = 200
    """In each run: enough for what the question is about."""
    arrivals: str = "poisson"
    accept: str = "1 ms"
    pause: str = ""
    rtt: str = "40 ms"
    patience: str = "3 s"
    target: str = "p99 answer < 1 s"

    @property
    def at_once(self) -> bool:
        """Whether it is one burst, which no chance changes."""
        return self.arrivals.endswith("at once")


QUESTIONS = (
    Asked("grobian/carbon-c-relay#186", 3, "3 by default, 10,000 connections a second", "10000/s", 2000,
          accept="12000/s"),
    Asked("gwsystems/sledge-serverless-framework#395", 128, "200 clients in a burst: a tail of 1 s",
          arrivals="200 at once"),
    Asked("agentmail-to/agentmail-mcp#46", 511, "55 a second, and an event loop that stood still for 10 s",
          "55/s", 800, "outage of 10 s", patience="10 s"),
    Asked("oetiker/rrdtool-1.x#552", 10, "10, and spikes of requests", arrivals="40 at once", accept="5 ms"),
    Asked("sysprog21/kecho#4", 1, "1: some requests time out", arrivals="20 at once", accept="10 ms"),
    Asked("ros/ros_comm#850", 5, "request_queue_size 5, many connections at a time", arrivals="30 at once",
          accept="10 ms"),
    Asked("redis/redis#1371", 128, "128 of somaxconn, and many requests a second", "5000/s", 2000, accept="6000/s"),
    Asked("weidai11/cryptopp#349", 5, "5, from the days of Windows Sockets 1", "200/s", accept="exponential 4 ms"),
    Asked("giampaolo/pyftpdlib#297", 5, "5, or asyncio's 100", "100/s", 200, "bursts of 50", "5 ms"),
    Asked("php/php-src#731", 511, "how large for a pool that pauses", "300/s", accept="2 ms",
          pause="200 ms every 2 s"),
)  # fmt: skip


def question_of(asked: Asked, seeds: int) -> BacklogQuestion:
    return question(
        coming(asked.rate, asked.arrivals, None if asked.at_once else asked.clients),
        accept=asked.accept,
        rtt=asked.rtt,
        patience=asked.patience,
        target=asked.target,
        pause=asked.pause or (),
        somaxconn=None,
        generation=None,
        cookies=True,
        seeds=1 if asked.at_once else seeds,
    )


def command_of(asked: Asked, seeds: int) -> str:
    """The same question on the command line."""
    words = ["tcpemu", "advise", "--arrivals", asked.arrivals]
    words += [] if asked.at_once else ["--rate", str(asked.rate), "--clients", str(asked.clients)]
    words += ["--accept", asked.accept, "--rtt", asked.rtt, "--patience", asked.patience]
    words += ["--pause", asked.pause] if asked.pause else []
    words += ["--seeds", str(1 if asked.at_once else seeds)]
    return shlex.join(words)


def told(asked: Asked, advice: Advice, scenario: Path, command: str) -> Iterator[str]:
    yield f"{asked.where}: {asked.what}"
    yield f"    {'; '.join(advice.question.words)}"
    yield f"    {command} -o {scenario}"
    if advice.best is None:
        yield f"    no backlog meets {asked.target}"
        return
    had = advice.tried_with(asked.backlog)
    share = had.estimate("served.share")
    yield (
        f"    asked about {asked.backlog}, advised {advice.backlog}: p99 answer "
        f"{_seconds(advice.best.estimate('first_octet_time.p99'))}; with {asked.backlog} "
        f"{_seconds(had.estimate('first_octet_time.p99'))}, and {share.mean if share else 0:.0%} are answered"
    )
    if (below := advice.below) is not None and below.failing_seed is not None:
        yield (
            f"    a run below it: tcpemu explain {scenario} --set server.backlog={below.backlog} "
            f"--seed {below.failing_seed}"
        )


def _seconds(found: object) -> str:
    mean = getattr(found, "mean", None)
    return "-" if mean is None else "never" if mean == float("inf") else f"{mean:.2f} s"


# On real loopback.


def emulated_share(question: BacklogQuestion, backlog: int) -> float:
    """The share of clients that are answered within a second, on emulated hosts."""
    clients = run(Run("", question.scenario(backlog))).clients
    return sum(
        each.first_octet is not None and each.first_octet - each.started < SECOND for each in clients
    ) / len(clients)


def real_share(question: BacklogQuestion, backlog: int) -> float:
    """The same with real sockets on the loopback of this machine."""
    busy, number = question.service.mean / SECOND, question.arrivals.number
    answered: list[float] = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        over = threading.Event()
        server = threading.Thread(target=_serve, args=(listener, busy, over), daemon=True)
        gate = threading.Barrier(number + 1)
        clients = [
            threading.Thread(target=_ask, args=(listener.getsockname(), gate, answered), daemon=True)
            for _ in range(number)
        ]
        for each in clients:
            each.start()
        gate.wait()
        server.start()
        for each in clients:
            each.join(10)
        over.set()
        server.join(5)
    return sum(seconds < 1 for seconds in answered) / number


def _serve(listener: socket.socket, busy: float, over: threading.Event) -> None:
    listener.settimeout(0.2)
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            continue
        with connection:
            connection.sendall(b"x")
        time.sleep(busy)


def _ask(server: tuple[str, int], gate: threading.Barrier, answered: list[float]) -> None:
    gate.wait()
    begin = time.monotonic()
    try:
        with socket.create_connection(server, timeout=3) as connection:
            connection.settimeout(3)
            if connection.recv(1):
                answered.append(time.monotonic() - begin)
    except OSError:
        return


def beside_real(asked: Asked, advice: Advice) -> Iterator[str]:
    near = question_of(replace(asked, rtt="100 us"), 1)
    for backlog in (asked.backlog, advice.backlog or 0):
        emulated, real = emulated_share(near, backlog), real_share(near, backlog)
        yield f"    on loopback with {backlog}: answered within 1 s {real:.0%} real, {emulated:.0%} emulated"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", type=int, help="only the question of that number, from 1 on")
    parser.add_argument("--real", action="store_true", help="ask real loopback too")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=usual_jobs())
    parser.add_argument("--keep", type=Path, default=Path(), help="where the scenarios are written: N.toml")
    chosen = parser.parse_args()
    engine = spread(chosen.jobs)
    for number, asked in enumerate(QUESTIONS, 1):
        if chosen.only not in (None, number):
            continue
        advice = answer(question_of(asked, chosen.seeds), engine, also=[asked.backlog])
        scenario = chosen.keep / f"{number}.toml"
        scenario.write_text(toml_of(advice.question.with_backlog(asked.backlog)))
        command = command_of(asked, chosen.seeds)
        print(f"{number}. " + "\n".join(told(asked, advice, scenario, command)), flush=True)
        if chosen.real and asked.at_once:
            print("\n".join(beside_real(asked, advice)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
