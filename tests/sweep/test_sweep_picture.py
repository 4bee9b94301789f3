"""What is in the pictures of a sweep."""

from tcpemu.sweep import sweep
from tcpemu.sweep.sweep_picture import sweep_picture

VARY = {"server.backlog": [1, 2, 16], "clients.rate": [100, 700]}


def curves(picture):
    return [
        [(curve.label, bool(curve.points)) for curve in panel.curves] for panel in picture.blocks[0].panels
    ]


def test_a_curve_that_is_never_keeps_its_place(crowd):
    # So those behind it have the same colour in each panel, and the key of the first is right for all.
    found = sweep(crowd, VARY, measure=["first_octet_time.p99", "served"])
    few = sweep(crowd, {**VARY, "server.backlog": [1, 2]}, measure=["first_octet_time.p99", "served"])
    assert curves(sweep_picture(found, "x", "lines")) == [[("rate=100", True), ("rate=700", True)]] * 2
    assert curves(sweep_picture(few, "x", "lines"))[0] == [("rate=100", True), ("rate=700", False)]


def test_a_distribution_says_what_never_came(crowd):
    found = sweep(crowd, {"server.backlog": [1, 16]}, measure=["first_octet_time.p99"], seeds=3)
    picture = sweep_picture(found, "x", "distribution")
    assert curves(picture) == [[("backlog=1: never", False), ("backlog=16", True)]]
    assert "ends below 1" in picture.note


def test_measures_that_have_no_room_are_told(crowd, monkeypatch):
    monkeypatch.setattr("tcpemu.sweep.sweep_picture.MOST_PANELS", 4)
    measure = ["served", "connected", "clients", "accepted", "drops"]
    found = sweep(crowd, {"server.backlog": [1, 16]}, measure=measure)
    assert "not drawn, beyond 4 measures: drops" in sweep_picture(found, "x", None).note
