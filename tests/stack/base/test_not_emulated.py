"""What Linux has and is not emulated is said so: never in silence, never by an errno that looks like the kernel's."""

import errno

import pytest

from tcpemu import Host, SocketError, address, generation
from tcpemu.stack import SYSCTLS, ConfigurationError, NotEmulatedError
from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.not_emulated import UNEMULATED_SYSCTLS
from tcpemu.stack.sockets.fixed_options import CONSTANTS, KEPT, READING_FAILS, SETTING_FAILS, TAKEN
from tcpemu.stack.sockets.option_names import NAMES, NUMBERS, UNEMULATED, unemulated_option
from tcpemu.stack.sockets.option_rules import _OTHERS, _SETTERS

KERNEL = generation("linux-6.18")


def host(**settings):
    return Host([address("192.0.2.1")], KERNEL, **settings)


def test_no_sysctl_is_both():
    assert not UNEMULATED_SYSCTLS.keys() & SYSCTLS.keys()


@pytest.mark.parametrize("name", ["net.ipv4.icmp_ratelimit", "net.ipv4.tcp_mem", "net.core.wmem_default"])
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
        (so.IPPROTO_TCP, 31, "TCP_ULP"),
        (so.IPPROTO_IP, 19, "IP_TRANSPARENT"),
        (so.IPPROTO_TCP, 36, "TCP_INQ .* octets alone"),
        (so.IPPROTO_TCP, 38, "TCP_AO_ADD_KEY .* signed"),
        (so.IPPROTO_TCP, 14, "TCP_MD5SIG .* signed"),
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
    assert not KEPT.keys() & {*_SETTERS, *SETTING_FAILS, *READING_FAILS, *CONSTANTS, *TAKEN}


def test_every_name_has_an_answer():
    """What is not emulated names an option of Linux, and no two names share a number."""
    assert UNEMULATED.keys() <= NUMBERS.keys()
    assert len(NAMES) == len(NUMBERS)


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_an_option_is_set_refused_or_named(name):
    """Never a plain ENOPROTOOPT for what nobody has thought of: it is in one of the tables."""
    key = NUMBERS[name]
    known = key in _SETTERS or key in KEPT or key in SETTING_FAILS or key in TAKEN
    assert known or unemulated_option(*key) or key in _OTHERS


def test_the_options_of_ipv6_are_none_of_a_socket_of_ipv4():
    socket = host().socket()
    with pytest.raises(SocketError) as caught:
        socket.setsockopt(41, 26, 1, now=0)
    assert caught.value.errno == errno.ENOPROTOOPT
    with pytest.raises(SocketError) as caught:
        socket.getsockopt(41, 26)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_so_linger_is_two_ints_in_octets():
    socket = host().socket()
    socket.setsockopt(so.SOL_SOCKET, so.SO_LINGER, b"\1\0\0\0\5\0\0\0", now=0)
    assert socket.options.linger == 5
    assert socket.getsockopt_octets(so.SOL_SOCKET, so.SO_LINGER, 6) == b"\1\0\0\0\5\0"
    socket.setsockopt(so.SOL_SOCKET, so.SO_LINGER, bytes(8), now=0)
    assert socket.options.linger is None
    assert socket.getsockopt_octets(so.SOL_SOCKET, so.SO_LINGER, 8) == b"\0\0\0\0\5\0\0\0"
    with pytest.raises(SocketError) as caught:
        socket.setsockopt(so.SOL_SOCKET, so.SO_LINGER, 1, now=0)
    assert caught.value.errno == errno.EINVAL


def test_quickack_is_on_until_a_connection_is_interactive():
    """tcp.c: do_tcp_getsockopt."""
    socket = host().socket()
    assert socket.getsockopt(so.IPPROTO_TCP, so.TCP_QUICKACK) == 1


def test_what_kind_of_socket_it_is_can_be_asked():
    assert [host().socket().getsockopt(1, name) for name in (3, 38, 39)] == [1, 6, 2]
    assert [host().socket(datagram=True).getsockopt(1, name) for name in (3, 38, 39)] == [2, 17, 2]
