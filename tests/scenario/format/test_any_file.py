"""Whatever stands in a file: it is a scenario that can be built, or a ScenarioError says what is wrong."""

import copy
import tomllib
from contextlib import suppress
from decimal import Decimal
from importlib import resources

from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, from_document, from_text, runs
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running.build import build

WHOLE = """
title = "t"
look_at = "l"
[link]
delay = "1 ms"
jitter = "1 ms"
rate = "1 Mbit/s"
loss = "1 %"
duplicate = 0
reorder = 0.1
drop = [{ to = "server", flags = "S", without = "A", data = false, nth = 2 }]
[server]
address = "10.0.0.1"
generation = "linux-6.18"
sysctls."net.ipv4.tcp_syncookies" = 1
hz = 250
mtu = 1500
port = 80
backlog = 5
options = { defer_accept = 5, syncnt = 3, rcvbuf = 8192, maxseg = 1000 }
accept = { from = 1, every = 1, limit = 5 }
answer = { text = "x" }
then = "close"
relisten = [{ at = 1, backlog = 2 }]
close_at = 5
shutdown_at = 4
[[clients]]
name = "a"
count = 3
start = { from = 1, every = 1 }
do = ["connect", { send = "x" }, { wait = 1 }, "close"]
link = { delay = 1 }
[[clients]]
name = "b"
start = { rate = 10, poisson = true, until = 1 }
do = ["syn"]
spoof = "198.18.0.0/24"
[[variants]]
name = "v"
set = { "server.backlog" = 1 }
"""

TEXTS = [
    resources.files("tcpemu.scenario").joinpath("builtin", f"{name}.toml").read_text("utf-8")
    for name in BUILT_IN_SCENARIOS
]
DOCUMENTS = [tomllib.loads(text, parse_float=Decimal) for text in [WHOLE, WHOLE, *TEXTS]]

WORDS = [
    "1 s",
    "5 %",
    "10 Mbit/s",
    "connect",
    "syn",
    "a",
    "server",
    "10.0.0.1",
    "2001:db8::1",
    "S",
    "word",
    "table",
    "",
    "\0",
]
VALUES = st.recursive(
    st.one_of(
        st.integers(-2, 40),
        st.integers(),
        st.booleans(),
        st.decimals(allow_nan=True, allow_infinity=True),
        st.sampled_from(WORDS),
        st.text(max_size=5),
        st.datetimes(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["at", "from", "name", "word", "x.y"]), inner),
    ),
    max_leaves=5,
)


def places(value, above=()):
    """The path of everything in a document."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        yield (*above, key)
        yield from places(inner, (*above, key))


@st.composite
def spoiled(draw):
    document = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(sorted(places(document), key=repr)))
        at = document
        for step in place[:-1]:
            at = at[step]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            at[place[-1]] = draw(VALUES)
        elif change == "remove":
            del at[place[-1]]
        elif isinstance(at, list):
            at.append(draw(VALUES))
        else:
            at[draw(st.sampled_from(["at", "every", "word", "table", "net.ipv4.tcp_sack", "nonsense"]))] = (
                draw(VALUES)
            )
        if not list(places(document)):
            break
    return document


def size(scenario) -> int:
    """About how many clients there are."""
    return sum(
        (group.count or 1) + int((group.start.until or 0) / 10**9 * (group.start.rate or 1))
        for group in scenario.clients
    )


@settings(max_examples=400, deadline=None)
@given(spoiled())
def test_a_spoiled_scenario_is_told_or_can_be_built(document):
    try:
        scenario = from_document(document, "x.toml")
    except ScenarioError as error:
        told = error
    else:
        build_all(scenario)
        return
    assert told.problems
    assert len(set(told.problems)) == len(told.problems)


def build_all(scenario):
    for run in runs(scenario):
        if size(run.scenario) < 2000 and not any(
            group.start.every is not None for group in run.scenario.clients
        ):
            build(run)


@settings(max_examples=200)
@given(
    st.one_of(
        st.text(),
        st.sampled_from(TEXTS).flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
    )
)
def test_any_text_is_a_scenario_or_told(text):
    with suppress(ScenarioError):
        from_text(text)
