"""A bench for one host, so that tests of TCP read like traces.

host_bench.py          the host, its clock, the peers that talk to it, and its applications
expected_segments.py   what a test says it sent, beside what it sent: field by field, with the host's reason
made_states.py         a constructor for each state of a connection
bench_values.py        addresses, options and times that tests have in common

>>> from tcpemu.testing.bench import syn_recv
>>> host = syn_recv(backlog=0, syncookies=0)  # a request from port 41001, at 1 s
>>> host.send("A", 1, 1, at="1.01 s")  # flags, seq, ack; what became of it
'HANDSHAKE_DONE'
>>> host.expect()  # nothing was sent
>>> child = host.accept()
>>> child.send(100)
100
>>> host.expect("1.01 PA seq 1 ack 1 len 100")  # this was sent, and nothing else
>>> host.table()
['ESTAB 0 100 8080 41001', 'LISTEN 0 0 8080 *']
>>> host.moved()  # every counter that moved, but for the quiet ones
{'PassiveOpens': 1}

`expect` takes one text for each segment that the host has sent since the last `expect`; one too many or too few fails.
Of a segment its time (seconds), flags, peer port (`to`, 41001 unless said) and length (`len`, 0 unless said) are always
compared, and of the rest what the text names: `seq ack win ttl tos`, and the options in `<...>`, in order.

Sequence numbers are relative to each side's first; so are timestamps that the host sends. An absolute zero in a RST
is `zero`. Times are whole nanoseconds, or text as `"1.01 s"`.

Whatever a test does, the bench checks that each arrival has one verdict, that what is dropped is not answered and what
is answered is, that each segment sent has its event, and that states change only as the stack's table of them allows.
"""

from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench.bench_values import FULL, MS, MSS, SACK, TS, fails, pattern
from tcpemu.testing.bench.host_bench import App, Bench
from tcpemu.testing.bench.made_states import (
    close_wait,
    closed_window,
    closing,
    connected,
    crossed,
    established,
    fin_wait1,
    fin_wait2,
    last_ack,
    listening,
    syn_recv,
    syn_sent,
    time_wait,
    unaccepted,
)

__all__ = [
    "FULL",
    "MS",
    "MSS",
    "SACK",
    "SECOND",
    "TS",
    "App",
    "Bench",
    "close_wait",
    "closed_window",
    "closing",
    "connected",
    "crossed",
    "established",
    "fails",
    "fin_wait1",
    "fin_wait2",
    "last_ack",
    "listening",
    "pattern",
    "syn_recv",
    "syn_sent",
    "time_wait",
    "unaccepted",
]
