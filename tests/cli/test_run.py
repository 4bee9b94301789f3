"""`tcpemu run`, `list` and `schema`; more of the last two in `test_listing.py`."""

import json

import pytest
from typer.testing import CliRunner

from tcpemu import __version__
from tcpemu.cli.app import app
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS
from tcpemu.version import build
from tcpemu.wire.capture_file import read_capture

SMALL = """
title = "One client"
look_at = "the handshake"
duration = "1 s"

[server]
backlog = 1

[[clients]]
name = "somebody"
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def tcpemu(*arguments, **more):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **more)


def test_without_a_name_it_is_the_ignored_ack():
    done = tcpemu("run")
    assert done.exit_code == 0
    assert done.stdout.startswith("ignored-ack: ")
    assert done.stdout == tcpemu("run", "ignored-ack").stdout


def test_the_ignored_ack_shows_what_matters():
    shown = tcpemu("run").stdout
    for words in (
        "the accept queue is full (2 wait, backlog 1), so the final ACK is ignored",
        "[tcp_minisocks.c: tcp_check_req; ListenOverflows +1, ListenDrops +1]",
        "the two ends disagree: late says ESTABLISHED, server says SYN-RECV",
        "sent again after 16 s (5th repeat)",
        "the half-open connection is removed,",
        "recv(65536) → ECONNRESET",
        "accept 2/1  syn 1/1",
        "LISTEN  2       1",
        "TcpExt  ListenOverflows",
    ):
        assert words in shown


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_every_built_in_scenario_fits_its_width(name, monkeypatch):
    for columns in (80, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        done = tcpemu("run", name, "--until", "300 ms")
        assert done.exit_code == 0
        assert max(map(len, done.stdout.splitlines())) <= columns


def test_the_same_seed_gives_the_same_text_and_another_one_other_ports():
    one, two = tcpemu("run", "handshake", "--seed", 7), tcpemu("run", "handshake", "--seed", 7)
    assert one.stdout == two.stdout
    assert one.stdout != tcpemu("run", "handshake", "--seed", 8).stdout


def test_until_ends_the_run():
    shown = tcpemu("run", "ignored-ack", "--until", "2 s").stdout
    assert "Sockets after 2 s" in shown
    assert "2nd repeat" not in shown


@pytest.mark.parametrize(("time", "words"), [("1.5", "1.5 s"), ("20 ms", "20 ms"), ("0", "0 s")])
def test_times_with_and_without_a_unit(time, words):
    assert f"Sockets after {words}" in tcpemu("run", "--until", time).stdout


def test_a_scenario_of_ones_own(scenario):
    done = tcpemu("run", scenario)
    assert done.exit_code == 0
    assert "somebody" in done.stdout


def test_settings_of_the_server_and_of_others(scenario):
    done = tcpemu(
        "run",
        scenario,
        *("--set", "net.ipv4.tcp_sack=0"),
        *("--set", "somebody:net.ipv4.tcp_timestamps=0"),
        *("--set", "server:backlog=7"),
        *("--set", "link.delay=20 ms"),
    )
    assert done.exit_code == 0, done.stderr
    assert "options: mss 1460, SACK permitted, window scale" in done.stdout  # the client's SYN
    assert "options: mss 1460, window scale" in done.stdout  # the server's SYN|ACK
    assert "listen(80, backlog 7)" in done.stdout
    assert "It arrives 20 ms later;" in done.stdout


def test_a_capture_is_written_and_named(scenario, tmp_path):
    path = tmp_path / "x.pcapng"
    done = tcpemu("run", scenario, "-o", path, "--seed", 3)
    assert done.exit_code == 0
    assert f"Written: {path}" in done.stdout
    capture = read_capture(path)
    assert len(capture.packets) == 3
    assert "seed 3" in capture.comments
    assert any("linux-6.18" in comment for comment in capture.comments)
    assert capture.application == f"tcpemu {__version__}"


def test_a_pcap_and_a_capture_without_comments(scenario, tmp_path):
    assert tcpemu("run", scenario, "-o", tmp_path / "x.pcap").exit_code == 0
    assert tcpemu("run", scenario, "-o", tmp_path / "x.pcapng", "--plain").exit_code == 0
    old, plain = read_capture(tmp_path / "x.pcap"), read_capture(tmp_path / "x.pcapng")
    assert [packet.data for packet in old.packets] == [packet.data for packet in plain.packets]
    assert not any(packet.comments for packet in plain.packets)


def test_the_same_run_writes_the_same_bytes(tmp_path):
    for name in ("one.pcapng", "two.pcapng"):
        tcpemu("run", "ignored-ack", "-o", tmp_path / name)
    assert (tmp_path / "one.pcapng").read_bytes() == (tmp_path / "two.pcapng").read_bytes()


def test_where_a_capture_is_taken(scenario, tmp_path):
    tcpemu("run", scenario, "-o", tmp_path / "x.pcapng", "--seen-by", "all")
    capture = read_capture(tmp_path / "x.pcapng")
    assert [interface.name for interface in capture.interfaces] == ["somebody", "server", "lost"]
    assert len(capture.packets) == 6


def test_several_runs_stand_side_by_side_and_have_a_capture_each(tmp_path):
    done = tcpemu("run", "listen-1-vs-5", "-o", tmp_path / "x.pcapng")
    assert "listen(80, backlog 1)" in done.stdout
    assert "listen(80, backlog 5)" in done.stdout
    assert "The runs side by side" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-listen-5.pcapng", "x.pcapng"]
    assert "run 'listen(1)'" in read_capture(tmp_path / "x.pcapng").comments
    assert "run 'listen(5)'" in read_capture(tmp_path / "x-listen-5.pcapng").comments


def test_one_run_of_several():
    done = tcpemu("run", "listen-1-vs-5", "--run", "listen(5)")
    assert "listen(80, backlog 5)" in done.stdout
    assert "listen(80, backlog 1)" not in done.stdout
    assert "side by side" not in done.stdout


def test_of_many_runs_the_first_is_shown_and_the_way_to_the_others():
    done = tcpemu("run", "accept-rate", "--until", "50 ms")
    assert done.stdout.count("How the clients fared") == 1
    assert "tcpemu run accept-rate --run 'backlog 4, 20 ms'" in done.stdout
    whole = tcpemu("run", "accept-rate", "--until", "50 ms", "--all")
    assert whole.stdout.count("How the clients fared") == 6
    assert "more like these" not in whole.stdout


# JSON.


def test_json_and_nothing_else_is_on_standard_output(tmp_path):
    path = tmp_path / "x.pcapng"
    done = tcpemu("run", "listen-1-vs-5", "--json", "-o", path)
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["format"], document["scenario"]) == (1, "listen-1-vs-5")
    assert [run["name"] for run in document["runs"]] == ["listen(1)", "listen(5)"]
    assert done.stderr.splitlines() == [
        f"Written: {path} (listen(1))",
        f"Written: {tmp_path / 'x-listen-5.pcapng'} (listen(5))",
    ]
    plain = tcpemu("run", "listen-1-vs-5", "--json")
    assert plain.stderr == ""
    assert plain.stdout == done.stdout


def test_json_is_of_the_run_that_was_asked_for(scenario):
    done = tcpemu("run", scenario, "--json", "--seed", 7, "--until", "12 ms", "--set", "server.backlog=3")
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["seed"], run["ended"], run["title"]) == (7, 12_000_000, "One client")
    assert [row["flags"] for row in run["rows"] if row["kind"] == "packet"] == ["SYN", "SYN|ACK", "ACK"]
    assert run["hosts"][0]["sockets"][0]["send_q"] == 3
    (one,) = json.loads(tcpemu("run", "listen-1-vs-5", "--json", "--run", "listen(5)").stdout)["runs"]
    assert one["name"] == "listen(5)"


def test_json_of_many_runs_has_all_of_them_with_and_without_all():
    short = tcpemu("run", "accept-rate", "--until", "50 ms", "--json")
    assert len(json.loads(short.stdout)["runs"]) == 6
    assert tcpemu("run", "accept-rate", "--until", "50 ms", "--json", "--all").stdout == short.stdout


def test_a_capture_beside_json_may_be_taken_anywhere(scenario, tmp_path):
    path = tmp_path / "x.pcapng"
    done = tcpemu("run", scenario, "--json", "-o", path, "--seen-by", "client", "--plain")
    assert done.exit_code == 0
    assert [interface.name for interface in read_capture(path).interfaces] == ["somebody", "lost"]


def test_list_names_every_scenario_with_its_sentence():
    shown = tcpemu("list").stdout
    starts = [line.split()[0] for line in shown.splitlines() if not line.startswith(" ")]
    assert starts == list(BUILT_IN_SCENARIOS)
    assert shown.count("Look at: ") == len(BUILT_IN_SCENARIOS)


def test_the_schema_is_json():
    schema = json.loads(tcpemu("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "server" in schema["properties"]


def test_version_and_help():
    assert tcpemu("--version").stdout == f"tcpemu {__version__} ({build()})\n"
    assert "trace" in tcpemu("--help").stdout
    assert "--seen-by" in tcpemu("run", "--help", env={"COLUMNS": "100"}).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ignored-akc"], ["no built-in scenario and no file 'ignored-akc'", "did you mean 'ignored-ack'?"]),
        (["missing.toml"], ["missing.toml", "No such file"]),
        (["handshake", "--set", "server.backlog"], ["server.backlog", "write PATH=VALUE"]),
        (["handshake", "--set", "server.backlog=many"], ["server.backlog", "many"]),
        (["handshake", "--set", "nobody:net.ipv4.tcp_sack=0"], ["nobody"]),
        (["handshake", "--set", "net.ipv4.tcp_snack=0"], ["tcp_snack", "did you mean 'net.ipv4.tcp_sack'?"]),
        (
            ["handshake", "--generation", "linux-9"],
            ["linux-9", "a kernel that is known", "linux-7.3 is the nearest"],
        ),
        (["handshake", "--until", "soon"], ["--until 'soon'", "must be a time such as"]),
        (["handshake", "--run", "second"], ["no run 'second'"]),
        (["listen-1-vs-5", "--run", "listen(2)"], ["'listen(1)', 'listen(5)'"]),
        (["handshake", "-o", "x.txt"], ["x.txt", "*.pcapng or *.pcap"]),
        (["handshake", "--json", "--plain"], ["--plain, --with-lost and --seen-by", "-o x.pcapng"]),
        (
            ["handshake", "--json", "--seen-by", "all"],
            ["--plain, --with-lost and --seen-by", "leave them out"],
        ),
        (["handshake", "--json", "-o", "x.json"], ["x.json: -o is for packets", "--json > x.json"]),
        (["handshake", "-o", "x.json"], ["for JSON: tcpemu run ... --json > x.json"]),
        (["ignored-akc", "--json"], ["did you mean 'ignored-ack'?"]),
        (["handshake", "-o", "nowhere/x.pcapng"], ["there is no directory nowhere", "make it first"]),
    ],
)
def test_a_mistake_is_one_message_and_status_2(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = tcpemu("run", *arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert all(line.startswith("tcpemu: ") for line in done.stderr.splitlines())
    for each in words:
        assert each in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text(SMALL + '\n[link]\ndelay = "slow"\n\n[[clients]]\nname = "x"\ncount = 0\n')
    done = tcpemu("run", path)
    assert done.exit_code == 2
    assert "link.delay" in done.stderr
    assert "clients[1].count" in done.stderr


def test_an_old_capture_stays_when_the_new_one_cannot_be_made(tmp_path, monkeypatch):
    path = tmp_path / "x.pcapng"
    path.write_bytes(b"precious")
    assert tcpemu("run", "no-such-scenario", "-o", path).exit_code == 2

    def breaks(*_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("tcpemu.cli.run_command.write_packets", breaks)
    done = tcpemu("run", "handshake", "-o", path)
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert path.read_bytes() == b"precious"


def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    def breaks(*_):
        raise ValueError("a fault")

    monkeypatch.setattr("tcpemu.cli.run_command.results_of_runs", breaks)
    done = tcpemu("run", "handshake")
    assert isinstance(done.exception, ValueError)


def test_a_backlog_that_is_capped_says_so_under_its_listen():
    lines = tcpemu("run", "handshake", "--set", "net.core.somaxconn=0").stdout.splitlines()
    listen = next(i for i, line in enumerate(lines) if "listen(80, backlog 5)" in line)
    assert lines[listen + 1] == "          └ server: asked for 5, gets 0: net.core.somaxconn, now 0, caps it"
    assert "caps it" not in tcpemu("run", "handshake").stdout


# --- a kernel without the scenario's settings -----------------------------------------------------------

_LEFT_OUT = (
    "tcpemu: macos-15 does not have what syn-flood sets, so it is left out: "
    "net.ipv4.tcp_syncookies (it is a sysctl of Linux)\n"
    "tcpemu: without that the runs 'cookies off' and 'cookies on' are the same, so there is one\n"
)


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--until", "100 ms"),
        ("run", "--json", "--until", "100 ms"),
        ("explain", "--until", "100 ms"),
        ("explain", "--run", "cookies on", "--until", "100 ms"),
        ("state", "--at", "100 ms"),
        ("report", "--until", "100 ms", "-o", "x.html"),
        ("plot", "--until", "100 ms", "-o", "x.svg"),
    ],
    ids=" ".join,
)
def test_what_the_scenario_sets_and_the_kernel_lacks_is_left_out_with_a_word(command, tmp_path, monkeypatch):
    if command[0] == "plot":
        pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    name, *options = command
    done = tcpemu(name, "syn-flood", *options, "--generation", "macos-15")
    told = [line for line in done.stderr.splitlines(keepends=True) if not line.startswith("tcpemu: drawing")]
    assert (done.exit_code, "".join(told)) == (0, _LEFT_OUT)


def test_a_run_that_lacks_a_setting_says_so_in_its_heading():
    done = tcpemu("run", "syn-flood", "--generation", "macos-15", "--until", "100 ms")
    assert "server macos-15 · seed 1 · without net.ipv4.tcp_syncookies" in done.stdout


def test_what_is_set_on_the_command_line_must_be_there():
    done = tcpemu("run", "syn-flood", "--generation", "macos-15", "--set", "net.ipv4.tcp_syncookies=1")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "net.ipv4.tcp_syncookies is not there in macos-15: it is a sysctl of Linux" in done.stderr


def test_a_capture_without_hz_says_how_to_compare_it_with_a_kernels(scenario, tmp_path):
    path = tmp_path / "x.pcapng"
    assert "--set server.hz=250" in tcpemu("run", scenario, "-o", path).stdout.splitlines()[-1]
    assert "server.hz=250" not in tcpemu("run", scenario, "-o", path, "--set", "server.hz=250").stdout


def test_what_was_lost_is_in_the_capture_only_if_asked_for(tmp_path):
    lossy, path = tmp_path / "lossy.toml", tmp_path / "x.pcapng"
    lossy.write_text(
        'title = "A SYN is lost"\nduration = "3 s"\n[link]\n'
        'drop = [{ to = "server", flags = "S", nth = 1 }]\n[[clients]]\nname = "one"\n'
    )
    names = []
    for asked in ([], ["--with-lost"]):
        done = tcpemu("run", lossy, "-o", path, *asked)
        assert (done.exit_code, "Without the 1 packet that was lost on the way" in done.stdout) == (
            0,
            not asked,
        )
        capture = read_capture(path)
        names.append([capture.interfaces[packet.interface].name for packet in capture.packets])
    assert "lost" not in names[0]
    assert names[1] == ["lost", *names[0]]


def test_a_kernel_without_ticks_has_no_hint_to_them(scenario, tmp_path):
    done = tcpemu("run", scenario, "-o", tmp_path / "x.pcapng", "--generation", "macos-15")
    assert (done.exit_code, "hz=250" in done.stdout) == (0, False)


def test_json_follows_the_connections_and_the_ladder_does_not(scenario, monkeypatch):
    (run,) = json.loads(tcpemu("run", scenario, "--json").stdout)["runs"]
    assert {each["host"] for each in run["transfers"]} == {"server", "somebody"}
    monkeypatch.setattr("tcpemu.network.network.Network.watch_transfers", lambda _: pytest.fail("followed"))
    assert tcpemu("run", scenario).exit_code == 0
