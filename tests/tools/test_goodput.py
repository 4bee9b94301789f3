"""The goodput tool: data arrives intact at a rate that its path allows, and the kernel's stands beside it."""

import sys
from pathlib import Path as File

import pytest

sys.path.insert(0, str(File(__file__).parents[2] / "tools"))

import _goodput_kernel as kernel
import goodput
from _goodput_ours import Path, Transfer, transfer

from tcpemu.network import MILLISECOND

PATH = Path(loss=0.01, delay=25 * MILLISECOND, rate=20_000_000, queue=100, mark=20)
OCTETS = 300_000


@pytest.mark.parametrize("sack", [True, False])
@pytest.mark.parametrize("control", ["reno", "cubic", "bbr", "dctcp"])
def test_data_gets_through_a_path_that_loses_packets(control, sack):
    done = transfer(PATH, control, sack, 1, OCTETS)
    assert done.intact
    assert 0.5 < done.goodput(OCTETS) < 20


def test_the_same_seed_loses_the_same_packets():
    assert transfer(PATH, "reno", True, 3, 50_000) == transfer(PATH, "reno", True, 3, 50_000)


def test_the_kernel_does_the_same_transfers():
    if missing := kernel.why_not():
        pytest.skip(missing)
    controls = sorted({"reno", "cubic"} & kernel.controls_here())
    rows = goodput.compare(PATH, controls, 2, OCTETS, asks_kernel=True, progress=False)
    assert [len(row.kernel) for row in rows] == [2] * 2 * len(controls)
    assert all(each.intact for row in rows for each in (*row.ours, *row.kernel))


def test_the_relay_loses_what_the_emulated_link_loses():
    from tcpemu.network.seeds import stream

    ways = [kernel.Way(PATH, stream(7, "link", "client", "server", 1, "loss")) for _ in range(2)]
    first, second = ([way.arrives(1500, at * MILLISECOND) for at in range(1000)] for way in ways)
    assert first == second
    assert 2 <= first.count(None) <= 25
    assert first[0] == 25 * MILLISECOND + 1500 * 8 * 50


def test_a_row_falls_short_by_its_data_or_its_ratio():
    good, slow, spoilt = Transfer(1.0, True), Transfer(1.2, True), Transfer(1.0, False)
    assert not goodput.Row("reno", True, [good], [good]).falls_short(OCTETS)
    assert not goodput.Row("reno", True, [good]).falls_short(OCTETS)
    assert goodput.Row("reno", True, [slow], [good]).falls_short(OCTETS)
    unsteady = [Transfer(0.6, True), Transfer(1.8, True)]
    assert not goodput.Row("reno", True, unsteady, [good, good]).falls_short(OCTETS)
    assert goodput.Row("reno", True, [slow, slow], [good, good]).falls_short(OCTETS)
    assert goodput.Row("reno", True, [spoilt], [good]).falls_short(OCTETS)
    assert goodput.Row("reno", True, [spoilt]).line(OCTETS).endswith("the data is not intact")


def test_without_the_kernel_it_prints_what_the_emulator_does(capsys):
    asked = ["--octets", "50000", "--seeds", "1", "--control", "reno", "--without-kernel"]
    assert goodput.main(asked) == 0
    out, err = capsys.readouterr()
    assert "reno     SACK" in out
    assert "the kernel is left out: as asked" in err


@pytest.mark.parametrize("wrong", [["--loss", "1"], ["--octets", "0"], ["--control", "vegas"]])
def test_a_mistake_is_told(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        goodput.main(wrong)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err
