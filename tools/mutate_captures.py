"""Read thousands of mutated capture files: nothing raises but a CaptureError, and nothing hangs.

    python tools/mutate_captures.py [CAPTURES...] [--files N] [--seed N]

CAPTURES are folders or files, pcaps/ if none is given; each is also written as a pcap, with Ethernet, and packed with
gzip. Every mutated file is surveyed, every 50th is diagnosed too. Status 1 for a traceback or a file that takes longer
than ten seconds.
"""

import argparse
import gzip
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tcpemu.diagnose import survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server, servers_of
from tcpemu.diagnose.telling.survey_json import diagnosis_data, survey_data
from tcpemu.diagnose.telling.survey_lines import survey_lines
from tcpemu.wire import Capture, CaptureError, Interface, LinkType, Packet, pcap, pcapng, read_capture

PCAPS = Path(__file__).resolve().parent.parent / "pcaps"
MOST_SECONDS = 10.0
MOST_PACKETS = 60


def forms_of(path: Path) -> list[bytes]:
    """The capture in the forms that files have."""
    whole = read_capture(path)
    packets = tuple(packet for packet in whole.packets[:MOST_PACKETS])
    plain = tuple(Packet(packet.at, packet.data) for packet in packets)
    framed = tuple(Packet(one.at, bytes(12) + b"\x08\x00" + one.data) for one in plain)
    raw, ethernet = (Interface("", LinkType.RAW),), (Interface("eth0", LinkType.ETHERNET),)
    forms = [
        pcapng.dump(Capture(whole.interfaces, packets, whole.application, whole.comments, whole.names)),
        pcap.dump(Capture(raw, plain)),
        pcapng.dump(Capture(ethernet, framed)) + pcapng.dump(Capture(raw, plain)),
    ]
    return [*forms, gzip.compress(forms[1])]


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """With octets changed, left out, doubled or cut off."""
    octets = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 64))):
        at = rng.randrange(len(octets))
        match rng.randrange(5):
            case 0:
                octets[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 1:
                octets[at] ^= 1 << rng.randrange(8)
            case 2:
                del octets[at : at + rng.choice((1, 4, 13, 100))]
            case 3:
                octets[at:at] = octets[at : at + rng.choice((1, 4, 40, 400))]
            case _:
                octets[at : at + 4] = rng.randbytes(4)
        if not octets:
            return b""
    if rng.random() < 0.2:
        del octets[rng.randrange(len(octets)) :]
    return bytes(octets)


def read_one(path: Path, *, whole: bool) -> str:
    """What became of a file: `read`, or `refused` with a message."""
    try:
        found = survey(path)
    except CaptureError:
        return "refused"
    list(survey_lines(found, 100))
    survey_data(found)
    if whole and (servers := servers_of(found)):
        diagnosis_data(diagnose_server(found, *servers[0], at="server", kernel="linux-6.18"))
        return "diagnosed"
    return "read"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("captures", nargs="*", type=Path, default=[PCAPS])
    parser.add_argument("--files", type=int, default=5000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    paths = [
        path
        for given in asked.captures
        for path in (sorted(given.glob("*.pcapng")) if given.is_dir() else [given])
    ]
    forms = [form for path in paths for form in forms_of(path)]
    rng = random.Random(asked.seed)
    became: Counter[str] = Counter()
    slowest, faults = 0.0, 0
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "x")
        for number in range(asked.files):
            path.write_bytes(mutated(rng.choice(forms), rng))
            begun = time.process_time()
            try:
                became[read_one(path, whole=number % 50 == 0)] += 1
            except Exception:
                faults += 1
                kept = Path(tempfile.gettempdir(), f"mutated-{asked.seed}-{number}.pcap")
                kept.write_bytes(path.read_bytes())
                print(f"file {number}, kept as {kept}:")
                traceback.print_exc(file=sys.stdout)
            slowest = max(slowest, time.process_time() - begun)
    print(
        f"{asked.files} files: {dict(became)}, {faults} tracebacks; the slowest took {slowest:.2f} s of CPU"
    )
    return 1 if faults or slowest > MOST_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
