"""A host, a network, a record, a run as HTML for a notebook: tables as ss has them, and how the ladder begins."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tcpemu.explain.ladder.ladder_lines import ladder_text
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.scenario_run import ScenarioRun
from tcpemu.network import Network, Node, Record, seconds_text
from tcpemu.scenario.running.result import Result
from tcpemu.stack.host import Host
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.testing.world import World
from tcpemu.wire.segment import endpoint_text

MOST_SOCKETS = 20
"""Of a host that are all shown."""
MOST_LINES = 60
"""Of a ladder."""
_STYLE = "text-align:left;padding:0 1em 0 0;font-family:monospace;font-weight:{weight}"


def host_html(host: Host) -> str:
    """Its kernel, its time, its sockets, and the counters that moved."""
    counters = ", ".join(f"{name} {value}" for name, value in host.counters.items() if value)
    title = f"Host, {host.generation.name}, at {seconds_text(host.now)}"
    return (
        _titled(title) + _sockets({"": host.sockets()}) + _note(f"counters: {counters or 'none has moved'}")
    )


def node_html(node: Node) -> str:
    """The host on it, with its name and addresses."""
    title = f"{node.name} ({', '.join(node.addresses)}) at {seconds_text(node.now)}"
    return _titled(title) + _sockets({"": list(node.host.sockets())})


def network_html(network: Network) -> str:
    """Its hosts, their sockets, and how the ladder begins."""
    title = f"Network of {len(network.nodes)} hosts at {seconds_text(network.now)}, seed {network.seed}"
    hosts = [(node.name, ", ".join(node.addresses)) for node in network.nodes.values()]
    tables = {node.name: network.table(node) for node in network.nodes.values() if isinstance(node, Node)}
    return (
        _titled(title) + _table(("host", "address"), hosts) + _sockets(tables) + record_html(network.record)
    )


def record_html(record: Record) -> str:
    """How its ladder begins."""
    if not len(record):
        return _note("nothing has happened yet")
    lines = ladder_text(record).rstrip("\n").split("\n")
    more = (
        f"{len(lines) - MOST_LINES} more lines: print(tcpemu.ladder_text(record))"
        if len(lines) > MOST_LINES
        else ""
    )
    text = "\n".join(lines[:MOST_LINES])
    return f'<pre style="line-height:1.2;overflow-x:auto">{escape(text)}</pre>' + _note(more)


def result_html(result: Result) -> str:
    """Its title, how clients fared, how the ladder begins."""
    name = f" ({result.name})" if result.name else ""
    clients = [
        (
            client.name,
            "" if client.connected is None else moment(client.connected - client.started),
            str(client.sent),
            str(client.received),
            client.error,
        )
        for client in result.clients[:MOST_SOCKETS]
    ]
    heads = ("client", "connected after", "sent", "received", "error")
    more = len(result.clients) - len(clients)
    return (
        _titled(result.scenario.title + name)
        + _table(heads, clients)
        + _note(f"{more} more clients" if more else "")
        + record_html(result.record)
    )


def run_html(run: ScenarioRun) -> str:
    """The same of a run from `run_scenario`."""
    return result_html(run.result)


def world_html(world: World) -> str:
    """The network of a world."""
    return network_html(world.network)


def _titled(text: str) -> str:
    return f"<strong>{escape(text)}</strong>"


def _note(text: str) -> str:
    return f'<div style="opacity:0.7">{escape(text)}</div>' if text else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th style="{_STYLE.format(weight="bold")}">{escape(each)}</th>' for each in heads)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_STYLE.format(weight="normal")}">{escape(cell)}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _sockets(tables: Mapping[str, Sequence[SocketRow]]) -> str:
    """The sockets of hosts as ss has them; of very many the first."""
    named = any(tables)
    rows = [
        (
            *((host,) if named else ()),
            row.state.ss_name,
            str(row.recv_q),
            str(row.send_q),
            _end(row.local),
            "*" if row.remote is None else endpoint_text(row.remote),
        )
        for host, several in tables.items()
        for row in several
    ]
    heads = (*(("host",) if named else ()), "State", "Recv-Q", "Send-Q", "Local", "Peer")
    more = len(rows) - MOST_SOCKETS
    return _table(heads, rows[:MOST_SOCKETS]) + _note(f"{more} more sockets" if more > 0 else "")


def _end(local: tuple[bytes, int]) -> str:
    address, port = local
    return endpoint_text((address, port)) if address else f"*:{port}"
