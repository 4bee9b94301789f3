"""Counters, as nstat prints them."""

from tcpemu.explain.lines.style import lines_text, plain
from tcpemu.explain.tables.counter_table import counter_lines, counters_in_short


def test_counters_with_what_they_count_and_the_bulk_last():
    counters = {"InSegs": 1234, "ListenDrops": 4, "ListenOverflows": 4, "OutRsts": 0, "RetransSegs": 5}
    assert lines_text(counter_lines(counters)) == (
        "  TcpExt  ListenDrops          4  a listener dropped a SYN or a final ACK, for any reason\n"
        "  TcpExt  ListenOverflows      4  the accept queue was full: a SYN or a final ACK was ignored\n"
        "  Tcp     RetransSegs          5  segments retransmitted\n"
        "  Tcp     InSegs           1,234  segments that arrived\n"
    )


def test_a_counter_line_is_cut_to_the_width_and_unknown_names_have_no_words():
    lines = [plain(line) for line in counter_lines({"ListenDrops": 1, "TCPNewThing": 1}, 50)]
    assert lines == [
        "  TcpExt  ListenDrops  1  a listener dropped a SY…",
        "  TcpExt  TCPNewThing  1",
    ]


def test_counters_in_short_leave_out_the_bulk():
    counters = {"ActiveOpens": 1, "InSegs": 3, "TCPSYNChallenge": 5}
    assert lines_text(counters_in_short("late", counters)) == "  late: ActiveOpens 1, TCPSYNChallenge 5\n"
    assert counters_in_short("late", {"InSegs": 3}) == []
    long = counters_in_short("late", {f"TCPCounter{number}": 10 for number in range(10)}, 60)
    assert max(len(plain(line)) for line in long) <= 60
    assert all("TCPCounter" not in plain(line)[-11:] for line in long)  # a name and its value stay together
