"""Scripts out of captures: where the host behaved as Linux does, what is written passes."""

import ipaddress
from pathlib import Path

import pytest

from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.drill import DrillSettings, run_text, run_text_on_kernel
from tcpemu.drill.drill_from_capture import script_from_packets
from tcpemu.drill.writing.seen_conversation import SeenPacket
from tcpemu.kernel import whats_missing
from tcpemu.stack import ConfigurationError
from tcpemu.wire.codec import decode

PCAPS = Path(__file__).parents[2] / "pcaps"
SERVER = ipaddress.ip_address("10.0.0.1").packed
HOST = ipaddress.ip_address("192.168.0.1").packed
NOT_GUESSED = {
    "backlog-ignored-ack-and-data": "that an ACK was ignored shows only in data that comes again",
    "backlog-no-final-ack": "tcp_synack_retries is set",
    "backlog-syn-queue-full": "a backlog shows only in the SYN queue",
}
"""Our own scripts of which a capture gives no script that passes, and why."""
SCRIPTS = [
    path for path in sorted((Path(__file__).parent / "scripts").glob("*.pkt")) if path.stem not in NOT_GUESSED
]
MISSING = whats_missing()
on_a_kernel = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
_READS = "windows tell of reads between packets of one moment, and those are not guessed"
NOT_TOLD = {
    "fast-retransmit": _READS,
    "lost-retransmission": _READS,
    "time-out": _READS,
    "article": "the server is a kernel of another age",
    "half-open": "the server loses its memory between two packets",
    "path-mtu": "ICMP is not written",
    "zero-window": "SO_RCVBUF and a reader that sleeps are not guessed",
}
"""Captures of which the script does not pass, and why."""
OPEN = """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+.1 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.02 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
"""


def packets_of_file(path):
    facts = CaptureFacts()
    return [
        SeenPacket(seen.at, seen.segment, seen.length)
        for seen in segments_of(path, facts)
        if facts.file.interfaces[seen.interface].name != "lost"
    ]


def packets_of(outcome):
    return [
        SeenPacket(packet.at, (segment := decode(packet.data)), len(segment.payload))
        for packet in outcome.packets
    ]


def written(packets, host=HOST, **settings):
    return script_from_packets(packets, host, "// a test", DrillSettings(**settings))


def again(text, **settings):
    """What is written of the packets of a script."""
    outcome = run_text(text, settings=DrillSettings(**settings))
    assert outcome.passed, outcome.message
    found = written(packets_of(outcome))
    assert found.outcome.passed, found.text + found.outcome.message
    return found.text


@pytest.mark.parametrize("path", sorted(PCAPS.glob("*.pcapng")), ids=lambda path: path.stem)
def test_a_scenario_becomes_a_script_that_passes(path):
    found = written(packets_of_file(path), SERVER)
    assert found.outcome.passed == (path.stem not in NOT_TOLD), found.outcome.message
    assert run_text(found.text).passed == found.outcome.passed


def test_another_kernel_is_another_judge():
    found = written(packets_of_file(PCAPS / "handshake.pcapng"), SERVER, generation="linux-3.10")
    assert not found.outcome.passed
    assert "the host sends another packet: window" in found.outcome.message


@on_a_kernel
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_what_the_kernel_sends_becomes_a_script_that_passes(script):
    outcome = run_text_on_kernel(script.read_text())
    assert outcome.packets
    found = written(packets_of(outcome))
    assert found.outcome.passed, found.text + found.outcome.message


# ---------------------------------------------------------------------------------- calls


def test_writes_reads_and_the_end():
    text = again(
        OPEN
        + """
+.1 < P. 1:101(100) ack 1 win 65535
+0 > . 1:1(0) ack 101
+0 read(4, ..., 1000) = 100
+.1 write(4, ..., 2500) = 2500
+0 > P. 1:2501(2500) ack 101
+.05 < . 101:101(0) ack 2501 win 65535
+0 shutdown(4, SHUT_WR) = 0
+0 > F. 2501:2501(0) ack 101
+.01 < P. 101:111(10) ack 2502 win 65535
+0 > . 2502:2502(0) ack 111
+0 read(4, ..., 1000) = 10
"""
    )
    assert "send(4, ..., " in text
    assert "shutdown(4, SHUT_WR) = 0" in text
    assert text.count("read(4") == 2


def test_a_connection_of_the_host():
    text = again(
        """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS
+0 > S 0:0(0) <...>
+.1 < S. 0:0(0) ack 1 win 5792 <mss 1460,nop,nop,sackOK>
+0 > . 1:1(0) ack 1
+0 write(3, ..., 10) = 10
+0 > P. 1:11(10) ack 1
+.1 < . 1:1(0) ack 11 win 5792
+0 close(3) = 0
+0 > F. 11:11(0) ack 1
"""
    )
    assert (
        'connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("192.0.2.1")}, ...)' in text
    )
    assert "listen(" not in text


def test_a_reset_is_a_close_that_lingers_not():
    text = again(
        OPEN + "+.1 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n+0 close(4) = 0\n"
        "+0 > R. 1:1(0) ack 1\n"
    )
    assert "SO_LINGER" in text


def test_small_writes_that_do_not_wait_show_an_option():
    text = again(
        OPEN
        + """
+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0
+.1 write(4, ..., 10) = 10
+0 > P. 1:11(10) ack 1
+.001 write(4, ..., 10) = 10
+0 > P. 11:21(10) ack 1
+.05 < . 1:1(0) ack 21 win 65535
"""
    )
    assert "TCP_NODELAY" in text


@pytest.mark.parametrize(
    "sysctl",
    [
        "net.ipv4.tcp_timestamps=0",
        "net.ipv4.tcp_sack=0",
        "net.ipv4.tcp_window_scaling=0",
        "net.ipv4.tcp_rmem='4096 540000 15728640'",
        "net.ipv4.tcp_rmem='4096 40000 40000'",
    ],
)
def test_settings_that_show_in_the_first_packets(sysctl):
    asked = (
        "+.1 < S 0:0(0) win 65535 <mss 1000,sackOK,TS val 7 ecr 0,nop,wscale 7>\n+0 > S. 0:0(0) ack 1 <...>\n"
    )
    text = again(f"`sysctl -q {sysctl}`" + OPEN.partition("+.1 <")[0] + asked)
    assert sysctl.partition("=")[0] in text


def test_several_peers_get_one_address():
    one, other = (written(packets_of_file(PCAPS / "ignored-ack.pcapng"), SERVER) for _ in range(2))
    assert one.text == other.text
    assert one.text.count("--remote_ip") == 1
    assert len({conversation.peer for conversation in one.view.conversations}) == 3


# ---------------------------------------------------------------------------------- what cannot be


def test_a_host_of_which_nothing_begins_there():
    packets = packets_of_file(PCAPS / "handshake.pcapng")
    with pytest.raises(ConfigurationError, match="none begins there: 1 packets"):
        written(packets[2:], SERVER)
    with pytest.raises(ConfigurationError, match="no packet there"):
        written(packets, HOST)


def test_a_host_that_talks_to_itself():
    packets = packets_of_file(PCAPS / "handshake.pcapng")
    own = [packet.segment._replace(src=SERVER, dst=SERVER) for packet in packets]
    seen = [SeenPacket(at, segment, 0) for at, segment in enumerate(own)]
    with pytest.raises(ConfigurationError, match="talks to itself"):
        written(seen, SERVER)
