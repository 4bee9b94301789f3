"""`tcpemu report`: a file that is whole, the same each time, and mistakes that are told."""

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app


def tcpemu(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_same_run_gives_the_same_octets_and_nothing_is_fetched(tmp_path):
    once, again = tmp_path / "a.html", tmp_path / "b.htm"
    done = tcpemu("report", "listen-1-vs-5", "-o", once)
    assert (done.exit_code, done.stdout.replace("\n", "")) == (0, f"Written: {once}")
    assert tcpemu("report", "listen-1-vs-5", "-o", again).exit_code == 0
    assert once.read_bytes() == again.read_bytes()
    text = once.read_text()
    for outside in (' src="', "<link", "@import", "url(", "fetch(", "XMLHttpRequest"):
        assert outside not in text
    addresses = {word for word in text.split('"') if "://" in word}
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_one_run_of_several_and_its_settings(tmp_path):
    path = tmp_path / "x.html"
    done = tcpemu("report", "listen-1-vs-5", "--run", "listen(5)", "--seed", 4, "--until", "1 s", "-o", path)
    assert done.exit_code == 0
    text = path.read_text()
    assert text.count('type="text/plain"') == 1
    assert "run 'listen(5)' · linux-6.18 · seed 4" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("handshake", "-o", "x.pdf"), "name the file *.html or *.htm"),
        (("handshake", "-o", "nowhere/x.html"), "there is no directory nowhere"),
        (("nonsense", "-o", "x.html"), "nonsense"),
        (("handshake", "--run", "two", "-o", "x.html"), "handshake has no run 'two'"),
        (("handshake", "--until", "soon", "-o", "x.html"), "--until 'soon'"),
        (("handshake", "--set", "server.backlog=many", "-o", "x.html"), "server.backlog"),
        (("handshake",), "--output"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = tcpemu("report", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())
