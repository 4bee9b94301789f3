"""Scenario files: what a small one means, and that every mistake is told with its place and its mend."""

from pathlib import Path

import pytest

from tcpemu.scenario.format.load_scenario import (
    BUILT_IN_SCENARIOS,
    from_document,
    from_text,
    load,
    load_runs,
    runs,
    to_document,
)
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.format.scenario_file import Text

SMALL = 'title = "t"\nlook_at = "l"\n'
CLIENT = "[[clients]]\nname = 'c'\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        from_text(text, "x.toml")
    assert all(str(problem) in str(caught.value) for problem in caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def test_a_small_scenario_is_a_small_file():
    scenario = from_text(SMALL + "[server]\nbacklog = 5\n" + CLIENT)
    assert scenario.server.port == 80
    assert scenario.server.backlog == 5
    assert scenario.server.generation == "linux-6.18"
    assert scenario.clients[0].do == ("connect",)
    assert scenario.link.delay == 5_000_000
    assert scenario.duration == 10_000_000_000


def test_everything_that_can_be_said():
    scenario = from_text(
        SMALL
        + """
        about = "a"
        seed = 7
        duration = 1.5
        [link]
        delay = "20 ms"
        jitter = "1 ms"
        rate = "10 Mbit/s"
        loss = "5 %"
        duplicate = 0.01
        reorder = 0.02
        drop = [
            { to = "server", flags = "A", without = "S", data = false, nth = 1 },
            { to = "client", nth = [1, 3] },
        ]
        [server]
        address = "192.0.2.1"
        generation = "linux-6.18"
        sysctls = { net.ipv4.tcp_syncookies = 0, "net.core.somaxconn" = 16 }
        hz = 250
        mtu = 9000
        port = 8080
        backlog = -1
        options = { defer_accept = 5, syncnt = 3, rcvbuf = 8192, maxseg = 1000 }
        accept = { from = "1 s", every = "10 ms", limit = 3 }
        answer = { text = "hello" }
        then = "close"
        relisten = [{ at = "2 s", backlog = 9 }]
        shutdown_at = "3 s"
        close_at = "4 s"
        [[clients]]
        name = "all"
        start = { rate = 100, poisson = true, until = "1 s" }
        do = [{ wait = "1 ms" }, "connect", { send = 10 }, { wait_until = 1.2 }, { recv = 5 }, "recv",
              "half_close", "read_to_end", "abort"]
        port = 8081
        link = { delay = "30 ms" }
        [[clients]]
        name = "raw"
        count = 2
        do = ["syn", { wait = "1 s" }, "syn"]
        spoof = "198.18.0.0/15"
        [[variants]]
        name = "one"
        set.server.backlog = 1
        """
    )
    assert scenario.server.sysctls == {"net.ipv4.tcp_syncookies": 0, "net.core.somaxconn": 16}
    assert scenario.server.answer == Text(text="hello")
    assert scenario.link.drop[0].nth == (1,)
    assert scenario.link.drop[1].nth == (1, 3)
    link = scenario.link_of(scenario.group("all"))
    assert (link.delay, link.jitter, link.loss) == (30_000_000, 1_000_000, 0.05)
    assert scenario.link_of(scenario.group("raw")) == scenario.link
    with pytest.raises(KeyError):
        scenario.group("nobody")


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_a_scenario_survives_being_written_and_read(name):
    scenario = load(name)
    assert from_document(to_document(scenario)) == scenario


def blocks() -> list[tuple[str, str]]:
    """Each file of `mistakes.txt`, and what is said of it."""
    text = (Path(__file__).parent / "mistakes.txt").read_text("utf-8")
    pairs = [block.strip().split("\n=> ") for block in text.split("\n\n")[1:]]
    return [(lines, told) for lines, told in pairs]


MISTAKES = blocks()


@pytest.mark.parametrize(("lines", "told"), MISTAKES, ids=[lines.replace("\n", " ") for lines, _ in MISTAKES])
def test_a_mistake_is_told_once_with_its_place_and_its_mend(lines, told):
    found = problems(SMALL + lines)
    assert len(found) == 1
    assert found[0].startswith(told)


def test_all_mistakes_are_told_at_once():
    found = problems(
        """
        title = 3
        duration = "5 sec"
        [server]
        backlog = "five"
        accept = { never = true, at = ["3 s", "1 s"] }
        sysctls = { net.ipv4.tcp_syncookie = 1, net.ipv4.tcp_timestamps = 9 }
        [[clients]]
        count = 0
        do = ["connect", "close", "close"]
        [[clients]]
        name = "twin"
        address = "192.0.2.1"
        [[clients]]
        name = "twin"
        address = "192.0.2.1"
        [[variants]]
        name = "v"
        set.server.backlgo = 3
        """
    )
    assert [problem.partition(":")[0] for problem in found] == [
        "title",
        "duration",
        'server.sysctls."net.ipv4.tcp_syncookie"',
        'server.sysctls."net.ipv4.tcp_timestamps"',
        "server.backlog",
        "server.accept.at",
        "clients[0].name",
        "clients[0].count",
        "clients[0].do[2]",
        "clients[2].name",
        "clients[2].address",
        'variants[0].set."server.backlgo"',
    ]


def test_all_wrong_sysctls_are_told_at_once():
    found = problems(SMALL + "[server.sysctls.net.ipv4]\ntcp_syncookie = 1\ntcp_timestamps = 9\ntcp_sack = 1")
    assert [problem.partition(";")[0] for problem in found] == [
        'server.sysctls."net.ipv4.tcp_syncookie": not among the sysctls that are emulated',
        'server.sysctls."net.ipv4.tcp_timestamps": net.ipv4.tcp_timestamps is 9',
    ]


def test_of_a_kernel_that_is_not_known_only_the_names_of_sysctls_can_be_wrong():
    sysctls = "sysctls.net.ipv4 = { tcp_syncookie = 1, tcp_timestamps = 9 }"
    told = problems(SMALL + '[server]\ngeneration = "linux-9"\n' + sysctls)
    assert [problem.partition(":")[0] for problem in told] == [
        "server.generation",
        'server.sysctls."net.ipv4.tcp_syncookie"',
    ]


def test_a_sysctl_that_the_kernel_does_not_have():
    text = SMALL + 'server.generation = "linux-3.10"\nserver.sysctls."net.ipv4.tcp_syn_linear_timeouts" = 1'
    assert problems(text) == [
        'server.sysctls."net.ipv4.tcp_syn_linear_timeouts": net.ipv4.tcp_syn_linear_timeouts is not there in '
        "linux-3.10: Linux has it since 6.5"
    ]


def test_the_text_of_the_error_has_a_line_for_each_mistake_with_the_file_in_front():
    with pytest.raises(ScenarioError) as caught:
        from_text("seed = -1\n" + SMALL + "sed = 1\n", "dir/x.toml")
    assert str(caught.value).splitlines() == [
        "dir/x.toml: seed: found -1; must be 0 or more",
        "dir/x.toml: sed: unknown key; did you mean 'seed'?",
    ]


def test_mistakes_of_the_base_are_not_told_again_for_each_variant():
    found = problems(
        SMALL
        + "seed = -1\n[[variants]]\nname = 'v'\nset.server.backlog = 1\n[[variants]]\nname = 'w'\nset = {}"
    )
    assert found == ["seed: found -1; must be 0 or more"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title = \n", "line 1, column 9: Invalid value; this is not TOML: https://toml.io"),
        ("a = 1\nb = [1,\n", "end of file: "),
        ("a = 1\na = 2\n", "line 2, column 6: Cannot overwrite a value; this is not TOML"),
    ],
)
def test_what_is_not_toml_is_told_with_line_and_column(text, told):
    (found,) = problems(text)
    assert found.startswith(told)


def test_a_name_that_is_nearly_a_built_in_one():
    with pytest.raises(ScenarioError) as caught:
        load("ignored_ack")
    assert str(caught.value) == (
        "ignored_ack: there is no built-in scenario and no file 'ignored_ack'; did you mean 'ignored-ack'?"
    )


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("retransmit", "did you mean 'fast-retransmit'?"),
        ("queue-flood", "did you mean 'syn-flood'?"),
        ("ignored", "did you mean 'ignored-ack' or 'ignored-ack-then-accept'?"),
        ("tcp", "tcpemu list shows all that there are"),
    ],
)
def test_a_name_that_is_none_gets_the_nearest_ones_and_not_all(name, mend):
    with pytest.raises(ScenarioError) as caught:
        load(name)
    assert str(caught.value).endswith(f"no file '{name}'; {mend}")


def test_a_run_knows_what_was_set_beside_its_file():
    settings = {"link.delay": "5 ms", "seed": 3, "server.generation": "linux-5.10"}
    assert {run.given for run in load_runs("reno-cubic", settings)} == {('link.delay = "5 ms"',)}


def test_files_that_cannot_be_read(tmp_path: Path):
    with pytest.raises(ScenarioError, match=r"x\.toml: cannot be read: No such file or directory"):
        load(str(tmp_path / "x.toml"))
    with pytest.raises(ScenarioError, match="cannot be read: Is a directory"):
        load(str(tmp_path))
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe9'")
    with pytest.raises(ScenarioError, match="octet 9: not UTF-8; save the file as UTF-8"):
        load(str(tmp_path / "latin.toml"))


def test_a_file_is_loaded(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(SMALL + "seed = 5\n")
    assert load(str(path)).seed == 5


def test_the_built_in_scenarios_are_those_of_the_list():
    here = Path(load.__code__.co_filename).parents[1] / "builtin"
    assert sorted(path.stem for path in here.glob("*.toml")) == sorted(BUILT_IN_SCENARIOS)


def test_variants_are_runs():
    scenario = from_text(
        SMALL
        + "[server]\nbacklog = 5\n"
        + CLIENT
        + "[[variants]]\nname = 'a'\nset.server.backlog = 1\n"
        + "[[variants]]\nname = 'b'\nset.clients.c.count = 3"
    )
    first, second = runs(scenario)
    assert (first.name, first.scenario.server.backlog, first.scenario.clients[0].count) == ("a", 1, None)
    assert (second.name, second.scenario.server.backlog, second.scenario.clients[0].count) == ("b", 5, 3)
    assert not first.scenario.variants


def test_a_scenario_without_variants_is_one_run():
    scenario = from_text(SMALL)
    (only,) = runs(scenario)
    assert (only.name, only.scenario) == ("", scenario)


def test_nesting_without_end_is_told():
    with pytest.raises(ScenarioError, match="nested too deeply"):
        from_text("a = " + "[" * 5000)


def test_what_is_wrong_in_a_variant_has_its_place_quoted_once():
    text = 'title = ""\n[[variants]]\nname = "one"\nset."net.ipv4.tcp_sack" = 300\n'
    with pytest.raises(ScenarioError) as caught:
        from_text(text)
    assert [problem.place for problem in caught.value.problems] == [
        'variants[0].set.server.sysctls."net.ipv4.tcp_sack"'
    ]


def test_ticks_are_for_kernels_of_linux():
    [problem] = problems(SMALL + "[server]\ngeneration = 'macos-15'\nhz = 250\n" + CLIENT)
    assert "server.hz" in problem
    assert "how late the timers of macos-15 are is not emulated, only those of Linux; leave hz out" in problem
