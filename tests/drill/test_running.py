"""Scripts on the emulated host: what passes, and what is said of what does not."""

from pathlib import Path

import pytest

from tcpemu.drill import DrillSettings, run_file, run_text
from tests.drill.openings import LISTEN, OPEN

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.pkt"))


def passes(text, **settings):
    outcome = run_text(text, settings=DrillSettings(**settings))
    assert outcome.passed, outcome.message
    return outcome


def fails(text, words, **settings):
    outcome = run_text(text, settings=DrillSettings(**settings))
    assert not outcome.passed
    assert not outcome.mistake, outcome.message
    assert words in outcome.message, outcome.message
    return outcome


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_scripts_of_many_clients_pass(script):
    outcome = run_file(script)
    assert outcome.passed, outcome.message


LISTENING = LISTEN.replace("listen(3, 1)", "listen(3, {backlog})")
CLIENT = """
+0 < {port} > 8080 S 0:0(0) win 65535 <mss 1460>
+0 > 8080 > {port} S. 0:0(0) ack 1 <...>
+0 < {port} > 8080 . 1:1(0) ack 1 win 65535
"""
COMPLETE = {
    "linux-6.18": (1, 2, 6),
    "linux-2.4": (3, 4, 8),
    "bsd-4.4": (1, 2, 8),
    "solaris": (0, 1, 5),
    "windows-2003": (0, 1, 5),
}
"""How many clients are answered by a listener that accepts none, with a backlog of 0, 1 and 5."""


@pytest.mark.parametrize("kernel", COMPLETE)
def test_a_backlog_is_as_many_clients_as_that_kernel_makes_of_it(kernel):
    for backlog, most in zip((0, 1, 5), COMPLETE[kernel], strict=True):
        clients = [CLIENT.format(port=40000 + number) for number in range(most + 1)]
        listening = LISTENING.format(backlog=backlog)
        passes(listening + "".join(clients[:most]), generation=kernel)
        fails(listening + "".join(clients), "the host sends", generation=kernel)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_they_fail_where_the_backlog_is_another(script):
    """A script that passes whatever the host does shows nothing."""
    text = script.read_text()
    for changed in (
        text.replace("listen(3, 1)", "listen(3, 0)"),
        text.replace("listen(3, 0)", "listen(3, 5)"),
    ):
        if changed != text:
            assert not run_text(changed).passed


# ---------------------------------------------------------------------------------- packets


def test_each_field_that_differs_is_told():
    text = OPEN + "+0 write(4, ..., 500) = 500\n+0 > . 1:401(400) ack 2 win 7\n"
    message = fails(text, "the host sends another packet: flags, octets, ACK number, window").message
    assert "flags: expected ., got P." in message
    assert "octets: expected 400, got 500" in message
    assert "ACK number: expected 2, got 1" in message
    assert "the host: data that the application wrote" in message


def test_a_packet_that_never_comes_is_told_with_the_last_reason():
    text = LISTEN + "+0 < . 1:1(0) ack 1 win 100\n+0 > S. 0:0(0) ack 1\n"
    fails(text, "the host sends another packet: flags")
    fails(OPEN + "+0 > . 1:1(0) ack 1\n", "the host sends nothing on this connection")


@pytest.mark.parametrize(
    ("time", "words"),
    [("+1.1", "too early"), ("+.9", "too late"), ("+.5~+.9", "from 0.500000 to 0.900000 s")],
)
def test_a_packet_at_another_time_is_told(time, words):
    fails(
        LISTEN + f"+0 < S 0:0(0) win 100 <mss 9>\n+0 > S. 0:0(0) ack 1 <...>\n{time} > S. 0:0(0) ack 1 <...>",
        words,
    )


@pytest.mark.parametrize("time", ["+1", "1", "*", "+.5~+1.5", "+1.001"])
def test_a_retransmission_in_every_form_of_time(time):
    passes(
        LISTEN + f"+0 < S 0:0(0) win 100 <mss 9>\n+0 > S. 0:0(0) ack 1 <...>\n{time} > S. 0:0(0) ack 1 <...>"
    )


def test_the_tolerance_can_be_none():
    text = (
        LISTEN + "+0 < S 0:0(0) win 100 <mss 9>\n+0 > S. 0:0(0) ack 1 <...>\n+1.001 > S. 0:0(0) ack 1 <...>"
    )
    fails(text, "1.000 ms too early", flags=(("tolerance_usecs", "0"),))
    fails("--tolerance_usecs=0\n" + text, "1.000 ms too early")


def test_pieces_are_joined_to_what_the_script_has():
    passes(OPEN + "+0 write(4, ..., 3500) = 3500\n+0 > P. 1:3501(3500) ack 1\n")


def test_pieces_stand_alone_where_segments_are_strict():
    text = OPEN + "+0 write(4, ..., 2000) = 2000\n+0 write(4, ..., 2000) = 2000\n"
    passes(text + "+0 > P. 1:4001(4000) ack 1\n")
    apart = text + "+0 > P. 1:2001(2000) ack 1\n+0 > P. 2001:4001(2000) ack 1\n"
    passes(apart)
    passes("--strict_segments\n" + apart)
    fails("--strict_segments\n" + text + "+0 > P. 1:4001(4000) ack 1\n", "octets: expected 4000, got 2000")


def test_segments_stand_alone_where_the_script_has_them_so():
    passes(OPEN + "+0 write(4, ..., 1500) = 1500\n+0 > . 1:1001(1000) ack 1\n+0 > P. 1001:1501(500) ack 1\n")


def test_sequence_numbers_count_from_those_of_the_syn():
    text = (
        LISTEN
        + """
+0 < S 5000:5000(0) win 65535 <mss 1000>
+0 > S. 77:77(0) ack 5001 <mss 1460>
+0 < P. 1:11(10) ack 1 win 65535
+0 > . 1:1(0) ack 11
"""
    )
    passes(text)


def test_the_host_connects_and_each_side_closes():
    passes("""
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
 +.1...0.3 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>
 +.2 < S. 9:9(0) ack 1 win 100 <mss 1000,sackOK,TS val 7 ecr 100,nop,wscale 0>
  +0 > . 1:1(0) ack 1 <nop,nop,TS val 300 ecr 7>
  +0 close(3) = 0
  +0 > F. 1:1(0) ack 1 <nop,nop,TS val 300 ecr 7>
 +.1 < F. 1:1(0) ack 2 win 100 <nop,nop,TS val 8 ecr 300>
  +0 > . 2:2(0) ack 2 <nop,nop,TS val 400 ecr 8>
""")


def test_timestamps_are_compared_where_the_script_asks_for_it():
    text = """
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
  +0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
  +0 > S 0:0(0) <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 10>
  +1 > S 0:0(0) <mss 1460,sackOK,TS val 999 ecr 0,nop,wscale 10>
"""
    passes(text)
    fails("--tcp_ts_tick_usecs=1000\n" + text, "TS val 1100")


def test_an_echo_that_was_never_sent_is_told():
    text = LISTEN + "+0 < S 0:0(0) win 9 <mss 9,nop,nop,TS val 1 ecr 0>\n+0 > S. 0:0(0) ack 1 <...>\n"
    fails(text + "+0 < . 1:1(0) ack 1 win 9 <nop,nop,TS val 2 ecr 77>", "never sent the timestamp 77")


def test_over_ipv6():
    passes("--ip_version=ipv6\n" + OPEN.replace("mss 1460", "mss 1440"))


def test_over_ipv4_by_sockets_of_ipv6():
    passes(OPEN, flags=(("ip_version", "ipv4-mapped-ipv6"),))


def test_an_icmp_error_reaches_the_connection():
    passes("""
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = -1 EHOSTUNREACH (No route to host)
  +0 > S 0:0(0) <...>
 +.1 < icmp unreachable host_unreachable [0:0(0)]
""")


# ---------------------------------------------------------------------------------- calls


def test_a_result_that_differs_is_told_with_its_errno():
    fails(OPEN + "+0 read(4, ..., 10) = -1 EAGAIN (again)\n", "read() never returns")
    nonblocking = OPEN + "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
    passes(nonblocking + "+0 read(4, ..., 10) = -1 EAGAIN (again)\n")
    fails(nonblocking + "+0 read(4, ..., 10) = 10\n", "read() gives -1 EAGAIN; expected 10")
    fails(nonblocking + "+0 read(4, ..., 10) = -1 EPIPE (broken)\n", "expected -1 EPIPE")


def test_a_call_that_waits_returns_when_there_is_something():
    text = OPEN + "+0...0.2 read(4, ..., 100) = 10\n+.2 < P. 1:11(10) ack 1 win 65535\n+0 > . 1:1(0) ack 11\n"
    passes(text)
    fails(text.replace("0...0.2", "0...0.3"), "read() returns at 0.200000 s; expected at 0.300000 s")


def test_poll_waits_as_long_as_it_is_told():
    passes(OPEN + "+0...0.25 poll([{fd=4, events=POLLIN}], 1, 250) = 0\n")
    fails(OPEN + "+0 poll([{fd=4, events=POLLOUT}], 1, 0) = 1\n", "poll() says 0x4")


def test_an_epoll_tells_an_edge_once():
    passes(
        OPEN
        + """
+0 epoll_create(1) = 5
+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0
+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0
+0 < P. 1:11(10) ack 1 win 65535
+0 > . 1:1(0) ack 11
+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1
+0 epoll_wait(5, {events=0, ptr=0}, 1, 0) = 0
"""
    )


def test_options_of_sockets():
    passes(
        LISTEN
        + """
+0 setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, 8) = 0
+0 getsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=5}, [8]) = 0
+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", 4) = 0
+0 getsockopt(3, SOL_TCP, TCP_CONGESTION, "reno", [16]) = 0
+0 getsockopt(3, SOL_TCP, TCP_MAXSEG, [536], [4]) = 0
"""
    )
    fails(LISTEN + "+0 getsockopt(3, SOL_TCP, TCP_NODELAY, [1], [4]) = 0", "getsockopt() gives 0")


def test_what_is_not_emulated_says_so():
    fails(
        LISTEN + "+0 setsockopt(3, SOL_TCP, TCP_MD5SIG, [1], 4) = 0",
        "TCP_MD5SIG is known to Linux, but not emulated",
    )


def test_descriptors_that_are_not_there():
    passes("0 close(7) = -1 EBADF (Bad file descriptor)")
    fails(LISTEN + "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "descriptor 3 is in use already")


# ---------------------------------------------------------------------------------- code and commands


def test_code_sees_tcp_info_and_what_code_before_it_has_set():
    passes(
        OPEN
        + "+0 %{ before = tcpi_snd_cwnd }%\n+0 %{\nassert before == 10 and tcpi_state == TCP_ESTABLISHED\n}%\n"
    )


def test_an_assert_that_fails_is_told_with_its_line_and_values():
    message = fails(
        OPEN + "+0 %{\nx = 1\nassert tcpi_snd_cwnd == 11, 'too small'\n}%\n", "assert fails: too small"
    ).message
    assert "assert tcpi_snd_cwnd == 11" in message
    assert "tcpi_snd_cwnd is 10" in message


def test_code_that_is_no_python_is_told():
    fails("0 %{ assert ( }%", "the code raises SyntaxError")
    fails("0 %{ assert TCP_CA_Opn == 0 }%", "did you mean TCP_CA_Open?")


def test_sysctls_are_read_and_no_shell_runs(tmp_path):
    (tmp_path / "common.sh").write_text(
        '#!/bin/bash\n# a comment\nsysctl -q net.ipv4.tcp_rmem="4096 $((64*1024)) 1000000"\n'
        "sysctl -w net.ipv4.tcp_synack_retries=1 > /dev/null 2>&1\n"
    )
    text = "`./common.sh\necho 0 > /proc/sys/net/ipv4/tcp_sack`\n" + LISTEN
    text += "+0 < S 0:0(0) win 100 <mss 9,sackOK,wscale 2,nop,nop,nop>\n"
    outcome = run_text(text + "+0 > S. 0:0(0) ack 1 win 32120 <mss 1460,nop,wscale 7>\n", folder=tmp_path)
    assert outcome.passed, outcome.message
    (tmp_path / "common.sh").write_text("reboot\n")
    assert "`reboot` is not read" in run_text(text, folder=tmp_path).message


def test_a_sysctl_without_effect_is_remarked():
    outcome = passes("`sysctl -q net.ipv4.tcp_fack=0`\n" + LISTEN)
    assert any("tcp_fack" in remark for remark in outcome.remarks)


def test_a_counter_that_has_not_moved_is_told():
    fails(
        LISTEN + "+0 `nstat | grep TcpExtListenOverflows`\n", "no line of nstat has 'TcpExtListenOverflows'"
    )


# ---------------------------------------------------------------------------------- many connections


def test_packets_of_one_client_do_not_stand_in_the_way_of_another():
    passes(
        LISTEN
        + """
+0 < 40001 > 8080 S 0:0(0) win 65535 <mss 1000>
+0 < 40002 > 8080 S 0:0(0) win 65535 <mss 1000>
+0 > 8080 > 40002 S. 0:0(0) ack 1 <mss 1460>
+0 > 8080 > 40001 S. 0:0(0) ack 1 <mss 1460>
"""
    )


def test_a_port_is_used_again_by_another_connection():
    passes(
        LISTEN
        + """
+0 < 40001 > 8080 S 0:0(0) win 65535 <mss 1000>
+0 > 8080 > 40001 S. 0:0(0) ack 1 <mss 1460>
+0 < 40001 > 8080 R 1:1(0) win 0
+1 < 40001 > 8080 S 9000:9000(0) win 65535 <mss 1000>
+0 > 8080 > 40001 S. 0:0(0) ack 9001 <mss 1460>
"""
    )


def test_the_same_script_gives_the_same_packets():
    first, second = passes(OPEN), passes(OPEN)
    assert first.packets == second.packets


def test_a_kernel_of_another_time():
    text = (
        LISTEN
        + "+0 < S 0:0(0) win 65535 <mss 1000,sackOK,wscale 1,nop,nop,nop>\n+0 > S. 0:0(0) ack 1 win 5840 <...>"
    )
    fails(text, "window")
    passes(text, generation="linux-2.6.32")


def test_a_buffer_refers_to_seventeen_pieces_of_memory():
    parts = ", ".join(["{..., 2}"] * 20)
    message = f"{{msg_name(...)=..., msg_iov(20)=[{parts}], msg_flags=0}}"
    passes(
        OPEN
        + f"""
+0 setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0
+0 sendmsg(4, {message}, MSG_ZEROCOPY) = 40
+0 > P. 1:35(34) ack 1
+.1 < . 1:1(0) ack 35 win 65535
+0 > P. 35:41(6) ack 1
+.1 < . 1:1(0) ack 41 win 65535
+0 sendmsg(4, {message}, 0) = 40
+0 > P. 41:81(40) ack 1
"""
    )


def test_stamps_tell_when_octets_were_sent_and_acknowledged():
    def stamp(what, nanoseconds):
        return f"""
+0 recvmsg(4, {{msg_name(...)=..., msg_iov(1)=[{{..., 0}}], msg_flags=MSG_ERRQUEUE|MSG_TRUNC, msg_control=[
     {{cmsg_level=SOL_SOCKET, cmsg_type=SCM_TIMESTAMPING, cmsg_data={{scm_sec=0, scm_nsec={nanoseconds}}}}},
     {{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={{ee_errno=ENOMSG, ee_origin=SO_EE_ORIGIN_TIMESTAMPING,
        ee_type=0, ee_code=0, ee_info={what}, ee_data=499}}}}]}}, MSG_ERRQUEUE) = 0
"""

    bits = "SOF_TIMESTAMPING_TX_SOFTWARE|SOF_TIMESTAMPING_TX_ACK|SOF_TIMESTAMPING_SOFTWARE|SOF_TIMESTAMPING_OPT_ID"
    text = (
        OPEN
        + f"""
+.1 setsockopt(4, SOL_SOCKET, SO_TIMESTAMPING, [{bits}], 4) = 0
+0 write(4, ..., 500) = 500
+0 > P. 1:501(500) ack 1
+.1 < . 1:1(0) ack 501 win 65535
"""
        + stamp("SCM_TSTAMP_SND", 100_000_000)
        + stamp("SCM_TSTAMP_ACK", 200_000_000)
    )
    passes(text)
    fails(
        text.replace("scm_nsec=200000000", "scm_nsec=250000000"),
        "the stamp is of 0.200000 s; expected 0.250000 s",
    )
    fails(text + stamp("SCM_TSTAMP_ACK", 0), "recvmsg() gives -1 EAGAIN")


def test_a_socket_is_looked_for_in_the_table():
    passes(LISTEN + '+0 `grep " 0A " /proc/net/tcp | grep ":1F90"`\n')
    fails(LISTEN + '+0 `grep " 01 " /proc/net/tcp`\n', "no line of the socket table has ' 01 '")


def test_nstat_counts_from_when_it_was_read_last():
    syn = "+0 < 40001 > 8080 S 0:0(0) win 65535 <mss 1460>\n"
    passes(LISTEN + syn + '+0 `nstat | grep TcpInSegs | grep -q " 1 "`\n')
    fails(LISTEN + syn + "+0 `nstat -n`\n+0 `nstat | grep TcpInSegs`\n", "no line of nstat has 'TcpInSegs'")
    passes(LISTEN + syn + '+0 `nstat -n`\n+0 `nstat -z | grep TcpInSegs | grep " 0 "`\n')


TIE = (
    LISTEN
    + """
+0 < S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>
+0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 10>
+.001 < . 1:1(0) ack 1 win 257
+0 accept(3, ..., ...) = 4
+.01 write(4, ..., 20000) = 20000
+0 > P. 1:10001(10000) ack 1
+.001 < . 1:1(0) ack 1001 win 257
+0 > P. 10001:12001(2000) ack 1
"""
)


def test_where_events_take_time_what_was_sent_a_millisecond_ago_was_sent_longer_ago():
    """As on a real machine (tcp_tso_should_defer); in virtual time it may be a millisecond to the nanosecond."""
    fails(TIE, "4.000 ms too late")
    passes(TIE, flags=(("event_usecs", "1"),))
    assert passes(LISTEN, flags=(("event_usecs", "7"),)).virtual == 21_000
