"""Two hosts joined by a wire on which segments wait, get lost, come twice and out of order, and a stranger.

Whatever the hosts are asked to do, and whatever reaches them:

1. Of N + 1 places the accept queue never has more filled, for the largest N since it was last empty; nor the
   SYN queue, but for SYNs that reopen a flow in TIME_WAIT.
2. Every request ends: when all timers have run out both queues hold nothing that nobody answers for, and no
   connection is left in a state that only waits for the peer.
3. The counters add up: each counts the events that it is named for, and the events of counters give the counters.
4. Nothing raises but SocketError, and that only from calls.
5. Every arrival has one verdict; what is dropped is not answered, and what is answered is.
6. States change along TRANSITIONS, and each change begins where the flow's last one ended.
7. What is received is what was sent, from the start and without a gap.
8. Who becomes ready to read, write or accept is among the woken.
"""

from collections import Counter
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tcpemu.stack import Sent, SocketError, State, StateChanged, TimerFired, Verdict
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.records.request import Request
from tcpemu.stack.sockets.message_flags import MSG_FASTOPEN
from tcpemu.testing.bench import FULL, MS, MSS, App, Bench
from tcpemu.wire.options import NOP, SACK_OK, Mss, Timestamps, WScale
from tcpemu.wire.segment import RST, SYN, Segment, address, flags_of

ADDRESSES = "10.0.0.1", "10.0.0.2"
STRANGER = address("10.0.0.9")
PORT = 80
SMALL_BUFFER = (sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 1)
DEFER_ACCEPT = (sockopt.IPPROTO_TCP, sockopt.TCP_DEFER_ACCEPT, 5)
REUSE = (sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR, 1)
TEXT = Random(1).randbytes(300_000)
WAITING = {State.SYN_SENT, State.SYN_RECV, State.FIN_WAIT1, State.CLOSING, State.LAST_ACK, State.TIME_WAIT}
OVERFLOWS = "ACCEPT_QUEUE_FULL", "ACCEPT_QUEUE_FULL_SYN", "COOKIE_ACCEPT_QUEUE_FULL", "ABORT_ON_OVERFLOW"
GOOD_COOKIES = "COOKIE_GOOD", "COOKIE_FLOW_TAKEN"

sides = st.integers(0, 1)
picks = st.integers(0, 10**6)
near = st.sampled_from([*[0] * 12, 1, -1, 2, 100, -100, 1460, 65_535, 10**6, 2**31])


def text(flow, start, size):
    """What an application says on this flow: from its sender to its receiver."""
    start += sum(flow[0]) * 100 + flow[1] + flow[3]
    return TEXT[start % 100_000 :][:size]


class Side(Bench):
    """One host, its sockets, and an account of all that happens to it."""

    def __init__(self, index, **settings):
        super().__init__(ip=ADDRESSES[index], **settings)
        self.apps = []
        self.listeners = []
        self.verdicts, self.reasons, self.sent = Counter(), Counter(), Counter()
        self.last = {}
        self.opened = 0
        self.peak = {}
        self.reopened = 0
        self.told = {}
        """Octets that each application has said and heard."""
        self.heard = {}
        self.ready = {}

    def account(self):
        """Take what has happened into account."""
        events, self.events = self.events, []
        for event in events:
            if isinstance(event, Verdict):
                self.verdicts[event.reason.name] += 1
            elif isinstance(event, Sent):
                self._sent(event)
            elif isinstance(event, StateChanged):
                self._changed(event)
            elif isinstance(event, TimerFired):
                self.reasons[event.reason.name] += 1
        self._counted_events(events)

    def _sent(self, event):
        self.reasons[event.reason.name] += 1
        by_request = event.reason.name in ("SYN_ACK_AGAIN", "SYN_ACK_DUPLICATE", "SYN_ACK_FAST_OPEN_AGAIN")
        by_connection = event.repeat > 0 and not by_request
        self.sent["OutSegs"] += not by_connection and event.reason.name != "SYN_ACK_CROSSED"
        self.sent["OutRsts"] += bool(event.segment.flags & RST)
        self.sent["RetransSegs"] += event.repeat > 0
        self.sent["TCPSynRetrans"] += event.repeat > 0 and bool(event.segment.flags & SYN)

    def _changed(self, event):
        if not event.flow[1]:
            return
        before = self.last.get(event.flow, State.CLOSE)
        of_a_cookie = before is State.CLOSE and event.old is State.SYN_RECV
        assert event.old is before or of_a_cookie, f"{event} after {before.name}"
        self.reopened += event.cause == "a new SYN takes over the flow"
        self.last[event.flow] = event.new

    def _counted_events(self, events):
        for event in events:
            if type(event).__name__ == "Counted":
                self.sent["events of " + event.name] += event.by

    def requests(self):
        return [flow for flow in self.host.tables.host.flows.values() if isinstance(flow, Request)]


class Machine(RuleBasedStateMachine):
    @initialize(
        seed=st.integers(0, 3),
        syncookies=st.sampled_from([0, 1, 1, 2]),
        abort=st.booleans(),
        hz=st.sampled_from([None, None, 250]),
        timestamps=st.booleans(),
        sack=st.booleans(),
        backlogs=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        connections=st.integers(0, 2),
        accepted=st.booleans(),
        fast_open=st.sampled_from([1, 1, 0x403, 0x607]),
    )
    def begin(
        self, seed, syncookies, abort, hz, timestamps, sack, backlogs, connections, accepted, fast_open
    ):
        shared = {"hz": hz, "timestamps": int(timestamps), "sack": int(sack), "syncookies": syncookies}
        shared["fastopen"] = fast_open
        self.sides = [
            Side(index, seed=seed + index, abort_on_overflow=int(abort), **shared) for index in (0, 1)
        ]
        self.wire = []
        self.strangers = []
        self.seen = []
        for side in (0, 1):
            self.listen(side, backlogs[side])
        for side in range(connections):
            self.connect(side, None)
            self.deliver_all_in_order()
            if accepted:
                self.accept(1 - side)

    # --- the wire ---------------------------------------------------------------------------------------------

    def collect(self):
        """Put what was sent on the wire, or before the stranger."""
        for side in self.sides:
            for _, segment in side.taken():
                to = self.strangers if segment.dst == STRANGER else self.wire
                to.append(segment)
                self.seen.append(segment)
            side.account()
            self.check_woken(side)
        del self.seen[:-50]

    def check_woken(self, side):
        woken = set(side.host.woken())
        for app in [*side.apps, *side.listeners]:
            sock = app.sock
            now = (sock.readable, sock.writable)
            before = side.ready.get(app, (False, False))
            assert (
                sock in woken or now <= before or not any(n > b for n, b in zip(now, before, strict=True))
            ), f"{sock.state.name} became ready: {before} {now}"
            side.ready[app] = now

    def give(self, segment):
        side = next((side for side in self.sides if side.host.addresses[0] == segment.dst), None)
        if side is not None:
            side.sent["InSegs"] += 1
            side.give(segment)
        self.collect()

    @precondition(lambda self: self.wire)
    @rule(which=picks)
    def deliver(self, which):
        self.give(self.wire.pop(which % len(self.wire)))

    @precondition(lambda self: self.wire)
    @rule(wait=st.sampled_from([0, 0, 50]))
    def deliver_all_in_order(self, wait=0):
        for _ in range(40):
            if not self.wire:
                break
            self.give(self.wire.pop(0))
        self.wait(wait)

    @precondition(lambda self: self.wire)
    @rule(which=picks)
    def deliver_twice(self, which):
        self.give(self.wire[which % len(self.wire)])

    @precondition(lambda self: self.wire)
    @rule(which=picks)
    def lose(self, which):
        self.wire.pop(which % len(self.wire))

    @rule(wait=st.sampled_from([1, 8, 40, 200, 1000, 3000, 20_000, 61_000]))
    def wait(self, wait):
        until = self.sides[0].now + wait * MS
        for side in self.sides:
            side.run(until)
        self.collect()

    @rule()
    def wait_for_a_timer(self):
        due = [side.host.next_timer() for side in self.sides]
        until = min((at for at in due if at is not None), default=self.sides[0].now)
        for side in self.sides:
            side.run(max(until, side.now))
        self.collect()

    # --- the applications -------------------------------------------------------------------------------------

    def call(self, action, *arguments):
        """A call that may fail as calls do."""
        try:
            return action(*arguments)
        except SocketError as error:
            return error
        finally:
            self.collect()

    @rule(
        side=sides,
        backlog=st.integers(0, 3),
        option=st.sampled_from([None, None, SMALL_BUFFER, DEFER_ACCEPT]),
    )
    def listen(self, side, backlog, option=None):
        bench = self.sides[side]
        if not bench.listeners:
            bench.listeners.append(App(bench))
            self.call(bench.listeners[0].setsockopt, *REUSE)
            bench.listeners[0].bind(PORT)
        if option is not None:
            self.call(bench.listeners[0].setsockopt, *option)
        if not isinstance(self.call(bench.listeners[0].listen, backlog), SocketError):
            for queue in (0, 1):
                bench.peak[queue] = max(bench.peak.get(queue, 0), backlog)

    @rule(side=sides, end=st.sampled_from(["close", "read", "write"]))
    def stop_listening(self, side, end):
        bench = self.sides[side]
        if not bench.listeners:
            return
        if end == "close":
            bench.listeners.pop().close()
        else:
            self.call(bench.listeners[0].shutdown, 0 if end == "read" else 1)
        self.collect()

    @rule(side=sides)
    def accept(self, side):
        bench = self.sides[side]
        if bench.listeners:
            child = self.call(bench.listeners[0].accept)
            if isinstance(child, App):
                bench.apps.append(child)
                bench.ready[child] = (child.sock.readable, child.sock.writable)

    @rule(side=sides, port=st.sampled_from([None, None, 5000, 5001]))
    def connect(self, side, port):
        bench, peer = self.sides[side], ADDRESSES[1 - side]
        app = App(bench)
        if port is not None:
            # The same two ports at both ends: these may cross.
            self.call(app.setsockopt, *REUSE)
            if isinstance(self.call(app.bind, port), SocketError):
                return
        error = self.call(app.connect, PORT if port is None else 10_001 - port, peer)
        assert error.name in ("EINPROGRESS", "EADDRNOTAVAIL", "EINVAL")
        if error.name == "EINPROGRESS":
            bench.opened += 1
            bench.apps.append(app)

    @rule(side=sides, size=st.sampled_from([0, 1, 100, 3000]))
    def connect_with_data(self, side, size):
        """By Fast Open; what goes with the SYN is said."""
        bench, peer = self.sides[side], ADDRESSES[1 - side]
        app = App(bench)
        app.bind()
        flow = (bench.host.addresses[0], app.sock.local[1], address(peer), PORT)
        taken = self.call(app.sendto, text(flow, 0, size), MSG_FASTOPEN, PORT, peer)
        if isinstance(taken, SocketError):
            assert taken.name in ("EINPROGRESS", "EADDRNOTAVAIL")
        else:
            bench.told[app] = taken
        if isinstance(taken, int) or taken.name == "EINPROGRESS":
            bench.opened += 1
            bench.apps.append(app)

    def app(self, side, which):
        apps = self.sides[side].apps
        return apps[which % len(apps)] if apps else None

    @rule(side=sides, which=picks, size=st.sampled_from([0, 1, 10, 1460, 5000]))
    def send(self, side, which, size):
        bench, app = self.sides[side], self.app(side, which)
        if app is not None:
            flow = (*app.sock.local, *app.sock.remote)
            said = bench.told.get(app, 0)
            taken = self.call(app.send, text(flow, said, size))
            if isinstance(taken, int):
                bench.told[app] = said + taken

    @rule(side=sides, which=picks, size=st.sampled_from([0, 1, 100, 10_000]))
    def receive(self, side, which, size):
        bench, app = self.sides[side], self.app(side, which)
        if app is None:
            return
        data = self.call(app.recv, size)
        if not isinstance(data, bytes) or not data or app.sock.remote[0] == STRANGER:
            return
        flow = (*app.sock.remote, *app.sock.local)
        heard = bench.heard.get(app, 0)
        said = [
            told
            for one, told in self.sides[1 - side].told.items()
            if (*one.sock.local, *one.sock.remote) == flow
        ]
        assert data == text(flow, heard, len(data))
        bench.heard[app] = heard + len(data)
        assert bench.heard[app] <= max(said, default=0)

    @rule(side=sides, which=picks, size=st.sampled_from([1, 100, 3000]), waits=st.integers(0, 3))
    def talk(self, side, which, size, waits):
        """Send, let all of it arrive, and have everybody read."""
        self.send(side, which, size)
        for _ in range(waits):
            self.deliver_all_in_order(50)
        for reader in (0, 1):
            for number in range(len(self.sides[reader].apps)):
                self.receive(reader, number, 10_000)

    @rule(side=sides, which=picks, how=st.integers(0, 2))
    def shutdown(self, side, which, how):
        app = self.app(side, which)
        if app is not None:
            self.call(app.shutdown, how)

    @rule(side=sides, which=picks, end=st.sampled_from(["close", "close", "abort"]))
    def close(self, side, which, end):
        app = self.app(side, which)
        if app is not None:
            self.sides[side].apps.remove(app)
            self.call(getattr(app, end))

    # --- the stranger -----------------------------------------------------------------------------------------

    @rule(
        side=sides,
        port=st.integers(1, 4),
        flags=st.sampled_from([*["S"] * 8, "SF", "SA", "A", "R", "RA", "F", "", "PA"]),
        seq=st.sampled_from([0, 1, 5, 2**32 - 1, 2**31]),
        opts=st.sampled_from([(), MSS, FULL, (Mss(100), NOP, WScale(15), SACK_OK), (Timestamps(1, 1),)]),
        size=st.sampled_from([0, 0, 3]),
    )
    def a_stranger_comes(self, side, port, flags, seq, opts, size):
        to = address(ADDRESSES[side])
        data = bytes(size)
        self.give(Segment(STRANGER, port, to, PORT, seq, 7, flags_of(flags), 65535, opts, data))

    @rule(side=sides, count=st.integers(2, 4), flags=st.sampled_from(["A", "PA"]), data=st.booleans())
    def strangers_crowd_in(self, side, count, flags, data):
        """All their SYNs come before their ACKs."""
        before = len(self.strangers)
        for port in range(10, 10 + count):
            self.a_stranger_comes(side, port, "S", 0, (), 0)
        for got in self.strangers[before:]:
            if got.flags == flags_of("SA"):
                self.answer(got, flags, size=int(data))

    @precondition(lambda self: self.strangers)
    @rule(
        which=picks,
        flags=st.sampled_from(["A", "A", "A", "A", "PA", "FA", "FPA", "S", "SA", "R", "RA", "", "F"]),
        seq=near,
        ack=near,
        window=st.sampled_from([1, 500, 65535]),
        size=st.sampled_from([0, 0, 1, 700]),
        stamp=st.sampled_from([None, (101, 0), (50, 0), (2**31, 1)]),
    )
    def a_stranger_answers(self, which, flags, seq, ack, window, size, stamp):
        got = self.strangers[-1 - which % min(len(self.strangers), 5)]
        self.answer(got, flags, seq, ack, window, size, stamp)

    def answer(self, got, flags, seq=0, ack=0, window=65535, size=0, stamp=None):
        """What the stranger says to a segment; his numbers may be wrong."""
        old = next((option for option in got.options if isinstance(option, Timestamps)), None)
        opts = ()
        if stamp is not None:
            opts = (NOP, NOP, Timestamps(stamp[0], (old.val if old else 0) + stamp[1] & 0xFFFFFFFF))
        self.give(
            Segment(
                *(got.dst, got.dport, got.src, got.sport),
                *(got.ack + seq & 0xFFFFFFFF, got.seq + got.length + ack & 0xFFFFFFFF),
                *(flags_of(flags), window, opts, bytes(size)),
            )
        )

    @precondition(lambda self: self.seen)
    @rule(
        which=picks,
        flags=st.sampled_from(["S", "SA", "A", "R", "RA", ""]),
        seq=near,
        ack=near,
        back=st.booleans(),
    )
    def a_stranger_forges(self, which, flags, seq, ack, back):
        """A segment on somebody else's flow. It says nothing: he would be heard."""
        got = self.seen[which % len(self.seen)]
        if STRANGER in (got.src, got.dst):
            return
        if flags in ("S", "SA"):
            seq += 123_456_789
        if back:
            flow, numbers = (got.dst, got.dport, got.src, got.sport), (got.ack, got.seq + got.length)
        else:
            flow, numbers = got[:4], (got.seq, got.ack)
        self.give(
            Segment(
                *flow,
                numbers[0] + seq & 0xFFFFFFFF,
                numbers[1] + ack & 0xFFFFFFFF,
                flags_of(flags),
                60_000,
                (),
            )
        )

    # --- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def queues_hold_one_more_than_the_backlog(self):
        for side in getattr(self, "sides", ()):
            found = side.queues(PORT)
            if found is None:
                # What has been asked of a listener before its end may still be there when it listens again.
                continue
            for queue in (0, 1):
                most = side.peak.get(queue, 0)
                assert found[queue] <= most + 1 + (side.reopened if queue else 0)
                if not found[queue]:
                    side.peak[queue] = found[2]
            if not found[1]:
                side.reopened = 0

    @invariant()
    def queues_are_what_is_in_the_table(self):
        for side in getattr(self, "sides", ()):
            queued, young = Counter(), Counter()
            for request in side.requests():
                queued[request.listener] += 1
                young[request.listener] += not request.timeouts
            for listener in side.host.tables.listeners.get(PORT, []):
                assert (listener.syn_queue, listener.young) == (queued[listener], young[listener])

    @invariant()
    def counters_add_up(self):
        for side in getattr(self, "sides", ()):
            counters, verdicts = side.host.counters, side.verdicts
            overflows = sum(verdicts[name] for name in OVERFLOWS)
            expected = {
                **{
                    name: side.sent[name]
                    for name in ("InSegs", "OutSegs", "OutRsts", "RetransSegs", "TCPSynRetrans")
                },
                "PassiveOpens": sum(
                    verdicts[name] for name in ("HANDSHAKE_DONE", "FAST_OPENED", *GOOD_COOKIES)
                ),
                "ActiveOpens": side.opened,
                "ListenOverflows": overflows,
                "ListenDrops": overflows + verdicts["SYN_QUEUE_FULL"],
                "TCPReqQFullDrop": verdicts["SYN_QUEUE_FULL"],
                "SyncookiesSent": verdicts["SYN_COOKIE"] + verdicts["SYN_COOKIE_ALWAYS"],
                "EmbryonicRsts": sum(
                    verdicts[name] for name in ("REQUEST_RST", "REQUEST_SYN", "ABORT_ON_OVERFLOW")
                ),
                "TCPDeferAcceptDrop": verdicts["DEFER_ACCEPT"],
                "TCPChallengeACK": verdicts["REQUEST_RST_INEXACT"] + side.reasons["CHALLENGE_ACK"],
                "DelayedACKs": side.reasons["DELAYED_ACK"],
                "TCPWinProbe": side.reasons["WINDOW_PROBE"],
                "CurrEstab": sum(
                    row.state in (State.ESTABLISHED, State.CLOSE_WAIT) for row in side.host.sockets()
                ),
            }
            assert {name: counters.get(name, 0) for name in expected} == expected
            # A good cookie may still be refused, for an option that a sysctl forbids.
            taken = sum(verdicts[name] for name in ("COOKIE_ACCEPT_QUEUE_FULL", *GOOD_COOKIES))
            refused = verdicts["LISTENER_ACK"] + verdicts["REQUEST_BAD_ACK"]
            assert taken <= counters.get("SyncookiesRecv", 0) <= taken + refused
            for name, value in counters.items():
                assert value >= 0
                if name not in ("InSegs", "OutSegs"):
                    assert side.sent["events of " + name] == value, name

    def teardown(self):
        """Every request ends, and so does all that waits for an answer: nothing is delivered any more."""
        for side in getattr(self, "sides", ()):
            for _ in range(2000):
                due = side.host.next_timer()
                if due is None:
                    break
                side.run(max(due, side.now))
            side.account()
            assert side.host.next_timer() is None
            assert not side.requests()
            for listener in side.host.tables.listeners.get(PORT, []):
                assert (listener.syn_queue, listener.young) == (0, 0)
            for flow in side.host.tables.host.flows.values():
                # A SYN|ACK with data for a request makes a connection that waits in SYN_RECV, without a timer.
                assert flow.state not in WAITING or (flow.state is State.SYN_RECV and not flow.rtx_queue)
        self.counters_add_up()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=400,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
