"""Settings from a command line and of variants."""

import pytest

from tcpemu.scenario.format.load_scenario import from_text, runs
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.format.setting_paths import (
    SettingError,
    parse_alternatives,
    parse_assignment,
    path_in,
)

SCENARIO = """
title = "t"
look_at = "l"
[server]
sysctls.net.ipv4.tcp_syncookies = 1
relisten = [{ at = "1 s", backlog = 2 }]
[[clients]]
name = "one"
start = "1 s"
[[clients]]
name = "two"
sysctls."net.ipv4.tcp_sack" = 0
"""


def with_settings(**settings):
    return from_text(SCENARIO, "x.toml", {path.replace("__", "."): value for path, value in settings.items()})


@pytest.mark.parametrize(
    ("text", "assignment"),
    [
        ("server.backlog=5", ("server.backlog", 5)),
        ("net.ipv4.tcp_syncookies = 0", ("net.ipv4.tcp_syncookies", 0)),
        ("duration=20 ms", ("duration", "20 ms")),
        ('duration="20 ms"', ("duration", "20 ms")),
        ("net.ipv4.tcp_rmem=4096 131072 6291456", ("net.ipv4.tcp_rmem", "4096 131072 6291456")),
        ("server.accept.never=true", ("server.accept.never", True)),
        ("clients.one.do=['connect', 'close']", ("clients.one.do", ["connect", "close"])),
        ("title=a=b", ("title", "a=b")),
    ],
)
def test_assignments(text, assignment):
    assert parse_assignment(text) == assignment


@pytest.mark.parametrize("text", ["server.backlog", "=5", ""])
def test_no_assignments(text):
    with pytest.raises(SettingError, match=r"write PATH=VALUE, such as server\.backlog=5"):
        parse_assignment(text)


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        (
            "server.backlog=0,1, 5",
            {"0": ("server.backlog", 0), "1": ("server.backlog", 1), "5": ("server.backlog", 5)},
        ),
        ("link.delay = 5 ms,1 s", {"5 ms": ("link.delay", "5 ms"), "1 s": ("link.delay", "1 s")}),
        ('x=[1, 2],"a,b"', {"[1, 2]": ("x", [1, 2]), '"a,b"': ("x", "a,b")}),
        ("x=1", {"1": ("x", 1)}),
    ],
)
def test_alternatives(text, alternatives):
    assert parse_alternatives(text) == alternatives


@pytest.mark.parametrize("text", ["server.backlog", "server.backlog=", "=1,2", "x=1, ,2"])
def test_no_alternatives(text):
    with pytest.raises(SettingError, match=r"write PATH=VALUE,VALUE,\.\.\., such as server\.backlog=0,1,5"):
        parse_alternatives(text)


def test_a_sysctl_is_that_of_the_server():
    scenario = from_text(SCENARIO, "x.toml", {"net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 5})
    assert scenario.server.sysctls == {"net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 5}


def test_a_sysctl_of_a_client():
    scenario = from_text(SCENARIO, "x.toml", {"clients.two.sysctls.net.ipv4.tcp_sack": 1})
    assert scenario.group("two").sysctls == {"net.ipv4.tcp_sack": 1}


def test_tables_on_the_way_are_made():
    assert with_settings(link__delay="7 ms").link.delay == 7_000_000
    assert with_settings(server__accept__at=["1 s"]).server.accept.at == (1_000_000_000,)


def test_entries_of_lists_by_number_and_by_name():
    assert with_settings(**{"clients[1]__count": 4}).group("two").count == 4
    assert with_settings(clients__two__count=4).group("two").count == 4
    assert with_settings(**{"server.relisten[0].backlog": 7}).server.relisten[0].backlog == 7


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("server.backlgo", "server.backlgo: unknown key; did you mean 'backlog'?"),
        ("clients[2].count", "clients[2].count: there is no clients[2]"),
        ("clients.on.count", "clients.on.count: clients has no 'on'; did you mean 'one'?"),
        (
            "clients.one.start.rate",
            "clients.one.start.rate: clients.one.start is no table, so it has no rate",
        ),
        ("title.x.y", "title.x.y: title is no table, so it has no x"),
        ("clients[0]", "clients[0]: this is a whole entry of a list; name one of its keys"),
        ("clients.one", "clients.one: this is a whole entry of a list; name one of its keys"),
        (
            "net.ipv4.tcp_syncookie",
            'server.sysctls."net.ipv4.tcp_syncookie": not among the sysctls that are emulated; did you mean',
        ),
    ],
)
def test_paths_that_lead_nowhere(path, told):
    with pytest.raises(ScenarioError) as caught:
        from_text(SCENARIO, "x.toml", {path: 1})
    assert str(caught.value).startswith(f"x.toml: {told}")


def test_settings_hold_in_every_variant():
    text = SCENARIO + "[[variants]]\nname = 'v'\nset.server.backlog = 1\n[[variants]]\nname = 'w'\nset = {}"
    scenario = from_text(text, "x.toml", {"server.backlog": 9})
    assert [run.scenario.server.backlog for run in runs(scenario)] == [9, 9]


def test_a_setting_is_checked_with_the_rest():
    with pytest.raises(ScenarioError, match=r"server\.accept\.never: .*must be true or false"):
        with_settings(server__accept__never="yes")


@pytest.mark.parametrize("text", ["server.backlog=1\nfoo=2", "server.backlog=" + "[" * 5000])
def test_an_assignment_is_one_value(text):
    with pytest.raises(SettingError, match=r"one value|nested too deeply"):
        parse_assignment(text)


@pytest.mark.parametrize(
    ("groups", "path", "whole"),
    [
        (["one"], "clients.count", "clients.one.count"),
        (["one"], "clients.one.count", "clients.one.count"),
        (["one", "two"], "clients.count", "clients.count"),
        ([], "clients.count", "clients.count"),
        (["one"], "server.backlog", "server.backlog"),
        (["one"], "clients.rate", "clients.one.start.rate"),
        (["one", "two"], "clients.two.rate", "clients.two.start.rate"),
        (["rate"], "clients.rate.count", "clients.rate.count"),
    ],
)
def test_a_path_to_the_only_group_needs_no_name(groups, path, whole):
    document = {"clients": [{"name": name} for name in groups]}
    assert path_in(document, path) == whole
