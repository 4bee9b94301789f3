import pytest

from tcpemu.diagnose.replay.known_settings import known_settings
from tcpemu.wire import CaptureError

NSTAT = """#kernel
TcpOutRsts                      4                  0.0
TcpExtListenOverflows           6                  0.0
TcpExtListenDrops               0                  0.0
"""
SS = """State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN 0      128          0.0.0.0:22         0.0.0.0:*
LISTEN 2      1               [::]:80            [::]:*
"""
SYSCTL = "net.ipv4.tcp_syncookies = 0\nnet/ipv4/tcp_synack_retries = 3\nkernel.hostname = x\n"


def files(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [tmp_path / name if name in texts else None for name in ("nstat", "ss", "sysctl")]


def test_what_the_tools_print_is_read(tmp_path):
    known = known_settings(*files(tmp_path, nstat=NSTAT, ss=SS, sysctl=SYSCTL), 80)
    assert known.values == {"backlog": 1, "cookies": 0, "synack_retries": 3}
    assert known.counters == {"OutRsts": 4, "ListenOverflows": 6, "ListenDrops": 0}
    assert known.says_never("ListenDrops")
    assert not known.says_never("ListenOverflows")
    assert not known.says_never("SyncookiesSent")  # it is not said


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nstat", "hello\n", "nstat -az"),
        ("ss", SS.replace(":80", ":81"), "no listener on port 80"),
        ("sysctl", "kernel.hostname = x\n", "sysctl -a"),
    ],
)
def test_a_file_that_says_nothing_is_a_mistake(tmp_path, name, text, message):
    with pytest.raises(CaptureError, match=message):
        known_settings(*files(tmp_path, **{name: text}), 80)
