"""Scripts on this machine's kernel: what passes, what is said of what does not, and what is left alone."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tcpemu.drill import DrillSettings, run_file, run_text, run_text_on_kernel
from tcpemu.kernel import whats_missing
from tcpemu.wire.codec import decode
from tcpemu.wire.segment import Segment
from tests.drill.openings import LISTEN, OPEN

MISSING = whats_missing()
on_a_kernel = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.pkt"))
OF_BACKLOG = ("backlog-syn-dropped", "backlog-third-ack")
"""Scripts that say something of a backlog of 0 or 1."""


def passes(text, **settings):
    outcome = run_text_on_kernel(text, settings=DrillSettings(**settings))
    assert outcome.passed, outcome.message
    assert outcome.kernel == os.uname().release
    return outcome


def fails(text, words, **settings):
    outcome = run_text_on_kernel(text, settings=DrillSettings(**settings))
    assert not outcome.passed
    assert words in outcome.message, outcome.message
    return outcome


@on_a_kernel
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_scripts_of_many_clients_pass(script):
    outcome = run_file(script, run=run_text_on_kernel)
    assert outcome.passed, outcome.message


@on_a_kernel
@pytest.mark.parametrize(
    "script", [path for path in SCRIPTS if path.stem in OF_BACKLOG], ids=lambda path: path.stem
)
def test_they_fail_where_the_backlog_is_another(script):
    text = script.read_text()
    changed = text.replace("listen(3, 1)", "listen(3, 0)")
    if changed == text:
        changed = text.replace("listen(3, 0)", "listen(3, 5)")
    assert not run_text_on_kernel(changed).passed


@on_a_kernel
def test_what_differs_is_told_field_by_field():
    outcome = fails(
        OPEN + "+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1 win 5\n", "the host sends another packet"
    )
    assert "octets: expected 11, got 10" in outcome.message
    assert "window: expected 5, got" in outcome.message
    assert [packet.comments for packet in outcome.packets][:4] == [("line 6",), (), ("line 8",), ()]
    # The device would have put the checksums in.
    assert all(isinstance(decode(packet.data), Segment) for packet in outcome.packets)


@on_a_kernel
def test_a_packet_at_another_time_is_late():
    fails(OPEN + "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", "ms too early")


@on_a_kernel
def test_a_packet_that_does_not_come():
    fails(LISTEN + "+0 < . 1:1(0) ack 1 win 100\n+0 > S. 0:0(0) ack 1\n", "the host sends")


@on_a_kernel
def test_a_call_with_another_result():
    fails(LISTEN + "+0 listen(3, -1) = -1 EINVAL\n", "listen() gives 0; expected -1 EINVAL")
    fails(LISTEN + "+0 bind(7, ..., ...) = 0\n", "bind() gives -1 EBADF; expected 0")


@on_a_kernel
def test_calls_that_wait():
    passes(
        LISTEN
        + """
+0...0.1 accept(3, ..., ...) = 4
+.05 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.05 < . 1:1(0) ack 1 win 65535
+0...0.05 read(4, ..., 100) = 5
+.05 < P. 1:6(5) ack 1 win 65535
+0 > . 1:1(0) ack 6
+0...0.05 poll([{fd=4, events=POLLIN, revents=0}], 1, 50) = 0
"""
    )
    fails(
        LISTEN + "+0...0.01 poll([{fd=3, events=POLLIN, revents=0}], 1, 300) = 0\n", "poll() returns at 0.3"
    )


@on_a_kernel
def test_a_connection_of_its_own():
    passes(
        "`sysctl -q net.ipv4.tcp_rmem='4096 131072 6291456'`"
        """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.1 connect(3, ..., ...) = 0
+0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>
+.1 < S. 0:0(0) ack 1 win 5792 <mss 1460,nop,nop,sackOK>
+0 > . 1:1(0) ack 1
+0 writev(3, [{..., 1000}, {..., 460}], 2) = 1460
+0 > P. 1:1461(1460) ack 1
+0 %{ assert tcpi_state == TCP_ESTABLISHED and tcpi_unacked == 1, (tcpi_state, tcpi_unacked) }%
+0 < R. 1:1(0) ack 1461 win 100
+0 write(3, ..., 10) = -1 ECONNRESET
+0 close(3) = 0
+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0...0.05 connect(3, ..., ...) = -1 ECONNREFUSED
+0 > S 0:0(0) <...>
+.05 < R. 0:0(0) ack 1 win 0
"""
    )


@on_a_kernel
def test_epoll_options_and_files():
    passes(
        OPEN
        + """
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0
+0 < P. 1:6(5) ack 1 win 65535
+0 > . 1:1(0) ack 6
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 ioctl(4, SIOCINQ, [5]) = 0
+0 getsockopt(4, SOL_TCP, TCP_MAXSEG, [1000], [4]) = 0
+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0
+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, [8]) = 0
+0 fcntl(4, F_GETFL) = 2
+0 pipe([6, 7]) = 0
+0 splice(4, NULL, 7, NULL, 5, 0) = 5
+0 `dd bs=1 count=5 if=/dev/zero of=/tmp/zeros`
+0 open("/tmp/zeros", O_RDONLY) = 8
+0 sendfile(4, 8, [0], 5) = 5
+0 > P. 1:6(5) ack 6
+0 close(4) = 0
+0 > R. 6:6(0) ack 6
"""
    )
    assert not Path("/tmp/zeros").exists()


@on_a_kernel
def test_the_error_queue():
    passes(
        OPEN
        + """
+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 send(4, ..., 100, MSG_ZEROCOPY) = 100
+0 > P. 1:101(100) ack 1
+.01 < . 1:1(0) ack 101 win 65535
+.1 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 0}], msg_flags=MSG_ERRQUEUE,
     msg_control=[{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR,
       cmsg_data={ee_errno=0, ee_origin=SO_EE_ORIGIN_ZEROCOPY, ee_type=0,
         ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=0, ee_data=0}}]}, MSG_ERRQUEUE) = 0
"""
    )


@on_a_kernel
def test_over_ipv6():
    passes(OPEN.replace("mss 1460", "mss 1440"), flags=(("ip_version", "ipv6"),))


@on_a_kernel
def test_sysctls_are_those_of_the_namespace():
    own = Path("/proc/sys/net/ipv4/tcp_syn_retries").read_text()
    outcome = passes(
        "`sysctl -q net.ipv4.tcp_timestamps=0 net.ipv4.tcp_syn_retries=3 kernel.panic=7`"
        + OPEN.replace("<mss 1000>", "<mss 1000,nop,nop,TS val 1 ecr 0>")
    )
    assert outcome.remarks == ["sysctl kernel.panic: it is the whole machine's, and left alone"]
    assert Path("/proc/sys/net/ipv4/tcp_syn_retries").read_text() == own


@on_a_kernel
def test_routes_and_queues_that_commands_set():
    passes(
        "`ip route change 192.0.2.1 dev tun0 advmss 700; tc qdisc replace dev tun0 root pfifo limit 100`"
        + OPEN.replace("mss 1460", "mss 700")
    )
    fails("`tc qdisc replace dev tun0 root nonsense`" + LISTEN, "nonsense")


@on_a_kernel
def test_counters_and_the_socket_table():
    passes(OPEN + "+0 `nstat | grep TcpPassiveOpens`\n+0 `grep ' 0A ' /proc/net/tcp | grep :1F90`\n")
    fails(OPEN + "+0 `nstat | grep TcpExtListenDrops`\n", "no line of nstat has 'TcpExtListenDrops'")


@pytest.mark.parametrize("run", [run_text, pytest.param(run_text_on_kernel, marks=on_a_kernel)])
def test_a_shell_runs_only_where_it_may(run, tmp_path):
    text = f"`id > {tmp_path}/made`" + LISTEN
    outcome = run(text)
    assert outcome.mistake
    assert not (tmp_path / "made").exists()
    assert run(text, settings=DrillSettings(run_shell=True)).passed
    assert (tmp_path / "made").exists()
    outcome = run("`false; exit 3`" + LISTEN, settings=DrillSettings(run_shell=True))
    assert "the command ends with status 3" in outcome.message


@on_a_kernel
def test_nothing_is_left_and_nothing_hangs():
    before = subprocess.run(["lsns", "-t", "net", "-n", "-o", "NS"], capture_output=True, check=True).stdout
    began = time.monotonic()
    fails(OPEN + "+0 read(4, ..., 10) = 10\n", "read() never returns")
    assert time.monotonic() - began < 60
    after = subprocess.run(["lsns", "-t", "net", "-n", "-o", "NS"], capture_output=True, check=True).stdout
    assert set(after.split()) <= set(before.split())


def test_a_mistake_needs_no_kernel(monkeypatch):
    from tcpemu.kernel import run_trace

    monkeypatch.setattr(run_trace, "whats_missing", lambda: None)
    outcome = run_text_on_kernel("0 sokket(1, 2, 3) = 3\n")
    assert outcome.mistake
    assert "did you mean socket?" in outcome.message
