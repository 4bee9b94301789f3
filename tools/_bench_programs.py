"""Real programs on emulated hosts: seconds of the processor beside the virtual seconds that they take."""

import asyncio
from dataclasses import dataclass
from time import process_time

from tcpemu.testing import World

_DELAY = "20 ms"
_PORT = 7


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run took, in seconds."""

    processor: float
    virtual: float

    @property
    def ratio(self) -> float:
        """The one per the other: below 1, a test with it is over sooner than what it tests would be."""
        return self.processor / self.virtual


def asyncio_echo(clients: int, turns: int) -> Ran:
    """So many clients of one server, 20 ms away, each with streams of asyncio; a line and its echo at each turn."""
    begin = process_time()
    with World() as world:
        server, client = world.host("server"), world.host("client")
        world.link(server, client, _DELAY)
        world.start(server, _serve())
        world.until(world.start(client, _all_speak(clients, turns)))
        return Ran(process_time() - begin, world.now)


async def _serve() -> None:
    server = await asyncio.start_server(_echo, "0.0.0.0", _PORT)
    await server.serve_forever()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def _all_speak(clients: int, turns: int) -> None:
    await asyncio.gather(*(_speak(turns) for _ in range(clients)))


async def _speak(turns: int) -> None:
    reader, writer = await asyncio.open_connection("server", _PORT)
    for turn in range(turns):
        line = b"line %d\n" % turn
        writer.write(line)
        if (echo := await reader.readline()) != line:
            raise RuntimeError(f"the echo of {line!r} is {echo!r}")
    writer.close()
    await writer.wait_closed()
