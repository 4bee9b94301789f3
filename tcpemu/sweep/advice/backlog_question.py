"""The question that advice answers, and the scenario that it is."""

from dataclasses import dataclass
from typing import Any

from tcpemu.explain.lines.time_words import span_words
from tcpemu.generations import DEFAULT, GENERATIONS, generation
from tcpemu.scenario.format.load_scenario import Run, from_document
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.scenario.format.written_values import duration_text
from tcpemu.scenario.running.build import build
from tcpemu.stack.base.sysctls import Sysctls
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.advice.advice_target import USUAL_TARGET, Target, target_of
from tcpemu.sweep.advice.clients_coming import Arrivals, QuestionError
from tcpemu.sweep.advice.service_times import Service

LONGEST_TRY = 70
"""Seconds that a SYN is tried on most kernels, and SYN|ACKs too, where the client has no patience of its own."""
SOMAXCONN = "net.core.somaxconn"


@dataclass(frozen=True, slots=True)
class BacklogQuestion:
    """How clients come, how the server takes them, and what is wanted."""

    arrivals: Arrivals
    service: Service
    round_trip: int
    """Nanoseconds."""
    patience: int | None = None
    """How long a client waits for the connection, and then for the answer, in nanoseconds."""
    targets: tuple[Target, ...] = (target_of(USUAL_TARGET),)
    pauses: tuple[tuple[str, dict[str, Any], float], ...] = ()
    somaxconn: int | None = None
    """The cap of the server's host; its kernel's default if None."""
    kernel: str = DEFAULT
    cookies: bool = True
    """Whether the server's host has net.ipv4.tcp_syncookies on, where its kernel knows them."""
    seeds: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot be asked. Raises QuestionError."""
        if self.somaxconn is not None and self.somaxconn < 1:
            raise QuestionError(f"--somaxconn {self.somaxconn}: 1 at least")
        if self.seeds < 1:
            raise QuestionError(f"--seeds {self.seeds}: one at least")
        generation(self.kernel)

    @property
    def cap(self) -> int:
        """The largest backlog that the host allows."""
        kernel = GENERATIONS[self.kernel]
        settings = {} if self.somaxconn is None else {SOMAXCONN: self.somaxconn}
        return kernel.clamp_backlog(2**31 - 1, Sysctls(kernel, settings).somaxconn)

    @property
    def load(self) -> float:
        """The share of its time that the server is busy; 1 and more is too much for good."""
        free = 1 - sum(share for *_, share in self.pauses)
        return self.arrivals.rate / (self.service.rate * free) if free > 0 else float("inf")

    @property
    def hopeless(self) -> bool:
        """Whether clients come for good faster than the server takes them, so that every queue fills in the end."""
        return self.arrivals.endless and self.load >= 1

    @property
    def words(self) -> tuple[str, ...]:
        """The question, piece by piece."""
        waits = (
            "clients try as long as TCP does"
            if self.patience is None
            else f"clients wait {span_words(self.patience)}"
        )
        return (
            f"clients: {self.arrivals.words}",
            f"the server: {self.service.words}" + "".join(f", {words}" for words, *_ in self.pauses),
            f"round trip {span_words(self.round_trip)}",
            waits,
            f"{self.kernel}, somaxconn {self.cap}" + ("" if self.cookies else ", SYN cookies off"),
        )

    def document(self) -> Document:
        """The tables of the scenario, but for the backlog. Raises ScenarioError."""
        patience = {} if self.patience is None else {"patience": duration_text(self.patience)}
        do = ["connect", "recv", "close"]
        lasts = 2 * self.patience if self.patience is not None else LONGEST_TRY * SECOND
        sysctls: dict[str, Any] = {} if self.somaxconn is None else {SOMAXCONN: self.somaxconn}
        if not self.cookies:
            sysctls["net.ipv4.tcp_syncookies"] = 0
        accept: dict[str, Any] = {**self.service.accept}
        if self.pauses:
            accept["pauses"] = [table for _, table, _ in self.pauses]
        return {
            "title": "Which backlog is enough",
            "about": "; ".join(self.words) + ".",
            "duration": duration_text(round(1.2 * self.arrivals.last) + lasts + SECOND),
            "link": {"delay": duration_text(self.round_trip // 2)},
            "server": {
                "generation": self.kernel,
                "sysctls": sysctls,
                "answer": "time",
                "then": "close",
                "accept": accept,
            },
            "clients": [{**group, "do": do, **patience} for group in self.arrivals.groups],
        }

    @property
    def starts(self) -> list[int]:
        """When clients come in the first run, in ascending nanoseconds."""
        clients = build(Run("", self.scenario(0))).clients
        return sorted(client.started for client in clients)

    def with_backlog(self, backlog: int) -> Document:
        """The tables of the scenario with that backlog. Raises ScenarioError."""
        document = self.document()
        document["server"]["backlog"] = backlog
        return document

    def scenario(self, backlog: int) -> Scenario:
        """The scenario with that backlog. Raises ScenarioError."""
        return from_document(self.with_backlog(backlog), "the question")
