"""All that the calls of a script act on: the host, descriptors, connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.drill.running.descriptor_table import EpollFile, OpenedFile, SocketFile
from tcpemu.drill.running.emulated_flows import EmulatedFlows
from tcpemu.drill.running.emulated_stage import EmulatedStage
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.stack import NotEmulatedError, Socket


@dataclass(slots=True, eq=False)
class DrillWorld:
    """The host under test and its application."""

    stage: EmulatedStage
    flags: DrillFlags
    flows: EmulatedFlows
    files: dict[int, OpenedFile] = field(default_factory=dict)
    """By the script's descriptors."""
    progress: dict[int, int] = field(default_factory=dict)
    """Of calls that go on: octets taken, or when the wait began."""
    waited: set[int] = field(default_factory=set)
    """Calls that found no room to send."""
    deadline: int | None = None
    """When a call that waits has waited long enough, in nanoseconds."""
    shell_files: dict[str, bytes] = field(default_factory=dict)
    """Files that commands of the script have made."""

    def notice(self) -> None:
        """Tell the epolls which sockets something may have become of, and see what was sent."""
        woken = self.stage.host.woken()
        for file in self.files.values():
            if isinstance(file, EpollFile):
                for socket in woken:
                    file.woken(socket)
            elif (
                isinstance(file, SocketFile)
                and file.stamps is not None
                and file.socket.connection is not None
            ):
                file.stamps.look(file.socket.connection, self.stage.now)

    def unsent(self, socket: Socket, only_unsent: bool) -> int:
        """Octets that are not acknowledged, or not even sent (SIOCOUTQ, SIOCOUTQNSD)."""
        info = socket.tcp_info(self.stage.now)
        if info.notsent_bytes is None or socket.connection is None:
            raise NotEmulatedError("SIOCOUTQ is not emulated for this socket")
        if only_unsent:
            return info.notsent_bytes
        rows = self.stage.host.sockets([socket.connection.key])
        return rows[0].send_q if rows else 0
