"""Files that are no TOML, or more than is read, and the lines at which mistakes stand."""

import pytest

from tcpemu.scenario.format.load_scenario import load, load_runs
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.format.toml_text import MOST_OCTETS, TomlTextError, tables

MISTAKES = """\
title = "x"
duration = "1 s"

[server]
backlog = "x"
accept.every = -1

[[clients]]
name = "c"

[[clients]]
name = "d"
do = [
  "connect", # "frob"
  { wait = "1 s" },
  "frob",
]
start = { every = "1 s", until = "x" }

[clients.link]
delay = "5 metres"
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = " + "1" * 5000, "a number with too many digits"),
        ("duration = 1e1000000000000000000", "a number with too many digits"),
        (".".join("a" * 51) + " = 1", "nested too deeply; a key has 50 parts at most"),
        ("[" + ".".join("a" * 51) + "]\nb = 1", "nested too deeply; a key has 50 parts at most"),
        ("a = " + "[" * 60 + "]" * 60, "nested too deeply"),
        ("a = " + "{ a = " * 60 + "1" + "}" * 60, "nested too deeply"),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("#" * (MOST_OCTETS + 1), "at most 1048576 are read"),
    ],
)
def test_what_would_take_minutes_or_a_traceback_is_refused(text, words):
    with pytest.raises(TomlTextError, match=words):
        tables(text)


def test_dots_in_a_sentence_are_no_deep_key():
    assert tables('about = "e.g. a.b.c ... and so on. ' + "Yes. " * 100 + '"')["about"]


def test_each_mistake_of_a_file_has_its_line(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text(MISTAKES)
    for read in (load, load_runs):
        with pytest.raises(ScenarioError) as caught:
            read(str(path))
        assert {problem.place: problem.line for problem in caught.value.problems} == {
            "server.backlog": 5,
            "server.accept.every": 6,
            "clients[1].do[2]": 16,
            "clients[1].start.until": 18,
            "clients[1].link.delay": 21,
        }
        assert f"{path}: line 16: clients[1].do[2]: " in str(caught.value)


def test_a_setting_from_elsewhere_has_no_line(tmp_path):
    path = tmp_path / "x.toml"
    path.write_text('title = "x"\n[server]\nport = 80\n[server.sysctls]\n"net.ipv4.tcp_sack" = 1\n')
    for setting in (
        "server.backlog",
        "server.port",
        "net.ipv4.tcp_tw_reuse",
        "server.sysctls.net.ipv4.tcp_sack",
    ):
        with pytest.raises(ScenarioError) as caught:
            load_runs(str(path), {setting: "y"})
        assert [problem.line for problem in caught.value.problems] == [None]


def test_a_byte_order_mark_is_no_mistake(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b'\xef\xbb\xbftitle = "x"\n')
    assert load(str(path)).title == "x"


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "x.toml"
    with path.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(ScenarioError, match="more than 1048576 octets; a scenario is a small file of text"):
        load(str(path))


def test_of_many_mistakes_the_first_are_told():
    with pytest.raises(ScenarioError) as caught:
        load_runs_of("\n".join(f"a{number} = 1" for number in range(5000)))
    assert len(caught.value.problems) == 101
    assert str(caught.value).endswith("4900 more mistakes; mend those above first")


def load_runs_of(text):
    from tcpemu.scenario.format.load_scenario import from_text

    return from_text('title = "x"\n' + text)


def test_an_empty_name_is_told():
    with pytest.raises(ScenarioError, match="an empty name; name a scenario"):
        load("")
