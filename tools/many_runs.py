"""What `tcpemu sweep` is worth: runs a second by one process, by two, by a local cluster of dask.

Besides: a worker that is killed, memory over many runs, a sweep that is interrupted and goes on.

usage: python tools/many_runs.py [--runs 10000] [--clients 100] [--flat 100000] [--quick]

Every way to do the runs has to write the same octets. Times are those of this machine, beside each other in one run; on
one that others use too, the time of processors says more than the clock.
"""

import argparse
import hashlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tcpemu.sweep import Engine, dask, here, processes, sweep
from tcpemu.sweep.measured_run import MeasuredRun
from tcpemu.sweep.plan import Plan

SCENARIO = """
title = "Clients at a small queue"
duration = "10 s"
[server]
answer = "time"
then = "close"
accept = {{ every = "1 ms" }}
[[clients]]
name = "client"
count = {clients}
start = {{ rate = 800, poisson = true }}
do = ["connect", "read_to_end", "close"]
"""
BACKLOGS = [1, 2, 5, 16, 128]
MEASURE = ("served", "first_octet_time.p99", "ListenOverflows", "accept_queue.mean")


def swept(folder: Path, name: str, engine: Engine, runs: int, clients: int) -> tuple[float, float, str]:
    """Seconds that it took, those of processors among them, and the hash of what it wrote."""
    scenario = folder / "clients.toml"
    scenario.write_text(SCENARIO.format(clients=clients))
    output = folder / f"{name}.csv"
    begin, before = time.perf_counter(), sum(os.times()[:4])
    seeds = max(runs // len(BACKLOGS), 1)
    sweep(
        str(scenario),
        {"server.backlog": BACKLOGS},
        seeds=seeds,
        measure=MEASURE,
        output=output,
        engine=engine,
    )
    octets = hashlib.sha256(output.read_bytes()).hexdigest()[:12]
    return time.perf_counter() - begin, sum(os.times()[:4]) - before, octets


def told(name: str, runs: int, seconds: float, busy: float, octets: str, first: str) -> bool:
    same = octets == first
    words = "the same" if same else "DIFFERENT"
    cost = "" if "dask" in name else f"{busy / runs * 1000:.0f} ms of a processor a run"  # workers go on
    print(
        f"{name:<28} {runs / seconds:8.1f} runs/s  {seconds:8.1f} s  {cost:<30}  {octets} {words}", flush=True
    )
    return same


@contextmanager
def cluster() -> Iterator[str]:
    """A scheduler and two workers, each a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local:
        yield local.scheduler_address


def killed_after(seconds: float) -> Callable[[], None]:
    """Kill one of the processes that work, after a while."""

    def kill() -> None:
        time.sleep(seconds)
        children = [
            child for child in multiprocessing.active_children() if child.name.startswith("SpawnProcess")
        ]
        if children and children[0].pid is not None:
            os.kill(children[0].pid, signal.SIGKILL)
            print(f"  (killed worker {children[0].pid})", flush=True)

    return kill


def journal_is_clean(path: Path, runs: int) -> bool:
    lines = path.read_text().splitlines()[1:]
    once = len({line.partition('"values"')[0] for line in lines}) == len(lines) == runs
    print(f"  the journal has {len(lines)} runs, {'each once' if once else 'NOT each once'}", flush=True)
    return once


def engines(folder: Path, runs: int, clients: int) -> bool:
    runs = max(runs // len(BACKLOGS), 1) * len(BACKLOGS)
    seconds, busy, first = swept(folder, "one", here, runs, clients)
    good = told("this process", runs, seconds, busy, first, first)
    good &= told("two processes", runs, *swept(folder, "two", processes(2), runs, clients), first)
    killer = threading.Thread(target=killed_after(min(seconds / 4, 20)))
    killer.start()
    good &= told(
        "two processes, one killed", runs, *swept(folder, "killed", processes(2), runs, clients), first
    )
    killer.join()
    good &= journal_is_clean(folder / "killed.csv.runs", runs)
    with cluster() as address:
        good &= told("dask, two workers", runs, *swept(folder, "dask", dask(address), runs, clients), first)
    return good


def flat(folder: Path, runs: int) -> bool:
    """Memory of one process over many small runs; interrupted halfway, and resumed."""
    peaks: list[float] = []

    def stopping(stop_at: int) -> Engine:
        def engine(plan: Plan, numbers: Iterable[int]) -> Iterator[MeasuredRun]:
            for done, run in enumerate(here(plan, numbers), 1):
                yield run
                if done % (runs // 10) == 0:
                    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
                if done == stop_at:
                    raise KeyboardInterrupt

        return engine

    try:
        swept(folder, "flat", stopping(runs // 2), runs, 2)
    except KeyboardInterrupt:
        print(f"{runs:,} runs of 2 clients, interrupted after {runs // 2:,}", flush=True)
    swept(folder, "flat", stopping(0), runs, 2)
    print("  peak of memory after each tenth, in MB: " + " ".join(f"{peak:.0f}" for peak in peaks))
    return journal_is_clean(folder / "flat.csv.runs", runs) and peaks[-1] < peaks[0] * 1.3 + 20


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--flat", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="few runs, to see that it works")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.runs, chosen.clients, chosen.flat = 50, 20, 200
    with tempfile.TemporaryDirectory() as folder:
        good = engines(Path(folder), chosen.runs, chosen.clients)
        good &= flat(Path(folder), chosen.flat)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
