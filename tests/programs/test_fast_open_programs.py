"""Programs that use Fast Open: the second visit takes one round trip less."""

import errno
import socket
import time

import pytest

from tcpemu.testing import World

DELAY = 0.02


def run(ask):
    """What `ask` gives on a client whose server, a delay away, takes Fast Open."""
    sysctls = {"net.ipv4.tcp_fastopen": 3}
    with World() as world:
        server, client = world.host("server", sysctls=sysctls), world.host("client")
        world.link(client, server, "20 ms")
        world.run(server, serve)
        return world.until(world.run(client, ask, at="1 s"))


def serve():
    listener = socket.socket()
    listener.bind(("", 80))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
    listener.listen(5)
    while True:
        connection, _ = listener.accept()
        while data := connection.recv(100_000):
            connection.sendall(b"%d" % len(data))
        connection.close()


def asked(open_and_send):
    """The answer, and after how many times the delay it came."""
    begin = time.monotonic()
    with socket.socket() as connection:
        open_and_send(connection)
        answer = connection.recv(100)
    return answer, round((time.monotonic() - begin) / DELAY)


def by_sendto(connection):
    assert connection.sendto(b"hello", socket.MSG_FASTOPEN, ("server", 80)) == 5


def by_sendmsg(connection):
    assert connection.sendmsg([b"hell", b"o"], [], socket.MSG_FASTOPEN, ("server", 80)) == 5


def by_option(connection):
    connection.setsockopt(socket.IPPROTO_TCP, 30, 1)
    connection.connect(("server", 80))
    connection.sendall(b"hello")


@pytest.mark.parametrize("open_and_send", [by_sendto, by_sendmsg, by_option])
def test_the_second_visit_takes_one_round_trip_less(open_and_send):
    def visit():
        return [asked(open_and_send) for _ in range(2)]

    first, second = run(visit)
    assert first == (b"5", 4)
    assert second == (b"5", 2)


def test_a_call_that_waits_sends_all_of_it_and_one_that_does_not_what_the_syn_takes():
    def visit():
        asked(by_sendto)
        with socket.socket() as blocking:
            whole = blocking.sendto(bytes(5000), socket.MSG_FASTOPEN, ("server", 80))
        with socket.socket() as other:
            other.setblocking(False)
            part = other.sendto(bytes(5000), socket.MSG_FASTOPEN, ("server", 80))
        return whole, part

    assert run(visit) == (5000, 1420)


def test_without_a_cookie_a_call_that_does_not_wait_is_in_progress():
    def visit():
        with socket.socket() as one:
            one.setblocking(False)
            with pytest.raises(BlockingIOError) as raised:
                one.sendto(b"hello", socket.MSG_FASTOPEN, ("server", 80))
        return raised.value.errno

    assert run(visit) == errno.EINPROGRESS


def test_nobody_listens_and_the_waiting_call_says_so():
    def visit():
        with socket.socket() as one, pytest.raises(ConnectionRefusedError):
            one.sendto(b"hello", socket.MSG_FASTOPEN, ("server", 81))
        return True

    assert run(visit)
