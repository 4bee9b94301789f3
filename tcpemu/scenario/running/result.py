"""What came of a run: the record, and how each client and the server fared."""

from dataclasses import dataclass, field

from tcpemu.network import Network, Record
from tcpemu.network.endpoint import KnownHost
from tcpemu.scenario.format.missing_sysctls import LeftOut
from tcpemu.scenario.format.scenario_file import Scenario


@dataclass(slots=True)
class ClientOutcome:
    """How a client fared. Times are nanoseconds; None stands for what did not happen."""

    name: str
    """The group's name, with a number behind it if the group has several clients."""
    group: str
    started: int
    connected: int | None = None
    """When the client's side of the handshake was complete: the server may see it otherwise."""
    sent: int = 0
    """Octets that its host took."""
    received: int = 0
    """Octets that it read."""
    first_octet: int | None = None
    """When it read the first of them."""
    error: str = ""
    """The errno that ended it, such as ECONNRESET; empty if none did."""
    ended: int | None = None
    """When the error came, or when it had done all that it was to do."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A connection that the server's accept() gave."""

    at: int
    peer: tuple[bytes, int]
    """The client's address and port."""


@dataclass(slots=True, eq=False)
class Result:
    """A run and what came of it.

    It can be copied and pickled, as when it was run in another process; its network does not go on then.
    """

    name: str
    """The name of the variant; empty for a scenario without variants."""
    scenario: Scenario
    network: Network
    clients: list[ClientOutcome] = field(default_factory=list)
    """In the order of the groups, and in each in the order of starts. Bare SYNs have no client."""
    accepted: list[Accepted] = field(default_factory=list)
    left_out: tuple[LeftOut, ...] = ()
    """What the scenario sets and a kernel that it was given does not have."""
    given: tuple[str, ...] = ()
    """What was set beside its file, each as `server.backlog = 5`."""

    def __eq__(self, other: object) -> bool:
        """Whether it is the same run to which the same happened, entry for entry."""
        if not isinstance(other, Result):
            return NotImplemented
        mine, theirs = (
            (each.name, each.scenario, each.ended, each.clients, each.accepted, each.left_out, each.record)
            for each in (self, other)
        )
        return mine == theirs

    __hash__ = None  # type: ignore[assignment]

    @property
    def record(self) -> Record:
        return self.network.record

    @property
    def hosts(self) -> dict[str, KnownHost]:
        """The hosts whose settings are known, by their names: all but raw ones."""
        return self.network.known_hosts

    @property
    def starts(self) -> dict[str, int]:
        """When each client begins, by its name, which may be after the end."""
        return {client.name: client.started for client in self.clients}

    @property
    def ended(self) -> int:
        """When the run was over, in nanoseconds."""
        return self.network.now
