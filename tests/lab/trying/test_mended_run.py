"""Scenarios that were mended: what may be changed, what must be reached."""

import pytest

from tcpemu.lab.format.lab_file import Measured
from tcpemu.lab.trying.mended_run import MendingTask, changed_settings, try_mended

START = """
title = "Three clients"
duration = "2 s"
[server]
backlog = 0
accept.never = true
[[clients]]
name = "client"
count = 3
start.every = "20 ms"
"""
GOALS = (
    Measured(value="select count(*) from clients where connected is not null", at_least=3, say="Not all."),
    Measured(value="select max(backlog) from queues", at_most=2, say="Too large."),
)
TASK = MendingTask(START, ("server.backlog", "net.ipv4.tcp_syncookies"), GOALS, {})


def mended(**changes):
    text = START
    for old, new in changes.items():
        text = text.replace(f"{old} = ", f"{old} = {new} #")
    return try_mended(TASK, text, "mend.toml")


def test_a_good_one_reaches_all():
    attempt = mended(backlog=2)
    assert (attempt.held, attempt.said, attempt.share) == ((True, True), (), 1)


def test_a_goal_that_is_not_reached_is_said():
    attempt = mended(backlog=9)
    assert (attempt.held, attempt.said) == ((True, False), ("Too large.",))


def test_a_goal_counts_only_behind_those_before_it():
    attempt = mended(backlog=1)
    assert (attempt.held, attempt.said, attempt.share) == ((False, False), ("Not all.",), 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            START.replace("count = 3", "count = 1"),
            "clients.client.count = 1 was changed; only server.backlog",
        ),
        (
            START + '[server.sysctls]\n"net.core.somaxconn" = 7\n',
            "server.sysctls.net.core.somaxconn = 7 was changed",
        ),
        (START.replace("accept.never = true\n", ""), "server.accept.never (it is gone) was changed"),
        (START + '[[clients]]\nname = "other"\n', "was changed"),
        (START.replace("backlog = 0", "backlog = x"), "line 5"),
        (START.replace("backlog = 0", "backlogs = 0"), "did you mean 'backlog'?"),
        ("", "title"),
        ("\0", "mend.toml"),
    ],
)
def test_what_is_no_mending_gets_nothing_and_is_told(text, says):
    attempt = try_mended(TASK, text, "mend.toml")
    assert attempt.held == ()
    assert attempt.share == 0
    assert says in " ".join(attempt.said)


def test_words_and_the_way_of_writing_may_change():
    text = '# mine\ntitle = "x"\nabout = "y"\n' + START.partition("\n")[2].partition("\n")[2]
    text = text.replace("backlog = 0", 'backlog = 2\nsysctls = { "net.ipv4.tcp_syncookies" = 0 }')
    assert try_mended(TASK, text, "mend.toml").share == 1


def test_tables_may_be_named_whole():
    before, after = {"a": {"b": 1, "c": {"d": 2}}, "e": [1]}, {"a": {"b": 2, "c": {"d": 3}}, "e": [1, 2]}
    assert list(changed_settings(before, after, ["a.*", "e"])) == []
    assert list(changed_settings(before, after, ["a.b", "e"])) == ["a.c.d = 3"]
    assert len(list(changed_settings(before, after, ["a.*"]))) == 2
