"""What commands change of the host's network: MTU, routes, offloads; packets put together; a socket let go.

The scripts of this file pass on a real kernel (Linux 6.18), run by packetdrill.
"""

from tcpemu.drill import DrillSettings, run_text

LISTEN = """
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
"""


def passes(text, generation="linux-6.18"):
    outcome = run_text(text, settings=DrillSettings(generation))
    assert outcome.passed, outcome.message


def fails(text, words, generation="linux-6.18"):
    outcome = run_text(text, settings=DrillSettings(generation))
    assert not outcome.passed
    assert words in outcome.message, outcome.message


PUT_TOGETHER = f"""
--mss=1000
`sysctl -q net.ipv4.tcp_timestamps=0`
{LISTEN}
   +0 < S 0:0(0) win 32792 <mss 1100,sackOK,nop,nop,nop,wscale 7>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK,nop,wscale 10>
   +0 < . 1:1(0) ack 1 win 320
   +0 accept(3, ..., ...) = 4
   +0 < . 1:10001(10000) ack 1 win 320
   +0 > . 1:1(0) ack 10001 win 83
   +0 %{{ assert tcpi_rcv_mss == 1000, tcpi_rcv_mss }}%
   +0 < . 10001:10701(700) ack 1 win 320
   +0 > . 1:1(0) ack 10701 win 85
   +0 %{{ assert tcpi_rcv_mss == 1000, tcpi_rcv_mss }}%
"""


def test_a_packet_put_together_counts_by_the_size_of_its_segments():
    passes(PUT_TOGETHER)
    fails(PUT_TOGETHER.replace("--mss=1000", "--mss=1200"), "the code's assert fails: 1200")
    fails(PUT_TOGETHER.replace("--mss=1000\n", ""), "the code's assert fails: 1460")


ROUTE = f"""
`ip route replace 192.0.2.1 via 192.168.0.2 dev tun0 advmss 700 initcwnd 3 mtu 1400`
{LISTEN}
   +0 < S 0:0(0) win 32792 <mss 1460>
   +0 > S. 0:0(0) ack 1 <mss 700>
  +.1 < . 1:1(0) ack 1 win 32792
   +0 accept(3, ..., ...) = 4
   +0 %{{ assert tcpi_snd_cwnd == 3; assert tcpi_snd_mss == 1360; assert tcpi_advmss == 700 }}%
   +0 write(4, ..., 9520) = 9520
   +0 > . 1:4081(4080) ack 1
   +0 `ip route replace 192.0.2.1 via 192.168.0.2 dev tun0 mtu lock 1460`
// This still goes by the old route.
  +.1 < . 1:1(0) ack 4081 win 32792
   +0 > P. 4081:9521(5440) ack 1
  +.1 < . 1:1(0) ack 9521 win 32792
   +0 write(4, ..., 1000) = 1000
   +0 > P. 9521:10521(1000) ack 1
   +0 %{{ assert tcpi_snd_mss == 1420, tcpi_snd_mss; assert tcpi_pmtu == 1460 }}%
"""


def test_a_route_says_mtu_mss_and_first_window():
    passes(ROUTE)
    fails(ROUTE.replace("initcwnd 3 ", ""), "the code's assert fails")
    fails(ROUTE.replace("advmss 700 ", ""), "options: expected mss 700, got mss 1360")


def test_a_connection_goes_by_its_old_route_until_it_sends():
    early = ROUTE.replace("// This still", "   +0 %{ assert tcpi_snd_mss == 1420 }%\n//")
    fails(early, "the code's assert fails")


def test_what_a_route_cannot_be_changed_to_is_told():
    fails(
        ROUTE.replace("lock 1460", "lock 640"),
        "a smaller mtu while connections go by the old one is not emulated",
    )
    fails(ROUTE.replace("mtu 1400", ""), "the code's assert fails")
    fails(
        ROUTE.replace("mtu 1400", "mtu 9000"),
        "mtu of the route is 9000; it can be 0 to 1500, what its link carries",
    )


def test_the_mtu_of_the_link_changes_for_connections_that_are_there():
    passes(
        LISTEN
        + """
   +0 `ip link set dev tun0 mtu 1000`
   +0 < S 0:0(0) win 32792 <mss 1460>
   +0 > S. 0:0(0) ack 1 <mss 960>
  +.1 < . 1:1(0) ack 1 win 32792
   +0 accept(3, ..., ...) = 4
   +0 %{ assert tcpi_snd_mss == 960, tcpi_snd_mss }%
   +0 `ip link set dev tun0 mtu 1400`
   +0 write(4, ..., 1000) = 1000
   +0 > P. 1:1001(1000) ack 1
   +0 %{ assert tcpi_snd_mss == 1360, tcpi_snd_mss }%
"""
    )
    fails(f"{LISTEN}+0 `ip link set dev tun0 mtu 20`", "mtu is 20; it can be 68 to 65535")


CUBIC = "`sysctl -q net.ipv4.tcp_congestion_control=cubic`" + LISTEN
NO_ROOM_FOR_NEW = (
    CUBIC
    + """
   +0 < S 0:0(0) win 32792 <mss 1000>
   +0 > S. 0:0(0) ack 1 <mss 1460>
  +.1 < . 1:1(0) ack 1 win 32792
   +0 accept(3, ..., ...) = 4
   +0 write(4, ..., 3000) = 3000
   +0 > P. 1:3001(3000) ack 1
  +.1 < . 1:1(0) ack 3001 win 32792
   +0 %{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%
   +0 `nstat -n; tc qdisc replace dev tun0 root pfifo limit 0`
   +0 write(4, ..., 4000) = 4000
   +0 %{ assert tcpi_ca_state == TCP_CA_CWR, tcpi_ca_state }%
   +0 %{ assert tcpi_unacked == 0; assert tcpi_notsent_bytes == 4000 }%
   +0 %{ assert tcpi_snd_ssthresh == 7, tcpi_snd_ssthresh }%
  +.2 `nstat | grep TcpOutSegs | grep " 2 "`
   +0 `tc qdisc delete dev tun0 root`
   +.1 > P. 3001:4001(1000) ack 1
  +.1 < . 1:1(0) ack 4001 win 32792
   +0 > P. 4001:6001(2000) ack 1
   +0 > P. 6001:7001(1000) ack 1
   +0 %{ assert tcpi_ca_state == TCP_CA_Open; assert tcpi_probes == 0, tcpi_probes }%
  +.1 < . 1:1(0) ack 7001 win 32792
   +0 %{ assert tcpi_ca_state == TCP_CA_Open, tcpi_ca_state; assert tcpi_snd_cwnd == 7, tcpi_snd_cwnd }%
"""
)
NO_ROOM_FOR_LOST = (
    CUBIC
    + """
   +0 < S 0:0(0) win 32792 <mss 1000,nop,nop,sackOK>
   +0 > S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>
  +.1 < . 1:1(0) ack 1 win 32792
   +0 accept(3, ..., ...) = 4
   +0 write(4, ..., 3000) = 3000
   +0 > P. 1:3001(3000) ack 1
   +0 `nstat -n; tc qdisc replace dev tun0 root pfifo limit 0`
  +1.75 `nstat | grep TcpExtTCPRetransFail | grep " 4 "`
   +0 %{ assert tcpi_ca_state == TCP_CA_Loss, tcpi_ca_state }%
   +0 %{ assert tcpi_retransmits == 3, tcpi_retransmits; assert tcpi_backoff == 0, tcpi_backoff }%
   +0 %{ assert tcpi_total_retrans == 4, tcpi_total_retrans; assert tcpi_retrans == 0 }%
   +0 `tc qdisc delete dev tun0 root`
+.05 > . 1:1001(1000) ack 1
"""
)


def test_new_data_that_the_device_takes_not_waits_for_a_probe():
    """The window comes down as for congestion (tcp_enter_cwr), and data is tried again by the probe timer."""
    passes(NO_ROOM_FOR_NEW)
    fails(NO_ROOM_FOR_NEW.replace("limit 0", "limit 1"), "the code's assert fails: 0")


def test_what_is_sent_again_and_the_device_takes_not_is_tried_twice_a_second():
    """It is neither under way nor waited for longer each time (tcp_retransmit_timer)."""
    passes(NO_ROOM_FOR_LOST)
    fails(NO_ROOM_FOR_LOST.replace("pfifo limit 0", "pfifo"), "no line of nstat has 'TcpExtTCPRetransFail'")


def test_a_request_whose_syn_ack_cannot_leave_again_is_forgotten():
    fails(
        LISTEN
        + """
   +0 < S 0:0(0) win 32792 <mss 1000>
   +0 > S. 0:0(0) ack 1 <mss 1460>
   +0 `nstat -n; tc qdisc replace dev tun0 root pfifo limit 0`
  +.1 < S 0:0(0) win 32792 <mss 1000>
  +.1 `nstat | grep RetransSegs`
""",
        "TcpOutSegs                      1 ",
    )
    passes(
        LISTEN
        + """
   +0 < S 0:0(0) win 32792 <mss 1000>
   +0 > S. 0:0(0) ack 1 <mss 1460>
   +0 `tc qdisc replace dev tun0 root pfifo limit 0`
 +1.5 `tc qdisc delete dev tun0 root`
   +0 < . 1:1(0) ack 1 win 32792
   +0 > R 1:1(0) win 0
"""
    )


def test_connect_to_no_family_ends_a_connection_and_another_may_follow():
    passes(
        LISTEN
        + """
   +0 < S 0:0(0) win 32792 <mss 1460>
   +0 > S. 0:0(0) ack 1 <mss 1460>
  +.1 < . 1:1(0) ack 1 win 32792
   +0 accept(3, ..., ...) = 4
   +0 connect(4, AF_UNSPEC, ...) = 0
   +0 > R. 1:1(0) ack 1
   +0 read(4, ..., 10) = -1 ECONNRESET (it was ended)
   +0 read(4, ..., 10) = -1 ENOTCONN (it is none)
   +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
   +0 connect(4, ..., ...) = -1 EINPROGRESS (it begins)
   +0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10>
   +0 < S. 0:0(0) ack 1 win 5792 <mss 1000>
   +0 > . 1:1(0) ack 1
   +0 write(4, ..., 100) = 100
   +0 > P. 1:101(100) ack 1
"""
    )
    fails(f"{LISTEN}+0 connect(3, AF_UNSPEC, ...) = 0", "on a socket that listens is not emulated")


def test_code_sees_the_memory_of_buffers():
    passes(
        PUT_TOGETHER
        + "+0 %{ assert SK_MEMINFO_RCVBUF == 131072; assert SK_MEMINFO_RMEM_ALLOC > 10700; assert SK_MEMINFO_SNDBUF }%"
    )
