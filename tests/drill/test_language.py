"""What scripts may say: every form of time, packet, option, expression."""

import pytest

from tcpemu.drill import ScriptError, parse_script
from tcpemu.drill.language.drill_script import (
    Anything,
    Array,
    Code,
    Command,
    Either,
    EventTime,
    IcmpPacket,
    IpPart,
    Named,
    Number,
    Structure,
    Text,
    Word,
)
from tcpemu.wire.options import NOP, SACK_OK, FastOpen, Mss, Sack, Timestamps, Unknown, WScale
from tcpemu.wire.segment import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG


def action(line, **settings):
    return parse_script(line, **settings).events[0].action


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0", EventTime(0)),
        ("0.25", EventTime(250_000)),
        (".000001", EventTime(1)),
        ("+1", EventTime(1_000_000, relative=True)),
        ("+.01", EventTime(10_000, relative=True)),
        ("*", EventTime(0, relative=True, whenever=True)),
        ("0.1~0.2", EventTime(100_000, 200_000)),
        ("+.1~+.2", EventTime(100_000, 200_000, relative=True)),
    ],
)
def test_times(written, meant):
    assert parse_script(f"{written} > . 1:1(0) ack 1").events[0].time == meant


def test_a_blocking_call_has_an_end():
    call = action("0.1...0.3 accept(3, ..., ...) = 4")
    assert (call.name, call.end) == ("accept", 300_000)


@pytest.mark.parametrize(
    ("written", "flags", "ace"),
    [
        ("S", SYN, None),
        ("S.", SYN | ACK, None),
        ("FP.", FIN | PSH | ACK, None),
        ("R", RST, None),
        ("PU.", PSH | URG | ACK, None),
        ("SEW", SYN | ECE | CWR, None),
        ("SEWA", SYN | ECE | CWR | AE, None),
        (".", ACK, None),
        ("-", 0, None),
        (".5", ACK | AE | ECE, 5),
        ("P.2", PSH | ACK | CWR, 2),
    ],
)
def test_flags(written, flags, ace):
    packet = action(f"0 > {written} 1:1(0) ack 7")
    assert (packet.flags, packet.ace, packet.ack) == (flags, ace, 7)


def test_a_whole_packet():
    packet = action("0 > [ect0] 8080 > 40001 P. 1:1001(1000) ack 5 win 100 urg 3 <nop,nop,TS val 7 ecr 8>")
    assert packet.ip == IpPart(ecn=2)
    assert packet.ports == (8080, 40001)
    assert (packet.seq, packet.size, packet.window, packet.urgent) == (1, 1000, 100, 3)
    assert packet.options == (NOP, NOP, Timestamps(7, 8))
    assert not packet.inbound


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("(tos 0x2)", IpPart(tos=2)),
        ("[ttl 5]", IpPart(ttl=5)),
        ("[ect01]", IpPart(any_ect=True)),
        ("[noecn, flowlabel 0x5]", IpPart(ecn=0, flow_label=5)),
        ("[ce]", IpPart(ecn=3)),
    ],
)
def test_what_is_said_of_ip(written, meant):
    assert action(f"0 > {written} . 1:1(0) ack 1").ip == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("mss 1460,sackOK,nop,nop", (Mss(1460), SACK_OK, NOP, NOP)),
        ("nop,wscale 7", (NOP, WScale(7))),
        ("nop,nop,sack 1:2 5:9", (NOP, NOP, Sack(((1, 2), (5, 9))))),
        ("FO,nop,nop", (FastOpen(b""), NOP, NOP)),
        ("FO 00ff00ff00ff,nop,nop,nop,nop", (FastOpen(bytes.fromhex("00ff00ff00ff")), *[NOP] * 4)),
        ("FOEXP 1234", (FastOpen(b"\x12\x34", experimental=True), )),
        ("nop,ECN e0b 1 ceb 2 e1b 3", (NOP, Unknown(172, bytes.fromhex("000001000002000003")))),
        ("nop,nop,md5 " + "0" * 32, (NOP, NOP, Unknown(19, bytes(16)))),
    ],
)  # fmt: skip
def test_tcp_options(written, meant):
    if written.startswith("FOEXP"):
        written, meant = written + ",nop,nop", (*meant, NOP, NOP)
    assert action(f"0 < . 1:1(0) ack 1 win 5 <{written}>").options == meant


def test_icmp():
    packet = action("0 < icmp unreachable frag_needed mtu 800 [1:1001(1000)]")
    assert isinstance(packet, IcmpPacket)
    assert (packet.kind, packet.code, packet.mtu, packet.quoted.seq) == ("unreachable", "frag_needed", 800, 1)


def test_arguments():
    call = action('0 f(3, ..., [1], "ab" "cd", A|B, {x=1, y(...)=...}, 0x10) = -1 EAGAIN (Try again)')
    number, anything, array, text, either, structure, hexadecimal = call.arguments
    assert isinstance(number, Number)
    assert isinstance(anything, Anything)
    assert isinstance(array, Array)
    assert isinstance(text, Text)
    assert text.value == "abcd"
    assert isinstance(either, Either)
    assert isinstance(structure, Structure)
    assert [item.name for item in structure.items if isinstance(item, Named)] == ["x", "y"]
    assert isinstance(hexadecimal, Number)
    assert hexadecimal.value == 16
    assert (call.result.value, call.error.name) == (-1, "EAGAIN")


def test_commands_and_code_stand_where_they_stand():
    script = parse_script("--mtu=1400\n`before`\n0 `during`\n+0 %{ a = 1\nb = 2 }%\n`after`\n")
    assert [(flag.name, flag.value) for flag in script.flags] == [("mtu", "1400")]
    assert (script.before.line, script.after.line) == ("before", "after")
    command, code = (event.action for event in script.events)
    assert isinstance(command, Command)
    assert isinstance(code, Code)
    assert code.text == " a = 1\nb = 2 "


def test_definitions_stand_for_what_they_are():
    text = '--define=PORT=1\n--define=CC="reno"\n0 f(PORT, CC, OTHER) = 0'
    call = action(text, defines={"OTHER": "AF_INET"})
    number, name, word = call.arguments
    assert (number.value, name.value) == (1, "reno")
    assert isinstance(word, Word)
    assert word.name == "AF_INET"


def test_a_definition_from_outside_stands_above_that_of_the_script():
    assert action("--define=N=1\n0 f(N) = 0", defines={"N": "2"}).arguments[0].value == 2


def test_addresses_and_sequence_numbers_are_told_apart():
    script = parse_script("--local_ip=fd00::1\n--remote_ip=192.0.2.7\n0 > . 1:1(0) ack 1 <nop,nop,sack 1:2>")
    assert [flag.value for flag in script.flags] == ["fd00::1", "192.0.2.7"]


def test_brackets_do_not_nest_for_ever():
    with pytest.raises(ScriptError, match="brackets in each other"):
        parse_script("0 f(" + "[" * 3000 + ") = 0")


@pytest.mark.parametrize(
    "text", ["", "\0", "%{", "0 <", "0 > S", "0 f(", "--", "0 f(1", "`", "é", "0 f({a=}) = 0"]
)
def test_any_text_is_a_script_or_a_mistake(text):
    with pytest.raises(ScriptError):
        parse_script(text)
