"""Memory that a run takes: told before, limited while it lasts; and the garbage collector, which rests meanwhile."""

import gc
import subprocess
import sys

import pytest

from tcpemu.cli import long_work
from tcpemu.cli.long_work import MEMORY, for_long_work, size_of, size_words
from tcpemu.cli.size_warning import warn_of_size
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.scenario.format.load_scenario import from_document, runs
from tcpemu.scenario.running.reckoned_size import reckoned_octets

LARGE = {
    "title": "much",
    "duration": "10 s",
    "clients": [
        {"name": "c", "count": 500, "start": {"every": "1 ms"}, "do": ["connect", {"send": 16_000_000}]}
    ],
}


def scenario(document):
    return from_document(document, "a test", {})


@pytest.mark.parametrize("fails", [False, True])
def test_the_collector_rests_and_is_as_before_afterwards(fails):
    seen = []

    @for_long_work
    def command():
        seen.append(gc.isenabled())
        if fails:
            raise ValueError

    assert gc.isenabled()
    try:
        command()
    except ValueError:
        assert fails
    assert (seen, gc.isenabled()) == ([False], True)


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        for_long_work(lambda: None)()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_run_that_will_not_fit_is_told_before_it_begins(monkeypatch, capsys):
    monkeypatch.setenv(MEMORY, "2 GB")
    warn_of_size(runs(scenario(LARGE)), None)
    err = capsys.readouterr().err
    assert "this will take some 8.8 " in err
    assert "GB of memory, and the limit is 2.0 GB" in err
    monkeypatch.setenv(MEMORY, "100 GB")
    warn_of_size(runs(scenario(LARGE)), None)
    assert capsys.readouterr().err == ""


def test_a_small_run_is_no_word_worth():
    small = {**LARGE, "clients": [{"name": "c", "do": ["connect"]}]}
    assert reckoned_octets(scenario(small)) == 0


def test_a_run_that_ends_earlier_takes_less():
    whole, part = reckoned_octets(scenario(LARGE)), reckoned_octets(scenario(LARGE), 49_000_000)
    assert part == whole // 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process's memory")
def test_what_a_run_takes_is_reckoned_within_half_and_twice():
    # Not ru_maxrss: in a child that begins with the largest that its parent ever had.
    code = (
        "from pathlib import Path; from tcpemu.scenario.format.load_scenario import *; "
        "from tcpemu.scenario.running import build, reckoned_size; "
        "one = runs(from_document({'title': 't', 'duration': '4 s', 'clients': [{'name': 'c', 'count': 2000, "
        "'start': {'every': '1 ms'}, 'do': ['connect', {'send': 3000}, 'close']}]}, 't', {}))[0]; "
        "peak = lambda: int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) * 1024; "
        "before = peak(); "
        "build.run(one); print((peak() - before) / reckoned_size.reckoned_octets(one.scenario))"
    )
    took = float(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    )
    assert 0.5 < took < 2


def test_beyond_the_limit_there_is_one_message(tmp_path):
    file = tmp_path / "much.toml"
    file.write_text(
        'title = "much"\nduration = "60 s"\n[[clients]]\nname = "c"\ncount = 500\nstart.every = "1 ms"\n'
        'do = ["connect", { send = 16_000_000 }]\n[server]\nbacklog = 500\n'
    )
    found = subprocess.run(
        [sys.executable, "-m", "tcpemu", "--memory", "120 MB", "run", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in found.stderr.splitlines() if "running" not in line]
    assert found.returncode == 2
    assert len(lines) == 2
    assert "this will take some" in lines[0]
    assert "the run took more memory than the limit of 120.0 MB; stop it earlier" in lines[1]


@pytest.mark.parametrize(
    ("text", "octets"), [("2 GB", 2 * 10**9), ("512MiB", 2**29), ("1.5 kb", 1500), ("7", 7)]
)
def test_sizes(text, octets):
    assert size_of(text) == octets


@pytest.mark.parametrize("text", ["much", "-1 GB", "2 TB", "", "GB"])
def test_what_is_no_size(text):
    with pytest.raises(UsageError, match="--memory"):
        size_of(text)


def test_less_than_the_program_takes(monkeypatch):
    monkeypatch.setenv(long_work.MEMORY, "1 MB")
    with pytest.raises(UsageError, match=r"the program itself takes more; give 64\.0 MB at least"):
        long_work.memory_limit()


def test_sizes_in_words():
    assert [size_words(each) for each in (10, 2500, 3 * 10**6, 10**9)] == [
        "10 octets",
        "2.5 kB",
        "3.0 MB",
        "1.0 GB",
    ]


def test_where_nobody_says_what_is_left_there_is_no_limit(monkeypatch):
    monkeypatch.delenv(MEMORY, raising=False)
    monkeypatch.setattr(long_work, "_available", lambda: None)
    assert long_work.memory_limit() is None
    warn_of_size(runs(scenario(LARGE)), None)
    assert for_long_work(lambda: 3)() == 3
