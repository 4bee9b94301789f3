"""The page in a real browser: it opens, steps, and says what is true."""

import re
import time

import pytest

from tcpemu.cli.report_command import write_report
from tcpemu.explain.tables.socket_table import socket_lines
from tcpemu.network import Node
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tests.explain.report.test_report_data import CLOSED
from tests.real_browser import needs_chromium, open_browser

pytestmark = needs_chromium

KEPT = """
title = "A connection that is accepted, and kept"
duration = "3 s"
[server]
backlog = 3
accept = { at = ["1 s"] }
then = "read_to_end"
[[clients]]
name = "pair"
count = 2
do = ["connect", { wait = "1500 ms" }, { send = "hello" }]
"""
FLOOD = """
title = "A flood of 10,000 SYNs"
duration = "6 s"
[server]
backlog = 8
[[clients]]
name = "flood"
start = { rate = 2000, until = "5 s" }
do = ["syn"]
spoof = "198.18.0.0/16"
[[clients]]
name = "honest"
start = "1 s"
[[variants]]
name = "cookies off"
set.net.ipv4.tcp_syncookies = 0
[[variants]]
name = "cookies on"
set.net.ipv4.tcp_syncookies = 1
"""


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The path of the report of a scenario, made once."""
    made = {}
    folder = tmp_path_factory.mktemp("reports")

    def report(name, **settings):
        key = name, tuple(settings.items())
        if key not in made:
            made[key] = folder / f"{len(made)}.html"
            write_report(name, made[key], settings, None, None)
        return made[key]

    return report


@pytest.fixture
def open_page(browser, reports):
    """Opens a report. What goes wrong in it, or wants the network, fails the test."""
    wrong, contexts = [], []

    def opened(name, viewport=(1300, 900), hash="", settings=None, **options):
        width, height = viewport
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if request.url[:5] != "file:" else None)
        page.goto(reports(name, **(settings or {})).as_uri() + hash)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def queue(page, which):
    """Length and limit of a queue of the first listener, as the page draws it, and how many slots are filled."""
    row = page.locator(f"[data-queue={which}]").first
    filled = row.locator(".slot.filled").count()
    limit = row.get_attribute("data-limit")
    assert row.locator(".slot").count() == max(int(limit), filled)
    assert int(row.get_attribute("data-length")) == filled
    return filled, int(limit)


def at(page):
    """The moment that is shown, in nanoseconds."""
    return round(float(page.locator("#clock").inner_text().split(" s")[0]) * 10**9)


def event(page):
    return int(page.evaluate("app.chosen"))


def go_to(page, time):
    """To the last event that is not after that time, by the keyboard, as people do."""
    page.keyboard.press("Home")
    last = page.evaluate("time => app.run.scenes.filter((scene) => scene.at <= time).length - 1", time)
    for key, by in (("PageDown", 10), ("ArrowRight", 1)):
        while event(page) + by <= last:
            page.keyboard.press(key)
    assert event(page) == last


def sockets_of(page, host):
    """The table of a host's sockets, as text."""
    rows = page.locator(f"#sockets [data-host={host}] tr").all()[1:]
    return [" ".join(cell.inner_text() for cell in row.locator("td").all()) for row in rows]


def standing(name, run, time, host="server"):
    """The same as `tcpemu state` has it: another run, up to that moment."""
    result = build.run(load_scenario.runs(load_scenario.load(name))[run], time)
    node = result.network.nodes[host]
    assert isinstance(node, Node)
    words = [
        "".join(span.text for span in line).split() for line in socket_lines(result.network.table(node))[1:]
    ]
    sockets = [" ".join(each) for each in words]
    counters = {key: by for key, by in result.network.counters(node).items() if by}
    port = result.scenario.server.port
    return sockets, counters, result.record.queue_lengths(host, port)[-1]


MS = 10**6
MOMENTS = [
    *(("ignored-ack", 0, at * MS) for at in (0, 105, 116, 31_200, 63_200)),
    *(("syn-flood", run, at * MS) for run in (0, 1) for at in (20, 200, 1_006, 3_000, 5_900)),
]


@pytest.mark.parametrize(("name", "run", "time"), MOMENTS)
def test_queues_sockets_and_counters_at_five_moments_are_those_of_state(open_page, name, run, time):
    page = open_page(name, hash=f"#run={run + 1}")
    page.wait_for_selector(f"body[data-ready='{run}']")
    go_to(page, time)
    sockets, counters, lengths = standing(name, run, time)
    assert queue(page, "accept")[0] == lengths.accept
    assert queue(page, "syn")[0] == lengths.syn
    assert sorted(sockets_of(page, "server")) == sorted(sockets)
    shown = {}
    for row in page.locator("#counters > div[data-host=server] tr").all()[1:]:
        cells = [cell.inner_text() for cell in row.locator("td").all()]
        shown[cells[0]] = int(cells[1].replace(",", ""))
    assert shown == counters


def test_slots_fill_with_the_clients_that_wait(open_page):
    page = open_page("ignored-ack")
    assert queue(page, "accept") == (0, 2)
    go_to(page, 116 * MS)
    assert queue(page, "accept") == (2, 2)
    assert page.locator("[data-queue=accept] .slot").all_inner_texts() == ["first", "second"]
    assert page.locator("[data-queue=syn] .slot.filled").all_inner_texts() == ["late"]
    assert page.locator("[data-queue=accept] .full").count() == 1
    assert page.locator("[data-queue=syn] .full").count() == 0
    assert "and is ignored" in page.locator("#scene").inner_text()
    packet = page.locator("#packets .card").inner_text()
    assert "the accept queue is full" in packet
    assert "tcp_check_req" in packet
    assert "ListenOverflows +1" in packet


def test_what_a_host_makes_of_a_packet_stands_beside_its_line(open_page):
    page = open_page("syn-flood", hash="#run=2")
    page.wait_for_selector("body[data-ready='1']")
    go_to(page, 1_006 * MS)
    tags = page.locator("#drawing .tag").all_text_contents()
    assert {"cookie", "SYN-SENT"} <= set(tags)
    page = open_page("ignored-ack")
    go_to(page, 1_112 * MS)
    tags = page.locator("#drawing .tag").all_text_contents()
    assert {"LISTEN", "SYN-RECV", "ESTAB", "ignored", "challenge ACK", "connect() done"} <= set(tags)
    beside = page.locator("#drawing text", has_text="ignored").all_text_contents()
    assert set(beside) == {"ignored  accept 2/1 syn 1/1"}  # told although they did not change
    page.keyboard.press("End")
    assert "recv(65536) of late fails with ECONNRESET" in page.locator("#scene").inner_text()
    page.locator("#background summary").click()
    assert "never calls accept()" in page.locator("#about-text").inner_text()


def test_a_narrow_window_keeps_the_times_in_sight(open_page):
    page = open_page("abort-on-overflow", (390, 844))
    page.locator("#ladder").evaluate("box => { box.scrollLeft = 150 }")
    page.wait_for_timeout(100)
    first = page.locator("#drawing .when").first.bounding_box()
    assert 0 <= first["x"] <= first["x"] + first["width"] <= 80


def names_in(page, which):
    return page.locator(f"[data-queue={which}] .slot.filled").all_inner_texts()


def test_accept_takes_the_first_out_of_the_queue(open_page):
    page = open_page("ignored-ack-then-accept")
    waiting = {}
    for seconds in (9, 11, 15.5, 16.5):
        go_to(page, round(seconds * 1000) * MS)
        waiting[seconds] = names_in(page, "accept")
    assert waiting == {9: ["first", "second"], 11: ["second"], 15.5: ["second", "late"], 16.5: ["late"]}


def test_what_accept_gave_is_not_in_the_queue_though_it_lives_on(open_page, tmp_path):
    file = tmp_path / "kept.toml"
    file.write_text(KEPT)
    page = open_page(str(file))
    page.evaluate("Replay.STRIDE = 3")
    for _ in range(2):  # the second time from where it was before
        go_to(page, 900 * MS)
        first, second = names_in(page, "accept")
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        assert names_in(page, "accept") == [second]
        assert sum("ESTAB" in row for row in sockets_of(page, "server")) == 2
        assert first != second


def test_a_listener_that_is_closed_has_no_queues(open_page, tmp_path):
    file = tmp_path / "closed.toml"
    file.write_text(CLOSED)
    page = open_page(str(file))
    go_to(page, 1_900 * MS)
    assert queue(page, "accept") == (3, 3)
    go_to(page, 2_100 * MS)
    assert page.locator("[data-queue]").count() == 0


def test_a_copy_begins_where_the_packet_was_sent(open_page):
    page = open_page("handshake", settings={"link.duplicate": 1})
    copies = page.evaluate(
        "app.run.packets.flatMap((packet, n) => packet.copy_of === undefined ? [] : [[n, packet]])"
    )
    assert copies
    for number, packet in copies:
        page.evaluate("number => app.go(app.ladder.to[number])", number)
        line = page.locator(f"#drawing g.arrow[data-packet='{number}'] line")
        begins = page.evaluate(
            "([n, m]) => [app.ladder.xs[n], app.ladder.ys[app.ladder.from[m]]]",
            [packet["sender"], packet["copy_of"]],
        )
        assert [float(line.get_attribute(name)) for name in ("x1", "y1")] == begins


def test_runs_that_are_chosen_quickly_end_with_the_last_choice(open_page):
    page = open_page("listen-1-vs-5")
    page.evaluate("async () => { const slow = app.open(1); await app.open(0); await slow; }")
    assert page.evaluate("[app.number, app.run.name, location.hash.slice(0, 6)]") == [
        0,
        "listen(1)",
        "#run=1",
    ]
    assert page.locator("#runs").input_value() == "0"


def test_a_kernel_with_one_queue_shows_one(open_page):
    page = open_page("ignored-ack", settings={"server.generation": "linux-2.0", "look_at": ""})
    go_to(page, 7 * MS)
    assert queue(page, "both") == (1, 1)
    assert page.locator("[data-queue]").count() == 1
    assert page.locator("[data-queue=both] .slot.half").all_inner_texts() == ["first"]


def test_keys_step_forward_and_back_and_from_turn_to_turn(open_page):
    page = open_page("ignored-ack")
    moved = []
    for key in (
        "ArrowRight",
        "j",
        "ArrowDown",
        "ArrowLeft",
        "k",
        "PageDown",
        "PageUp",
        "End",
        "ArrowRight",
        "Home",
    ):
        page.keyboard.press(key)
        moved.append(event(page))
    last = page.evaluate("app.run.scenes.length") - 1
    assert moved == [1, 2, 3, 2, 1, 11, 1, last, last, 0]
    times = []
    for _ in range(3):
        page.keyboard.press("n")
        times.append(at(page))
    assert times == [115 * MS, 116 * MS, 1106 * MS]
    page.keyboard.press("p")
    assert at(page) == 116 * MS
    assert (
        "late's final ACK" in page.locator("#turn").inner_text()
        or "ignored" in page.locator("#turn").inner_text()
    )
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()


def test_back_and_forth_gives_the_same_as_straight(open_page):
    page = open_page("syn-flood")
    page.evaluate("Replay.STRIDE = 7")
    texts = {}
    for number in (3, 50, 200, 120, 50, 3):
        page.evaluate("number => app.go(number)", number)
        text = page.locator("#panel").inner_text()
        assert texts.setdefault(number, text) == text
    assert len(set(texts.values())) == len(texts)


def test_the_time_line_can_be_dragged(open_page):
    page = open_page("ignored-ack")
    box = page.locator("#timeline").bounding_box()
    middle = box["y"] + box["height"] / 2
    edge = page.evaluate("EDGE")

    def x(seconds):
        ended = page.evaluate("app.run.ended") / 10**9
        return box["x"] + edge + (box["width"] - 2 * edge) * seconds / ended

    page.mouse.move(x(10), middle)
    page.mouse.down()
    assert 7 * 10**9 < at(page) < 16 * 10**9
    page.mouse.move(x(31.3), middle, steps=5)
    page.mouse.up()
    assert 31 * 10**9 < at(page) < 32 * 10**9
    page.mouse.move(x(1), middle)
    assert at(page) > 31 * 10**9  # nothing moves without a button
    page.locator("#even").check()
    page.keyboard.press("End")  # the box has the focus, the keys still work
    assert event(page) == page.evaluate("app.run.scenes.length") - 1
    page.mouse.click(box["x"] + edge + 1, middle)
    assert event(page) == 0


def test_an_arrow_can_be_chosen_and_a_row(open_page):
    page = open_page("handshake")
    page.locator("#drawing g.arrow[data-packet='1']").click(force=True)
    assert "SYN|ACK" in page.locator("#scene").inner_text()
    assert page.locator("#drawing g.arrow").count() == 3
    assert page.locator("text.words").first.text_content() == "SYN seq 0 win 64240"


def test_what_is_lost_breaks_off(open_page):
    page = open_page("handshake", settings={"link.loss": 1})
    page.keyboard.press("ArrowRight")
    assert page.locator("#drawing g.gone .cross").count() == page.evaluate("app.run.packets.length") > 0
    assert page.locator("#drawing g.gone path").count() == 0
    assert "lost" in page.locator("#packets").inner_text()


def test_another_run_can_be_chosen_and_a_link_leads_to_a_moment(open_page):
    page = open_page("listen-1-vs-5")
    page.keyboard.press("End")
    assert queue(page, "accept") == (2, 2)
    page.locator("#runs").select_option(label="listen(5)")
    page.wait_for_selector("body[data-ready='1']")
    page.keyboard.press("End")  # without a click in between
    assert queue(page, "accept") == (6, 6)
    there = page.evaluate("location.hash")
    again = open_page("listen-1-vs-5", hash=there)
    again.wait_for_selector("body[data-ready='1']")
    assert event(again) == event(page) > 0
    for nonsense in ("#run=99&event=77777", "#run=-1&event=x", "#%"):
        assert open_page("listen-1-vs-5", hash=nonsense).locator("#clock").inner_text()


@pytest.mark.parametrize("viewport", [(1600, 1000), (1000, 700), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_window_and_words_can_be_read(open_page, viewport, scheme):
    page = open_page("ignored-ack", viewport, color_scheme=scheme)
    go_to(page, 116 * MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport[0]
    dot = page.locator("circle.chosen").bounding_box()
    assert 0 <= dot["x"] <= viewport[0]
    for selector in (
        "#scene h2",
        ".quiet",
        ".full",
        ".slot.filled",
        "#facts",
        "td.meaning",
        ".when.same",
        ".tag",
    ):
        assert contrast(page, selector) >= 4.5, selector
    page.keyboard.press("t")
    assert contrast(page, "#scene h2") >= 4.5
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light == (scheme == "dark")


CONTRAST = """
node => {
  const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  let box = node;
  while (box && numbers(getComputedStyle(box).backgroundColor)[3] === 0) box = box.parentElement;
  const back = luminance(numbers(getComputedStyle(box ?? document.body).backgroundColor));
  const style = getComputedStyle(node);
  const front = luminance(numbers(node instanceof SVGElement ? style.fill : style.color));
  return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
}
"""


def contrast(page, selector):
    """Of a text against what is behind it, as WCAG 2 measures it; 4.5 is its level AA."""
    return page.locator(selector).first.evaluate(CONTRAST)


STROKES = """
() => Object.fromEntries([...document.querySelectorAll("#legend g.arrow")].map((arrow) => {
  const { strokeWidth, strokeDasharray } = getComputedStyle(arrow.querySelector("line"));
  return [arrow.getAttribute("class"), `${strokeWidth} ${strokeDasharray}`];
}))
"""


def test_colours_do_not_speak_alone(open_page):
    """Whoever sees no colours, or prints, tells the kinds of arrows by their strokes."""
    page = open_page("ignored-ack")
    strokes = page.evaluate(STROKES)
    assert len(strokes) == 6
    assert len(set(strokes.values())) == 6


def quickest(open_page, name, tries=4):
    """The page, and the seconds that it took to open at best: on a busy machine once is no measure."""
    times = []
    while len(times) < tries and min(times, default=9) >= 2:
        began = time.monotonic()
        page = open_page(name)
        times.append(time.monotonic() - began)
    return page, min(times)


def test_why_a_backlog_is_not_the_one_asked_for(open_page):
    page = open_page("handshake", settings={"net.core.somaxconn": 2})
    assert "asked for 5, gets 2" in page.locator("#scene").inner_text()


def test_a_flood_of_ten_thousand_syns_opens_at_once(open_page, reports, tmp_path):
    file = tmp_path / "flood.toml"
    file.write_text(FLOOD)
    path = reports(str(file))
    assert path.stat().st_size < 5_000_000
    page, took = quickest(open_page, str(file))
    assert took < 2
    assert page.evaluate("app.run.packets.length") > 10_000
    began = time.monotonic()
    page.keyboard.press("End")
    assert at(page) > 4.9 * 10**9
    page.keyboard.press("ArrowLeft")
    assert page.locator("#drawing g.arrow").count() < 1_500  # what cannot be seen is not drawn
    page.evaluate("document.getElementById('ladder').scrollTop = 100000")
    page.wait_for_function("parseFloat(document.getElementById('drawing').style.top) > 90000")
    assert time.monotonic() - began < 5
    page.locator("#runs").select_option(label="cookies on")
    page.wait_for_selector("body[data-ready='1']", timeout=4_000)
    assert page.evaluate("app.run.packets.length") > 20_000


def test_what_a_scenario_says_cannot_become_a_script(open_page, tmp_path):
    file = tmp_path / "evil.toml"
    text = FLOOD.replace("A flood of 10,000 SYNs", "</script><script>alert(1)</script>{{js}}")
    file.write_text(
        re.sub(r'rate = 2000, until = "5 s"', 'every = "1 s"', text).replace("do = [", "count = 2\ndo = [")
    )
    page = open_page(str(file))
    assert "</script><script>alert(1)</script>{{js}}" in page.locator("h1").inner_text()
    assert page.locator("script").count() == 4


TRANSFER = """
title = "An upload with losses"
duration = "20 s"
seed = 7
link = { delay = "20 ms", rate = "10 Mbit/s", loss = "1 %" }
server = { backlog = 5, then = "read_to_end" }
clients = [{ name = "up", do = ["connect", { send = 100000 }, "close"] }]
"""


@pytest.fixture(scope="module")
def transfer(tmp_path_factory):
    path = tmp_path_factory.mktemp("transfer") / "transfer.toml"
    path.write_text(TRANSFER)
    return str(path)


NEAREST = """
() => {
  const along = (text) => {
    const box = text.getBBox();
    const matrix = text.getScreenCTM();
    const middle = box.y + box.height / 2;
    const steps = Math.ceil(box.width / 5);
    const place = (n) => new DOMPoint(box.x + (box.width * n) / steps, middle).matrixTransform(matrix);
    return Array.from({ length: steps + 1 }, (_, n) => place(n));
  };
  const words = [...document.querySelectorAll("#drawing text.words")].map(along);
  let nearest = Infinity;
  words.forEach((one, n) => words.slice(n + 1).forEach((other) => one.forEach((p) => other.forEach((q) => {
    nearest = Math.min(nearest, Math.hypot(p.x - q.x, p.y - q.y));
  }))));
  return [words.length, nearest];
}
"""


@pytest.mark.parametrize("viewport", [(1280, 900), (390, 844)])
def test_no_words_stand_upon_others(open_page, transfer, viewport):
    page = open_page(transfer, viewport)
    for _ in range(4):
        count, nearest = page.evaluate(NEAREST)
        assert count > 5
        assert nearest >= 7
        page.keyboard.press("PageDown")


def test_the_time_line_spans_what_happens(open_page, transfer):
    page = open_page(transfer)
    page.keyboard.press("End")
    assert page.evaluate("app.run.ended > 10 * app.run.scenes.at(-1).at")
    knob = page.locator("#timeline .knob").bounding_box()
    line = page.locator("#timeline").bounding_box()
    assert knob["x"] > line["x"] + 0.95 * line["width"]


def test_queues_in_which_nobody_waits_are_told_in_a_line(open_page, transfer):
    page = open_page(transfer)
    assert page.locator(".slot").count() == 0
    assert "accept queue 0 of 6" in page.locator("#queues").inner_text()
    assert queue(open_page("ignored-ack"), "accept")


def test_the_keys_lie_over_the_page_and_escape_puts_them_away(open_page):
    page = open_page("ignored-ack", (390, 844))
    before = page.locator("#time").bounding_box()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert page.locator("#time").bounding_box() == before
    box = page.locator("#keys").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


@pytest.mark.parametrize("name", ["ignored-ack", "syn-flood", "time-server"])
def test_a_narrow_page_cuts_no_word_and_tells_the_story_first(open_page, name):
    page = open_page(name, (390, 844))
    for _ in range(3):
        cut = page.evaluate(
            """() => [...document.querySelectorAll("#drawing .tag")].map((tag) => tag.parentNode).filter((text) => {
              const box = text.getBBox();
              return text.textContent && (box.x < 70 || box.x + box.width > app.ladder.width);
            }).map((text) => text.textContent)"""
        )
        assert cut == []
        page.keyboard.press("PageDown")
    tops = {name: page.locator(name).bounding_box()["y"] for name in ("#scene", "#story", "#sockets")}
    assert tops["#scene"] < tops["#story"] < tops["#sockets"]


def test_what_answers_a_flood_does_not_reach_the_flooder(open_page):
    page = open_page("syn-flood")
    answers = page.evaluate(
        "app.run.packets.filter((each) => each.flags === 'SYN|ACK').map((each) => [each.lost, each.arrived ?? null])"
    )
    assert answers
    assert all(each == ["no host has this address", None] for each in answers)
    assert page.locator(".arrow.gone").count() > 0


# Transfers.


def test_data_and_its_acks_are_trains_that_open(open_page):
    page = open_page("slow-start")
    counts = page.evaluate("[...app.ladder.trains].slice(0, 3).map(([first, last]) => last - first + 1)")
    assert all(count >= 5 for count in counts)
    before = page.evaluate("app.ladder.height")
    words = page.evaluate("[...document.querySelectorAll('#drawing .words')].map((one) => one.textContent)")
    assert "10 segments, 14,480 octets: seq 1 to 14480" in words
    assert "10 ACKs up to 14481" in words
    page.locator(".handle").first.click()
    assert page.evaluate("app.ladder.height") > before
    page.locator(".handle", has_text="▾").first.click()
    assert page.evaluate("app.ladder.height") == before
    page.locator("#whole").check()
    assert page.evaluate("app.ladder.closed.every((train) => train === null)")


def test_no_train_holds_a_loss_a_repeat_or_a_turning_point(open_page):
    page = open_page("loss-burst")
    hidden = page.evaluate(
        """() => {
          const { run, closed } = app.ladder;
          const troubled = run.scenes.map((scene) => [...(scene.sent ?? []), scene.packet ?? []].flat()
            .map((n) => run.packets[n]).some((packet) => packet.lost || packet.repeat));
          const turns = new Set(run.story.map((turn) => turn.scene));
          return run.scenes.map((_, n) => n).filter((n) => closed[n] !== null && (troubled[n] || turns.has(n)));
        }"""
    )
    assert hidden == []
    assert page.evaluate("app.ladder.trains.size") > 0


def test_labels_stand_on_no_other(open_page):
    page = open_page("shared-bottleneck")
    page.evaluate("app.go(300)")
    over = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll('#drawing .words')].map((one) => {
            const { e: x, f: y, a, b } = one.getCTM();
            const half = one.textContent.length * 6.7 / 2;
            return { text: one.textContent, x: x + b * 8, y: y - a * 8, dx: a, dy: b, half };
          });
          const points = (box) => Array.from({ length: 9 }, (_, n) => {
            const at = box.half * (n / 4 - 1);
            return [box.x + box.dx * at, box.y + box.dy * at];
          });
          const found = [];
          boxes.forEach((one, n) => boxes.slice(n + 1).forEach((other) => {
            if (points(one).some(([x, y]) => points(other).some(([u, v]) => Math.hypot(x - u, y - v) < 6)))
              found.push([one.text, other.text]);
          }));
          return found;
        }"""
    )
    assert over == []


@pytest.mark.parametrize(
    ("name", "queues", "windows"),
    [("slow-start", False, True), ("ignored-ack", True, False), ("shared-bottleneck", False, True)],
)
def test_no_panel_is_empty(open_page, name, queues, windows):
    page = open_page(name)
    assert page.locator("#queue-curves").is_visible() is queues
    assert page.locator("#window-curves").is_visible() is windows
    assert (page.locator("#timeline path.cwnd").count() > 0) is windows
    assert (page.locator("#timeline path.accept").count() > 0) is queues


def test_windows_are_told_at_each_moment(open_page):
    page = open_page("fast-retransmit")
    go_to(page, 120_000_000)
    assert "Recovery: cwnd 13, ssthresh 13" in page.locator("#windows").inner_text()
    assert page.locator("#timeline .band.recovery").count() == 1


@pytest.mark.parametrize("name", ["fast-retransmit", "shared-bottleneck"])
def test_nothing_is_cut_on_a_narrow_screen(open_page, name):
    page = open_page(name, (390, 844))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    cut = page.evaluate(
        """() => {
          const inside = (one, box) => {
            const [a, b] = [one.getBoundingClientRect(), box.getBoundingClientRect()];
            return a.left >= b.left - 1 && a.right <= b.right + 1;
          };
          const ladder = document.getElementById('ladder');
          const found = [...document.querySelectorAll('#drawing text')].filter((one) => !inside(one, ladder));
          const timeline = document.getElementById('timeline');
          return [...found, ...[...document.querySelectorAll('#timeline text')].filter((one) => !inside(one, timeline))]
            .map((one) => one.textContent);
        }"""
    )
    assert cut == []
