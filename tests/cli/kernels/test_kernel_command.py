"""`tcpemu kernel` and `tcpemu trace --kernel`: what goes where, and what is said where no kernel can be asked."""

import json

import pytest
from typer.testing import CliRunner

from tcpemu import kernel
from tcpemu.cli.app import app
from tcpemu.kernel import debian_packages, kernel_store
from tcpemu.kernel.booted_kernel import Answers
from tests.cli.test_trace import TRACE, write


@pytest.fixture(autouse=True)
def empty_store(monkeypatch, tmp_path):
    monkeypatch.setenv("TCPEMU_KERNELS", str(tmp_path / "store"))


def tcpemu(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def answering(monkeypatch, **mistakes):
    """Have 6.12 answer all traces but those of the names that are in `mistakes`."""

    def run_booted(release, traces):
        assert release == "6.12"
        assert all("log" not in trace for trace in traces.values())
        told = {name: {**trace, "kernel": "6.12.1", "log": LOG} for name, trace in traces.items()}
        failed = {name: mistakes[TRACE["name"]] for name in traces if "name" in TRACE and mistakes}
        return Answers("6.12.1", {name: told[name] for name in told.keys() - failed.keys()}, failed)

    monkeypatch.setattr(kernel, "run_booted", run_booted)


LOG = [{"t": 0.5, "do": ["sample"], "ret": {"ss": [], "mib": {}}}]


@pytest.mark.parametrize("command", [["kernel", "run", "6.12"], ["trace", "--kernel", "6.12"]])
def test_answers_of_a_kernel_go_where_they_are_wanted(monkeypatch, tmp_path, command):
    answering(monkeypatch)
    done = tcpemu(*command, write(tmp_path / "a.json"), "-o", tmp_path / "b.json")
    assert done.exit_code == 0, done.stderr
    assert json.loads((tmp_path / "b.json").read_text()) == {**TRACE, "kernel": "6.12.1", "log": LOG}
    assert done.stdout == ""
    alone = tcpemu(*command, tmp_path / "a.json")
    assert json.loads(alone.stdout)["log"] == LOG


def test_several_traces_need_a_directory(monkeypatch, tmp_path):
    answering(monkeypatch)
    files = [write(tmp_path / "a.json"), write(tmp_path / "b.json")]
    done = tcpemu("kernel", "run", "6.12", *files)
    assert done.exit_code == 2
    assert "several traces: name a directory for the answers with -o" in done.stderr
    assert tcpemu("kernel", "run", "6.12", *files, "-o", tmp_path / "out").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.json", "b.json"]


def test_answers_are_laid_beside_those_of_the_file(monkeypatch, tmp_path):
    answering(monkeypatch)
    same = write(tmp_path / "same.json", {**TRACE, "log": LOG})
    other = [{"t": 0.5, "do": ["sample"], "ret": {"ss": [], "mib": {"PassiveOpens": 1}}}]
    different = write(tmp_path / "different.json", {**TRACE, "log": other})
    done = tcpemu("kernel", "run", "6.12", same, different, "--check")
    assert done.exit_code == 1
    assert "different.json: different: sample at 0.500, counters" in done.stdout
    assert "1 the same, 1 different, 0 without an answer" in done.stderr


def test_what_the_kernel_cannot_do_is_told_and_the_others_go_on(monkeypatch, tmp_path):
    answering(monkeypatch, **{TRACE["name"]: "sysctl net.ipv4.tcp_no_such: none"})
    done = tcpemu(
        "kernel", "run", "6.12", write(tmp_path / "a.json"), write(tmp_path / "b.json", "{}"), "--check"
    )
    assert done.exit_code == 2
    assert "a.json: sysctl net.ipv4.tcp_no_such: none" in done.stderr
    assert "b.json: a trace is a JSON object with a list named steps" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"until": None}, "until is None; it is a number of seconds, 0 to 3600"),
        ({"until": 1e9}, "until is 1000000000.0; it is a number of seconds"),
        ({"steps": [[0]]}, "steps[0] is [0]; a step is [seconds, verb, ...]"),
        ({"sysctl": 1}, "sysctl is 1; it is an object of full names and values"),
    ],
)
def test_a_trace_that_is_none_is_not_asked(tmp_path, wrong, message):
    done = tcpemu("kernel", "run", "6.12", write(tmp_path / "a.json", {**TRACE, **wrong}))
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_kernel_that_is_not_here_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr("tcpemu.kernel.booted_kernel.whats_missing_to_boot", lambda: None)
    done = tcpemu("kernel", "run", "4.19", write(tmp_path / "a.json"))
    assert done.exit_code == 2
    assert "tcpemu kernel get 4.19" in done.stderr


@pytest.mark.parametrize("option", [["--hz", "250"], ["--why"], ["--generation", "linux-6.12"]])
def test_a_real_kernel_is_no_emulator(tmp_path, option):
    done = tcpemu("trace", write(tmp_path / "a.json"), "--kernel", "6.12", *option)
    assert done.exit_code == 2
    assert "--generation, --hz and --why are about the emulator" in done.stderr


def test_without_debians_tools_there_is_none_to_get(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    for command in (["list"], ["get", "6.12"]):
        done = tcpemu("kernel", *command)
        assert "kernels come from Debian's packages, on a Debian machine" in done.stderr
    assert done.exit_code == 2


def test_the_list_of_kernels_says_what_its_columns_are(monkeypatch):
    package = debian_packages.KernelPackage("linux-image-6.12.118+deb13-amd64", "6.12.118-1")
    monkeypatch.setattr(debian_packages, "available", lambda: {"6.12.118": package})
    monkeypatch.setattr(kernel_store, "stored", lambda: {"6.1.192": None})
    monkeypatch.setattr(kernel_store, "ticks_a_second", lambda release: 250)
    legend, _, rows = tcpemu("kernel", "list").stdout.partition("\n\n")
    assert "here: brought by tcpemu kernel get" in legend
    assert rows.splitlines() == [
        "6.1.192   here HZ 250",
        "6.12.118               linux-image-6.12.118+deb13-amd64 6.12.118-1",
    ]
