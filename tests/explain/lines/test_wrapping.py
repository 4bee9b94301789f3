"""How text is broken to a width."""

from tcpemu.explain.lines.style import plain
from tcpemu.explain.lines.wrapping import JOINED, hanging, joined


def test_a_hanging_paragraph():
    assert [plain(line) for line in hanging("  *", "some words after 1.5 s", 4, 20)] == [
        "  * some words after",
        "    1.5 s",
    ]


def test_a_time_stays_in_one_piece():
    assert joined("after 5 ms, 2 SYNs and 1 s") == f"after 5{JOINED}ms, 2 SYNs and 1{JOINED}s"
