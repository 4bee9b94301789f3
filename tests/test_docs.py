"""Each page of docs/ is run as a reader would run it, and the index names every page."""

import re
from pathlib import Path

import pytest

from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.wire.capture_file import read_capture
from tests.documented import blocks_of, not_printed, run_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
INDEX = DOCS / "README.md"
WITHOUT_PROGRAMS = {"README.md", "glossary.md"}
PAGES = sorted(path for path in DOCS.glob("*.md") if path.name not in WITHOUT_PROGRAMS)
LONGEST_PAGE = 130
"""Lines. What needs more is two tasks."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_shows_what_happens(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_page(path.read_text(), tmp_path)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST_PAGE or path.stem == "questions"


def test_the_index_names_every_page():
    named = set(re.findall(r"\]\((\w[\w/.-]+\.md)\)", INDEX.read_text()))
    there = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - {"README.md"}
    assert sorted(named) == sorted(there)


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_what_a_page_links_to_is_there(path):
    for link in re.findall(r"\]\((?!http)([^)#]+)", path.read_text()):
        assert (path.parent / link).exists(), link


@pytest.mark.parametrize(
    ("shown", "printed", "missing"),
    [
        ("a  b\n", "x\n  a b\ny\n", None),
        ("b\na\n", "a\nb\n", "a"),
        ("a … d\n", "a b c d\n", None),
        ("a … d\n", "a b c\n", "a … d"),
        ("a\n…\nc\n", "a\nb\nc\n", None),
        ("a\n", "ab\n", "a"),
    ],
)
def test_an_excerpt_is_found_line_by_line(shown, printed, missing):
    assert not_printed(shown, printed) == missing


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ false\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```sh\nls\n```\n",
    ],
)
def test_a_page_that_shows_what_does_not_happen_fails(page, tmp_path):
    with pytest.raises(AssertionError):
        run_page(page, tmp_path)


def blocks(page, language):
    return [block.text for block in blocks_of((DOCS / page).read_text()) if block.language == language]


def test_the_network_shows_its_ladder_and_writes_its_packets(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("".join(blocks("a-lossy-link-in-python.md", "python")[:2]), {})
    said = capsys.readouterr().out
    assert "─ SYN seq 0" in said
    assert "lost" in said
    capture = read_capture(tmp_path / "x.pcapng")
    lost = [interface.name for interface in capture.interfaces].index("lost")
    assert [packet.interface for packet in capture.packets].count(lost) == len(re.findall("✗", said)) == 1


def test_the_scenario_file_is_one():
    text = blocks("write-a-scenario.md", "toml")[0]
    (run,) = load_scenario.runs(load_scenario.from_text(text, "crowd.toml"))
    result = build.run(run)
    assert len(result.clients) == 4
    assert [accepted.at for accepted in result.accepted] == [4_000_000_000]
    counters = result.hosts["server"].counters
    assert counters["ListenOverflows"]
    assert not counters.get("SyncookiesSent")
    assert [client.connected is not None for client in result.clients] == [True, True, True, False]
