"""How much memory a half-open request and an established connection take, and what takes it.

tracemalloc counts every octet that Python allocates. Packets come in as octets, so that the addresses which
a flow keeps are counted with it, as are its place in the table of flows, its timer, its place in the accept
queue, and the Socket that accept() returns.

    python tools/_bench_memory.py COUNT

fills a host with so many half-open connections, and prints the octets that each adds to the process, and the seconds
of CPU that they took, as JSON.
"""

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time

from _bench_traffic import GAP, final_ack, listening, syn

from tcpemu.stack import Host, Socket
from tcpemu.wire import Segment, decode, encode


def per_request(count: int) -> float:
    """Octets for each half-open request."""
    host, _ = listening(count + 1)
    arrives(host, 0)

    def fill() -> None:
        for number in range(1, count + 1):
            arrives(host, number)

    return _growth(fill) / count


def per_connection(count: int) -> float:
    """Octets for each connection that was accepted, its Socket included."""
    host, listener = listening(count + 1)
    accepted = [handshake(host, listener, 0)]

    def fill() -> None:
        accepted.extend(handshake(host, listener, number) for number in range(1, count + 1))

    return _growth(fill) / count


@dataclass(frozen=True, slots=True)
class Crowd:
    """Half-open connections in a process of their own."""

    octets: float
    """What each adds to the process."""
    seconds: float
    """Of CPU, that all of them took."""


def half_open(python: Path, count: int) -> Crowd:
    """So many half-open connections on one host, by an interpreter that may have the compiled core."""
    command = [str(python), __file__, str(count)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Crowd(**json.loads(told))


def _crowd(count: int) -> Crowd:
    """In this process, whose garbage collector rests: there is no garbage."""
    host, _ = listening(count + 1000)
    for number in range(1000):
        arrives(host, number)
    gc.collect()
    gc.disable()
    before, began = _resident(), process_time()
    for number in range(1000, count + 1000):
        arrives(host, number)
    spent = process_time() - began
    return Crowd((_resident() - before) / count, spent)


def _resident() -> int:
    """Octets of memory that this process has (Linux alone)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def arrives(host: Host, number: int) -> Segment:
    """The SYN of a client comes in as octets; the SYN|ACK."""
    now = host.now + GAP
    host.receive(decode(encode(syn(number))), now)
    return host.transmit()[0]


def handshake(host: Host, listener: Socket, number: int) -> Socket:
    """The whole handshake of a client; the accepted socket."""
    answer = arrives(host, number)
    host.receive(decode(encode(final_ack(answer))), host.now + GAP)
    host.transmit()
    host.woken()
    return listener.accept(host.now)


def _growth(fill: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        fill()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


# --- what takes it -------------------------------------------------------------------------------------------

_GC_HEADER = 16


def breakdown(flow: object, others: Iterable[object]) -> dict[str, int]:
    """The object itself and each value in its slots that none of the others holds too, with its size.

    A value that stands in several slots counts in the first alone. What refers to the flow from outside, as
    tables and timers do, is not in it.
    """
    seen = {id(value) for other in others for value in _parts(other)}
    sizes = {type(flow).__name__: _size(flow)}
    for name in _slots(flow):
        values = {id(value): value for value in _flat(getattr(flow, name, None)) if id(value) not in seen}
        seen.update(values)
        size = sum(map(_size, values.values()))
        if size:
            sizes[f".{name}"] = size
    return sizes


def _parts(thing: object) -> list[object]:
    return [value for name in _slots(thing) for value in _flat(getattr(thing, name, None))]


def _flat(value: object) -> list[object]:
    """A value, and what is in it if it is a tuple."""
    return [value, *(inner for one in value for inner in _flat(one))] if isinstance(value, tuple) else [value]


def _slots(thing: object) -> list[str]:
    return sorted({name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())})


def _size(value: object) -> int:
    return sys.getsizeof(value) + (_GC_HEADER if gc.is_tracked(value) else 0)


if __name__ == "__main__":
    print(json.dumps(asdict(_crowd(int(sys.argv[1])))))
