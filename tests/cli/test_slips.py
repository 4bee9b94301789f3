"""Slips on the command line: what was meant is told, and nothing is done in silence."""

import pytest
from typer.testing import CliRunner

from tcpemu.cli import printing
from tcpemu.cli.app import app


def tcpemu(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("backlog=5", "did you mean 'server.backlog'?"),
        ("delay=20ms", "did you mean 'link.delay'?"),
        ("count=3", "did you mean 'clients.NAME.count'?"),
        ("tcp_syncookies=0", "did you mean 'net.ipv4.tcp_syncookies'?"),
        ("somaxconn=3", "did you mean 'net.core.somaxconn'?"),
        ("server.tcp_sack=0", "did you mean 'net.ipv4.tcp_sack'?"),
        ("server.net.ipv4.tcp_sack=0", 'sysctls = { "net.ipv4.tcp_sack" = 0 }'),
        ("net.ipv4.tcp_plb_enabled=1", "known to Linux, but not emulated: a flow keeps its path"),
        ("link.delay=20", "link.delay=20: 20 of what? write link.delay=20ms or link.delay=20s"),
        ("server.accept.every=1.5", "1.5 of what?"),
        ("server.accept.at=[1]", "1 of what?"),
        ("clients.client.link.delay=5", "5 of what?"),
    ],
)
def test_a_setting_that_is_not_there_or_not_clear(setting, words):
    done = tcpemu("run", "handshake", "--set", setting)
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize("setting", ["link.delay=0", "link.delay=20 ms", "server.backlog=5", "seed=5"])
def test_what_is_clear_is_taken(setting):
    assert tcpemu("run", "handshake", "--set", setting).exit_code == 0


def test_the_values_of_a_comparison_have_units_too():
    done = tcpemu("compare", "handshake", "--vary", "link.delay=1,2")
    assert (done.exit_code, "1 of what?" in done.stderr) == (2, True)


@pytest.mark.parametrize(("option", "words"), [("--seed", "'abc' is not a whole number")])
def test_a_number_that_is_none(option, words):
    done = tcpemu("run", "handshake", option, "abc")
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize("options", [["--plain"], ["--seen-by", "client"]])
def test_how_a_capture_is_taken_without_a_capture(options):
    done = tcpemu("run", "handshake", *options)
    assert done.exit_code == 2
    assert "say how a capture is taken" in done.stderr


@pytest.mark.parametrize(
    ("kernels", "words"),
    [
        ("linux-6.18", "there is one column, so nothing to compare it with"),
        ("linux-6.18,linux-6.18", "linux-6.18 is there twice; it is one column"),
    ],
)
def test_a_comparison_of_one(kernels, words):
    done = tcpemu("compare", "handshake", "--generation", kernels)
    assert done.exit_code == 0
    assert words in done.stderr


IDLE = "a rule to drop packets, c to server: every RST: no packet matched"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("run",), IDLE),
        (("explain",), IDLE),
        (("report", "-o", "x.html"), IDLE),
        (("plot", "--kind", "sequence", "-o", "x.svg"), IDLE),
        (("plot", "-o", "x.svg"), IDLE),
        (("compare", "--vary", "server.backlog=1,2"), f"'backlog=2': {IDLE}"),
    ],
)
def test_a_rule_that_dropped_nothing_is_told(command, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.toml"
    path.write_text(
        'title = "x"\nduration = "1 s"\nlink.drop = [{ to = "server", flags = "R" }]\n[[clients]]\nname = "c"\n'
    )
    done = tcpemu(command[0], path, *command[1:])
    assert done.exit_code == 0
    assert done.stderr.count(words) == 1


def test_one_variant_has_the_scenario_itself_beside_it(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(
        'title = "x"\nduration = "1 s"\n[[clients]]\nname = "c"\n[[variants]]\nname = "v"\n'
        'set = { "server.backlog" = 3 }\n'
    )
    done = tcpemu("run", path, "-o", tmp_path / "y.pcapng")
    assert "Written: " + str(tmp_path / "y.pcapng") + " (as it stands)" in done.stdout
    assert str(tmp_path / "y-v.pcapng") + " (v)" in done.stdout
    assert tcpemu("run", path, "--run", "as it stands").exit_code == 0


@pytest.mark.parametrize(("columns", "wide"), [(20, 40), (60, 60), (130, 130), (400, 160)])
def test_lines_are_as_wide_as_the_terminal(monkeypatch, columns, wide):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert printing.width() == wide


def test_a_trace_says_why_and_what_it_leaves_out(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(
        '{"sysctl":{"net.ipv4.tcp_syncookies":1},"until":1,"steps":'
        '[[0,"listen",1],[0.1,"in",1,"S",0,null],[0.2,"in",1,"PAU",1,1,{"len":3}]]}'
    )
    done = tcpemu("trace", path, "--why", "--generation", "windows-2003")
    assert done.exit_code == 0, done.output
    assert "net.ipv4.tcp_syncookies is left out: it is not there in windows-2003" in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{path}: 0.100000 s in  1 S: accepted: ")
    assert lines[1].startswith(f"{path}: 0.100000 s out 1 SA: ")
    assert not done.stdout.startswith("{")


def test_every_kernel_answers_a_trace_without_sysctls(tmp_path):
    from tcpemu.generations import GENERATIONS

    path = tmp_path / "t.json"
    path.write_text('{"until":1,"steps":[[0,"listen",1],[0.1,"in",1,"S",0,null]]}')
    for kernel in GENERATIONS:
        done = tcpemu("trace", path, "--generation", kernel)
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
