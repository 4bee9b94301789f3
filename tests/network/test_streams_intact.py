"""Whatever happens to packets, an application reads what was written, in order and once.

For two hosts with any settings, any writes both ways, and a link with any faults:
1. What was read is the beginning of what was written: no octet is lost, doubled, changed or out of place.
2. Where neither end met an error, and there was time enough, it is all of it.
"""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.network import MILLISECOND, SECOND, Conditions, Network
from tcpemu.stack import SocketError
from tcpemu.stack.base.socket_constants import IPPROTO_TCP, SO_RCVBUF, SO_SNDBUF, SOL_SOCKET, TCP_NODELAY

TIME_ENOUGH = 4000 * SECOND

paths = st.builds(
    Conditions,
    delay=st.integers(30, 80).map(lambda ms: ms * MILLISECOND),
    jitter=st.sampled_from([0, 0, MILLISECOND, 30 * MILLISECOND]),
    loss=st.sampled_from([0, 0, 0.01, 0.05, 0.2]),
    duplicate=st.sampled_from([0, 0, 0.05, 0.5]),
    reorder=st.sampled_from([0, 0, 0.05, 0.5]),
)
kernels = st.fixed_dictionaries(
    {
        "net.ipv4.tcp_congestion_control": st.sampled_from(["reno", "cubic", "bbr"]),
        "net.ipv4.tcp_sack": st.integers(0, 1),
        "net.ipv4.tcp_timestamps": st.integers(0, 1),
        "net.ipv4.tcp_window_scaling": st.integers(0, 1),
        "net.ipv4.tcp_dsack": st.integers(0, 1),
        "net.ipv4.tcp_ecn": st.integers(0, 1),
        "net.ipv4.tcp_recovery": st.sampled_from([1, 2, 4]),
        "net.ipv4.tcp_frto": st.integers(0, 2),
        "net.ipv4.tcp_reordering": st.sampled_from([1, 3, 9]),
    }
)
writes = st.lists(st.sampled_from([1, 10, 1000, 1460, 5000, 40_000]), max_size=6)
buffers = st.sampled_from([{}, {}, {(SOL_SOCKET, SO_RCVBUF): 3000}, {(SOL_SOCKET, SO_SNDBUF): 5000}])


class End:
    """An application that writes its octets, closes its half, and reads to the end."""

    def __init__(self, sizes, seed):
        random = Random(seed)
        self.written = [random.randbytes(size) for size in sizes]
        self.read = b""
        self.error = None
        self.over = False

    async def write(self, connection):
        try:
            for data in self.written:
                await connection.send(data)
            connection.shutdown()
        except SocketError as error:
            self.error = error.name

    async def talk(self, network, node, connection):
        """Reads while another task writes: who only wrote at first might wait for a peer that does so too."""
        network.spawn(node, lambda _: self.write(connection))
        try:
            while data := await connection.recv(3000):
                self.read += data
            self.over = True
        except SocketError as error:
            self.error = error.name

    @property
    def told(self):
        return b"".join(self.written)


@settings(max_examples=25, deadline=None)
@given(
    there=paths,
    back=paths,
    kernel=kernels,
    other=kernels,
    up=writes,
    down=writes,
    options=buffers,
    seed=st.integers(0, 99),
)
def test_what_is_read_is_what_was_written(there, back, kernel, other, up, down, options, seed):
    network = Network(seed)
    server = network.host("server", "10.0.0.1", sysctls=kernel)
    client = network.host("client", "10.0.0.2", sysctls=other)
    network.link(client, server, there, back=back)
    ends = [End(up, seed), End(down, seed + 1)]

    async def serve(node):
        listener = node.listen(80, backlog=1, options=options)
        await ends[1].talk(network, node, await listener.accept())

    async def ask(node):
        try:
            connection = await node.connect(
                "10.0.0.1", 80, options={**options, (IPPROTO_TCP, TCP_NODELAY): seed % 2}
            )
        except SocketError as error:
            ends[0].error = error.name
            return
        await ends[0].talk(network, node, connection)

    network.spawn(server, serve)
    network.spawn(client, ask)
    network.run(until=TIME_ENOUGH)
    one, two = ends
    assert one.told.startswith(two.read)
    assert two.told.startswith(one.read)
    if one.error is None and two.error is None:
        assert one.over
        assert two.over
        assert (two.read, one.read) == (one.told, two.told)
