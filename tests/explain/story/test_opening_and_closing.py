"""How connections opened without trouble or in the end, and who closed first."""

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.facts.run_digest import digest_of
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.story.opening_and_closing import CLOSES_FIRST, HANDSHAKE, opening_and_closing_notes
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import StateChanged
from tcpemu.stack.base.states import State
from tests.explain.hand_made import Script
from tests.explain.story.stories import FEW, MS, run_of, story, told, turn_of


def test_without_trouble_the_story_is_how_the_connection_opened():
    result = run_of("handshake")
    turns = story(result)
    assert told(turns) == [("HANDSHAKE", 0, 1)]
    assert turns[0].text == (
        "client to server: SYN: server answers with SYN|ACK at 0.005 s; it arrives at 0.01 s, one round trip of "
        "10 ms after the SYN left, and client says ESTABLISHED; the ACK to it arrives at 0.015 s: server says "
        "ESTABLISHED too, and the connection is in the accept queue; accept() takes it out at 0.1 s."
    )
    seen = [(entry.at / MS, entry.event.new.name) for entry in result.record.events(StateChanged)]
    assert [at for at, state in seen if state == "ESTABLISHED"] == [10, 15]
    assert "Nothing was dropped" in lines_text(story_lines(Heading("t"), turns, []))
    short = build.run(load_scenario.runs(load_scenario.load("handshake"))[0], 50 * MS)
    assert "nobody takes it out before the end" in story(short)[0].text


def test_connections_without_trouble_are_summed_up():
    turns = story(run_of("time-server"))
    assert told(turns) == [("HANDSHAKE", 0, 2), ("CLOSES_FIRST", 15, 2)]
    assert turns[0].text.endswith("Then client-2 at 0.2 s.")
    assert "Nothing was dropped" in lines_text(story_lines(Heading("t"), turns, []))


def test_a_put_off_handshake_completes_when_an_ack_finds_room():
    result = run_of("ignored-ack-then-accept")
    done = turn_of(story(result), "PUT_OFF_DONE")
    assert (done.title, done.at, done.times) == ("A put-off handshake completes", 15_116 * MS, 1)
    assert "15.02 s after the first SYN; before: ACK ignored 4 times" in done.text
    assert "late says ESTABLISHED since 0.111 s, server from now on: both ends agree" in done.text
    changes = [entry for entry in result.record.events(StateChanged) if entry.event.new.name == "ESTABLISHED"]
    assert [entry.at / MS for entry in changes if entry.event.flow[0][-1] == 4] == [15_116]
    assert result.record.counters("server")["ListenOverflows"] == 4


def test_data_may_complete_what_a_bare_ack_did_not():
    document = FEW + "[server]\noptions.defer_accept = 5\n[[clients]]\nname = 'one'\n"
    document += "do = ['connect', { wait = '1 s' }, { send = 'hello' }]\n"
    turns = story(build.run(load_scenario.runs(load_scenario.from_text(document))[0]))
    done = turn_of(turns, "PUT_OFF_DONE")
    assert done.text.startswith("Data of one arrives at server")
    assert "before: ACK ignored once" in done.text
    assert "Nothing was dropped" not in lines_text(story_lines(Heading("t"), turns, []))


def test_who_closes_first_keeps_time_wait():
    result = run_of("ignored-ack-then-accept")
    closes = turn_of(story(result), "CLOSES_FIRST")
    assert (closes.title, closes.at, closes.times) == ("server closes first", 10_000 * MS, 3)
    assert "TIME-WAIT stays with server, from 10.01 s for 60 s, until 70.01 s." in closes.text
    assert "2 more times: second at 16 s; late at 17 s." in closes.text
    waits = [row.remote[0][-1] for row in result.network.table(result.network.nodes["server"]) if row.remote]
    assert waits == [2, 3, 4]


def test_a_client_that_closes_first_keeps_time_wait_until_its_timer():
    document = FEW.replace("10 s", "90 s") + "[server]\nthen = 'read_to_end'\n[[clients]]\nname = 'one'\n"
    result = build.run(
        load_scenario.runs(load_scenario.from_text(document + "do = ['connect', 'close']\n"))[0]
    )
    closes = turn_of(story(result), "CLOSES_FIRST")
    over = [entry.at for entry in result.record.events(StateChanged) if entry.event.old.name == "TIME_WAIT"]
    assert closes.title == "one closes first"
    assert f"until {moment(over[0])}." in closes.text


def rules_of(script):
    """What is told of each packet, by its number."""
    rows = rows_of(script.record)
    notes = opening_and_closing_notes(script.record, rows, digest_of(script.record, "server", rows), {})
    return {number: [note.rule for note in some] for number, some in notes.items()}


def test_a_copy_that_is_dropped_is_no_trouble_of_the_handshake():
    script = Script()
    syn_ack = script.syn(0, 40001)
    script.copy_arrives(6 * MS, "server", 1, reasons.SYN_QUEUE_FULL)
    ack = script.syn_ack_arrives(10 * MS, 40001, syn_ack)
    script.arrives(15 * MS, "server", ack, reasons.HANDSHAKE_DONE)
    script.server_state(15 * MS, 40001, State.SYN_RECV, State.ESTABLISHED, packet=ack)
    assert rules_of(script) == {1: [HANDSHAKE]}


def test_where_both_close_at_once_the_first_fin_alone_is_told():
    script = Script()
    first = script.client_sends(0, 40001, "FA", 1, 1, reason=reasons.SENT_FIN)
    second = script.server_sends(1 * MS, 40001, "FA", 1, 1, reason=reasons.SENT_FIN)
    script.arrives(5 * MS, "server", first, reasons.FIN_ARRIVED)
    script.server_state(5 * MS, 40001, State.FIN_WAIT1, State.TIME_WAIT, packet=first)
    script.arrives(6 * MS, "client", second, reasons.FIN_ARRIVED)
    script.client_state(6 * MS, 40001, State.FIN_WAIT1, State.TIME_WAIT, packet=second)
    assert rules_of(script) == {first: [CLOSES_FIRST]}
