"""A listener: SYNs, requests, cookies, and both queues.

queues.py             listen(): the limit, both lengths, what counts when one is full
listener_receives.py  a segment that belongs to no flow: SYN, ACK of a cookie, or a stray
syn_arrives.py        a SYN: the kernel's tests, and the request or cookie that comes of it
new_request.py        a request as its SYN says it, with the window that it will offer
syn_ack.py            the SYN|ACK, and the ACKs that a request sends
request_timer.py      the SYN|ACK is sent again, until the request is given up
shared_timer.py       one timer for all requests, as kernels from 2.2 to 4.0 had it
final_ack.py          a segment for a request: tcp_check_req's tests, the final ACK among them
cookies.py            SYN cookies
fast_open_syn_arrives.py  a SYN with data or a cookie of Fast Open: a connection at once, or a cookie for next time
fast_open_cookie.py   that cookie: SipHash of both addresses
fast_open_child.py    such a connection until its final ACK: what reaches it, its SYN|ACK sent again
child.py              a connection is made of a request and queued for accept()
listener_end.py       close() or shutdown() of a listener
"""
