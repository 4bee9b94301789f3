"""Diagnose what real kernels have answered, whole and spoilt, and count how often that is right.

    python tools/diagnose_kernel.py [TRACES...] [--sample N] [--spoil 1,5,20] [--any-kernel]

TRACES are step traces with the answers of a real kernel, or folders of them; tests/traces/linux-6.18 if none is given.
Each is written as a capture, as taken at the server, at a client 20 ms away, and between them; a folder that
tools/capture_kernel.py has filled holds real ones. They are diagnosed whole, and with so many per cent of their frames
deleted, doubled or swapped. The settings that the kernel had are hidden but for its counters, which the diagnosis gets
as it would by --nstat. What it then claims is held against them: settings that are claimed, the reasons of frames, and
what became of connections, are right or wrong. One wrong claim that is certain: status 1.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from tcpemu.diagnose import survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server
from tcpemu.diagnose.claims.sureness import Claim, Sure
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.diagnose.replay.listen_path import listen_path
from tcpemu.diagnose.replay.listen_replay import replay
from tcpemu.diagnose.replay.supposed_settings import Supposed
from tcpemu.wire import (
    Capture,
    Interface,
    Packet,
    Segment,
    address,
    encode,
    flags_of,
    read_capture,
    write_capture,
)
from tcpemu.wire.options import NOP, SACK_OK, Eol, Mss, Option, Sack, Timestamps, WScale
from tcpemu.wire.relative_numbers import ENDS

TRUTHS = Path(__file__).resolve().parent.parent / "tests/traces/linux-6.18"
KERNEL = "linux-6.18"
PORT = 8080
OTHER_STEPS = ("close_listener", "connect", "shutdown_listener", "icmp", "sendto")
START = 1_700_000_000_000_000_000
MS = 1_000_000
MASK = 0xFFFFFFFF
AWAY = {"server": 0, "client": 20 * MS, "middle": 10 * MS}
"""Nanoseconds between the capture and the server, one way."""
TELLING = (
    *("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPReqQFullDoCookies", "SyncookiesSent"),
    *("SyncookiesRecv", "TCPDeferAcceptDrop", "TCPAbortOnClose", "TCPAbortOnData", "TCPAbortOnTimeout"),
    *("TCPToZeroWindowAdv", "TCPFastOpenPassive"),
)
"""Counters that nstat -az prints also where they have not moved."""
SPOILT = ("deleted", "doubled", "swapped")


class Frame(NamedTuple):
    at: int
    inbound: bool
    octets: bytes
    original: int
    """Its number in the whole capture."""


class Case(NamedTuple):
    """Something that a real kernel did, as seen at each place."""

    name: str
    seen_at: dict[str, list[Frame]]
    host: str
    port: int
    settings: dict[str, Any]
    """Of the server, by the names of `Supposed`."""
    client: dict[str, Any]
    counters: dict[str, int]
    causes: list[str] | None
    """What became of connections; None where that is not known."""
    link_type: int = 101
    supposed: Supposed | None = None


class Unsuited(Exception):  # noqa: N818
    """A trace that says something that this tool does not write as packets."""


# A trace as frames.


class Numbers:
    """The numbers of one flow on the wire: any will do."""

    def __init__(self, port: int) -> None:
        self.peer, self.host, self.clock = port * 7919 & MASK, port * 104729 & MASK, port * 31 + 5_000_000

    def of(self, value: Any, base: int) -> int:
        if isinstance(value, dict):
            if value.get("abs") == 0:
                return 0
            raise Unsuited("a number that counts from nothing")
        return (int(value) + base) & MASK


def options_of(listed: list[Any], numbers: Numbers, *, inbound: bool) -> tuple[Option, ...]:
    return tuple(option_of(one, numbers, inbound=inbound) for one in listed)


def option_of(one: list[Any], numbers: Numbers, *, inbound: bool) -> Option:
    match one:
        case ["mss", value]:
            return Mss(value)
        case ["wscale", value]:
            return WScale(value)
        case ["sackOK"]:
            return SACK_OK
        case ["nop"]:
            return NOP
        case ["eol"]:
            return Eol()
        case ["TS", value, echo]:
            if isinstance(value, dict) or isinstance(echo, dict):
                raise Unsuited("a timestamp that counts from nothing")
            return (
                Timestamps(value & MASK, (echo + numbers.clock) & MASK if echo else 0)
                if inbound
                else Timestamps((value + numbers.clock) & MASK, echo & MASK)
            )
        case ["sack", blocks]:
            base = numbers.host if inbound else numbers.peer
            return Sack(tuple((numbers.of(left, base), numbers.of(right, base)) for left, right in blocks))
    raise Unsuited(f"option {one[0]}")


def frames_of(trace: dict[str, Any]) -> list[Frame]:
    """All packets of an answered trace, as its host saw them."""
    ends = ENDS[trace.get("family", "ipv4")]
    flows: dict[Any, Numbers] = {}
    frames: list[Frame] = []
    for entry in trace["log"]:
        if "in" in entry:
            port, flags, seq, ack, *more = entry["in"]
            said = more[0] if more else {}
        elif "out" in entry:
            port, flags, seq, ack, said = entry["out"], entry["flags"], entry["seq"], entry.get("ack"), entry
        else:
            continue
        if set(said) & {"ip", "lport", "badsum", "raw", "urg"} - ({"urg"} if not said.get("urg") else set()):
            raise Unsuited("another address or port")
        inbound = "in" in entry
        numbers = flows.setdefault(port, Numbers(port))
        own, other = (numbers.peer, numbers.host) if inbound else (numbers.host, numbers.peer)
        if inbound and "isn" in said:
            raise Unsuited("initial numbers of its own")
        peer, host = address(ends.peer), address(ends.host)
        segment = Segment(
            peer if inbound else host,
            port if inbound else PORT,
            host if inbound else peer,
            PORT if inbound else port,
            numbers.of(seq, own),
            0 if ack is None else numbers.of(ack, other),
            flags_of(flags),
            said.get("win", 65535),
            options_of(said.get("opts", []), numbers, inbound=inbound),
            b"x" * said.get("len", 0),
            ip_id=0 if said.get("ipid0") or ends.ipv6 else len(frames) + 1,
        )
        frames.append(Frame(START + int(entry["t"] * 1e9), inbound, encode(segment), len(frames) + 1))
    return frames


def truth_of(trace: dict[str, Any]) -> Supposed:
    """The settings that the kernel had."""
    listens = [step for step in trace["steps"] if step[1] == "listen"]
    if len(listens) != 1 or any(step[1] in OTHER_STEPS for step in trace["steps"]):
        raise Unsuited("not one listener from beginning to end")
    more = listens[0][3] if len(listens[0]) > 3 else {}
    if set(more) - {"defer", "syncnt"} or listens[0][0] > trace["steps"][0][0]:
        raise Unsuited("a listener with other options")
    sysctl = {name.rpartition(".")[2]: value for name, value in trace.get("sysctl", {}).items()}
    if set(sysctl) & {"tcp_fastopen", "tcp_synack_linear_timeouts", "tcp_migrate_req"}:
        raise Unsuited("other settings of the listen path")
    most = int(sysctl.get("somaxconn", 4096))
    backlog = listens[0][2]
    return Supposed(
        KERNEL,
        backlog if 0 <= backlog <= most else most,
        int(sysctl.get("tcp_syncookies", 1)),
        int(sysctl.get("tcp_abort_on_overflow", 0)),
        int(more.get("syncnt", sysctl.get("tcp_synack_retries", 5))),
        int(more.get("defer", 0)),
    )


def counters_of(trace: dict[str, Any]) -> dict[str, int]:
    last: dict[str, Any] = next(
        (entry["ret"] for entry in reversed(trace["log"]) if isinstance(entry.get("ret"), dict)), {}
    )
    return {name: value for name, value in last.get("mib", {}).items() if value}


# Spoilt.


def moved(frames: list[Frame], away: int) -> list[Frame]:
    """The same as seen so far from the server."""
    return sorted(
        (frame._replace(at=frame.at + (-away if frame.inbound else away)) for frame in frames),
        key=lambda one: one.at,
    )


def spoilt(frames: list[Frame], how: str, share: float, rng: random.Random) -> list[Frame]:
    out = list(frames)
    chosen = [at for at in range(len(frames)) if rng.random() < share]
    for at in reversed(chosen):
        if how == "deleted":
            del out[at]
        elif how == "doubled":
            out.insert(at + 1, out[at]._replace(at=out[at].at + 20_000))
        elif at + 1 < len(out):
            one, other = out[at], out[at + 1]
            out[at : at + 2] = [other._replace(at=one.at), one._replace(at=other.at)]
    return sorted(out, key=lambda one: one.at)


# Judged.


def wrong_or_right(claim: Claim, case: Case, reasons: dict[int, str], frames: list[Frame]) -> str:
    """`right`, `wrong`, or nothing for a claim that says nothing that is known here."""
    if claim.setting:
        return _setting_verdict(claim.setting, case)
    if claim.cause:
        return "" if case.causes is None else "right" if claim.cause in case.causes else "wrong"
    if claim.reason:
        known = [reasons.get(frames[frame - 1].original, "") for frame in claim.frames]
        least = claim.at_least if claim.sure is Sure.CERTAIN else len(known)
        return "" if not any(known) else "right" if known.count(claim.reason) >= least else "wrong"
    return ""


def _setting_verdict(setting: tuple[str, object], case: Case) -> str:
    name, value = setting
    side, _, own = name.rpartition(".")
    truth = (case.client if side == "client" else case.settings).get(own)
    if truth is None:
        return ""
    if own == "kernel":
        return "right" if KERNEL in str(value).split(",") else "wrong"
    if isinstance(value, tuple):
        low, high = value
        return "right" if low <= truth <= high else "wrong"
    return "right" if truth == value else "wrong"


def claims_of(frames: list[Frame], case: Case, at: str, kernel: str | None, folder: Path) -> list[Claim]:
    path = folder / "x.pcapng"
    packets = tuple(Packet(frame.at, frame.octets) for frame in frames)
    write_capture(path, Capture((Interface("eth0", case.link_type),), packets))
    host = address(case.host)
    found = survey(path)
    if not any((flow.server.address, flow.server.port) == (host, case.port) for flow in found.flows):
        return []
    known = Known(counters=case.counters)
    return diagnose_server(found, host, case.port, at=at, known=known, kernel=kernel).claims


def reasons_of(case: Case, folder: Path) -> dict[int, str]:
    """What the kernel did with each segment, by the emulator with its settings, where that fits in every packet."""
    if case.supposed is None:
        return {}
    path = folder / "whole.pcapng"
    packets = tuple(Packet(one.at, one.octets) for one in case.seen_at["server"])
    write_capture(path, Capture((Interface("eth0", case.link_type),), packets))
    whole = listen_path(segments_of(path, CaptureFacts()), address(case.host), case.port, at_server=True)
    found = replay(whole, case.supposed)
    if found.cost:
        raise Unsuited(f"the emulator with its settings takes {found.cost} unseen events")
    original = {number: frame.original for number, frame in enumerate(case.seen_at["server"], 1)}
    return {original[one.step.seen.frame]: one.reason.name for one in found.judged}


def of_trace(path: Path) -> Case | None:
    trace = json.loads(path.read_text())
    try:
        truth, frames = truth_of(trace), frames_of(trace)
    except Unsuited:
        return None
    if not frames:
        return None
    host = ENDS[trace.get("family", "ipv4")].host
    seen_at = {at: moved(frames, away) for at, away in AWAY.items()}
    settings = asdict(truth)
    return Case(path.stem, seen_at, host, PORT, settings, {}, counters_of(trace), None, supposed=truth)


def of_captures(path: Path) -> Case | None:
    """What tools/capture_kernel.py has captured. Frames are known again at another place by their packets."""
    truth = json.loads(path.read_text())
    numbers: dict[bytes, int] = {}
    seen_at: dict[str, list[Frame]] = {}
    link_type = 1
    for at in AWAY:
        capture = read_capture(path.with_name(f"{path.stem}.{at}.pcap"))
        link_type = capture.interfaces[0].link_type
        seen_at[at] = [
            Frame(one.at, False, one.data, numbers.setdefault(_identity(one.data), len(numbers) + 1))
            for one in capture.packets
        ]
    settings = truth["settings"]
    names = {one.name for one in fields(Supposed)}
    supposed = Supposed(KERNEL, **{name: value for name, value in settings.items() if name in names})
    counters = dict.fromkeys(TELLING, 0) | truth["counters"]
    host, _, port = truth["server"].rpartition(":")
    return Case(
        *(
            path.stem,
            seen_at,
            host,
            int(port),
            settings | {"kernel": KERNEL},
            truth["client"] | {"kernel": KERNEL},
        ),
        *(counters, truth["causes"] or None, link_type, supposed if "backlog" in settings else None),
    )


def _identity(frame: bytes) -> bytes:
    """A packet without what changes on its way: checksums."""
    ip = frame[14:]
    return ip[:10] + ip[12:36] + ip[38:]


def suited(paths: list[Path]) -> Iterator[Case]:
    for path in paths:
        real = path.with_name(f"{path.stem}.server.pcap").exists()
        case = of_captures(path) if real else of_trace(path)
        if case is not None:
            yield case


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("traces", nargs="*", type=Path, default=[TRUTHS])
    parser.add_argument(
        "--sample", type=int, default=40, metavar="N", help="so many of the traces that suit (0: all)"
    )
    parser.add_argument("--spoil", default="1,5,20", metavar="PERCENT,...")
    parser.add_argument("--any-kernel", action="store_true", help="do not tell which kernel it was")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    asked = parser.parse_args()
    paths = [
        path
        for given in asked.traces
        for path in (sorted(given.glob("*.json")) if given.is_dir() else [given])
    ]
    there = list(suited(paths))
    rng = random.Random(asked.seed)
    chosen = there if not asked.sample else rng.sample(there, min(asked.sample, len(there)))
    shares = [float(part) / 100 for part in asked.spoil.split(",") if part]
    table: dict[tuple[str, str, float], Counter[str]] = {}
    skipped: Counter[str] = Counter()
    certain_and_wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in chosen:
            try:
                reasons = reasons_of(case, folder)
            except Unsuited as why:
                skipped[str(why)] += 1
                if asked.verbose:
                    print(f"{case.name}: {why}")
                reasons = {}
            certain_and_wrong += judged(case, reasons, shares, asked, rng, folder, table)
    show(table, len(there), len(chosen), skipped)
    print(f"certain and wrong: {certain_and_wrong}")
    return 1 if certain_and_wrong else 0


def judged(
    case: Case,
    reasons: dict[int, str],
    shares: list[float],
    asked: argparse.Namespace,
    rng: random.Random,
    folder: Path,
    table: dict[tuple[str, str, float], Counter[str]],
) -> int:
    """How many claims of this case were certain and wrong; all are counted in the table."""
    certain_and_wrong = 0
    for at, whole in case.seen_at.items():
        for how, share in [("whole", 0.0), *((how, share) for how in SPOILT for share in shares)]:
            seen = spoilt(whole, how, share, rng) if share else whole
            counts = table.setdefault((at, how, share), Counter())
            for claim in claims_of(seen, case, at, None if asked.any_kernel else KERNEL, folder):
                verdict = wrong_or_right(claim, case, reasons, seen)
                if verdict:
                    counts[f"{claim.sure.value} {verdict}"] += 1
                wrongly_certain = verdict == "wrong" and claim.sure is Sure.CERTAIN
                if wrongly_certain or (verdict == "wrong" and asked.verbose):
                    print(f"{case.name} at {at}, {share:.0%} {how}: {claim.sure.value}: {claim.what}")
                    print(f"    {claim.why}; truth {case.settings} {case.client} {case.causes}")
                certain_and_wrong += wrongly_certain
    return certain_and_wrong


def show(
    table: dict[tuple[str, str, float], Counter[str]], there: int, chosen: int, skipped: Counter[str]
) -> None:
    print(f"{there} traces suit, {chosen} drawn; skipped: {dict(skipped) or 'none'}")
    print(
        f"{'taken at':9}{'frames':16}" + "".join(f"{level.value:>16}" for level in Sure) + "   (right/wrong)"
    )
    for (at, how, share), counts in table.items():
        cells = "".join(
            f"{counts[f'{level.value} right']:>9}/{counts[f'{level.value} wrong']:<6}" for level in Sure
        )
        print(f"{at:9}{f'{share:.0%} {how}' if share else 'whole':16}{cells}")


if __name__ == "__main__":
    sys.exit(main())
