"""A sweep from its plan to its file: the same whoever does it, and nothing lost or done twice."""

import csv
import json
import multiprocessing
import os
import signal
import threading
import time

import pytest

from tcpemu.scenario import ScenarioError
from tcpemu.sweep import EngineError, JournalError, RunError, dask, here, processes, sweep
from tcpemu.sweep.measured_run import MeasuredRun
from tcpemu.sweep.outputs import OutputError, require_writer

VARY = {"server.backlog": [0, 2], "clients.crowd.start.rate": [200, 800]}
MEASURE = ("served", "first_octet_time.p90", "ListenOverflows", "accept_queue.mean")


def written(path, engine, crowd, **more):
    sweep(crowd, VARY, seeds=3, measure=MEASURE, output=path, engine=engine, **more)
    return path.read_bytes()


def test_the_same_octets_whoever_does_the_runs(crowd, tmp_path):
    one = written(tmp_path / "one.csv", here, crowd)
    assert written(tmp_path / "two.csv", processes(2), crowd) == one
    assert len(one.splitlines()) == 13


def backwards(plan, numbers):
    return here(plan, reversed(list(numbers)))


def test_the_same_octets_in_whatever_order(crowd, tmp_path):
    assert written(tmp_path / "a.csv", backwards, crowd) == written(tmp_path / "b.csv", here, crowd)


def test_a_row_is_what_a_run_alone_gives(crowd):
    found = list(sweep(crowd, VARY, seeds=2, measure=MEASURE).rows())
    alone = sweep(
        crowd, {}, measure=MEASURE, settings={"server.backlog": 2, "clients.crowd.start.rate": 800, "seed": 2}
    )
    (row,) = alone.rows()
    assert found[-1] == {"server.backlog": 2, "clients.crowd.start.rate": 800, **row}


class StopError(Exception):
    pass


def stopping_after(count):
    done = []

    def engine(plan, numbers):
        for run in here(plan, numbers):
            if len(done) == count:
                raise StopError
            done.append(run.number)
            yield run

    engine.done = done
    return engine


def test_what_is_done_is_not_done_again(crowd, tmp_path):
    whole = written(tmp_path / "whole.csv", here, crowd)
    path = tmp_path / "part.csv"
    first = stopping_after(5)
    with pytest.raises(StopError):
        written(path, first, crowd)
    assert not path.exists()
    rest = stopping_after(100)
    assert written(path, rest, crowd) == whole
    assert sorted(first.done + rest.done) == list(range(12))
    again = stopping_after(100)
    assert written(path, again, crowd) == whole
    assert again.done == []


def test_half_a_line_is_not_read(crowd, tmp_path):
    path, journal = tmp_path / "x.csv", tmp_path / "x.csv.runs"
    whole = written(path, here, crowd)
    octets = journal.read_bytes()
    for cut in (len(octets) - 1, len(octets) - 30, 40, 0):
        journal.write_bytes(octets[:cut])
        assert written(path, here, crowd) == whole


def test_more_seeds_and_values_go_on_from_what_is_there(crowd, tmp_path):
    path = tmp_path / "x.json"
    sweep(crowd, {"server.backlog": [0, 2]}, seeds=2, measure=MEASURE, output=path)
    more = stopping_after(100)
    sweep(crowd, {"server.backlog": [0, 1, 2]}, seeds=3, measure=MEASURE, output=path, engine=more)
    assert len(more.done) == 5
    table = json.loads(path.read_text())
    assert [(row["server.backlog"], row["seed"]) for row in table["runs"]] == [
        (backlog, seed) for backlog in (0, 1, 2) for seed in (1, 2, 3)
    ]


def test_a_journal_of_something_else_is_left_alone(crowd, tmp_path):
    path = tmp_path / "x.csv"
    written(path, here, crowd)
    with pytest.raises(JournalError, match="measures something else"):
        sweep(crowd, VARY, seeds=3, measure=("served",), output=path)
    with pytest.raises(JournalError, match="other runs"):
        written(path, here, crowd, settings={"duration": "2 s"})


def test_two_sweeps_do_not_write_to_one_journal(crowd, tmp_path):
    path = tmp_path / "x.csv"

    def engine(plan, numbers):
        with pytest.raises(JournalError, match="another sweep"):
            written(path, here, crowd)
        return here(plan, numbers)

    written(path, engine, crowd)


def kill_one():
    """Kill a worker, once there is one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for child in multiprocessing.active_children():
            if child.name.startswith("SpawnProcess"):
                time.sleep(0.5)
                os.kill(child.pid, signal.SIGKILL)
                return
        time.sleep(0.01)


def test_a_worker_that_is_killed_costs_nothing(crowd, tmp_path):
    whole = written(tmp_path / "whole.csv", here, crowd)
    killer = threading.Thread(target=kill_one)
    killer.start()
    assert written(tmp_path / "x.csv", processes(2), crowd) == whole
    killer.join()
    lines = (tmp_path / "x.csv.runs").read_text().splitlines()[1:]
    assert len({line.partition('"values"')[0] for line in lines}) == len(lines) == 12


def test_a_chunk_that_kills_its_workers_is_given_up(crowd, tmp_path):
    deadly = tmp_path / "deadly.py"
    deadly.write_text("import os\n\ndef measure(result):\n    os._exit(9)\n")
    with pytest.raises(EngineError, match="workers died"):
        sweep(crowd, {}, measure=(f"{deadly}:measure",), engine=processes(2))


def test_a_run_that_fails_is_named(crowd, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("def measure(result):\n    raise KeyError('x')\n")
    with pytest.raises(RunError, match=r"backlog=2, seed 1: KeyError"):
        sweep(crowd, {"server.backlog": [2]}, measure=(f"{broken}:measure",))


def test_all_mistakes_come_before_the_first_run(crowd):
    def engine(plan, numbers):
        raise AssertionError

    with pytest.raises(ScenarioError, match=r"server\.backlog"):
        sweep(crowd, {"server.backlog": [1, "many"]}, engine=engine)


def test_a_cluster_of_dask(crowd, tmp_path):
    distributed = pytest.importorskip("distributed")
    whole = written(tmp_path / "whole.csv", here, crowd)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
    ):
        assert written(tmp_path / "x.csv", dask(cluster.scheduler_address), crowd) == whole


def test_parquet(crowd, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    written(path, here, crowd)
    with (tmp_path / "x.csv").open("wb") as file:
        file.write(written(tmp_path / "y.csv", here, crowd))
    rows = parquet.read_table(path).to_pylist()
    with (tmp_path / "x.csv").open(newline="") as file:
        texts = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == [int(text["seed"]) for text in texts]
    assert [row["served"] for row in rows] == [float(text["served"]) for text in texts]


def test_parquet_without_its_library_is_told_before_the_runs(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tcpemu.sweep.parquet_file", None)
    with pytest.raises(OutputError, match=r"tcpemu\[sweep\]"):
        require_writer(tmp_path / "x.parquet")


def test_a_time_that_never_came(tmp_path):
    path = tmp_path / "x.json"
    found = sweep("listen-0", {}, measure=("first_octet_time.p99", "goodput"), output=path)
    assert next(found.rows())["first_octet_time.p99"] == float("inf")
    assert json.loads(path.read_text())["runs"] == [{"seed": 1, "first_octet_time.p99": None}]


def test_estimates_of_points(crowd):
    found = sweep(crowd, {"server.backlog": [0, 16]}, seeds=4, measure=("served",))
    small, large = [point.measures["served"] for point in found.points()]
    assert small.mean < large.mean == 20
    assert small.runs == 4
    assert large.half == 0


def test_the_journal_adds_a_run_once(crowd, tmp_path):
    def twice(plan, numbers):
        for run in here(plan, numbers):
            yield run
            yield MeasuredRun(run.number, tuple(None for _ in run.values))

    assert written(tmp_path / "a.csv", twice, crowd) == written(tmp_path / "b.csv", here, crowd)
