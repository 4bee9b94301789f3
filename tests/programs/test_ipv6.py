"""Programs that speak IPv6: sockets of AF_INET6, dual-stack servers, names, asyncio."""

import asyncio
import errno
import socket
import threading

import pytest

from tcpemu.testing import World

SERVER, CLIENT = ("10.0.0.1", "2001:db8::1"), ("10.0.0.2", "2001:db8::2")


def run_pair(serve, ask, server=SERVER, client=CLIENT):
    """What `ask` gives on the client, while `serve` runs on the server."""
    with World() as world:
        there, here = world.host("server", *server), world.host("client", *client)
        world.link(here, there, "20 ms")
        world.run(there, serve)
        return world.until(world.run(here, ask, at="1 s"))


def run_alone(function, *addresses):
    with World() as world:
        return world.until(world.run(world.host("alone", *addresses), function))


def names_of_peers(count):
    """A dual-stack server that tells each peer what it is called."""

    def serve():
        with socket.create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
            for _ in range(count):
                peer, name = listener.accept()
                with peer:
                    peer.sendall(repr((peer.family.name, name, peer.getsockname())).encode())

    return serve


def test_a_dual_stack_server_takes_both():
    def ask():
        told = []
        for to in ("2001:db8::1", "10.0.0.1"):
            with socket.create_connection((to, 80), source_address=("", 40000)) as own:
                told.append((own.family.name, own.getpeername()))
                told.append(own.makefile("rb").read().decode())
        return told

    six, six_seen, four, four_seen = run_pair(names_of_peers(2), ask)
    assert six == ("AF_INET6", ("2001:db8::1", 80, 0, 0))
    assert six_seen == repr(("AF_INET6", ("2001:db8::2", 40000, 0, 0), ("2001:db8::1", 80, 0, 0)))
    assert four == ("AF_INET", ("10.0.0.1", 80))
    mapped = ("AF_INET6", ("::ffff:10.0.0.2", 40000, 0, 0), ("::ffff:10.0.0.1", 80, 0, 0))
    assert four_seen == repr(mapped)


def test_a_name_leads_to_ipv6_first():
    def ask():
        with socket.create_connection(("server", 80)) as own:
            return own.getpeername()

    assert run_pair(names_of_peers(1), ask) == ("2001:db8::1", 80, 0, 0)
    assert run_pair(names_of_peers(1), ask, client=("10.0.0.2",)) == ("10.0.0.1", 80)


def test_a_server_of_ipv6_alone_refuses_ipv4():
    def serve():
        with socket.create_server(("::", 80), family=socket.AF_INET6) as listener:
            assert listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
            listener.accept()

    def ask():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("10.0.0.1", 80))
        return socket.create_connection(("2001:db8::1", 80)).getpeername()[0]

    assert run_pair(serve, ask) == "2001:db8::1"


def test_loopback_is_colon_colon_one():
    def both():
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        port = listener.getsockname()[1]
        threading.Thread(target=lambda: listener.accept()[0].sendall(b"hello")).start()
        with socket.create_connection(("localhost", port)) as own:
            return own.getsockname()[0], own.recv(5)

    assert run_alone(both, *SERVER) == ("::1", b"hello")
    assert run_alone(lambda: socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)[0][4]) == (
        "127.0.0.1",
        80,
    )


def test_names_as_a_host_with_both_has_them():
    def look():
        streams = {"type": socket.SOCK_STREAM}
        return (
            [found[4] for found in socket.getaddrinfo("alone", 80, **streams)],
            [found[4] for found in socket.getaddrinfo(None, 80, flags=socket.AI_PASSIVE, **streams)],
            [found[4] for found in socket.getaddrinfo(None, 80, **streams)],
            [found[4] for found in socket.getaddrinfo("2001:DB8::9", 80, **streams)],
            [found[4] for found in socket.getaddrinfo("alone", 80, socket.AF_INET, **streams)],
            socket.gethostbyname("alone"),
            socket.gethostbyaddr("2001:db8:0::1")[0],
            socket.getnameinfo(("2001:db8::1", 80, 0, 0), socket.NI_NUMERICSERV),
        )

    both = [("2001:db8::1", 80, 0, 0), ("10.0.0.1", 80)]
    assert run_alone(look, *SERVER) == (
        both,
        [("0.0.0.0", 80), ("::", 80, 0, 0)],
        [("::1", 80, 0, 0), ("127.0.0.1", 80)],
        [("2001:db8::9", 80, 0, 0)],
        both[1:],
        "10.0.0.1",
        "alone",
        ("alone", "80"),
    )


@pytest.mark.parametrize(
    ("call", "number"),
    [
        (lambda: socket.socket(socket.AF_INET6).connect(("10.0.0.1", 80)), socket.EAI_ADDRFAMILY),
        (lambda: socket.socket(socket.AF_INET).connect(("2001:db8::1", 80)), socket.EAI_ADDRFAMILY),
        (lambda: socket.socket(socket.AF_INET6).connect(("2001:db8::7", 80, 1, 0)), errno.EINVAL),
        (lambda: socket.socket(socket.AF_INET6).bind(("2001:db8::7", 80)), errno.EADDRNOTAVAIL),
        (lambda: socket.getaddrinfo("alone", 80, socket.AF_INET6), socket.EAI_ADDRFAMILY),
    ],
)
def test_what_does_not_go_says_why(call, number):
    def attempt():
        with pytest.raises(OSError) as caught:  # noqa: PT011
            call()
        return caught.value.errno

    assert run_alone(attempt, "10.0.0.1") == number


def test_both_families_on_one_port_and_asyncio():
    async def greet(_, writer):
        writer.write(repr(writer.get_extra_info("peername")[0]).encode())
        writer.close()

    async def serve():
        server = await asyncio.start_server(greet, None, 80)  # one socket of each family
        assert sorted(one.family.name for one in server.sockets) == ["AF_INET", "AF_INET6"]
        await server.serve_forever()

    async def ask():
        told = []
        for to in SERVER:
            reader, writer = await asyncio.open_connection(to, 80)
            told.append((await reader.read()).decode())
            writer.close()
        return told

    told = run_pair(lambda: asyncio.run(serve()), lambda: asyncio.run(ask()))
    assert told == ["'10.0.0.2'", "'2001:db8::2'"]
