"""Twenty mistakes in scripts, each told with its line, a caret below it, and what would be right."""

import random
import re
from pathlib import Path

import pytest

from tcpemu.drill import ScriptError, parse_script, run_text
from tcpemu.drill.language.script_mistake import Place, ScriptText
from tcpemu.drill.playing import code_blocks

SOCKET = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

MISTAKES = {
    "--tolerance=5": ("--tolerance is no option of a script", "--tolerance"),
    "--bind_port=70000": ("it can be a whole number from 1 to 65535", "--bind_port"),
    '--code_command="perl"': ("code is Python, not for perl", "--code_command"),
    "--mss=0": ("it can be a whole number from 1 to 65535", "--mss"),
    "--wire_client": ("no second machine takes part", "--wire_client"),
    '+0 write(4, "abc) = 3': ('a text in quotes that never ends; close it with "', '"'),
    "+0 `sysctl -q net.ipv4.tcp_sack=1": ("a command in backticks that never ends", "`"),
    "+0 %{ assert True": ("code in %{ }% that never ends; close it with }%", "%"),
    "/* begins": ("this comment never ends; close it with */", "/*"),
    "+0 < Q 0:0(0) win 100": ("'Q' is no flag of TCP", "Q"),
    "+0 < S 0:5(0) win 100": ("from 0 to 5 are 5 octets, not 0", "0"),
    "+0 < S 0:0(0) win 70000": ("the window is 70000; it can be 0 to 65535", "70000"),
    "+0 < S 0:0(0) win 100 <mss 1460,wscalo 7>": ("expected a TCP option (nop, eol, mss", "wscalo"),
    "+0 < S 0:0(0) win 100 <mss 1460,wscale 7>": ("no multiple of four; add 1 nop", "<"),
    "+0 < S 0:0(0) win 100 <...>": ("<...> is for packets that the host sends", "..."),
    "+0 bindd(3, ..., ...) = 0": ("'bindd' is no system call that there is; did you mean bind?", "bindd"),
    "+0 listen(3) = 0": ("listen() takes 2 arguments, not 1", "listen"),
    "+0 setsockopt(3, SOL_TCP, TCP_NODELY, [1], 4) = 0": ("did you mean TCP_NODELAY?", "TCP_NODELY"),
    "+0 read(3, ..., 10) = -1 EAGIAN": ("did you mean EAGAIN?", "EAGIAN"),
    "+0 close(3)": ("expected '=' and the result of close()", ""),
    "* close(3) = 0": ("'*' is for packets that the host sends", "*"),
    "+0.3...0.1 accept(3, ..., ...) = 4": ("the call would return before it begins", "..."),
    "+.2~+.1 > . 1:1(0) ack 1": ("this range of time ends before it begins", "+"),
    "-1 close(3) = 0": ("a time cannot be negative", "-1"),
    "close(3) = 0": ("expected a time in seconds, as 0.1, +0.1 or *, here, but there is 'close'", "close"),
    "+0 < icmp unreachable no_such [1:1(0)]": ("'no_such' is no code of unreachable", "unreachable"),
    "+0 < udp (100)": ("packets of UDP are not emulated", "udp"),
    "+0 cap_set(0, 0) = 0": ("cap_set() is not emulated", "cap_set"),
    "+0 `rm -rf / ; reboot`": ("`reboot` is not read: it is more than a sysctl", "`rm -rf / ; reboot`"),
    "+0 `./no-such-file.sh`": ("no-such-file.sh: No such file or directory", "`./no-such-file.sh`"),
    "+0 poll([{fd=3, event=POLLIN}], 1, 0) = 0": (
        "'event' is no field that is known; did you mean events?",
        "event",
    ),
    "+0 socket(hton(3), SOCK_STREAM, IPPROTO_TCP) = 3": ("'hton' is no function", "hton"),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_with_its_line_and_a_caret(line, tmp_path):
    words, pointed = MISTAKES[line]
    before = "" if line.startswith("--") else SOCKET
    outcome = run_text(f"{before}{line}\n{SOCKET if not before else ''}", "a.pkt", tmp_path)
    assert outcome.mistake, outcome.message
    assert not outcome.passed
    head, shown, carets = outcome.message.split("\n")
    number = 2 if before else 1
    assert words in head
    assert head.startswith(f"a.pkt:{number}:") or not pointed
    if pointed:
        assert line in shown
        at, width = carets.index("^"), carets.count("^")
        assert shown[at : at + width].startswith(pointed[: max(1, width)])


ONE_OF_EACH = """\
--tolerance=5
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bindd(3, ..., ...) = 0
+0 listen(3) = 0
+0 < Q 0:0(0) win 100
+0 < S 0:5(0) win 100
+0 < S 0:0(0) win 70000
+0 < S 0:0(0) win 100 <mss 1460,wscalo 7>
+0 < S 0:0(0) win 100 <mss 1460,wscale 7>
+0 setsockopt(3, SOL_TCP, TCP_NODELY, [1], 4) = 0
+0 read(3, ..., 10) = -1 EAGIAN
+0 close(3)
* close(3) = 0
+0.3...0.1 accept(3, ..., ...) = 4
+.2~+.1 > . 1:1(0) ack 1
-1 close(3) = 0
close(3) = 0
+0 < icmp unreachable no_such [1:1(0)]
+0 `reboot`
+0 write(4, "abc) = 3
0.2 close(3) = 0
0.05 close(3) = 0
+0 `sysctl -q net.ipv4.tcp_sack=1
+0 %{ assert True
+0 close(3) = 0
"""


def test_every_line_with_a_mistake_is_told_of_once_and_in_order(tmp_path):
    """All lines but the two that are right, and nothing of the lines below what is never closed."""
    outcome = run_text(ONE_OF_EACH, "a.pkt", tmp_path)
    lines = [int(line.split(":")[1]) for line in outcome.message.split("\n") if line.startswith("a.pkt:")]
    wrong = [number for number in range(1, 25) if number not in (2, 21)]
    assert lines == wrong
    assert outcome.message.count("^") >= len(wrong)
    assert outcome.reason.endswith("(and 21 more mistakes)")


def test_no_more_mistakes_are_told_than_anyone_reads():
    outcome = run_text("+0 nonsense(3) = 0\n" * 80)
    assert outcome.message.count("is no system call") == 50
    assert outcome.message.endswith("and 30 more mistakes")


def test_a_time_that_goes_back_is_found_before_anything_runs(tmp_path):
    made = tmp_path / "made"
    outcome = run_text(
        f"{SOCKET}0.2 %{{ open({str(made)!r}, 'w') }}%\n+.1 close(3) = 0\n0.25 close(3) = -1\n"
    )
    assert "script:4:1: this is at 0.25 s, but the events above take until 0.3 s" in outcome.message
    assert outcome.mistake
    assert not made.exists()


ENDLESS = (
    "while True: pass",
    "\nwhile True:\n  try:\n    pass\n  except BaseException:\n    pass\n",
    "import time; time.sleep(3)",
)


@pytest.mark.parametrize("code", ENDLESS)
def test_code_that_never_ends_is_one_clear_failure(code, monkeypatch):
    monkeypatch.setattr(code_blocks, "PATIENCE", 0.2)
    outcome = run_text(f"{SOCKET}+0 %{{ {code} }}%\n")
    assert "the code has not ended after 0.2 s" in outcome.message
    assert int(outcome.message.split(":")[1]) >= 2
    assert not outcome.passed


def test_code_that_leaves_python_fails_and_ends_nothing_else():
    assert run_text(f"{SOCKET}+0 %{{ exit(3) }}%\n").reason == "the code raises SystemExit: 3"


def test_a_script_without_events_is_a_mistake():
    with pytest.raises(ScriptError, match="expected an event"):
        parse_script("// nothing\n")


def test_a_tab_before_the_caret_stays_a_tab():
    text = ScriptText("a.pkt", ("+0\tclose(3) = 0",))
    assert text.excerpt(Place(1, 4, 5)).split("\n")[1].endswith("|   \t^^^^^")


def test_nothing_of_a_script_with_a_mistake_runs(tmp_path):
    made = tmp_path / "made"
    run_text(f"+0 %{{ open({str(made)!r}, 'w') }}%\n+0 nonsense(3) = 0\n")
    assert not made.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--ip_version=ipv6\n--local_ip=192.0.2.1", "--local_ip is 192.0.2.1, but --ip_version is ipv6"),
        ("--remote_ip=fd00::1", "--remote_ip is fd00::1, but --ip_version is ipv4"),
        ("--ip_version=ipv6\n--mtu=1000", "mtu"),
    ],
)
def test_addresses_and_mtu_have_to_fit_the_ip(flags, words):
    outcome = run_text(f"{flags}\n{SOCKET}")
    assert outcome.mistake
    assert words in outcome.message


def test_a_packet_too_long_for_ip_is_told():
    outcome = run_text(
        f"{SOCKET}+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n+0 < S 0:65535(65535) win 9\n"
    )
    assert "this packet cannot be on a wire" in outcome.message


def test_a_script_with_words_changed_by_chance_ends_in_an_outcome():
    """Whatever stands in a script, nothing but its outcome comes of it, and soon."""
    chance = random.Random(7)
    scripts = [path.read_text() for path in (Path(__file__).parent / "scripts").glob("*.pkt")]
    others = [
        "...",
        "-1",
        "70000",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "<",
        ">",
        "S.",
        "ack",
        "NULL",
        "*",
        "~",
        "|",
        "9" * 12,
    ]
    for _ in range(300):
        words = re.split(r"(\s+|[(),\[\]{}<>])", chance.choice(scripts))
        for _ in range(chance.randint(1, 3)):
            words[chance.randrange(len(words))] = chance.choice([*others, *words])
        outcome = run_text("".join(words))
        assert outcome.passed == (not outcome.message)


NETWORK = {
    "ip route replace 192.0.2.1 dev tun0 rto_min 5": "of a route mtu, advmss, initcwnd are read, not rto_min",
    "ip route replace 192.0.2.1 mtu": "mtu needs a number",
    "ip addr flush": "of ip, tcp_metrics flush, link set mtu, and route change of one peer are read",
    "tc qdisc replace dev tun0 root netem delay 5ms": "of queues, pfifo and pfifo_fast are read",
    "tc qdisc replace dev tun0 root pfifo limit many": "limit needs a number",
    "tc qdisc replace dev tun0 root pfifo size 5": "of pfifo, limit PACKETS is read",
    "tc filter add dev tun0": "of tc, qdisc of a device's root is read",
    "ethtool -K tun0 gro on": "gro and lro off alone",
    "ethtool -s tun0 speed 10": "of ethtool, -K DEVICE",
}


@pytest.mark.parametrize("command", NETWORK)
def test_what_a_command_would_do_to_the_network_and_is_not_read_is_told(command):
    outcome = run_text(f"{SOCKET}+0 `{command}`\n")
    assert outcome.mistake
    assert NETWORK[command] in outcome.message
