"""What the page asks for, and is answered: the same as the commands say and write."""

import json

import pytest

from tcpemu.cli import explain_command, report_command, run_command
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.playground.browser.page_requests import Session, answered
from tcpemu.playground.experiments import experiments
from tcpemu.scenario.format.load_scenario import from_text, tables_of

SIX = next(each for each in experiments() if each["name"] == "six-clients")["text"]


def session(text=SIX):
    found = Session()
    assert "mistakes" not in found.answer("run", {"name": "six.toml", "text": text})
    return found


def moved(path, value, text=SIX):
    return session(text).answer("move", {"path": path, "value": value})


def test_what_is_taken_away_is_what_the_commands_write(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("six.toml").write_text(SIX)
    page = session()
    results = run_command.results_of("six.toml", {}, None, None, run_command.follow_transfers)
    run_command.write_captures([tmp_path / "x.pcapng"], results, "six.toml", SeenBy.SERVER, comments=True)
    assert page.answer("capture", {"run": 0}) == tmp_path.joinpath("x.pcapng").read_bytes()
    report_command.write_report("six.toml", tmp_path / "x.html", {}, None, None)
    assert page.answer("report", {})["html"] == tmp_path.joinpath("x.html").read_text()
    monkeypatch.setenv("COLUMNS", "100")
    capsys.readouterr()
    explain_command.show_story("six.toml", {}, None, None)
    assert page.answer("story", {"run": 0})["text"].strip() == capsys.readouterr().out.strip()
    explain_command.show_state("six.toml", {}, None, 10**9)
    assert page.answer("state", {"run": 0, "at": 10**9})["text"].strip() == capsys.readouterr().out.strip()


def test_a_control_writes_into_the_text_and_the_run_says_what_changed():
    told = moved("server.backlog", 5)
    assert tables_of(told["text"], "")["server"]["backlog"] == 5
    assert ["connected, clients say", "2", "6"] in told["changes"][0]["rows"]
    assert told["numbers"][0]["connected"] == 6
    assert told["changes"][0]["parts"][0].startswith("SYN of client-3")


@pytest.mark.parametrize(
    ("path", "value", "written"),
    [
        ("server.accept.every", 20, {"every": "20 ms"}),
        ("server.accept.never", False, {"never": False}),
        ("server.accept.from", 1.5, {"from": "1500 us"}),
    ],
)
def test_what_cannot_stand_beside_a_control_goes(path, value, written):
    assert tables_of(moved(path, value)["text"], "")["server"]["accept"] == written


def test_every_control_can_be_moved_to_where_it_stands():
    page = session()
    told = page.answer("run", {"name": "six.toml", "text": SIX})
    assert len({each["path"] for each in told["controls"]}) == len(told["controls"]) > 12
    for each in told["controls"]:
        again = page.answer("move", {"path": each["path"], "value": each["value"]})
        assert "mistakes" not in again, each
        assert next(one for one in again["controls"] if one["path"] == each["path"]) == each


def test_a_kernel_without_a_sysctl_has_it_left_out_and_no_control_for_it():
    text = SIX + '\n[server.sysctls]\n"net.ipv4.tcp_abort_on_overflow" = 1\n'
    told = moved("server.generation", "linux-2.2", text)
    assert told["notes"] == [
        "linux-2.2 has no net.ipv4.tcp_abort_on_overflow (Linux has it since 2.4): left out"
    ]
    assert "net.ipv4.tcp_abort_on_overflow" not in [each["path"] for each in told["controls"]]


def test_variants_that_differ_in_nothing_but_what_is_moved_are_one_run():
    told = moved(
        "server.backlog", 3, next(each["text"] for each in experiments() if each["name"] == "listen-1-vs-5")
    )
    assert len(told["runs"]) == 1
    assert told["numbers"][0]["connected"] == 4


def test_all_mistakes_come_at_once_with_their_lines_and_the_run_before_stays():
    page = session()
    wrong = SIX.replace("backlog = 1", "baklog = 1").replace("count = 6", "count = -6")
    lines = [each["line"] for each in page.answer("run", {"name": "six.toml", "text": wrong})["mistakes"]]
    assert lines == [wrong.split("\n").index("baklog = 1") + 1, wrong.split("\n").index("count = -6") + 1]
    assert page.answer("capture", {"run": 0})
    assert page.answer("run", {"name": "x", "text": "]"})["mistakes"]


def test_clients_data_and_resets_are_added():
    for what in ("client", "syn", "data", "reset"):
        told = session().answer("more", {"what": what, "at": 3 * 10**9, "group": "client"})
        assert not told["idle"], what
        assert told["changes"][0]["parts"], what


def test_another_kernel_beside():
    told = session().answer("beside", {"kernel": "linux-2.2", "run": 0})
    assert "linux-2.2" in told["page"]
    assert ["connected, clients say", "2", "6"] in told["changes"]["rows"]


def test_a_difference_in_looks_alone_is_one():
    changes = session(SIX.replace("backlog = 1", "backlog = 8")).answer(
        "beside", {"kernel": "linux-2.2", "run": 0}
    )["changes"]
    assert changes["rows"] == []
    (words,) = changes["parts"]
    assert "Only how it looks" in words


def test_the_same_again_differs_in_nothing():
    page = session()
    assert page.answer("run", {"name": "six.toml", "text": SIX + "# the same"})["changes"] == [
        {"rows": [], "parts": []}
    ]


def test_python_is_done_as_its_console_does_it():
    page = session()
    assert page.answer("python", {"line": "for n in range(2):"}) == {"shown": "", "more": True}
    page.answer("python", {"line": "    print(n)"})
    assert page.answer("python", {"line": ""}) == {"shown": "0\n1\n", "more": False}
    assert "ZeroDivisionError" in page.answer("python", {"line": "1 / 0"})["shown"]
    assert page.answer("python", {"line": "exit()"})["shown"]


def test_the_worker_speaks_json():
    answer = answered()
    assert (
        json.loads(answer("run", json.dumps({"name": "six.toml", "text": SIX})))["numbers"][0]["connected"]
        == 2
    )
    assert isinstance(answer("capture", '{"run": 0}'), bytes)
    assert "whole number" in json.loads(answer("key_help", json.dumps({"text": SIX, "line": 7})))["text"]


def test_what_the_page_offers_runs_and_can_be_counted():
    names = [(each["kind"], each["name"]) for each in experiments()]
    assert len(set(names)) == len(names)
    assert {kind for kind, _ in names} == {"question", "scenario", "lesson"}
    for each in experiments():
        from_text(each["text"])
        if each["kind"] == "question":
            assert isinstance(
                session(each["text"]).answer("run", {"name": "a", "text": each["text"]})["numbers"][0][
                    each["measure"]
                ],
                int,
            )
