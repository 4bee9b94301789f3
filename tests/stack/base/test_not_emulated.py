"""What Linux has and is not emulated is said so: never in silence, never by an errno that looks like the kernel's."""

import errno

import pytest

from tcpemu import Host, SocketError, address, generation
from tcpemu.stack import SYSCTLS, ConfigurationError, NotEmulatedError
from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.not_emulated import UNEMULATED_SYSCTLS, unemulated_option
from tcpemu.stack.sockets.option_rules import _SETTERS

KERNEL = generation("linux-6.18")


def host(**settings):
    return Host([address("192.0.2.1")], KERNEL, **settings)


def test_no_sysctl_is_both():
    assert not UNEMULATED_SYSCTLS.keys() & SYSCTLS.keys()


@pytest.mark.parametrize(
    "name", ["net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_max_tw_buckets", "net.core.wmem_default"]
)
def test_a_sysctl_of_linux_is_told_with_what_is_so_instead(name):
    with pytest.raises(NotEmulatedError) as caught:
        host(sysctls={name: 1})
    assert isinstance(caught.value, ConfigurationError)
    assert str(caught.value) == f"{name} is known to Linux, but not emulated: {UNEMULATED_SYSCTLS[name]}"
    with pytest.raises(NotEmulatedError):
        host().sysctls.get(name)


def test_a_slip_of_the_pen_is_none_of_linux():
    with pytest.raises(ConfigurationError, match=r"did you mean net\.ipv4\.tcp_syncookies") as caught:
        host(sysctls={"net.ipv4.tcp_syncookie": 1})
    assert not isinstance(caught.value, NotEmulatedError)


@pytest.mark.parametrize(
    ("level", "name", "words"),
    [
        (so.SOL_SOCKET, 20, "SO_RCVTIMEO .* timeout"),
        (so.IPPROTO_TCP, 13, "TCP_CONGESTION"),
        (so.IPPROTO_IP, 10, "IP_MTU_DISCOVER"),
        (so.IPPROTO_TCP, so.TCP_FASTOPEN, "TCP_FASTOPEN"),
        (so.SOL_SOCKET, so.SO_LINGER, r"SO_LINGER .* linger\(on, seconds\)"),
        (41, 26, "option 26 of IPPROTO_IPV6"),
    ],
)
def test_an_option_of_linux_is_told(level, name, words):
    socket = host().socket()
    with pytest.raises(NotEmulatedError, match=words):
        socket.setsockopt(level, name, 1, now=0)
    assert not issubclass(NotEmulatedError, OSError)


def test_what_linux_does_not_know_has_the_kernels_errno():
    socket = host().socket()
    for call in (lambda: socket.setsockopt(6, 99, 1, now=0), lambda: socket.getsockopt(6, 99)):
        with pytest.raises(SocketError) as caught:
            call()
        assert caught.value.errno == errno.ENOPROTOOPT


def test_no_option_is_both():
    assert [key for key in _SETTERS if unemulated_option(*key)] == []


def test_quickack_is_on_until_a_connection_is_interactive():
    """tcp.c: do_tcp_getsockopt."""
    socket = host().socket()
    assert socket.getsockopt(so.IPPROTO_TCP, so.TCP_QUICKACK) == 1


def test_what_kind_of_socket_it_is_can_be_asked():
    assert [host().socket().getsockopt(1, name) for name in (3, 38, 39)] == [1, 6, 2]
    assert [host().socket(datagram=True).getsockopt(1, name) for name in (3, 38, 39)] == [2, 17, 2]
