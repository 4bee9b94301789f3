"""Runs on the workers of a scheduler of dask. The only module that knows dask; loaded where a cluster is wanted."""

from collections.abc import Iterator
from typing import Any

from distributed import Client, as_completed

from tcpemu.sweep.chunks import MOST_DEATHS, Chunks, Done, EngineError
from tcpemu.sweep.measured_run import MeasuredRun, RunError, runs_in_process
from tcpemu.sweep.plan import Plan
from tcpemu.version import __version__

PATIENCE = "10s"
"""For the scheduler to answer, and for a first worker."""


def runs_by_cluster(address: str, plan: Plan, chunks: Chunks) -> Iterator[MeasuredRun]:
    """The runs, each as it is done. A chunk whose worker dies goes to another one. Raises EngineError."""
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise EngineError(f"--dask {address}: there is no scheduler of dask ({error})") from None
    with client:
        _check_workers(address, client)
        shared = client.scatter(plan, broadcast=True)

        def submit(chunk: tuple[int, ...]) -> Any:
            return client.submit(runs_in_process, shared, chunk, pure=False, retries=0)

        ahead = 2 * max(sum(client.nthreads().values()), 1)
        first = [chunk for _ in range(ahead) if (chunk := chunks.next())]
        running = as_completed([submit(chunk) for chunk in first], with_results=True, raise_errors=False)
        for future, result in running:
            runs, seconds = _done(future, result)
            chunks.took(len(runs), seconds)
            if chunk := chunks.next():
                running.add(submit(chunk))
            yield from runs


def _check_workers(address: str, client: Any) -> None:
    """Each worker has this version of tcpemu; else one sweep would be of two programs."""
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError:
        raise EngineError(f"--dask {address}: its scheduler has no workers") from None
    try:
        versions = client.run(_version)
    except Exception as error:
        raise EngineError(f"--dask {address}: its workers need tcpemu ({error})") from error
    if other := sorted({version for version in versions.values() if version != __version__}):
        raise EngineError(
            f"--dask {address}: tcpemu {other[0]} is there, and {__version__} here; install the same"
        )


def _version() -> str:
    return __version__


def _done(future: Any, result: Any) -> Done:
    if future.status == "finished":
        done: Done = result
        return done
    error = future.exception()
    if isinstance(error, RunError | ValueError):
        raise error
    raise EngineError(f"the cluster gave no result: {error!r} ({MOST_DEATHS} workers may die over one chunk)")
