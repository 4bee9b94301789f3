"""The connections of a capture as plain data.

Times are nanoseconds from the first frame. `null` stands for what is not known. Frames are numbered from 1 on.

- `format`: 1; `program`: which version wrote it; `capture`: the file
- `file`: `kind`, `packed`, `application`, `interfaces` (names), `frames`, `damaged_blocks`, `ended` (why the rest was
  not read; empty where it was)
- `begins`: nanoseconds since the epoch; `lasts`; `segments`: frames that were followed
- `left_out`: how many frames were not, by why; `lacks`: what the capture lacks, in sentences
- `flows`: in the order in which they begin, each with
    - `number`, `client`, `server` (`address`, `port`), `known_by` (what tells which end is the client)
    - `begins`, `ends`, `frames`, `first_frame`, `last_frame`
    - `fate`: `unanswered`, `refused`, `never completed`, `reset`, `closed`, `half closed` or `open at the end`
    - `what`: the same in words; `remarks`: sentences
    - `handshake`: from the SYN to the ACK that completes it; `opened_frame`
    - `syn_acks_after_opened`: SYN|ACKs that came again after that ACK
    - `reset_by`, `closed_first`: `client`, `server` or null; `longest_idle`
    - `icmp`: ICMP errors about its segments: `frame`, `from`, `says`
    - `of_client`, `of_server`: `frames`, `octets`, `syns`, `fins`, `resets`, `repeats`, `repeated_octets`,
      `probes`, `zero_windows`, `unacknowledged` (octets, at the end),
      `unseen` (times that the other end acknowledged what is not in the capture), `mss`, `window_scale`, `timestamps`
- `servers`: one for each that is diagnosed, with
    - `server`; `taken_at`: `server`, `client` or `middle`; `taken_at_known`: false where that is a guess
    - `doubts`: why nothing is certain; empty where something may be
    - `settings`: those of the cheapest explanation, by the names of `Supposed`; null without handshakes; a backlog of
      65535 stands for one that is never full. `unseen_events`: what it takes
    - `costs`: by setting and value the least number of unseen events with which it can be so; more than four above
      `unseen_events` were not counted further
    - `claims`: `what`, `sure` (`certain`, `likely`, `possible`, `cannot tell`), `why`, `frames`, `at_least` (so many of
      them are certain; 0 where none is), `flows`, `rule`, `decides`
"""

from dataclasses import asdict
from typing import Any

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.flows.flow_fate import fate_of, fate_words, remarks
from tcpemu.diagnose.flows.flow_life import FlowLife, FlowSide
from tcpemu.diagnose.flows.survey import Survey
from tcpemu.diagnose.telling.quality_lines import what_it_lacks
from tcpemu.version import __version__
from tcpemu.wire.segment import address_text

FORMAT = 1


def survey_data(found: Survey) -> dict[str, Any]:
    """All that a survey found."""
    facts, file = found.facts, found.facts.file
    return {
        "format": FORMAT,
        "program": f"tcpemu {__version__}",
        "capture": str(found.path),
        "file": {
            "kind": file.kind,
            "packed": file.packed,
            "application": file.application,
            "interfaces": [interface.name for interface in file.interfaces],
            "frames": file.frames,
            "damaged_blocks": file.damaged_blocks,
            "ended": file.ended,
        },
        "begins": facts.begins,
        "lasts": facts.lasts,
        "segments": facts.segments,
        "left_out": dict(facts.left_out),
        "lacks": list(what_it_lacks(facts, found.flows, found.not_kept)),
        "flows": [_flow(flow, facts.begins) for flow in found.flows],
    }


def diagnosis_data(diagnosis: Diagnosis) -> dict[str, Any]:
    """All that is claimed of one server."""
    found = diagnosis.found
    return {
        "server": {"address": address_text(diagnosis.address), "port": diagnosis.port},
        "taken_at": diagnosis.vantage.at.value,
        "taken_at_known": diagnosis.vantage.known,
        "doubts": diagnosis.doubts,
        "unseen_events": None if found is None else found.best.cost,
        "settings": None if found is None else asdict(found.best.supposed),
        "costs": None
        if found is None
        else {
            name: {str(value): one.cost for value, one in values.items()}
            for name, values in found.others.items()
        },
        "claims": [
            {
                "what": claim.what,
                "sure": claim.sure.value,
                "why": claim.why,
                "frames": list(claim.frames),
                "at_least": claim.at_least,
                "flows": list(claim.flows),
                "rule": claim.rule,
                "decides": claim.decides,
            }
            for claim in diagnosis.claims
        ],
    }


def _flow(flow: FlowLife, begins: int) -> dict[str, Any]:
    return {
        "number": flow.number,
        "client": _end(flow.client),
        "server": _end(flow.server),
        "known_by": flow.guess.value,
        "begins": flow.begins.at - begins,
        "ends": flow.ends.at - begins,
        "frames": flow.frames,
        "first_frame": flow.begins.frame,
        "last_frame": flow.ends.frame,
        "fate": fate_of(flow).value,
        "what": fate_words(flow),
        "remarks": remarks(flow),
        "handshake": flow.handshake,
        "opened_frame": flow.opened.frame if flow.opened else None,
        "syn_acks_after_opened": flow.repeats_after_opened,
        "reset_by": flow.name_of(flow.reset_by) if flow.reset_by else None,
        "closed_first": flow.name_of(flow.first_close) if flow.first_close else None,
        "longest_idle": flow.longest_idle,
        "of_client": _side(flow.client) | {"unacknowledged": flow.unacknowledged(flow.client)},
        "of_server": _side(flow.server) | {"unacknowledged": flow.unacknowledged(flow.server)},
        "icmp": [
            {"frame": note.frame, "from": address_text(note.source), "says": note.says} for note in flow.icmp
        ],
    }


def _end(side: FlowSide) -> dict[str, Any]:
    return {"address": address_text(side.address), "port": side.port}


def _side(side: FlowSide) -> dict[str, Any]:
    return {
        "frames": side.frames,
        "octets": side.octets,
        "syns": side.syn_count,
        "fins": side.fin_count,
        "resets": side.reset_count,
        "repeats": side.repeats,
        "repeated_octets": side.repeated_octets,
        "probes": side.probes,
        "zero_windows": side.zero_windows,
        "unseen": side.unseen,
        "mss": side.mss,
        "window_scale": side.wscale,
        "timestamps": side.timestamps,
    }
