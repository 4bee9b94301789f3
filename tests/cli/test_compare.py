"""`tcpemu compare`."""

import re
from itertools import combinations

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.explain.catalogue.rule_history import differing
from tcpemu.generations import generation
from tcpemu.scenario.running.variations import KERNELS_COMPARED
from tcpemu.wire.capture_file import read_capture

SMALL = """
title = "Two clients"
duration = "1 s"

[server]
backlog = 1
accept.never = true

[[clients]]
name = "one"

[[clients]]
name = "two"
start = "100 ms"
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def tcpemu(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def shown(*arguments):
    done = tcpemu(*arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def columns(text, names):
    """The cells of each column of the table, from the rows where they stand; each a list of lines."""
    found = {}
    lines = text.splitlines()
    for number, line in enumerate(lines):
        places = {name: line.find(f"  {name}") + 2 for name in names if f"  {name}" in f"{line} "}
        if len(places) < 2 or not line.startswith("   "):
            continue
        ends = [*sorted(places.values())[1:], None]
        table = lines[number + 1 : lines.index("", number)]
        for (name, begin), end in zip(sorted(places.items(), key=lambda item: item[1]), ends, strict=True):
            cells = (each[begin : end and end - 2].strip() for each in table if each[2] != "*")
            found[name] = "\n".join(cells)
    return found


def part(text, name):
    """What stands below the table under the name of a column."""
    _, below = text.split("\nWhere each first behaves", 1)
    return f"\n\n{below}\n\n".split(f"\n\n{name}\n", 1)[1].split("\n\n")[0]


@pytest.fixture(scope="module")
def eight():
    return CliRunner().invoke(app, ["compare", "ignored-ack"], env={"COLUMNS": "100"}).stdout


def test_eight_kernels_by_default_and_all_columns_differ(eight):
    found = columns(eight, KERNELS_COMPARED)
    assert list(found) == list(KERNELS_COMPARED)
    for one, other in combinations(KERNELS_COMPARED, 2):
        assert found[one] != found[other], (one, other)


def test_the_named_kernels_are_the_default_ones(eight):
    assert shown("ignored-ack", "--generation", ",".join(KERNELS_COMPARED)) == eight


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("linux-2.0", ["no SYN|ACK", "never never"]),
        (
            "linux-2.6.32",
            [re.compile(r" [34]\.[0-9]+, 1?[0-9]\.[0-9]+, 2[1-4]\.[0-9]+, "), "connected 0.111 s"],
        ),
        ("linux-3.10", [re.compile(r" 1\.[0-9]+, 3\.[0-9]+, 7\.[0-9]+, 15\.[0-9]+, 31\.[0-9]+ ")]),
        ("linux-4.10", ["never", "connected 0.111 s"]),
        ("linux-6.18", [" 1, 3, 7, 15, 31 ", "to data of late 70.005 s", "ECONNRESET 70.01 s"]),
        ("bsd-4.4", ["no SYN|ACK", "connected 0.11 s never"]),
        ("freebsd-14", ["never", "to ACK of late 0.116 s", "connected 0.111 s, ECONNRESET 70 s"]),
        ("windows-2003", ["to SYN of second 0.105 s, of late 0.106 s", "ECONNREFUSED 0.111 s"]),
    ],
)
def test_each_column_tells_its_story(eight, name, cells):
    column = " ".join(columns(eight, KERNELS_COMPARED)[name].split())
    for cell in cells:
        assert cell.search(column) if isinstance(cell, re.Pattern) else cell in column


TAKEN = "the SYN enters the SYN queue and is answered with SYN|ACK"
DROPPED = "the queue is full (1 wait, 0 half-open, backlog 1), so the SYN is dropped"


@pytest.mark.parametrize("name", KERNELS_COMPARED[1:])
def test_where_each_departs_from_the_first_and_why(eight, name):
    told = part(eight, name)
    assert "first behaves differently from linux-2.0 at 0.105 s: SYN of second" in told
    width = max(len("linux-2.0"), len(name))
    assert f"    {'linux-2.0':<{width}}  {DROPPED}\n" in told
    refused = DROPPED.replace("dropped", "answered with a\n")
    here = TAKEN if name != "windows-2003" else refused
    assert f"    {name:<{width}}  {here}" in told


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("linux-3.10", ["first behaves differently from linux-2.6.32 at 1.", "sent again after 1."]),
        (
            "linux-4.10",
            ["first behaves differently from linux-3.10 at 0.106 s: SYN of late", "so a SYN cookie is sent"],
        ),
        (
            "linux-6.18",
            ["first behaves differently from linux-4.10 at 0.106 s: SYN of late", "so a SYN cookie is sent"],
        ),
        (
            "bsd-4.4",
            ["first behaves differently from linux-6.18 at 0.106 s: SYN of late", "so the SYN is dropped"],
        ),
        ("freebsd-14", ["first behaves differently from bsd-4.4 at 0.106 s: SYN of late", TAKEN]),
        (
            "windows-2003",
            ["first behaves differently from freebsd-14 at 0.105 s: SYN of second", "is answered with a\n"],
        ),
    ],
)
def test_where_each_departs_from_the_one_before(eight, name, words):
    for each in words:
        assert each in part(eight, name)


def test_looks_are_told_apart(eight):
    told = part(eight, "linux-6.18")
    assert "same decision, other fields than linux-2.0 at 0.005 s: SYN|ACK to first" in told
    assert "window 65160, options: mss 1460, SACK permitted, timestamps, window scale 10" in told


def test_what_the_kernels_are_and_what_is_not_certain(eight):
    assert "Linux 2.0 (1996)" in part(eight, "linux-2.0")
    assert "unverified: the limit of 200" in part(eight, "windows-2003")


@pytest.mark.parametrize("columns", [80, 100])
def test_it_fits_the_width(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    for arguments in ["ignored-ack"], ["syn-flood"], ["accept-rate", "--until", "300 ms"]:
        assert max(map(len, shown(*arguments).splitlines())) <= columns


# One setting, or several things at once.


def test_a_sysctl_varied():
    text = shown("--vary", "net.ipv4.tcp_abort_on_overflow=0,1")
    zero, one = "tcp_abort_on_overflow=0", "tcp_abort_on_overflow=1"
    found = columns(text, [zero, one])
    assert "1, 3, 7, 15, 31" in found[zero]
    assert "to ACK of late 0.116 s" in found[one]
    told = part(text, one)
    assert f"first behaves differently from {zero} at 0.116 s: ACK of late" in told
    assert "tcp_abort_on_overflow" in told.split("1: answered with a RST")[0]
    assert "linux-6.18 · seed 1" in text
    assert "Linux 6.18 (2025)" not in text  # there is but one kernel


def test_the_backlog_varied(scenario):
    text = shown(scenario, "--vary", "server.backlog=0,1,5")
    found = columns(text, ["backlog=0", "backlog=1", "backlog=5"])
    assert "never" in found["backlog=0"]
    assert "connected 0.11 s" in found["backlog=1"]
    told = part(text, "backlog=5")
    assert "first behaves differently from backlog=0 at 0.105 s: SYN of two" in told
    assert "no packet differs from backlog=1" in told


def test_a_setting_of_a_client_varied(scenario):
    told = part(
        shown(scenario, "--vary", "two:net.ipv4.tcp_sack=0,1"),
        "two:net.ipv4.tcp_sack=1",
    )
    assert "same decision, other fields than two:net.ipv4.tcp_sack=0 at 0.1 s: SYN of two" in told
    assert "same decisions as two:net.ipv4.tcp_sack=0, at the same times" in told


def test_kernels_and_a_setting_at_once(scenario):
    text = shown(scenario, "--generation", "linux-6.18,bsd-4.4", "--vary", "server.backlog=0,1")
    for name in ("linux-6.18 backlog=0", "linux-6.18 backlog=1", "bsd-4.4 backlog=0", "bsd-4.4 backlog=1"):
        assert f"\n\n{name}\n" in text
    assert text.count("4.4BSD (1994)") == 1


def test_a_single_column_departs_from_nothing(scenario):
    text = shown(scenario, "--generation", "linux-2.0")
    assert "first behaves differently from" not in text
    assert "Where each first behaves" not in text
    assert "connected 0.01 s" in text


# The other options.


def test_settings_seed_and_until(scenario):
    arguments = (scenario, "--generation", "linux-6.18,linux-3.10", "--set", "link.delay=20 ms", "--seed", 7)
    text = shown(*arguments)
    assert "connected 0.04 s" in text
    assert "seed 7" in text
    assert "outcome for two" not in shown(*arguments, "--until", "50 ms")


def test_one_of_several_runs_and_word_of_the_others():
    first = shown("listen-1-vs-5", "--generation", "linux-6.18")
    assert "* this is the run 'listen(1)' of listen-1-vs-5; for another one: --run 'listen(5)'" in first
    other = shown("listen-1-vs-5", "--generation", "linux-6.18", "--run", "listen(5)")
    assert "— listen(5)" in other
    assert "6 connected" in other


def test_a_sysctl_that_a_kernel_does_not_have_is_left_out_with_a_word():
    text = shown("abort-on-overflow", "--generation", "linux-2.0,linux-2.4,bsd-4.4")
    assert " ".join(text.split()).count(
        "* the scenario sets net.ipv4.tcp_abort_on_overflow = 1; left out for linux-2.0 "
        "(Linux has it since 2.4) and bsd-4.4 (it is a sysctl of Linux)"
    )


def test_a_capture_of_each_column(scenario, tmp_path):
    place = tmp_path / "new" / "captures"
    text = shown(
        scenario, "--generation", "linux-6.18,linux-2.0", "--vary", "server.backlog=-1,1", "-o", place
    )
    names = [
        f"{kernel}-backlog={value}.pcapng" for kernel in ("linux-2.0", "linux-6.18") for value in (-1, 1)
    ]
    assert sorted(path.name for path in place.iterdir()) == names
    for name in names:
        assert f"Written: {place / name} (" in text
        assert name.split("-backlog")[0] in " ".join(read_capture(place / name).comments)
    again = tmp_path / "again"
    shown(scenario, "--generation", "linux-2.0", "--set", "server.backlog=1", "-o", again)
    same = read_capture(again / "linux-2.0.pcapng").packets
    assert [packet.data for packet in same] == [
        packet.data for packet in read_capture(place / "linux-2.0-backlog=1.pcapng").packets
    ]


def test_values_that_make_the_same_file_name_have_two_files(scenario, tmp_path):
    shown(scenario, "--vary", "link.delay=5 ms,'5  ms'", "-o", tmp_path / "x")
    assert len(list((tmp_path / "x").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ignored-akc"], ["did you mean 'ignored-ack'?"]),
        (
            ["--generation", "linux-9"],
            ["server.generation", "linux-9", "linux-7.3 is the nearest before it"],
        ),
        (["--generation", "linux-6.18,,bsd-4.4"], ["--generation", "with commas between them"]),
        (["--vary", "server.backlog"], ["server.backlog", "write PATH=VALUE,VALUE,..."]),
        (["--vary", "server.backlgo=1,2"], ["server.backlgo", "did you mean 'backlog'?"]),
        (["--vary", "server.backlog=1,many"], ["server.backlog", "many"]),
        (
            ["--generation", "linux-3.10,linux-6.18", "--vary", "net.ipv4.tcp_syn_linear_timeouts=0,4"],
            ["tcp_syn_linear_timeouts is not there in linux-3.10: Linux has it since 6.5"],
        ),
        (["--set", "net.ipv4.tcp_syncookies=0"], ["not there in linux-2.0: Linux has it since 2.2"]),
        (
            ["--vary", "server.backlog=0,1,2,3", "--generation", "linux-6.18,linux-2.0,linux-2.2,bsd-4.4"],
            ["4 x 4 values make 16 columns", "12 at most"],
        ),
        (["listen-1-vs-5", "--run", "listen(2)"], ["'listen(1)', 'listen(5)'"]),
        (["--until", "soon"], ["--until 'soon'"]),
        (["-o", "a-file"], ["a-file is a file; name a directory"]),
    ],
)
def test_a_mistake_is_one_message_and_status_2(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    done = tcpemu(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    for each in words:
        assert each in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.parametrize(
    ("columns", "title"),
    [
        (("--vary", "server.backlog=1,5"), "listen-1-vs-5: The backlog decides how many connections wait"),
        (
            ("--generation", "linux-4.10,linux-6.18"),
            "listen-1-vs-5: The backlog decides how many connections wait — listen(1)",
        ),
    ],
)
def test_the_title_names_a_run_only_where_the_columns_leave_it_as_it_is(columns, title):
    out = shown("listen-1-vs-5", *columns)
    assert out.splitlines()[0] == title
    assert ("this is the run 'listen(1)'" in out) == title.endswith("listen(1)")


TOLD_APART = "Rules that differ between these kernels"
NEIGHBOURS = [
    ("linux-5.10.218", "linux-5.10"),
    ("linux-5.10", "linux-6.1"),
    ("linux-6.1", "linux-6.12"),
    ("linux-6.12", "linux-6.18"),
    ("linux-6.18", "linux-7.3"),
]


def rules_shown(*kernels):
    out = CliRunner().invoke(app, ["compare", "handshake", "--generation", ",".join(kernels)]).stdout
    assert max(map(len, out.splitlines())) <= 100
    told = out.partition(TOLD_APART)[2]
    assert told.startswith(" (N: backlog, Q: half-open connections)") == bool(re.search(r"\bQ\b", told[50:]))
    return told.splitlines()[2:]


@pytest.mark.parametrize("kernels", NEIGHBOURS)
def test_rules_of_neighbours_are_those_of_the_table_a_line_each(kernels):
    first, second = map(generation, kernels)
    rows = [" ".join(row.split()) for row in rules_shown(*kernels)]
    assert rows == [" ".join(row) for row in differing(first, second)]


def test_rules_of_more_kernels_are_told_too():
    rows = [" ".join(row.split()) for row in rules_shown("linux-6.1", "linux-6.12", "linux-7.3")]
    assert "data that there is no memory for gets an ACK window 0 window 0" in rows


def test_rules_are_not_told_where_one_kernel_was_not_asked():
    assert not rules_shown("linux-4.19", "linux-6.12")
