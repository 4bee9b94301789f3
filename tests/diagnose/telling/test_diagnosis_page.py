import base64
import json
import re
import zlib
from pathlib import Path

import pytest

from tcpemu.diagnose.telling.diagnosis_page import diagnosis_page
from tests.diagnose.captured import explained
from tests.real_browser import needs_chromium, open_browser

PCAPS = Path(__file__).parents[3] / "pcaps"


@pytest.fixture(scope="module")
def page():
    return diagnosis_page(*explained(PCAPS / "ignored-ack.pcapng"))


def data_of(page):
    packed = re.search(r'id="run-0">([^<]*)<', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_it_has_both_servers_with_the_clients_between_them(page):
    data = data_of(page)
    assert [host["name"] for host in data["hosts"]] == ["captured", "clients", "linux-6.18"]
    syn_ack = data["scenes"][1]
    captured, emulated = (data["packets"][number] for number in syn_ack["sent"])
    assert (captured["sender"], captured["receiver"], captured["what"]) == (0, 1, "captured")
    assert (emulated["sender"], emulated["receiver"], emulated["what"]) == (2, 1, "emulated")
    assert "tcp_v4_send_synack" in emulated["comment"] or "[" in emulated["comment"]
    assert syn_ack["says"] == "Frame 2 of flow 1: SYN|ACK of the server: both send it"


def test_each_drop_repeat_silence_and_reset_has_its_rule(page):
    data = data_of(page)
    turns = {turn["title"]: turn for turn in data["story"]}
    drop = next(turn for title, turn in turns.items() if "the accept queue is full" in title)
    assert drop["title"].startswith("likely: frame 9")
    assert "[tcp_minisocks.c: tcp_check_req; ListenOverflows, ListenDrops]" in drop["text"]
    assert "nstat -az TcpExtListenOverflows" in drop["decides"]
    assert "reqsk_timer_handler" in turns["flow 3: SYN|ACK again, 5 times"]["text"]
    assert "Nothing is sent" in turns["silence: given up"]["text"]
    assert "tcp_v4_send_reset" in next(
        turn["text"] for title, turn in turns.items() if "the RST answers" in title
    )
    assert any(text.startswith("likely: backlog is 1") for text in data["clients"])


@needs_chromium
def test_it_shows_both_in_a_browser_wide_and_narrow(page, tmp_path):
    path = tmp_path / "x.html"
    path.write_text(page)
    wrong = []
    with open_browser() as browser:
        for width in (1280, 390):
            shown = browser.new_page(viewport={"width": width, "height": 900})
            shown.on("pageerror", lambda error: wrong.append(str(error)))
            shown.goto(path.as_uri() + "#event=9")
            shown.wait_for_selector("body[data-ready]")
            assert shown.locator("#drawing .frame").first.text_content() == "1"
            assert shown.locator("#story h2").text_content() == "What is claimed, and how sure that is"
            assert "the accept queue is full" in shown.locator("#scene .verdict").text_content()
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert not wrong
