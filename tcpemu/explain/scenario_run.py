"""A scenario run from Python: one call from a file, or a name, to what came of it and what is told of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.client_outcomes import client_outcomes
from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.network import Network, Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import Run, load_runs
from tcpemu.scenario.format.problems import Problem, ScenarioError, did_you_mean
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Accepted, ClientOutcome, Result
from tcpemu.wire.capture_file import write_capture


@dataclass(frozen=True, slots=True)
class ScenarioRun:
    """One run of a scenario and what came of it."""

    result: Result

    @property
    def name(self) -> str:
        """Of a scenario with variants, which one this is; else empty."""
        return self.result.name

    @property
    def scenario(self) -> Scenario:
        """What was run, with all settings."""
        return self.result.scenario

    @property
    def clients(self) -> list[ClientOutcome]:
        """How each client fared: when it connected, what it sent and received, which errno ended it. Times in ns."""
        return self.result.clients

    @property
    def accepted(self) -> list[Accepted]:
        """The connections that the server's accept() gave, in order."""
        return self.result.accepted

    @property
    def network(self) -> Network:
        """The network at the end; `network.run(until)` lets more time pass."""
        return self.result.network

    @property
    def record(self) -> Record:
        """All that happened, in order: packets, events, calls."""
        return self.result.record

    @property
    def transfers(self) -> Transfers | None:
        """Each connection's windows, round-trip times and recovery as they changed; None where it was not asked for.

        Iterating gives host, flow, and the changes: `change.at` in ns, `change.figures.cwnd`, `.ssthresh`, `.srtt` ...
        """
        return self.result.network.transfers

    def counters(self, host: str = SERVER) -> dict[str, int]:
        """The counters of a host that moved, by their MIB names. Raises KeyError for a host that is not there."""
        return dict(self.result.hosts[host].counters)

    def ladder(self, width: int = 100) -> str:
        """Every packet with its reason, as `tcpemu run` prints them, without colours."""
        return lines_text(
            ladder_lines(self.record, self._heading, width, hosts=self.result.hosts, transfers=self.transfers)
        )

    def story(self, width: int = 100) -> str:
        """The turning points with their causes, as `tcpemu explain` prints them, without colours."""
        result = self.result
        turns = turning_points(self.record, SERVER, result.hosts, transfers=self.transfers)
        fates = client_outcomes(self.record, result.starts, result.ended)
        return lines_text(story_lines(self._heading, turns, fates, width))

    def save(
        self, path: str | os.PathLike[str], seen_by: SeenBy = SeenBy.SERVER, *, comments: bool = True
    ) -> Path:
        """Write the packets to a .pcapng file, with comments that say why, or to a .pcap file; gives its path.

        Raises CaptureError for another suffix, OSError from the disk.
        """
        facts = [*self._heading.facts, self.scenario.title]
        write_capture(
            path, capture_of(self.record, seen_by, facts, comments=comments, transfers=self.transfers)
        )
        return Path(path)

    @property
    def _heading(self) -> Heading:
        run = [f"run {self.name!r}"] if self.name else []
        facts = (
            *run,
            f"server {self.scenario.server.generation}",
            f"seed {self.scenario.seed}",
            *self.result.given,
        )
        return Heading(self.scenario.title, self.scenario.look_at, facts)


def run_scenario(
    name: str | os.PathLike[str],
    settings: Mapping[str, object] | None = None,
    *,
    run: str | None = None,
    until: int | None = None,
    transfers: bool = False,
) -> ScenarioRun:
    """Run a scenario: a .toml file, or a built-in one by its name.

        result = tcpemu.run_scenario("talk.toml", {"server.backlog": 1, "net.ipv4.tcp_syncookies": 0})
        assert result.clients[0].error == ""
        print(result.ladder())
        result.save("talk.pcapng")

    `settings` are those of `tcpemu run --set`, by their paths. Of a scenario with variants it runs the one named
    `run`, or the first. It ends at the scenario's duration, or at `until`, in nanoseconds. With `transfers` the
    windows, round-trip times and recovery of each connection are kept as they change, in `transfers` of what comes
    back. Raises ScenarioError with all mistakes of the file at once.
    """
    source = os.fspath(name)
    watch = (lambda network, _: network.watch_transfers()) if transfers else None
    return ScenarioRun(build.run(_chosen(source, load_runs(source, settings), run), until, watch))


def _chosen(source: str, runs: tuple[Run, ...], wanted: str | None) -> Run:
    for each in runs:
        if wanted is None or wanted in (each.name, *each.variants):
            return each
    problem = Problem("", f"there is no run {wanted!r}", did_you_mean(wanted, [each.name for each in runs]))
    raise ScenarioError(source, [problem])
