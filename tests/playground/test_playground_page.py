"""The page in a real browser: the emulator runs in it, asks no other server, and says what the commands say."""

import re

import pytest

from tcpemu.cli import explain_command, run_command
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.playground.playground_error import PlaygroundError
from tcpemu.playground.write_playground import write_playground
from tests.real_browser import needs_chromium, open_browser
from tools._real_browser import served

pytestmark = needs_chromium
PATIENCE = 120_000
"""Milliseconds: Python itself is loaded, on a machine that may be busy."""
SECOND = 10**9


@pytest.fixture
def address(tmp_path):
    """Of a server that has the folder of the page."""
    try:
        folder = write_playground(tmp_path / "page").folder
    except PlaygroundError as error:
        pytest.skip(f"Pyodide or its wheels cannot be had here: {error}")
    with served(folder) as at:
        yield at


@pytest.fixture
def browse(address):
    """Opens tabs of one browser. What goes wrong in them, or wants another server, fails the test."""
    wrong = []
    with open_browser() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        context.on(
            "request",
            lambda sent: None if sent.url.startswith((address, "blob:", "data:")) else wrong.append(sent.url),
        )

        def tab(url=address):
            page = context.new_page()
            page.on("console", lambda said: wrong.append(said.text))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.goto(url)
            return page

        yield tab
    assert not wrong


def shown(page, number):
    """Wait for the run of that number, counted from 1, to be shown."""
    page.wait_for_function(f"Number(document.body.dataset.shown) === {number} && !document.body.dataset.busy")


def go_to(page, at):
    page.evaluate("at => app.go(app.run.scenes.filter((scene) => scene.at <= at).length - 1)", at)


def same_as_the_commands_say(page, tmp_path, capsys, at):
    """The page's sockets, queues and counters at that time, its story and its capture, against the commands' own."""
    file = tmp_path / page.evaluate("playground.told.name")
    file.write_text(page.evaluate("playground.told.text"))
    capsys.readouterr()
    explain_command.show_state(file.name, {}, None, at)
    state = capsys.readouterr().out
    go_to(page, at)
    recv_q, backlog = re.search(r"LISTEN +(\d+) +(\d+)", state).groups()
    row = page.locator("#sockets [data-host=server] tr", has_text="LISTEN").inner_text().split()
    assert row[:3] == ["LISTEN", recv_q, backlog]
    assert page.locator("[data-queue=accept]").first.get_attribute("data-length") == recv_q
    for name, value in page.evaluate("Object.fromEntries(app.panel && [...app.replay.counters])").items():
        host, counter = name.split()
        if value and page.evaluate(f"app.run.hosts[{host}].name") == "server":
            assert re.search(rf"{counter} +{value}\b", state), (counter, value)
    explain_command.show_story(file.name, {}, None, None)
    page.evaluate("document.getElementById('words').textContent = ''")
    page.evaluate("document.getElementById('tell').click()")
    page.wait_for_function("document.getElementById('words').textContent")
    assert page.locator("#words").text_content().strip() == capsys.readouterr().out.strip()
    with page.expect_download() as download:
        page.click("[data-take=capture]")
    results = run_command.results_of(file.name, {}, None, None, run_command.follow_transfers)
    run_command.write_captures([tmp_path / "x.pcapng"], results, file.name, SeenBy.SERVER, comments=True)
    assert download.value.path().read_bytes() == tmp_path.joinpath("x.pcapng").read_bytes()
    assert download.value.suggested_filename == file.name.replace(".toml", ".pcapng")


def test_the_emulator_runs_in_the_page(browse, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    page = browse()
    page.fill("#guess", "6")  # while Python is on its way
    page.click("#run")
    shown(page, 1)
    assert page.inner_text("#found") == "2"
    assert "You said 6" in page.inner_text("#answer")
    same_as_the_commands_say(page, tmp_path, capsys, 2 * SECOND)

    page.fill("#set-server-backlog", "5")
    shown(page, 2)
    assert "SYN of client-3" in page.inner_text("#changes")
    assert page.evaluate("playground.told.numbers[0].connected") == 6
    page.click("#undo")
    shown(page, 3)

    # The final ACK of the second client is dragged off the ladder.
    number = page.evaluate(
        "app.run.packets.findIndex((packet) => packet.flags === 'ACK' && packet.at > 0.1e9)"
    )
    page.evaluate("n => app.go(app.ladder.from[n])", number)
    words = page.locator(f"#drawing .words[data-packet='{number}']")
    words.scroll_into_view_if_needed()
    box = words.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 90, steps=4)
    page.mouse.up()
    shown(page, 4)
    assert [page.evaluate("n => app.run.packets[n].lost", number)] != [None]
    assert "lose, third-ack, of client, connection 2" in page.inner_text("#troubles")
    same_as_the_commands_say(page, tmp_path, capsys, 1200 * 10**6)

    # The same by the keyboard: the SYN that comes first, and then given back.
    go_to(page, 0)
    page.locator(".card").first.focus()
    page.keyboard.press("Delete")
    shown(page, 5)
    assert page.evaluate("app.run.packets[0].lost").startswith("lost by a fault")
    page.locator("#troubles button").nth(1).click()
    shown(page, 6)
    assert page.evaluate("app.run.packets[0].lost") is None

    page.select_option("#set-server-generation", "linux-2.2")
    shown(page, 7)
    same_as_the_commands_say(page, tmp_path, capsys, 5 * SECOND)

    # A link holds all of it, in another tab, where Python comes out of the browser's cache.
    page.evaluate("playground.remember()")
    page.wait_for_function("location.hash.startsWith('#p=')")
    other = browse(page.url)
    shown(other, 1)
    assert other.get_attribute("body", "data-cached") == "true"
    for asked in ("playground.told.text", "app.chosen", "JSON.stringify(app.run)"):
        assert other.evaluate(asked) == page.evaluate(asked)
    assert other.input_value("#guess") == "6"
