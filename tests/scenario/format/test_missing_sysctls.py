"""A scenario on another kernel than it was written for: what that kernel does not have is left out."""

import pytest

from tcpemu.scenario.format.load_scenario import load_runs
from tcpemu.scenario.format.missing_sysctls import LeftOut, without_missing
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running import build

COOKIES, SACK, OVERFLOW = (
    f"net.ipv4.{name}" for name in ("tcp_syncookies", "tcp_sack", "tcp_abort_on_overflow")
)
TEXT = f"""
title = "t"
duration = "100 ms"
server.sysctls."{SACK}" = 0
server.sysctls."net.core.somaxconn" = 9

[[clients]]
name = "one"
sysctls.{SACK} = 0

[[variants]]
name = "off"
set.{COOKIES} = 0

[[variants]]
name = "on"
set.server.sysctls."{COOKIES}" = 1

[[variants]]
name = "longer"
set."server.backlog" = 3
set."{COOKIES}" = 1
"""


@pytest.fixture
def runs_of(tmp_path):
    """The runs of a text with these settings."""

    def found(settings, text=TEXT):
        path = tmp_path / "t.toml"
        path.write_text(text)
        return load_runs(str(path), settings)

    return found


def test_the_kernel_that_is_asked_for_need_not_have_what_the_file_sets(runs_of):
    united, longer = runs_of({"server.generation": "macos-15"})
    assert united.scenario.server.sysctls == longer.scenario.server.sysctls == {"net.core.somaxconn": 9}
    assert longer.left_out == (
        LeftOut(SACK, 0, "macos-15", "it is a sysctl of Linux"),
        LeftOut(COOKIES, 1, "macos-15", "it is a sysctl of Linux", "longer"),
    )
    assert [(each.sysctl, each.value, each.run) for each in united.left_out] == [
        (SACK, 0, ""),
        (COOKIES, 0, "off"),
        (COOKIES, 1, "on"),
    ]


def test_variants_that_are_the_same_without_it_are_one_run(runs_of):
    united, longer = runs_of({"server.generation": "macos-15"})
    assert (united.name, united.variants) == ("off / on", ("off", "on"))
    assert (longer.name, longer.variants) == ("longer", ())


def test_a_kernel_that_has_it_all_leaves_nothing_out(runs_of):
    runs = runs_of({"server.generation": "linux-2.6.32"})
    assert [run.name for run in runs] == ["off", "on", "longer"]
    assert not any(run.left_out for run in runs)


def test_what_is_asked_for_beside_the_file_must_be_there(runs_of):
    for name in (SACK, f"server.sysctls.{SACK}", COOKIES):
        with pytest.raises(ScenarioError, match=r"is not there in bsd-4\.4: it is a sysctl of Linux"):
            runs_of({"server.generation": "bsd-4.4", name: 1})


def test_a_file_that_names_the_kernel_itself_must_know_it(runs_of):
    with pytest.raises(ScenarioError, match=f"{SACK} is not there in solaris"):
        runs_of({}, TEXT.replace("duration", 'server.generation = "solaris"\nduration'))


def test_a_client_may_get_another_kernel_too(runs_of):
    first = runs_of({"clients.one.generation": "windows-2003"})[0]
    assert first.scenario.clients[0].sysctls == {}
    assert first.scenario.server.sysctls[SACK] == 0
    assert [each.kernel for each in first.left_out] == ["windows-2003"]


def test_it_runs_and_the_result_says_what_was_left_out(runs_of):
    result = build.run(runs_of({"server.generation": "freebsd-14"})[0])
    assert {each.sysctl for each in result.left_out} == {SACK, COOKIES}
    assert result.clients[0].connected is not None


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"server": 5, "clients": 7, "variants": 3},
        {"server": {"sysctls": 1}, "clients": [1, {"name": 2}], "variants": [4, {"set": 5}, {"set": {}}]},
    ],
)
@pytest.mark.parametrize("host", ["server", "clients.one"])
def test_tables_that_are_wrong_are_left_for_others_to_tell(document, host):
    assert without_missing(document, {f"{host}.generation": "solaris"}) == (document, ())


def test_a_kernel_that_is_not_known_is_left_for_others_to_tell(runs_of):
    with pytest.raises(ScenarioError, match="a kernel that is known"):
        runs_of({"server.generation": "macos-16"})


def test_ticks_are_left_out_for_a_kernel_that_is_not_linux():
    document = {"server": {"hz": 250, "port": 80}}
    fitted, [left_out] = without_missing(document, {"server.generation": "macos-15"})
    assert fitted == {"server": {"port": 80}}
    assert (left_out.sysctl, left_out.value, left_out.kernel) == ("server.hz", 250, "macos-15")
    assert without_missing(document, {"server.generation": "linux-3.10"}) == (document, ())
