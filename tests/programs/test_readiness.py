"""select, poll, epoll and selectors: what is ready, and when."""

import errno
import os
import select
import selectors
import socket
import time

import pytest

from tests.programs.pair_of_hosts import run_alone, run_pair


def serve():
    listener = socket.socket()
    listener.bind(("", 80))
    listener.listen()
    while True:
        connection, _ = listener.accept()
        time.sleep(1)
        connection.send(b"late")
        connection.close()


def test_select_waits_for_what_comes_first():
    def ask():
        one = socket.create_connection(("server", 80))
        listener = socket.socket()
        listener.bind(("", 99))
        listener.listen()
        begin = time.monotonic()
        ready = select.select([one, listener], [], [], 10)
        took = time.monotonic() - begin
        return ready == ([one], [], []), round(took, 3), select.select([], [one], [], 0) == ([], [one], [])

    assert run_pair(serve, ask) == (True, 1.04, True)


def test_select_ends_at_its_time():
    def ask():
        one = socket.create_connection(("server", 80))
        begin = time.monotonic()
        return select.select([one], [], [], 0.5), round(time.monotonic() - begin, 6)

    assert run_pair(serve, ask) == (([], [], []), 0.5)


def test_poll_tells_what_a_kernel_tells():
    def ask():
        unconnected = socket.socket()
        one = socket.create_connection(("server", 80))
        poll = select.poll()
        poll.register(unconnected, select.POLLIN)
        found = [bits for _, bits in poll.poll(0)]
        poll.unregister(unconnected)
        poll.register(one, select.POLLIN | select.POLLRDHUP)
        found += [bits for _, bits in poll.poll(5000)]
        one.recv(100)
        found += [bits for _, bits in poll.poll(5000)]
        number = one.fileno()
        one.close()
        return found, poll.poll(0) == [(number, select.POLLNVAL)]

    ended = select.POLLIN | select.POLLRDHUP
    assert run_pair(serve, ask) == ([select.POLLHUP, ended, ended], True)


def test_epoll_says_it_each_time_or_once():
    def ask():
        level, edge = select.epoll(), select.epoll()
        one, other = socket.socketpair()
        level.register(one, select.EPOLLIN)
        edge.register(one, select.EPOLLIN | select.EPOLLET)
        other.send(b"x")
        found = [len(each.poll(0)) for each in (level, edge, level, edge)]
        other.send(b"y")
        found += [len(edge.poll(0)), len(edge.poll(0))]
        with pytest.raises(FileExistsError):
            level.register(one)
        level.unregister(one)
        with pytest.raises(FileNotFoundError):
            level.modify(one, select.EPOLLIN)
        level.close()
        with pytest.raises(ValueError, match="closed epoll"):
            level.poll(0)
        return found

    assert run_alone(ask) == [1, 1, 1, 0, 1, 0]


def test_an_epoll_is_known_by_its_number():
    def ask():
        first = select.epoll()
        one, other = socket.socketpair()
        first.register(one, select.EPOLLIN)
        other.send(b"x")
        same = select.epoll.fromfd(first.fileno())
        with pytest.raises(OSError, match="is of no epoll"):
            select.epoll.fromfd(one.fileno())
        return isinstance(same, select.epoll), same.fileno() == first.fileno(), len(same.poll(0))

    assert run_alone(ask) == (True, True, 1)


@pytest.mark.parametrize("kind", ["SelectSelector", "PollSelector", "EpollSelector"])
def test_every_selector_of_python_works(kind):
    def ask():
        selector = getattr(selectors, kind)()
        one = socket.socket()
        one.setblocking(False)
        begin = time.monotonic()
        one.connect_ex(("server", 80))
        selector.register(one, selectors.EVENT_READ | selectors.EVENT_WRITE)
        found = []
        while len(found) < 2:
            ((_, events),) = selector.select()
            found.append((round(time.monotonic() - begin, 3), events))
            if events & selectors.EVENT_WRITE:
                selector.modify(one, selectors.EVENT_READ)
        selector.close()
        return found

    assert run_pair(serve, ask) == [(0.04, selectors.EVENT_WRITE), (1.08, selectors.EVENT_READ)]


def test_a_real_file_is_no_emulated_one():
    def ask():
        reading, writing = os.pipe()
        try:
            with pytest.raises(OSError, match="file of the real machine") as caught:
                select.select([reading], [], [], 1)
        finally:
            os.close(reading)
            os.close(writing)
        with pytest.raises(OSError, match="Bad file descriptor"):
            select.select([99_999], [], [], 1)
        return caught.value.errno

    assert run_alone(ask) == errno.EPERM


def test_urgent_data_is_what_is_exceptional_for_select():
    """What a kernel's select() and poll() say, step by step."""

    def serve():
        with socket.create_server(("", 80)) as listener:
            one, _ = listener.accept()
            for data, flags in ((b"abc", socket.MSG_OOB), (b"x", 0)):
                time.sleep(1)
                one.send(data, flags)
            time.sleep(1)

    def ask():
        one = socket.create_connection(("server", 80))

        def held():
            poll = select.poll()
            poll.register(one, select.POLLIN | select.POLLPRI)
            ready = select.select([one], [one], [one], 0)
            return [len(group) for group in ready], dict(poll.poll(0)).get(one.fileno(), 0)

        begin = time.monotonic()
        assert select.select([], [], [one], 5) == ([], [], [one])
        found = [(round(time.monotonic() - begin, 2), held())]
        found.append((one.recv(1, socket.MSG_OOB), held()))
        with pytest.raises(OSError, match="no urgent data"):
            one.recv(1, socket.MSG_OOB)
        found.append((one.recv(10), held()))
        time.sleep(1.5)
        found.append((one.recv(10), held()))
        return found

    assert run_pair(serve, ask, at="0 s") == [
        (1.04, ([1, 1, 1], select.POLLIN | select.POLLPRI)),
        (b"c", ([1, 1, 0], select.POLLIN)),
        (b"ab", ([0, 1, 0], 0)),
        (b"x", ([0, 1, 0], 0)),
    ]


def test_the_end_of_a_connection_is_not_exceptional():
    def ask():
        one = socket.create_connection(("server", 80))
        begin = time.monotonic()
        return select.select([], [], [one], 3), round(time.monotonic() - begin, 3)

    assert run_pair(serve, ask) == (([], [], []), 3)
