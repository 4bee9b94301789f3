"""What the docstring of step traces says is so: its example runs, and every verb is in it."""

import json
import re

import pytest

from tcpemu.scenario.traces import step_trace
from tcpemu.scenario.traces.judge import difference
from tcpemu.wire import relative_numbers

DOC = step_trace.__doc__
EXAMPLE = json.loads(re.search(r'    (\{"name".*?\]\]\})\n', DOC, re.DOTALL)[1])
ENTRIES = [json.loads(text) for text in re.findall(r'    (\{"t".*?\})\n(?=    \{|\n)', DOC, re.DOTALL)]


def listed(title):
    """The first words of the list that follows this paragraph."""
    body = DOC.partition(title)[2].partition(":\n\n")[2].partition("\n\n")[0]
    return re.findall(r"^    ([a-z_]+)(?:, ([a-z]+))?", body, re.MULTILINE)


def test_the_example_gives_the_log_that_is_shown():
    log = step_trace.run(EXAMPLE)["log"]
    assert len(ENTRIES) == 3
    for entry in ENTRIES:
        assert entry in log
    results = {entry["do"][0]: entry["ret"] for entry in log if "do" in entry}
    assert results["recv"] == 5
    assert ["ESTAB", 0, 0, "8080", "42001"] in results["sample"]["ss"]


def test_every_verb_is_listed():
    verbs = {name.removeprefix("_do_") for name in dir(step_trace._Player) if name.startswith("_do_")}
    assert {first for first, _ in listed("**A call**")} == verbs


def test_every_option_is_listed():
    shown = re.findall(r'\["(\w+)"', DOC.partition("    opts ")[2].partition("    isn")[0])
    assert set(shown) == set(relative_numbers._FROM_WORDS)
    assert all(f'"{name}"' in DOC for name in step_trace._LISTEN_OPTIONS)


def test_keys_of_a_segment_are_those_that_are_listed():
    keys = {word for pair in listed("**A segment that arrives**") for word in pair if word}
    assert keys == {"len", "win", "opts", "isn", "lport", "ip", "ttl", "tos", "badsum", "urg", "label"}


@pytest.mark.parametrize(
    ("call", "gives"),
    [
        (["accept"], "EAGAIN"),
        (["connect", 50000, 80], "EINPROGRESS"),
    ],
)
def test_no_call_waits(call, gives):
    trace = {"until": 0.5, "steps": [[0, "listen", 1], [0.1, *call]]}
    assert step_trace.run(trace)["log"][1]["ret"] == gives


def test_an_address_and_a_port_are_told_where_they_are_not_the_usual_ones():
    more = {"ip": "192.0.2.9", "lport": 9000}
    trace = {
        "until": 0.5,
        "steps": [[0, "listen", 1, {"port": 9000}], [0.1, "in", 42001, "S", 0, None, more]],
    }
    answer = step_trace.run(trace)["log"][2]
    assert (answer["ip"], answer["lport"]) == ("192.0.2.9", 9000)


def test_a_number_that_nothing_counts_from_is_absolute():
    trace = {"until": 0.5, "steps": [[0, "in", 42001, "A", 1, 7]]}
    [answer] = [entry for entry in step_trace.run(trace)["log"] if "out" in entry]
    assert answer["flags"] == "R"
    assert answer["seq"] == {"abs": 7}


def test_a_kernel_that_is_not_linux_answers_on_time_unless_ticks_are_asked_for():
    trace = {"steps": [[0, "listen", 1], [0, "in", 42001, "S", 0, None]], "until": 2}
    assert step_trace.run(trace, generation_name="macos-15")["log"]
    with pytest.raises(step_trace.TraceError, match=r"^hz is 250: how late"):
        step_trace.run(trace, generation_name="macos-15", hz=250)


def test_a_trace_says_which_ip_it_speaks():
    syn = [0.1, "in", 42001, "S", 0, None, {}]
    trace = {"family": "ipv6", "until": 0.2, "steps": [[0, "listen", 1], syn]}
    answer = step_trace.run(trace)["log"][2]
    assert (answer["opts"], answer["label"], answer["ttl"], "df" in answer) == ([["mss", 1440]], 0, 64, False)
    with pytest.raises(step_trace.TraceError, match="family is 'ipx'; it is ipv4 or ipv6"):
        step_trace.run({**trace, "family": "ipx"})


def test_a_wrong_flow_label_is_found():
    trace = {"family": "ipv6", "until": 3, "steps": [[0, "listen", 1], [0.1, "in", 42001, "S", 0, None, {}]]}
    answer = step_trace.run(trace)
    again = [entry for entry in answer["log"] if "out" in entry][1]
    assert again["label"] == 1
    again["label"] = 0
    assert "packet 2" in difference(step_trace.run(trace), answer)


OPEN = [
    [0, "listen", 1],
    [0.1, "in", 41001, "S", 0, None, {"opts": [["mss", 1460]]}],
    [0.12, "in", 41001, "A", 1, 1],
    [0.15, "accept"],
]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (["in", 41001, "A", 1, 1, {}, 3], "a segment is in, peer port, flags, seq, ack"),
        (["in", 41001, "A", 1], "a segment is in, peer port, flags, seq, ack"),
        (["connect", 70000, 80], "70000 is no port"),
        (["connect", 50000, -1], "-1 is no port"),
        (["sendto", 50000, 80, -1, 0], "-1 octets cannot be sent"),
        (["recv", 41001, -1], "-1 octets cannot be read"),
        (["send", 41001, 1, 1 << 40], "does not fit an int of C"),
        (["setopt", 41001, 6, 1, 1 << 32], "does not fit an int of C"),
    ],
)
def test_what_no_kernel_could_be_asked_is_a_mistake(step, words):
    with pytest.raises(step_trace.TraceError, match=words):
        step_trace.run({"until": 1, "steps": [*OPEN, [0.2, *step]]})


@pytest.mark.parametrize(("key", "meant"), [("sysctls", "sysctl"), ("step", "steps"), ("familie", "family")])
def test_a_key_that_is_a_slip_of_the_pen_is_named(key, meant):
    with pytest.raises(step_trace.TraceError, match=f"{key}: nothing .* did you mean {meant}"):
        step_trace.run({"until": 1, "steps": OPEN, key: {}})
    assert step_trace.run({"until": 1, "steps": OPEN, "drawn by": "me"})["log"]
