"""What a record has of each sender of data."""

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.phases.flow_history import histories_of
from tests.explain.phases.followed import followed_run


def test_a_sender_has_its_losses_repeats_and_answers():
    result = followed_run("fast-retransmit")
    found = histories_of(result.record, rows_of(result.record), result.network.transfers, result.ended)
    ((here, history),) = found.items()
    assert here[0] == "client"
    assert history.peer == "server"
    assert list(history.lost.values()) == ["dropped by rule: the 10th packet with data"]
    (repeat,) = history.repeats
    assert repeat.seq in history.lost_seqs
    assert len(history.kept) == 18
    assert len(history.duplicates) == 4
    assert history.first_data == 40_000_000


def test_each_change_of_figures_has_the_step_that_made_it():
    result = followed_run("fast-retransmit")
    ((_, history),) = histories_of(
        result.record, rows_of(result.record), result.network.transfers, result.ended
    ).items()
    (begins,) = [mark for mark in history.marks.values() if "TCPSackRecovery" in mark.counted]
    assert begins.at == 120_000_000
    assert not begins.by_timer
    arrived = next(seen for seen in result.record.packets() if seen.number == begins.number)
    assert arrived.segment.options  # the ACK with the SACK


def test_a_host_that_only_answers_is_no_sender_of_data():
    result = followed_run("slow-start")
    found = histories_of(result.record, rows_of(result.record), result.network.transfers, result.ended)
    assert [node for node, _ in found] == ["client"]
