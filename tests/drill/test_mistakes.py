"""Twenty mistakes in scripts, each told with its line, a caret below it, and what would be right."""

import random
import re
from pathlib import Path

import pytest

from tcpemu.drill import ScriptError, parse_script, run_text
from tcpemu.drill.language.script_mistake import Place, ScriptText

SOCKET = "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

MISTAKES = {
    "--tolerance=5": ("--tolerance is no option of a script", "--tolerance"),
    "--bind_port=70000": ("it can be a whole number from 1 to 65535", "--bind_port"),
    "--mss=1000": ("what arrives is not put together out of segments (GRO)", "--mss"),
    '--code_command="perl"': ("code is Python, not for perl", "--code_command"),
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
