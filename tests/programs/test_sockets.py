"""Sockets of programs: what each call gives and how it fails, as on Linux."""

import errno
import io
import select
import socket
import struct
import time
from socket import create_connection
from socket import socket as early_socket

import pytest

from tcpemu.programs.calls.emulated_socket import EmulatedSocket
from tcpemu.testing import World, crash, cut
from tests.programs.pair_of_hosts import run_alone, run_pair

IP_RECVERR, SO_ZEROCOPY, MSG_ZEROCOPY = 11, 60, 0x4000000


def listening(port=80, backlog=5):
    listener = socket.socket()
    listener.bind(("", port))
    listener.listen(backlog)
    return listener


def serving(handle):
    """A server that hands each connection to `handle`, one after the other."""

    def serve():
        listener = listening()
        while True:
            connection, _ = listener.accept()
            handle(connection)

    return serve


def raised(call, *arguments):
    """The class and the errno of what it raises."""
    try:
        call(*arguments)
    except OSError as error:
        return type(error), error.errno
    return None


def echo(connection):
    while data := connection.recv(1000):
        connection.sendall(data)
    connection.close()


def test_an_echo_takes_one_round_trip_each_way():
    def ask():
        begin = time.monotonic()
        connection = create_connection(("server", 80))
        connected = time.monotonic()
        connection.sendall(b"hello")
        answer = connection.recv(100)
        return answer, round(connected - begin, 6), round(time.monotonic() - connected, 6)

    assert run_pair(serving(echo), ask) == (b"hello", 0.04, 0.04)


def test_a_class_that_was_imported_before_is_emulated_too():
    def ask():
        made = early_socket(socket.AF_INET, socket.SOCK_STREAM)
        made.connect(("server", 80))
        return type(made), isinstance(made, socket.socket), made.getpeername()

    assert run_pair(serving(echo), ask) == (EmulatedSocket, True, ("10.0.0.1", 80))


def test_a_class_of_the_program_that_derives_from_socket_is_emulated_too():
    class Counting(socket.socket):
        sent = 0

        def send(self, data, flags=0):
            self.sent += len(data)
            return super().send(data, flags)

    def ask():
        made = Counting()
        made.connect(("server", 80))
        made.send(b"hello")
        return made.recv(10), made.sent, isinstance(made, Counting)

    assert run_pair(serving(echo), ask) == (b"hello", 5, True)


def test_nobody_listens():
    def ask():
        return raised(create_connection, ("server", 81))

    assert run_pair(serving(echo), ask) == (ConnectionRefusedError, errno.ECONNREFUSED)


def test_a_host_that_is_not_there_does_not_answer():
    def ask():
        begin = time.monotonic()
        return raised(create_connection, ("10.9.9.9", 80)), round(time.monotonic() - begin)

    kind, seconds = run_pair(serving(echo), ask)
    assert kind == (TimeoutError, errno.ETIMEDOUT)
    assert seconds == 131  # six more SYNs, four of them a second apart, as Linux has it since 6.5


def test_a_timeout_of_the_program_ends_a_connect_and_a_recv():
    def ask():
        begin = time.monotonic()
        with pytest.raises(TimeoutError, match="timed out"):
            create_connection(("10.9.9.9", 80), timeout=3)
        connected = create_connection(("server", 80), timeout=2)
        middle = time.monotonic()
        with pytest.raises(TimeoutError, match="timed out"):
            connected.recv(1)
        return round(middle - begin, 6), round(time.monotonic() - middle, 6)

    assert run_pair(serving(echo), ask) == (3.04, 2.0)


def test_data_that_was_not_read_makes_close_a_reset():
    def handle(connection):
        time.sleep(1)
        connection.close()

    def ask():
        connection = create_connection(("server", 80))
        connection.send(b"x" * 100)
        return raised(connection.recv, 1), raised(connection.send, b"y"), raised(connection.send, b"y")

    reset = (ConnectionResetError, errno.ECONNRESET)
    broken = (BrokenPipeError, errno.EPIPE)
    assert run_pair(serving(handle), ask) == (reset, broken, broken)


def test_linger_of_no_time_is_a_reset():
    def handle(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def ask():
        return raised(create_connection(("server", 80)).recv, 1)

    assert run_pair(serving(handle), ask) == (ConnectionResetError, errno.ECONNRESET)


def test_half_a_close_lets_the_answer_through():
    def handle(connection):
        whole = b""
        while data := connection.recv(1000):
            whole += data
        connection.sendall(whole.upper())
        connection.close()

    def ask():
        connection = create_connection(("server", 80))
        connection.sendall(b"abc")
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(10), connection.recv(10), raised(connection.send, b"more")

    assert run_pair(serving(handle), ask) == (b"ABC", b"", (BrokenPipeError, errno.EPIPE))


def test_a_call_that_does_not_wait_says_so():
    def ask():
        connection = create_connection(("server", 80))
        connection.setblocking(False)
        found = [raised(connection.recv, 1)]
        connection.setblocking(True)
        found.append(raised(connection.recv, 1, socket.MSG_DONTWAIT))
        fresh = socket.socket()
        fresh.setblocking(False)
        found.append(raised(fresh.connect, ("server", 80)))
        found.append(fresh.connect_ex(("server", 80)))
        time.sleep(0.1)
        return [*found, fresh.connect_ex(("server", 80)), fresh.connect_ex(("server", 80))]

    again = (BlockingIOError, errno.EAGAIN)
    begun = (BlockingIOError, errno.EINPROGRESS)
    assert run_pair(serving(echo), ask) == [again, again, begun, errno.EALREADY, 0, errno.EISCONN]


def test_what_is_peeked_at_stays():
    def ask():
        connection = create_connection(("server", 80))
        connection.sendall(b"hello")
        return connection.recv(4, socket.MSG_PEEK), connection.recv(5, socket.MSG_WAITALL)

    assert run_pair(serving(echo), ask) == (b"hell", b"hello")


def test_all_ways_to_send_and_receive(tmp_path):
    (tmp_path / "file").write_bytes(b"file")

    def ask():
        connection = create_connection(("server", 80))
        with connection.makefile("rwb") as stream:
            stream.write(b"line\n")
            stream.flush()
            found = [stream.readline()]
        connection.sendmsg([b"two ", b"parts"])
        into = bytearray(20)
        found.append(bytes(into[: connection.recv_into(into)]))
        with (tmp_path / "file").open("rb") as file:
            connection.sendfile(file)
        found.append(connection.recvfrom(10)[0])
        connection.sendto(b"to", ("nobody", 1))
        found.append(connection.recvmsg(10)[0])
        connection.send(memoryview(b"into"))
        parts = [bytearray(2), bytearray(5)]
        connection.recvmsg_into(parts)
        return [*found, bytes(parts[0] + parts[1])]

    answers = [b"line\n", b"two parts", b"file", b"to", b"into\0\0\0"]
    assert run_pair(serving(echo), ask) == answers


def test_two_sockets_of_one_file_close_with_the_last():
    def ask():
        connection = create_connection(("server", 80))
        other = connection.dup()
        connection.close()
        other.sendall(b"x")
        found = [other.recv(1), raised(connection.recv, 1)]
        number = other.detach()
        again = socket.socket(fileno=number)
        again.sendall(b"y")
        third = socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM)
        found += [again.recv(1), again.fileno() == number != third.fileno(), raised(other.recv, 1)]
        socket.close(number)
        third.sendall(b"z")
        return [*found, third.recv(1), raised(again.recv, 1), raised(socket.socket, -1, -1, -1, 99_999)]

    closed = (OSError, errno.EBADF)
    assert run_pair(serving(echo), ask) == [b"x", closed, b"y", True, closed, b"z", closed, closed]


def test_names_and_numbers_of_a_socket():
    def handle(connection):
        connection.sendall(repr((connection.getsockname(), connection.getpeername()[0])).encode())
        connection.close()

    def ask():
        unbound = socket.socket()
        connection = create_connection(("server", 80))
        seen = connection.recv(100).decode()
        return (
            unbound.getsockname(),
            raised(unbound.getpeername),
            connection.getsockname()[0],
            seen,
            (connection.family, connection.type, connection.proto),
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
        )

    assert run_pair(serving(handle), ask) == (
        ("0.0.0.0", 0),
        (OSError, errno.ENOTCONN),
        "10.0.0.2",
        "(('10.0.0.1', 80), '10.0.0.2')",
        (socket.AF_INET, socket.SOCK_STREAM, 6),
        1,
    )


def test_it_looks_as_it_does_anywhere():
    def ask():
        made = create_connection(("server", 80))
        text = repr(made).replace(str(made.fileno()), "N").replace(str(made.getsockname()[1]), "P")
        return text, repr(socket.socket()).partition(" ")[0]

    shown = "<socket.socket fd=N, family=2, type=1, proto=6, laddr=('10.0.0.2', P), raddr=('10.0.0.1', 80)>"
    assert run_pair(serving(echo), ask) == (shown, "<socket.socket")


def test_hosts_are_known_by_name():
    def ask():
        return (
            socket.gethostname(),
            socket.gethostbyname("server"),
            socket.gethostbyaddr("10.0.0.1")[0],
            socket.getfqdn(),
            socket.getnameinfo(("10.0.0.1", 80), socket.NI_NUMERICSERV),
            [entry[4] for entry in socket.getaddrinfo("server", 80, type=socket.SOCK_STREAM)],
            [
                entry[4]
                for entry in socket.getaddrinfo(None, 80, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            ],
            raised(socket.getaddrinfo, "nowhere", 80),
        )

    assert run_pair(serving(echo), ask) == (
        "client",
        "10.0.0.1",
        "server",
        "client",
        ("server", "80"),
        [("10.0.0.1", 80)],
        [("0.0.0.0", 80)],
        (socket.gaierror, socket.EAI_NONAME),
    )


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "0.0.0.0", "alone"])
def test_a_host_reaches_itself(name):
    def both():
        listener = listening()
        one = create_connection((name, 80))
        other, peer = listener.accept()
        one.sendall(b"hello")
        return other.recv(10), peer[0]

    address = "10.0.0.1" if name == "alone" else "127.0.0.1"
    assert run_alone(both) == (b"hello", address)


def test_a_port_that_is_taken():
    def both():
        listener = listening()
        other = socket.socket()
        found = raised(other.bind, ("", 80)), raised(other.bind, ("10.0.0.9", 81))
        listener.close()
        other.bind(("", 80))
        return found

    assert run_alone(both) == ((OSError, errno.EADDRINUSE), (OSError, errno.EADDRNOTAVAIL))


@pytest.mark.parametrize(
    ("arguments", "number", "words"),
    [
        ((socket.AF_UNIX,), errno.EAFNOSUPPORT, "the address family AF_UNIX is not emulated"),
        ((socket.AF_INET, socket.SOCK_DGRAM), errno.ESOCKTNOSUPPORT, "kind SOCK_DGRAM is not emulated"),
    ],
)
def test_what_is_not_there_is_refused_and_not_real(arguments, number, words):
    def make():
        with pytest.raises(OSError, match=words) as caught:
            socket.socket(*arguments)
        return caught.value.errno

    assert run_alone(make) == number


def test_an_option_that_is_not_emulated_is_refused():
    def ask():
        made = socket.socket()
        with pytest.raises(OSError, match="SO_INCOMING_CPU is known to Linux") as caught:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_INCOMING_CPU, 3)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return caught.value.errno, made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)

    assert run_pair(serving(echo), ask) == (errno.EOPNOTSUPP, 1)


def test_a_pair_in_memory():
    def both():
        one, other = socket.socketpair()
        one.sendall(b"hello")
        found = [other.recv(2), other.recv(10)]
        other.settimeout(1.5)
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            other.recv(1)
        one.close()
        return [*found, time.monotonic() - begin, other.recv(1), raised(other.send, b"x")]

    assert run_alone(both) == [b"he", b"llo", 1.5, b"", (BrokenPipeError, errno.EPIPE)]


def test_a_large_transfer_is_whole_and_is_held_up_by_who_does_not_read():
    size = 3_000_000

    def handle(connection):
        time.sleep(5)
        got = 0
        while data := connection.recv(65536):
            got += len(data)
        connection.sendall(str(got).encode())
        connection.close()

    def ask():
        connection = create_connection(("server", 80))
        begin = time.monotonic()
        connection.sendall(bytes(size))
        held_up = time.monotonic() - begin
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(20)), held_up > 4

    assert run_pair(serving(handle), ask) == (size, True)


def test_a_descriptor_is_a_number_that_nobody_else_has():
    def ask():
        with io.FileIO(__file__) as real:
            made = [socket.socket() for _ in range(3)]
            numbers = {one.fileno() for one in made}
            return len(numbers), real.fileno() in numbers, made[0].close(), made[0].fileno()

    assert run_alone(ask) == (3, False, None, -1)


def test_the_end_of_a_program_closes_its_sockets():
    def ask():
        return create_connection(("server", 80)).fileno() > 0

    def handle(connection):
        assert connection.recv(1) == b""
        connection.close()

    assert run_pair(serving(handle), ask) is True


ABORT = struct.pack("ii", 1, 0)


@pytest.mark.parametrize("flags", [0, socket.MSG_PEEK], ids=["takes", "peeks"])
@pytest.mark.parametrize("how", ["MSG_WAITALL", "SO_RCVLOWAT"])
@pytest.mark.parametrize(
    ("sent", "end", "limit", "found"),
    [
        ([b"ab", b"cdef"], None, None, (b"abcdef", 1.0)),
        ([b"ab", b"c", b"defgh"], None, None, (b"abcdef", 2.0)),
        ([b"ab"], "fin", None, (b"ab", 1.0)),
        ([b"ab"], "rst", None, (b"ab", 1.0)),
        ([b"ab", b"c", b"def"], None, 1.5, (b"abc", 1.5)),
        ([], None, 1.5, (BlockingIOError, 1.5)),
        ([], "fin", None, (b"", 0.0)),
        ([], "rst", None, (ConnectionResetError, 0.0)),
    ],
    ids=str,
)
def test_recv_waits_for_more_than_one_octet(flags, how, sent, end, limit, found):
    """As a kernel does it: what came before an end or a time-out is given, and the next call tells of that."""

    def serve():
        with socket.create_server(("", 80)) as listener:
            one, _ = listener.accept()
        time.sleep(1)
        for data in sent:
            one.send(data)
            time.sleep(1)
        if end == "rst":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        if end is None:
            time.sleep(3)
        one.close()

    def ask():
        one = socket.create_connection(("server", 80))
        time.sleep(1)
        if how == "SO_RCVLOWAT":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 5)
        if limit is not None:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 500_000))
        begin = time.monotonic()
        try:
            value = one.recv(6, flags | (socket.MSG_WAITALL if how == "MSG_WAITALL" else 0))
        except OSError as error:
            value = type(error)
        took = round(time.monotonic() - begin, 1)
        if end == "rst" and sent:
            assert not flags or one.recv(6) == b"ab"
            with pytest.raises(ConnectionResetError):
                one.recv(6)
        return value, took

    assert run_pair(serve, ask, at="0 s") == found


def test_urgent_data_ends_a_wait_for_more():
    def serve():
        with socket.create_server(("", 80)) as listener:
            one, _ = listener.accept()
        one.send(b"abc", socket.MSG_OOB)
        time.sleep(2)
        one.send(b"def")
        time.sleep(2)

    def ask():
        one = socket.create_connection(("server", 80))
        time.sleep(1)
        peeked = one.recv(6, socket.MSG_WAITALL | socket.MSG_PEEK)
        return peeked, one.recv(6, socket.MSG_WAITALL), one.recv(3, socket.MSG_WAITALL)

    assert run_pair(serve, ask, at="0 s") == (b"ab", b"ab", b"def")


def test_where_no_route_leads_and_where_nobody_answers():
    """ENETUNREACH at once; for an address of the host's own network EHOSTUNREACH, once it was asked for in vain."""

    def reached(peer):
        begin = time.monotonic()
        try:
            socket.create_connection((peer, 80)).close()
        except OSError as error:
            return type(error), error.errno, round(time.monotonic() - begin, 3)
        return "reached"

    def ask():
        found = [reached(peer) for peer in ("server", "10.0.1.9", "10.0.0.99", "10.0.0.99", "127.0.0.1")]
        one = socket.socket()
        one.setblocking(False)
        begun = one.connect_ex(("10.0.0.99", 80))
        time.sleep(4)
        return found, begun, one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    with World() as world:
        world.run(world.host("server"), lambda: socket.create_server(("", 80)).accept())
        client = world.host("client", routes=["10.0.0.0/24"])
        found = world.until(world.run(client, ask, at="1 s"))
    refused = (ConnectionRefusedError, errno.ECONNREFUSED, 0.0)
    nobody = (OSError, errno.EHOSTUNREACH, 3.0)
    assert found[0] == ["reached", (OSError, errno.ENETUNREACH, 0.0), nobody, nobody, refused]
    assert found[1:] == (errno.EINPROGRESS, errno.EHOSTUNREACH)


def test_where_nobody_answers_over_ipv6():
    def ask(peer):
        begin = time.monotonic()
        with pytest.raises(OSError, match=r"No route|unreachable") as caught:
            socket.create_connection((peer, 80))
        return caught.value.errno, round(time.monotonic() - begin, 3)

    with World() as world:
        client = world.host("client", "2001:db8::1", routes=["2001:db8::/64"])
        found = [world.until(world.run(client, [ask, peer])) for peer in ("2001:db8::9", "2001:db8:1::9")]
    assert found == [(errno.EHOSTUNREACH, 3.0), (errno.ENETUNREACH, 0.0)]


def test_two_that_ask_for_one_neighbour_are_told_at_once_and_a_crash_forgets_it():
    def ask():
        begin = time.monotonic()
        with pytest.raises(OSError, match="No route to host"):
            socket.create_connection(("10.0.0.99", 80))
        return round(time.monotonic() - begin, 3)

    with World() as world:
        client = world.host("client", routes=["10.0.0.0/24"])
        both = [world.run(client, ask, at=at) for at in ("0 s", "1.5 s")]
        assert [world.until(each) for each in both] == [3.0, 1.5]
    with World() as world:
        client = world.host("client", routes=["10.0.0.0/24"])
        world.run(client, ask)
        world.fault(crash(client, at="1 s", until="2 s"))
        assert world.until(world.run(client, ask, at="2.5 s")) == 3.0
        world.wait("1 s")


def lingering(seconds, *, blocking=True, faults=(), how="close"):
    """How long close() takes on the server, with SO_LINGER of so many seconds."""
    took = []

    def serve():
        listener = listening()
        connection, _ = listener.accept()
        connection.setblocking(blocking)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, seconds))
        begun = time.monotonic()
        if how == "exit":
            raise SystemExit
        if how == "del":
            del connection
        else:
            connection.close()
        took.append(round(time.monotonic() - begun, 3))

    def ask():
        with create_connection(("server", 80)):
            time.sleep(10)

    with World(1) as world:
        server, client = world.host("server"), world.host("client")
        world.link(client, server, "20 ms")
        for fault in faults:
            world.fault(fault)
        world.run(server, serve)
        world.until(world.run(client, ask, at="1 s"))
        calls = [(call.text, call.result) for call in world.record.calls("server") if call.text == "close()"]
    return took, calls


@pytest.mark.parametrize("blocking", [True, False])
def test_close_with_linger_waits_for_the_ack_of_the_fin(blocking):
    took, calls = lingering(5, blocking=blocking)
    assert took == [0.04]
    assert calls[:2] == [("close()", "waits"), ("close()", "after 0.04 s")]


def test_close_with_linger_waits_no_longer_than_it_says():
    took, calls = lingering(3, faults=[cut(at="1.05 s", of="client")])
    assert took == [3.0]
    assert calls[:2] == [("close()", "waits"), ("close()", "after 3 s")]


@pytest.mark.parametrize("how", ["exit", "del"])
def test_neither_the_end_of_a_process_nor_the_garbage_collector_waits(how):
    took, calls = lingering(5, how=how)
    assert took == ([] if how == "exit" else [0.0])
    assert "waits" not in dict(calls).values()


def test_an_error_of_icmp_is_taken_from_the_error_queue():
    """Nobody has 10.0.0.99 in the host's own network, so the host says so itself."""

    def ask():
        one = socket.socket()
        one.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        one.setblocking(False)
        one.connect_ex(("10.0.0.99", 80))
        look = select.poll()
        look.register(one, 0)
        assert look.poll(5000) == [(one.fileno(), select.POLLERR | select.POLLHUP)]
        octets, [(level, kind, told)], flags, target = one.recvmsg(100, 100, socket.MSG_ERRQUEUE)
        return (
            (struct.unpack("IBBBBII", told[:16]), socket.inet_ntoa(told[20:24]), level, kind, len(octets)),
            (flags, target, one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)),
            raised(one.recvmsg, 100, 100, socket.MSG_ERRQUEUE),
        )

    with World(1) as world:
        host = world.host("alone", "10.0.0.1", routes=["10.0.0.0/24"])
        found = world.until(world.run(host, ask))
    error = (errno.EHOSTUNREACH, 2, 3, 1, 0, 0, 0)
    assert found[0] == (error, "10.0.0.1", socket.IPPROTO_IP, IP_RECVERR, 40)
    assert found[1] == (socket.MSG_ERRQUEUE, ("10.0.0.99", 80), 0)
    assert found[2] == (BlockingIOError, errno.EAGAIN)


@pytest.mark.parametrize(("room", "cut"), [(12, 0), (30, 14), (100, 32)])
def test_the_end_of_a_send_without_a_copy_is_told_cut_to_the_room_there_is(room, cut):
    def ask():
        connection = create_connection(("server", 80))
        connection.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        connection.send(b"x" * 100, MSG_ZEROCOPY)
        before = raised(connection.recvmsg, 1, room, socket.MSG_ERRQUEUE)
        time.sleep(0.2)
        octets, ancillary, flags, target = connection.recvmsg(1, room, socket.MSG_ERRQUEUE)
        return before, octets, [told for _, _, told in ancillary], flags & socket.MSG_CTRUNC, target

    before, octets, told, truncated, target = run_pair(serving(echo), ask)
    whole = struct.pack("IBBBBII", 0, 5, 0, 1, 0, 0, 0) + bytes(16)
    assert (before, octets, target) == ((BlockingIOError, errno.EAGAIN), b"", None)
    assert told == ([whole[:cut]] if cut else [])
    assert bool(truncated) == (cut < 32)
