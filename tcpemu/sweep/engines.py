"""Who does the runs of a sweep: this process, several on this machine, or a cluster of dask.

What comes back comes in any order, and does not depend on who did what. A chunk of runs whose worker has died goes out
again.
"""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from time import perf_counter
from typing import TypeAlias

from tcpemu.scenario.running.worker_process import worker_begins
from tcpemu.sweep.chunks import Chunks, Done, EngineError
from tcpemu.sweep.measured_run import MeasuredRun, runs_in_process
from tcpemu.sweep.plan import Plan

SOON = 0.3
"""Seconds after which it is known how long runs take."""
WORTH_PROCESSES = 3.0
"""Seconds of work that are worth to start processes for."""
Engine: TypeAlias = Callable[[Plan, Iterable[int]], Iterator[MeasuredRun]]
"""Does the runs of these numbers, and gives each as it is done."""


def here(plan: Plan, numbers: Iterable[int]) -> Iterator[MeasuredRun]:
    """Do them in this process, one after the other."""
    for number in numbers:
        done, _ = runs_in_process(plan, [number])
        yield from done


def processes(jobs: int) -> Engine:
    """So many processes on this machine."""

    def done(plan: Plan, numbers: Iterable[int]) -> Iterator[MeasuredRun]:
        chunks = Chunks(iter(numbers))
        while True:
            try:
                yield from _by_pool(plan, chunks, jobs)
            except BrokenProcessPool:
                continue
            return

    return done


def spread(jobs: int) -> Engine:
    """Here as long as little is left to do, else by so many processes, which take a second to begin."""
    if jobs == 1:
        return here

    def done(plan: Plan, numbers: Iterable[int]) -> Iterator[MeasuredRun]:
        rest, begin = iter(numbers), perf_counter()
        if not any(measure.own for measure in plan.measures):  # one's own may end its process
            for count, number in enumerate(rest, 1):
                yield from here(plan, [number])
                spent = perf_counter() - begin
                if spent > SOON and (len(plan) - count) * spent / count > WORTH_PROCESSES:
                    break
        yield from processes(jobs)(plan, rest)

    return done


def dask(address: str) -> Engine:
    """The workers of a scheduler of dask.distributed, as `tcp://10.1.2.3:8786`. Raises EngineError.

    Its workers need tcpemu, the same version, and what a measure of one's own needs.
    """
    try:
        from tcpemu.sweep.dask_cluster import runs_by_cluster  # noqa: PLC0415 - an optional dependency
    except ImportError:
        raise EngineError("--dask needs dask.distributed; pip install 'tcpemu[cluster]'") from None

    def done(plan: Plan, numbers: Iterable[int]) -> Iterator[MeasuredRun]:
        return runs_by_cluster(address, plan, Chunks(iter(numbers)))

    return done


# Processes.


def _by_pool(plan: Plan, chunks: Chunks, jobs: int) -> Iterator[MeasuredRun]:
    """Until all is done, or a worker dies: then BrokenProcessPool, and what was out is left to another pool."""
    out: dict[Future[Done], tuple[int, ...]] = {}
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), worker_begins)
    try:
        while _fill(pool, plan, chunks, out, 2 * jobs):
            ready, _ = wait(out, return_when=FIRST_COMPLETED)
            for future in ready:
                runs, seconds = future.result()
                chunks.took(len(runs), seconds)
                del out[future]
                yield from runs
    except BrokenProcessPool:
        yield from _saved(out)
        # Nobody tells at which chunk the worker was that died. It was one of those that went out first.
        for place, chunk in enumerate(out.values()):
            if place < jobs:
                chunks.died(chunk)
            else:
                chunks.again.append(chunk)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _fill(
    pool: ProcessPoolExecutor, plan: Plan, chunks: Chunks, out: dict[Future[Done], tuple[int, ...]], most: int
) -> bool:
    """Keep as many chunks out as that; whether any is. Raises BrokenProcessPool."""
    while len(out) < most and (chunk := chunks.next()):
        try:
            out[pool.submit(runs_in_process, plan, chunk)] = chunk
        except BrokenProcessPool:
            chunks.again.append(chunk)
            raise
    return bool(out)


def _saved(out: dict[Future[Done], tuple[int, ...]]) -> Iterator[MeasuredRun]:
    """What had come back before the pool broke; it is out no more."""
    for future in [each for each in out if each.done() and not each.cancelled() and not each.exception()]:
        del out[future]
        yield from future.result()[0]
