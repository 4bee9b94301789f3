"""`tcpemu trace`."""

import json

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app

SYN = [0.1, "in", 41001, "S", 0, None, {"opts": [["mss", 1460]]}]
TRACE = {
    "name": "one-syn",
    "about": "a SYN is answered",
    "sysctl": {},
    "until": 0.5,
    "steps": [[0, "listen", 1], SYN],
}


def write(path, trace=TRACE):
    path.write_text(trace if isinstance(trace, str) else json.dumps(trace))
    return path


def tcpemu(*arguments):
    return CliRunner().invoke(app, ["trace", *map(str, arguments)])


def sent(trace):
    return [entry["flags"] for entry in trace["log"] if "out" in entry]


def test_one_trace_to_one_file(tmp_path):
    done = tcpemu(write(tmp_path / "a.json"), "-o", tmp_path / "b.json")
    assert done.exit_code == 0, done.stderr
    answered = json.loads((tmp_path / "b.json").read_text())
    assert {key: answered[key] for key in TRACE} == TRACE
    assert sent(answered) == ["SA"]


def test_one_trace_into_a_directory_that_is_there(tmp_path):
    (tmp_path / "out").mkdir()
    assert tcpemu(write(tmp_path / "a.json"), "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "a.json").is_file()


def test_one_trace_to_the_terminal(tmp_path):
    done = tcpemu(write(tmp_path / "a.json"))
    assert sent(json.loads(done.stdout)) == ["SA"]


def test_a_directory_of_traces_into_a_new_directory(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "c"):
        write(tmp_path / "in" / f"{name}.json")
    (tmp_path / "in" / "notes.txt").write_text("no trace")
    done = tcpemu(tmp_path / "in", "-o", tmp_path / "deep" / "out")
    assert done.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == [
        "a.json",
        "b.json",
        "c.json",
    ]


def test_a_directory_with_one_trace_goes_into_a_directory_too(tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.json")
    assert tcpemu(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "a.json").is_file()


def test_a_trace_is_not_answered_in_place(tmp_path):
    path = write(tmp_path / "a.json")
    before = path.read_text()
    assert tcpemu(path, "-o", path).exit_code == 2
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_check_tells_same_from_different(tmp_path):
    path = tmp_path / "answered.json"
    tcpemu(write(tmp_path / "a.json"), "-o", path)
    done = tcpemu(path, "--check")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 the same, 0 different" in done.stderr
    truth = json.loads(path.read_text())
    next(entry for entry in truth["log"] if "out" in entry)["win"] = 1
    done = tcpemu(write(tmp_path / "b.json", truth), path, "--check")
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{tmp_path / 'b.json'}: ")
    assert "win 1" in done.stdout
    assert "1 the same, 1 different" in done.stderr


def test_check_needs_a_log(tmp_path):
    done = tcpemu(write(tmp_path / "a.json"), "--check")
    assert done.exit_code == 2
    assert "no log to compare with" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1, column 2: not JSON"),
        ('{"until": NaN, "steps": []}', "NaN is no number in JSON"),
        ("[1, 2]", "a step trace is a JSON object, not list"),
        ("[" * 100_000, "nested too deeply"),
        ('{"until": ' + "9" * 5000 + "}", "4300 digits"),
        ({"steps": []}, "until"),
        ({"until": 1}, "steps"),
        ({**TRACE, "steps": [[0, "dance"]]}, "dance"),
        ({**TRACE, "sysctl": {"net.ipv4.tcp_snack": 1}}, "tcp_snack"),
    ],
)
def test_a_bad_trace_is_one_message_and_status_2(tmp_path, content, words):
    path = write(tmp_path / "bad.json", content)
    done = tcpemu(path, "-o", tmp_path / "out.json")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"tcpemu: {path}: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.json").write_bytes(b'{"name": "\xff"}')
    done = tcpemu(tmp_path / "a.json")
    assert done.exit_code == 2
    assert "octet 10 is not UTF-8" in done.stderr


def test_a_bad_trace_does_not_keep_the_others_from_their_answers(tmp_path):
    for name, trace in (("a", TRACE), ("b", "{"), ("c", TRACE)):
        write(tmp_path / f"{name}.json", trace)
    done = tcpemu(tmp_path, "-o", tmp_path / "out")
    assert done.exit_code == 2
    assert done.stderr.count("tcpemu: ") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.json", "c.json"]


def test_an_old_answer_stays_when_there_is_no_new_one(tmp_path):
    (tmp_path / "out.json").write_text("precious")
    assert tcpemu(write(tmp_path / "a.json", "{"), "-o", tmp_path / "out.json").exit_code == 2
    assert (tmp_path / "out.json").read_text() == "precious"


def test_places_that_cannot_be(tmp_path):
    one, two = write(tmp_path / "a.json"), write(tmp_path / "b.json")
    (tmp_path / "empty").mkdir()
    (tmp_path / "twin").mkdir()
    write(tmp_path / "twin" / "a.json")
    for arguments, words in [
        ((tmp_path / "nothing.json",), "No such file"),
        ((one, two), "name a directory"),
        ((one, two, "-o", one), "is a file; several traces need a directory"),
        ((one, "-o", tmp_path / "none" / "x.json"), "make it first"),
        ((tmp_path / "empty", "-o", tmp_path / "out"), "no .json file"),
        ((one, tmp_path / "twin" / "a.json", "-o", tmp_path / "out"), "would both become"),
    ]:
        done = tcpemu(*arguments)
        assert done.exit_code == 2, arguments
        assert words in done.stderr
    assert not (tmp_path / "out").exists()
    assert json.loads(one.read_text()) == TRACE


def test_another_kernel_or_clock_may_answer(tmp_path):
    unanswered = {**TRACE, "until": 2, "sysctl": {}}
    path = write(tmp_path / "a.json", unanswered)
    exact = json.loads(tcpemu(path).stdout)["log"]
    ticking = json.loads(tcpemu(path, "--hz", 100).stdout)["log"]
    repeats = [[entry["t"] for entry in log if "out" in entry][1] for log in (exact, ticking)]
    assert repeats[0] == pytest.approx(1.1)
    assert 1.1 < repeats[1] < 1.25
    done = tcpemu(path, "--generation", "linux-9")
    assert done.exit_code == 2
    assert "linux-7.3" in done.stderr


@pytest.mark.parametrize("log", [5, [5], [[0, "out"]], [{"t": 0, "out": 41001}], [{"t": 0, "do": 5}]])
def test_a_log_that_is_none_is_told(tmp_path, log):
    done = tcpemu("--check", write(tmp_path / "x.json", {**TRACE, "log": log}))
    assert done.exit_code == 2
    assert "log" in done.stderr


@pytest.mark.parametrize("what", [["S", 1.5, None], ["S", 0, "1"], ["S", 0, None, {"len": 10**9}]])
def test_numbers_that_cannot_be_are_told_with_their_step(tmp_path, what):
    done = tcpemu(write(tmp_path / "x.json", {**TRACE, "steps": [[0, "listen", 1], [0.1, "in", 1, *what]]}))
    assert done.exit_code == 2
    assert "steps[1]" in done.stderr
