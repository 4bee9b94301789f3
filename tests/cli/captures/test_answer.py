from pathlib import Path

from typer.testing import CliRunner

from tcpemu.cli.app import app

IGNORED = str(Path(__file__).parents[3] / "pcaps" / "ignored-ack.pcapng")


def answer(*arguments):
    return CliRunner().invoke(app, ["answer", IGNORED, *map(str, arguments)])


def test_what_linux_would_have_answered(tmp_path):
    done = answer("--host", "10.0.0.1", "-o", tmp_path / "y.pcapng")
    assert done.exit_code == 0
    assert "1 of 7 segments the same, 1 further one of linux-6.18" in done.stdout
    assert (tmp_path / "y.pcapng").exists()


def test_mistakes_are_told_with_their_mend(tmp_path):
    for arguments, message in (
        (("--host", "10.0.0.9"), "the capture has no TCP of it; it has 10.0.0.1, 10.0.0.2"),
        (("--host", "home"), "it must be an address"),
        (("--host", "10.0.0.1", "--set", "x"), "write SYSCTL=VALUE"),
        (("--host", "10.0.0.1", "--set", "net.ipv4.tcp_none=1"), "net.ipv4.tcp_none"),
        (("--host", "10.0.0.1", "--generation", "linux-9"), "linux-9"),
        (("--host", "10.0.0.1", "-o", tmp_path / "y.txt"), "*.pcapng"),
        (("--host", "10.0.0.1", "-o", IGNORED), "is the file that is read"),
    ):
        done = answer(*arguments)
        assert (done.exit_code, message in done.stderr) == (2, True), done.stderr
