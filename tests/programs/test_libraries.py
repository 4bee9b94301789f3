"""Programs as people write them, unchanged, over libraries as they are: twice with one seed, the same packets."""

import asyncio
import http.server
import logging
import socket
import socketserver
import ssl
import struct
import time
import urllib.request

import pytest

from tcpemu.testing import World, cut, lose, reset
from tcpemu.wire.capture_file import read_capture


def run_twice(serve, ask, tmp_path, *, fault=None):
    """What the client gives, which is the same twice, as are the octets of the captures."""
    found = []
    for number in range(2):
        with World(7) as world:
            server, client = world.host("server"), world.host("client")
            world.link(client, server, "20 ms")
            if fault is not None:
                world.fault(fault)
            world.run(server, serve)
            value = world.until(world.run(client, ask, at="1 s"))
            path = world.save(tmp_path / f"{number}.pcapng")
            assert not world.unmet_faults
        assert len(read_capture(path).packets) > 5
        found.append((value, path.read_bytes()))
    assert found[0][0] == found[1][0]
    assert found[0][1] == found[1][1]
    return found[0][0]


FAULTS = [None, lose("third-ack", of="client", connection=1)]


def serve_http():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(2)
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(bytes(100_000))

        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()


def get_by_urllib():
    begin = time.monotonic()
    with urllib.request.urlopen("http://server/page", timeout=10) as answer:
        return answer.status, len(answer.read()), answer.headers["Date"], round(time.monotonic() - begin, 2)


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_http_server_and_urllib(tmp_path, fault):
    status, size, date, took = run_twice(serve_http, get_by_urllib, tmp_path, fault=fault)
    assert (status, size, date) == (200, 100_000, "Tue, 14 Nov 2023 22:13:23 GMT")
    assert 2.1 < took < 2.5


def serve_streams():
    async def handle(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(handle, "0.0.0.0", 80)
        await server.serve_forever()

    asyncio.run(main())


def ask_by_streams():
    async def main():
        reader, writer = await asyncio.open_connection("server", 80)
        writer.write(b"hello\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    return asyncio.run(main())


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_asyncio_on_both_sides(tmp_path, fault):
    assert run_twice(serve_streams, ask_by_streams, tmp_path, fault=fault) == b"HELLO\n"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_aiohttp_on_both_sides(tmp_path, fault):
    aiohttp = pytest.importorskip("aiohttp")
    from aiohttp import web

    def serve():
        async def hello(request):
            await asyncio.sleep(0.5)
            return web.Response(text=f"hello {request.match_info['name']}")

        application = web.Application()
        application.router.add_get("/{name}", hello)
        web.run_app(application, host="0.0.0.0", port=80, print=None)

    def ask():
        async def main():
            async with aiohttp.ClientSession() as session:
                found = []
                for name in ("one", "two"):
                    async with session.get(f"http://server/{name}") as answer:
                        found.append(await answer.text())
                return found

        return asyncio.run(main())

    assert run_twice(serve, ask, tmp_path, fault=fault) == ["hello one", "hello two"]


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"].endswith("shutdown"):
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def serve_by_uvicorn():
    import uvicorn

    uvicorn.run(application, host="0.0.0.0", port=80, log_level="error", loop="asyncio", http="h11")


def get_by_httpx():
    import httpx

    with httpx.Client() as client:
        return [client.get(f"http://server/{name}").text for name in ("a", "b")]


def get_by_httpx_async():
    import httpx

    async def main():
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.get(f"http://server/{name}") for name in ("a", "b")))
            return [answer.text for answer in answers]

    return asyncio.run(main())


@pytest.mark.parametrize("get", [get_by_httpx, get_by_httpx_async])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_uvicorn_and_httpx(tmp_path, get, fault):
    pytest.importorskip("uvicorn")
    pytest.importorskip("httpx")
    logger = logging.getLogger("uvicorn.error")
    before = logger.propagate
    try:
        assert run_twice(serve_by_uvicorn, get, tmp_path, fault=fault) == ["/a", "/b"]
    finally:
        logger.propagate = before


def serve_redis():
    """A stand-in for a Redis server: as much of its protocol as a client needs to set and to get."""
    values = {}

    def answer(words):
        name = words[0].upper()
        if name == b"HELLO":
            return b"%%1\r\n$5\r\nproto\r\n:%s\r\n" % words[1]
        if name == b"SET":
            values[words[1]] = words[2]
            return b"+OK\r\n"
        if name == b"GET":
            return b"$%d\r\n%s\r\n" % (len(values[words[1]]), values[words[1]])
        return b"+PONG\r\n" if name == b"PING" else b"+OK\r\n"

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while head := self.rfile.readline():
                self.wfile.write(answer([self.word() for _ in range(int(head[1:]))]))

        def word(self):
            return self.rfile.read(int(self.rfile.readline()[1:]) + 2)[:-2]

    socketserver.ThreadingTCPServer(("", 6379), Handler).serve_forever()


def ask_redis():
    redis = pytest.importorskip("redis")
    with redis.Redis("server", socket_keepalive=True) as client:
        client.ping()
        client.set("name", b"x" * 20_000)
        return len(client.get("name"))


def ask_redis_async():
    pytest.importorskip("redis")
    from redis import asyncio as redis

    async def main():
        async with redis.Redis(host="server") as client:
            await client.set("name", "value")
            return [await client.get("name"), await client.ping()]

    return asyncio.run(main())


@pytest.mark.parametrize(
    "fault", [*FAULTS, lose("data 2", by="server"), cut(at="1.05 s", until="1.5 s")], ids=str
)
@pytest.mark.parametrize(("ask", "value"), [(ask_redis, 20_000), (ask_redis_async, [b"value", True])])
def test_redis_clients_and_a_stand_in(tmp_path, ask, value, fault):
    pytest.importorskip("redis")
    assert run_twice(serve_redis, ask, tmp_path, fault=fault) == value


def serve_postgres():
    """A stand-in for a PostgreSQL server: start-up without a password, simple queries, the end."""

    def message(kind, octets=b""):
        return kind + struct.pack("!i", 4 + len(octets)) + octets

    ready = message(b"Z", b"I")

    async def handle(reader, writer):
        async def body():
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            return await reader.readexactly(length - 4)

        while struct.unpack("!i", (await body())[:4])[0] == 80877103:  # it asks for TLS
            writer.write(b"N")
        writer.write(message(b"R", struct.pack("!i", 0)))
        for name, value in (("server_version", "17.0"), ("client_encoding", "UTF8"), ("TimeZone", "UTC")):
            writer.write(message(b"S", f"{name}\0{value}\0".encode()))
        writer.write(message(b"K", struct.pack("!ii", 1, 2)) + ready)
        while (kind := await reader.read(1)) == b"Q":
            await body()
            writer.write(message(b"C", b"SELECT 1\0") + ready)
        assert kind in (b"X", b"")
        writer.close()

    async def main():
        server = await asyncio.start_server(handle, "0.0.0.0", 5432)
        await server.serve_forever()

    asyncio.run(main())


def ask_by_asyncpg():
    asyncpg = pytest.importorskip("asyncpg")

    async def main():
        connection = await asyncpg.connect(host="server", user="someone", database="some", ssl="prefer")
        version = connection.get_server_version()
        status = await connection.execute("select 1")
        await connection.close()
        return version.major, status

    return asyncio.run(main())


@pytest.mark.parametrize("fault", [*FAULTS, lose("data 2", by="client")], ids=str)
def test_asyncpg_and_a_stand_in(tmp_path, fault):
    pytest.importorskip("asyncpg")
    assert run_twice(serve_postgres, ask_by_asyncpg, tmp_path, fault=fault) == (17, "SELECT 1")


@pytest.fixture(scope="module")
def tls():
    """A context of a server and one of a client that trusts it."""
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("server").configure_cert(server)
    authority.configure_trust(client)
    return server, client


def serve_tls_streams(context):
    async def handle(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(handle, "0.0.0.0", 443, ssl=context)
        await server.serve_forever()

    asyncio.run(main())


def ask_by_tls_streams(context):
    async def main():
        reader, writer = await asyncio.open_connection("server", 443, ssl=context)
        version = writer.get_extra_info("ssl_object").version()
        writer.write(b"hello\n")
        answer = await reader.read()
        writer.close()
        return answer, version

    return asyncio.run(main())


def serve_tls_sockets(context):
    listener = socket.create_server(("", 443))
    with context.wrap_socket(listener, server_side=True) as secure:
        while True:
            connection, _ = secure.accept()
            with connection, connection.makefile("rb") as lines:
                connection.sendall(lines.readline().upper())


def ask_by_tls_sockets(context):
    with (
        socket.create_connection(("server", 443)) as plain,
        context.wrap_socket(plain, server_hostname="server") as secure,
    ):
        secure.settimeout(5)
        version, names = secure.version(), secure.getpeercert()["subjectAltName"]
        secure.sendall(b"hello\n")
        answer = b""
        while data := secure.recv(100):
            answer += data
        assert names == (("DNS", "server"),)
        assert isinstance(secure, ssl.SSLSocket)
        return answer, version


@pytest.mark.parametrize("serve", [serve_tls_streams, serve_tls_sockets])
@pytest.mark.parametrize("ask", [ask_by_tls_streams, ask_by_tls_sockets])
def test_tls(tls, serve, ask):
    server, client = tls
    with World() as world:
        world.run(world.host("server"), [serve, server])
        answer = world.until(world.run(world.host("client"), [ask, client], at="1 s"))
    assert answer == (b"HELLO\n", "TLSv1.3")


@pytest.mark.parametrize(
    "fault", [lose("third-ack"), lose("data 2", by="server"), reset(at="1.2 s")], ids=str
)
def test_tls_meets_a_fault_the_same_way_twice(tls, fault):
    """What TLS draws by chance is OpenSSL's own: the octets differ from run to run, the packets do not."""
    server, client = tls
    found = []
    for _ in range(2):
        with World(7) as world:
            hosts = world.host("server"), world.host("client")
            world.link(*hosts, "20 ms")
            world.fault(fault)
            serving = world.run(hosts[0], [serve_tls_sockets, server])
            asking = world.run(hosts[1], [ask_by_tls_sockets, client], at="1 s")
            try:
                value = world.until(asking)
            except OSError as error:
                value = type(error)
            assert not world.unmet_faults or fault.what == "reset"
            serving.disregard_failure()
            packets = [(one.at, one.node, one.segment.flags) for one in world.record.packets()]
        found.append((value, packets))
    assert found[0] == found[1]


def test_a_certificate_that_is_not_trusted(tls):
    server, _ = tls

    def ask():
        with socket.create_connection(("server", 443)) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname="server")

    with World() as world:
        world.run(world.host("server"), [serve_tls_streams, server])
        client = world.run(world.host("client"), ask, at="1 s")
        with pytest.raises(ssl.SSLCertVerificationError):
            world.until(client)
