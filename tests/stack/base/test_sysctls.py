"""Sysctls: full names, defaults of Linux 6.18, and what is said about a mistake."""

import dataclasses

import pytest

from tcpemu.stack import SYSCTLS, ConfigurationError, Host
from tcpemu.stack.base.sysctls import Sysctls, attribute, nearest_sysctl, parse
from tcpemu.testing.bench import Bench
from tcpemu.testing.bench.bench_values import GENERATION, HOST
from tcpemu.version import build
from tcpemu.wire.segment import address


def host(**settings):
    return Host([address(HOST)], GENERATION, sysctls=settings)


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("net.core.somaxconn", 4096),
        ("net.ipv4.tcp_syncookies", 1),
        ("net.ipv4.tcp_synack_retries", 5),
        ("net.ipv4.tcp_syn_retries", 6),
        ("net.ipv4.tcp_syn_linear_timeouts", 4),
        ("net.ipv4.tcp_abort_on_overflow", 0),
        ("net.ipv4.tcp_max_syn_backlog", 2048),
        ("net.ipv4.tcp_retries2", 15),
        ("net.ipv4.tcp_fin_timeout", 60),
        ("net.ipv4.tcp_rmem", (4096, 131072, 33554432)),
        ("net.ipv4.tcp_invalid_ratelimit", 500),
        ("net.ipv4.tcp_challenge_ack_limit", 2**31 - 1),
        ("net.ipv4.tcp_rto_max_ms", 120_000),
    ],
)
def test_defaults(name, default):
    assert Bench().host.sysctls.get(name) == default


@pytest.mark.parametrize(
    ("name", "value", "means"),
    [
        ("net.core.somaxconn", 7, 7),
        ("net.core.somaxconn", "7", 7),
        ("net.ipv4.tcp_rmem", "4096\t87380  6291456\n", (4096, 87380, 6291456)),
        ("net.ipv4.tcp_rmem", [4096, 87380, 6291456], (4096, 87380, 6291456)),
        ("net.ipv4.ip_local_port_range", (1024, 2000), (1024, 2000)),
        ("net.ipv4.tcp_congestion_control", "reno", "reno"),
    ],
)
def test_values(name, value, means):
    assert parse(name, value) == means
    one = host(**{name: value})
    assert one.sysctls.get(name) == means
    other = host()
    other.set_sysctl(name, value)
    assert other.sysctls.get(name) == means


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("net.core.somaxconn", -1, "net.core.somaxconn is -1; it can be 0 to 2147483647"),
        ("net.core.somaxconn", 2**31, "net.core.somaxconn is 2147483648; it can be 0 to 2147483647"),
        ("net.core.somaxconn", "many", "net.core.somaxconn is 'many'; it takes a whole number"),
        ("net.core.somaxconn", 1.5, "net.core.somaxconn is 1.5; it takes a whole number"),
        ("net.core.somaxconn", True, "net.core.somaxconn is True; it takes a whole number"),
        ("net.core.somaxconn", "1 2", "net.core.somaxconn is '1 2'; it takes a whole number"),
        ("net.core.somaxconn", "", "net.core.somaxconn is ''; it takes a whole number"),
        ("net.core.somaxconn", None, "net.core.somaxconn is None; it takes a whole number"),
        ("net.ipv4.tcp_syncookies", 3, "net.ipv4.tcp_syncookies is 3; it can be 0 to 2"),
        ("net.ipv4.tcp_syn_retries", 0, "net.ipv4.tcp_syn_retries is 0; it can be 1 to 127"),
        ("net.ipv4.tcp_synack_retries", 256, "net.ipv4.tcp_synack_retries is 256; it can be 0 to 255"),
        ("net.ipv4.tcp_rmem", "1 2", "net.ipv4.tcp_rmem is '1 2'; it takes 3 whole numbers"),
        ("net.ipv4.tcp_rmem", (1, 2, "x"), "it takes 3 whole numbers: receive buffer"),
        ("net.ipv4.tcp_rmem", "1 0 2", "net.ipv4.tcp_rmem is '1 0 2'; it can be 1 to"),
        ("net.ipv4.tcp_congestion_control", "vegas", "is 'vegas'; it can be reno or cubic"),
        (
            "net.ipv4.tcp_syncookie",
            1,
            "no sysctl net.ipv4.tcp_syncookie here; did you mean net.ipv4.tcp_syncookies",
        ),
        ("kernel.hostname", 1, "there is no sysctl kernel.hostname here"),
    ],
)
def test_mistakes_name_the_sysctl_its_value_and_what_would_be_right(name, value, says):
    with pytest.raises(ConfigurationError, match=f"(?s).*{says.replace('[', '.')}"):
        host(**{name: value})
    one = host()
    with pytest.raises(ConfigurationError):
        one.set_sysctl(name, value)
    assert one.sysctls.get("net.core.somaxconn") == 4096


def test_reading_a_sysctl_that_there_is_not():
    with pytest.raises(ConfigurationError, match=r"did you mean net\.core\.somaxconn"):
        host().sysctls.get("net.core.somaxcon")


def test_a_generation_has_its_own_defaults_and_a_setting_goes_before_them():
    old = dataclasses.replace(GENERATION, sysctls={"net.core.somaxconn": 128})
    assert Host([address(HOST)], old).sysctls.somaxconn == 128
    assert Host([address(HOST)], old, sysctls={"net.core.somaxconn": 9}).sysctls.somaxconn == 9


@pytest.mark.parametrize("name", sorted(SYSCTLS))
def test_every_sysctl_takes_its_own_default_and_says_what_it_is(name):
    entry = SYSCTLS[name]
    assert parse(name, entry.default) == entry.default
    assert entry.about


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"addresses": []}, "a host needs an address"),
        ({"mtu": 67}, "mtu is 67; it can be 68 to 65535"),
        ({"mtu": 65536}, "mtu is 65536; it can be 68 to 65535"),
        ({"hz": 60}, "hz is 60"),
    ],
)
def test_a_host_that_cannot_be(settings, says):
    arguments = {"addresses": [address(HOST)], "generation": GENERATION, **settings}
    with pytest.raises(ConfigurationError, match=says):
        Host(**arguments)


@pytest.mark.skipif(build() == "compiled", reason="a compiled class has no annotations left to look at")
def test_every_sysctl_is_declared_with_its_type():
    declared = set(Sysctls.__annotations__)
    assert declared == {attribute(name) for name in SYSCTLS}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("net.ipv4.tcp_rmen", "net.ipv4.tcp_rmem"),
        ("net.ipv4.somaxconn", "net.core.somaxconn"),
        ("net.ipv4.syn_retries", "net.ipv4.tcp_syn_retries"),
        ("net.ipv4.tcp_foo", None),
        ("net.ipv4.tcp_window", None),
        ("kernel.panic", None),
    ],
)
def test_only_a_name_that_is_near_is_thought_to_be_meant(name, meant):
    assert nearest_sysctl(name) == meant
