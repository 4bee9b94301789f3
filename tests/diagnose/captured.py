"""Captures made by hand: frames of any kind of link, and conversations as a capture shows them."""

import struct

from tcpemu.diagnose import survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server, servers_of
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.reproducing.explained_host import explained_run
from tcpemu.wire import Capture, Interface, Packet, Segment, address, encode, flags_of, mss, write_capture

CLIENT, SERVER = address("10.0.0.2"), address("10.0.0.1")
MS = 1_000_000


def seg(sender, flags, seq=0, ack=0, payload=b"", port=40000, **more):
    """A segment of `client` or `server`."""
    ends = (CLIENT, port, SERVER, 80) if sender == "client" else (SERVER, 80, CLIENT, port)
    options = more.pop("options", (mss(1460),) if "S" in flags else ())
    return Segment(*ends, seq, ack, flags_of(flags), more.pop("window", 64000), options, payload, **more)


def opened(port=40000):
    """A handshake, each segment with its time in milliseconds."""
    return [
        (0, seg("client", "S", 100, port=port)),
        (1, seg("server", "SA", 500, 101, port=port)),
        (11, seg("client", "A", 101, 501, port=port)),
    ]


def packets(timed, start=10**18):
    return [
        Packet(start + int(at * MS), each if isinstance(each, bytes) else encode(each)) for at, each in timed
    ]


def save(path, timed, link_type=101):
    write_capture(path, Capture((Interface("eth0", link_type),), tuple(packets(timed))))
    return path


def pcap(link_type, frames, order="<", nano=False, snaplen=65535, cut=None):
    """A pcap file, octet by octet: frames are (seconds, fraction, octets)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)
    for seconds, fraction, octets in frames:
        kept = octets if cut is None else octets[:cut]
        out += struct.pack(order + "IIII", seconds, fraction, len(kept), len(octets)) + kept
    return out


def explained(path, **more):
    """The survey of a capture, the diagnosis of the server that was asked most, its best explanation run once more."""
    found = survey(path)
    diagnosis = diagnose_server(found, *servers_of(found)[0], kernel="linux-6.18", **{"at": "server", **more})
    return found, diagnosis, explained_run(diagnosis, segments_of(path, CaptureFacts()))
