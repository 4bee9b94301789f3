"""Options and flags of calls: time limits, least amounts, what was peeked at; as a Linux machine answers."""

import errno
import os
import select
import socket
import struct
import time

import pytest

from tests.programs.pair_of_hosts import run_alone, run_pair

SOL_SOCKET = socket.SOL_SOCKET
HALF_A_SECOND = struct.pack("qq", 0, 500_000)


def serve():
    listener = socket.create_server(("", 80))
    connection, _ = listener.accept()
    connection.sendall(b"hello")
    time.sleep(0.3)
    connection.sendall(b"world")
    time.sleep(20)
    connection.close()


def failure(call):
    try:
        call()
    except OSError as error:
        return error
    raise AssertionError("the call has not failed")


def test_what_a_new_socket_says():
    def main():
        one = socket.socket()
        listener = socket.create_server(("", 0))
        names = (
            "SO_TYPE",
            "SO_ERROR",
            "SO_ACCEPTCONN",
            "SO_RCVLOWAT",
            "SO_SNDLOWAT",
            "SO_KEEPALIVE",
            "SO_PRIORITY",
        )
        values = [
            one.getsockopt(SOL_SOCKET, getattr(socket, name)) for name in names if hasattr(socket, name)
        ]
        linger = one.getsockopt(SOL_SOCKET, socket.SO_LINGER, 8)
        return values[:4], linger, listener.getsockopt(SOL_SOCKET, socket.SO_ACCEPTCONN)

    assert run_alone(main) == ([1, 0, 0, 1], bytes(8), 1)


def test_linger_is_given_back_as_it_was_set():
    def main():
        one = socket.socket()
        one.setsockopt(SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 7))
        return struct.unpack("ii", one.getsockopt(SOL_SOCKET, socket.SO_LINGER, 8))

    assert run_alone(main) == (1, 7)


def test_the_time_limits_are_kept_and_their_mistakes_told():
    def main():
        one = socket.socket()
        before = one.getsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, 16)
        one.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, HALF_A_SECOND)
        one.setsockopt(SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("qq", 3, 0))
        short = failure(lambda: one.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, 5)).errno
        much = failure(
            lambda: one.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("qq", 0, 10**6))
        ).errno
        after = struct.unpack("qq", one.getsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, 16))
        return before, short, much, after, one.getsockopt(SOL_SOCKET, socket.SO_SNDTIMEO)

    assert run_alone(main) == (bytes(16), errno.EINVAL, errno.EDOM, (0, 500_000), 3)


def test_a_call_whose_time_limit_is_over_would_block():
    def ask():
        one = socket.create_connection(("server", 80))
        one.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, HALF_A_SECOND)
        one.recv(5)
        one.recv(5)
        begin = time.monotonic()
        error = failure(lambda: one.recv(5))
        listener = socket.create_server(("", 90))
        listener.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, HALF_A_SECOND)
        middle = time.monotonic()
        failure(listener.accept)
        return error.errno, type(error), round(middle - begin, 2), round(time.monotonic() - middle, 2)

    assert run_pair(serve, ask) == (errno.EAGAIN, BlockingIOError, 0.5, 0.5)


def test_a_send_whose_time_limit_is_over_has_sent_a_part():
    def ask():
        one = socket.create_connection(("server", 80))
        one.setsockopt(SOL_SOCKET, socket.SO_SNDTIMEO, HALF_A_SECOND)
        begin = time.monotonic()
        sent = one.send(bytes(50_000_000))
        took = round(time.monotonic() - begin, 2)
        return 0 < sent < 50_000_000, took, failure(lambda: one.send(b"x")).errno

    assert run_pair(serve, ask) == (True, 0.5, errno.EAGAIN)


def test_a_listener_hands_its_time_limit_on():
    def alone():
        listener = socket.create_server(("", 80))
        listener.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, HALF_A_SECOND)
        with socket.create_connection(("127.0.0.1", 80)):
            child, _ = listener.accept()
            return failure(lambda: child.recv(1)).errno

    assert run_alone(alone) == errno.EAGAIN


def test_a_recv_waits_for_the_least_amount():
    def ask():
        one = socket.create_connection(("server", 80))
        one.recv(3)
        one.setsockopt(SOL_SOCKET, socket.SO_RCVLOWAT, 4)
        ready = select.select([one], [], [], 0.05)[0]
        found = one.recv(10)
        return ready, found, failure(lambda: one.recv(10, socket.MSG_DONTWAIT)).errno

    assert run_pair(serve, ask) == ([], b"loworld", errno.EAGAIN)


def test_all_of_it_is_waited_for_and_what_came_before_the_end_is_given():
    def ask():
        one = socket.create_connection(("server", 80))
        peeked = one.recv(20, socket.MSG_PEEK)
        whole = one.recv(10, socket.MSG_WAITALL)
        one.setsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, HALF_A_SECOND)
        return peeked, whole

    assert run_pair(serve, ask) == (b"hello", b"helloworld")


@pytest.mark.parametrize("address", ["224.0.0.1", "255.255.255.255"])
def test_nobody_connects_to_many(address):
    assert (
        run_alone(lambda: failure(lambda: socket.socket().connect((address, 80))).errno) == errno.ENETUNREACH
    )


def test_an_error_is_told_once():
    def main():
        one = socket.socket()
        one.setblocking(False)
        begun = one.connect_ex(("127.0.0.1", 99))
        time.sleep(0.1)
        errors = [one.getsockopt(SOL_SOCKET, socket.SO_ERROR) for _ in range(2)]
        return begun, errors, failure(lambda: one.send(b"x")).errno

    assert run_alone(main) == (errno.EINPROGRESS, [errno.ECONNREFUSED, 0], errno.EPIPE)


def test_a_real_file_is_sent_by_the_call_of_the_system(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 1000)

    def serve_file():
        listener = socket.create_server(("", 80))
        connection, _ = listener.accept()
        with open(path, "rb") as file:
            offset = 0
            while sent := os.sendfile(connection.fileno(), file.fileno(), offset, 100_000):
                offset += sent
        connection.close()

    def ask():
        found = b""
        with socket.create_connection(("server", 80)) as one:
            while octets := one.recv(65536):
                found += octets
        return found

    assert run_pair(serve_file, ask) == path.read_bytes()


def test_the_name_of_the_machine_stays_its_own():
    def main():
        socket.sethostname("other")
        return socket.gethostname()

    real = socket.gethostname()
    assert run_alone(main) == "other"
    assert socket.gethostname() == real


def test_a_descriptor_says_whether_it_waits():
    def main():
        one = socket.socket()
        found = [os.get_blocking(one.fileno())]
        for value in (0.0, 5.0, None):
            one.settimeout(value)
            found.append(os.get_blocking(one.fileno()))
        one.close()
        return found, failure(lambda: one.setblocking(True)).errno

    assert run_alone(main) == ([True, False, False, True], errno.EBADF)


def test_octets_are_sent_as_they_are_and_numbers_are_none():
    def main():
        one, other = socket.socketpair()
        with pytest.raises(TypeError):
            one.sendmsg(b"abc")
        one.sendmsg([b"abc", memoryview(b"def")])
        return other.recv(10)

    assert run_alone(main) == b"abcdef"
