"""What one writes first who answers handshakes with Scapy: the yardstick of the benchmarks."""

from random import randrange

from scapy.layers.inet import IP, TCP


class NaiveResponder:
    """Answers SYNs and knows who has completed the handshake. No timers, no limits, no states beyond that."""

    def __init__(self) -> None:
        self.half_open: dict[tuple[str, int], int] = {}
        self.established: set[tuple[str, int]] = set()

    def receive(self, octets: bytes) -> bytes | None:
        """The octets to send back, if any."""
        packet = IP(octets)
        tcp = packet[TCP]
        client = (packet.src, tcp.sport)
        if tcp.flags == "S":
            return self._answer_syn(packet, client)
        if tcp.flags == "A" and self.half_open.get(client) == tcp.ack - 1:
            del self.half_open[client]
            self.established.add(client)
        return None

    def _answer_syn(self, packet: IP, client: tuple[str, int]) -> bytes:
        syn = packet[TCP]
        isn = self.half_open[client] = randrange(2**32 - 1)
        echo = dict(syn.options)["Timestamp"][0]
        answer = IP(src=packet.dst, dst=packet.src) / TCP(
            sport=syn.dport,
            dport=syn.sport,
            flags="SA",
            seq=isn,
            ack=syn.seq + 1,
            window=65160,
            options=[
                ("MSS", 1460),
                ("SAckOK", b""),
                ("Timestamp", (1000, echo)),
                ("NOP", None),
                ("WScale", 7),
            ],
        )
        return bytes(answer)
