"""A run in short: who its clients are, when SYN|ACKs were sent again, and RSTs."""

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.facts.run_digest import SentReset, digest_of
from tcpemu.network.record import Call, Record
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tcpemu.stack.base.states import State
from tests.explain.hand_made import CLIENT, MS, SECOND, Script, ignored_ack


def of(record: Record):
    return digest_of(record, "server")


def names(digest):
    return {end: [name for _, name in had] for end, had in digest.names.items()}


def test_the_story_of_the_ignored_ack():
    digest = of(ignored_ack())
    assert digest.syn_ack_repeats == {(CLIENT, 40001): (), (CLIENT, 40002): (1 * SECOND,)}
    assert digest.resets == (SentReset(4005 * MS, "server", "client", "data"),)
    assert names(digest) == {(CLIENT, 40001): ["client"], (CLIENT, 40002): ["client"]}


def test_rows_that_are_there_already_give_the_same_story():
    record = ignored_ack()
    assert digest_of(record, "server", rows_of(record)) == of(record)


def test_a_client_that_connects_while_another_repeats_its_syn_has_its_own_name_alone():
    crowd = '{ name = "c", count = 3, start = { every = "1 s" } }'
    text = f'title = "t"\nclients = [{crowd}]\nserver = {{ backlog = 0, accept = {{ never = true }} }}'
    (result,) = build.run_all(load_scenario.from_text(text))
    assert list(names(of(result.record)).values()) == [["c-1"], ["c-2"], ["c-3"]]


def test_a_port_that_is_had_again_has_the_name_of_its_time():
    ports = "sysctls = { 'net.ipv4.ip_local_port_range' = '40000 40000' }"
    text = f"title = 't'\n[server]\nthen = 'close'\n[[clients]]\nname = 'c'\n{ports}\n"
    text += "start = { at = ['0 s', '4 s'] }\ndo = ['connect', 'read_to_end', 'close']"
    (result,) = build.run_all(load_scenario.from_text(text))
    digest = of(result.record)
    assert list(names(digest).values()) == [["c-1", "c-2"]]
    assert {digest.client_of(row) for row in digest.rows if row.at < 4 * SECOND} == {"c-1"}
    assert {digest.client_of(row) for row in digest.rows if row.at >= 4 * SECOND} == {"c-2"}


def test_a_copy_of_a_syn_ack_is_not_one_that_was_sent_again():
    script = Script()
    syn_ack = script.syn(0, 40001)
    script.arrives(10 * MS, "client", syn_ack, reasons.CONNECTED)
    script.copy_arrives(12 * MS, "client", syn_ack, reasons.CHALLENGE_SYN)
    assert of(script.record).syn_ack_repeats == {(CLIENT, 40001): ()}


def test_a_copy_of_a_rst_is_not_a_rst_that_was_sent():
    script = Script()
    reset = script.server_sends(0, 40001, "R", 1, reason=reasons.SENT_RST)
    script.arrives(5 * MS, "client", reset, reasons.RESET)
    script.copy_arrives(6 * MS, "client", reset, reasons.RESET)
    assert of(script.record).resets == (SentReset(0, "server", "client:40001", ""),)


def test_a_call_from_outside_of_any_application_gives_its_host_as_the_name():
    script = Script()
    script.record.add(Call(0, "client", "", "connect(10.0.0.1:80)", "waits"))
    script.client_state(0, 40001, State.CLOSE, State.SYN_SENT)
    assert names(of(script.record)) == {(CLIENT, 40001): ["client"]}


def test_a_connection_that_no_call_opened_has_no_name():
    script = Script()
    script.client_state(0, 40001, State.CLOSE, State.SYN_SENT)
    assert of(script.record).names == {}


def test_a_syn_ack_of_the_client_is_none_that_came_again():
    """Both ends open at once: each sends a SYN|ACK."""
    script = Script()
    script.server_sends(0, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_CROSSED)
    script.client_sends(0, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_CROSSED)
    assert of(script.record).syn_ack_repeats == {(CLIENT, 40001): ()}


def test_who_is_on_no_host_is_called_by_the_address():
    script = Script()
    script.server_sends(0, 40001, "R", 1, reason=reasons.SENT_RST)
    assert of(script.record).resets == (SentReset(0, "server", "10.0.0.2:40001", ""),)
