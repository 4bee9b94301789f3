"""What Fast Open remembers of servers: the cookie each gave and its MSS, for the SYN of the next visit.

tcp_metrics.c: tcp_fastopen_cache_get, tcp_fastopen_cache_set.
"""

from __future__ import annotations

from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.fast_open import KnownServer
from tcpemu.stack.records.peer_metrics import MOST_PEERS
from tcpemu.wire.options import FastOpen


def known(conn: Connection) -> KnownServer | None:
    """What is remembered of this server, as seen from this address of ours; None where nothing is."""
    return conn.host.fast_open.servers.get((conn.key[2], conn.key[0]))


def cookie_of(server: KnownServer | None) -> FastOpen:
    """Its cookie, or what asks it for one."""
    if server is None:
        return FastOpen(b"")
    if server.cookie is not None:
        return server.cookie
    return FastOpen(b"", experimental=server.ask_experimentally == 1)


def learn(conn: Connection, mss: int, cookie: FastOpen | None, lost: bool, ask_experimentally: int) -> None:
    """Remember what the SYN|ACK told, and whether the SYN with data seems to have been lost on the way."""
    servers = conn.host.fast_open.servers
    path = conn.key[2], conn.key[0]
    server = servers.get(path)
    if server is None:
        if len(servers) >= MOST_PEERS:
            del servers[next(iter(servers))]
        server = servers[path] = KnownServer()
    if mss:
        server.mss = mss
    if cookie is not None and cookie.cookie:
        server.cookie = cookie
    elif ask_experimentally > server.ask_experimentally and server.cookie is None:
        server.ask_experimentally = ask_experimentally
    server.syn_losses = server.syn_losses + 1 if lost else 0
