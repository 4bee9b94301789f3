"""How long a connection was busy, and what held it back (tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited)."""

from tcpemu.drill import run_text

OPEN = """
   0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 bind(3, ..., ...) = 0
  +0 listen(3, 1) = 0
  +0 < S 0:0(0) win 2000 <mss 1000>
  +0 > S. 0:0(0) ack 1 <mss 1460>
  +0 < . 1:1(0) ack 1 win 2000
  +0 accept(3, ..., ...) = 4
  +0 %{ assert (tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited) == (0, 0, 0) }%
"""


def holds(text):
    outcome = run_text(OPEN + text)
    assert outcome.passed, outcome.message


def test_it_is_busy_from_the_first_octet_to_the_last_ack():
    holds("""
  +0 write(4, ..., 1000) = 1000
  +0 > P. 1:1001(1000) ack 1
 +.1 < . 1:1(0) ack 1001 win 2000
  +1 %{ assert (tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited) == (100000, 0, 0) }%
""")


def test_the_peers_window_is_the_limit_until_it_opens():
    holds("""
  +0 write(4, ..., 3000) = 3000
  +0 > P. 1:2001(2000) ack 1
 +.1 < . 1:1(0) ack 2001 win 0
 +.1 < . 1:1(0) ack 2001 win 2000
  +0 > P. 2001:3001(1000) ack 1
 +.1 < . 1:1(0) ack 3001 win 2000
 +.1 %{ assert (tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited) == (300000, 200000, 0) }%
""")


def test_the_send_buffer_is_the_limit_where_all_is_sent_and_more_would_be_written():
    text = """
  +0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0
  +0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [3000], 4) = 0
  +0 write(4, ..., 50000) = 42000
 +.1 < . 1:1(0) ack 10001 win 65535
 +.1 < . 1:1(0) ack 30001 win 65535
 +.1 < . 1:1(0) ack 42001 win 65535
 +.1 %{ assert (tcpi_busy_time, tcpi_rwnd_limited, tcpi_sndbuf_limited) == (300000, 0, 100000) }%
"""
    outcome = run_text(OPEN.replace("win 2000", "win 65535") + text)
    assert outcome.passed, outcome.message
