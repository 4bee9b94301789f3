"""Measures the playground in a browser: how large it is, how soon it is there, how long runs take; and takes pictures.

    python tools/playground_figures.py
    python tools/playground_figures.py --pictures DIR

Needs playwright and Chromium. Times are those of this machine, as busy as it is.
"""

import argparse
import tempfile
import time
from pathlib import Path

from _real_browser import chromium, served
from playwright.sync_api import Page

from tcpemu.playground.browser.shown_scenario import run_text, told
from tcpemu.playground.experiments import experiments
from tcpemu.playground.write_playground import Written, write_playground

PATIENCE = 300_000
SIZES = ((1280, 900), (390, 844))


def main() -> None:
    """Make the folder, serve it, and look at it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="where pictures of the page go")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tcpemu-playground-") as place:
        written = write_playground(Path(place) / "page")
        _tell_sizes(written)
        with served(written.folder) as address:
            _measure(address, asked.pictures)


def _tell_sizes(written: Written) -> None:
    print(f"folder {written.all_octets / 1e6:.1f} MB, {len(written.octets)} files")
    for name, octets in sorted(written.octets.items(), key=lambda item: -item[1])[:4]:
        print(f"  {octets / 1e6:5.1f} MB  {name}")


def _measure(address: str, pictures: Path | None) -> None:
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        for which in ("first", "second"):
            page = context.new_page()
            since = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("body[data-engine=ready]")
            print(f"{which} load, until the emulator is ready: {time.perf_counter() - since:.1f} s")
        _tell_runs(page)
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            _take(page, pictures)


def _tell_runs(page: Page) -> None:
    """The same runs here and there, all that the page shows of them worked out; the second time counts."""
    six = next(each["text"] for each in experiments() if each["name"] == "six-clients")
    page.click("#run")
    page.wait_for_selector("body[data-shown]")
    for count in (6, 200):
        text = six.replace("count = 6", f"count = {count}").replace("100 ms", "20 ms")
        ask = "async text => { const t = performance.now(); await playground.engine.ask('run', {name: 'x', text}); "
        ask += "return performance.now() - t }"
        there = min(float(page.evaluate(ask, text)) / 1000 for _ in range(2))
        here = min(_seconds_here(text) for _ in range(2))
        print(
            f"{count} clients: {there:.2f} s in the browser, {here:.2f} s here: {there / here:.1f} times as long"
        )


def _seconds_here(text: str) -> float:
    since = time.perf_counter()
    told(run_text("x", text))
    return time.perf_counter() - since


def _take(page: Page, pictures: Path) -> None:
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            time.sleep(0.5)
            path = pictures / f"playground-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
            print(f"written: {path}")


if __name__ == "__main__":
    main()
