"""Times, rates and probabilities are read exactly, or refused."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.scenario.format.written_values import (
    LONGEST,
    TIME_UNITS,
    duration_text,
    parse_address,
    parse_duration,
    parse_flags,
    parse_frequency,
    parse_name,
    parse_rate,
    parse_setting,
    parse_share,
    parse_subnet,
    rate_text,
)


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("63 s", 63_000_000_000),
        ("200 ms", 200_000_000),
        ("1.5 s", 1_500_000_000),
        ("0.1 s", 100_000_000),
        ("10us", 10_000),
        ("10 µs", 10_000),
        ("1 ns", 1),
        ("2 min", 120_000_000_000),
        ("1 h", 3_600_000_000_000),
        (" 3 s ", 3_000_000_000),
        (2, 2_000_000_000),
        (0, 0),
        (0.1, 100_000_000),
        (Decimal("0.000000001"), 1),
    ],
)
def test_times(written, nanoseconds):
    assert parse_duration(written) == nanoseconds


@pytest.mark.parametrize(
    "written",
    [
        "5 sec", "5", "-1 s", "s", "", "1 e3 s", "1,5 s", "5 S", "0.1 ns", "٣ s", "400000 h", -1, -0.5, 1e-10,
        float("inf"), float("nan"), Decimal("1e999999999"), Decimal("1e-999999999"), True, None, [], {},
    ],
)  # fmt: skip
def test_no_times(written):
    with pytest.raises(ValueError, match=r"time such as|nothing here is finer|ten years"):
        parse_duration(written)


@given(st.integers(0, LONGEST))
def test_a_time_survives_being_written(nanoseconds):
    assert parse_duration(duration_text(nanoseconds)) == nanoseconds


@given(st.decimals(0, 10**6, places=9), st.sampled_from(sorted(TIME_UNITS)))
def test_a_time_is_exact_or_refused(number, unit):
    exact = Fraction(number) * TIME_UNITS[unit]
    try:
        assert parse_duration(f"{number:f} {unit}") == exact
    except ValueError:
        assert exact.denominator != 1 or exact > LONGEST


@given(st.decimals(0, 10**6, places=9))
def test_a_number_of_seconds_is_exact(number):
    assert parse_duration(number) == number * 10**9


@given(st.floats(0, 1000))
def test_a_float_counts_as_it_is_written(number):
    exact = Fraction(repr(number)) * 10**9
    try:
        assert parse_duration(number) == exact
    except ValueError:
        assert exact.denominator != 1 or exact > LONGEST


@pytest.mark.parametrize(
    ("written", "bits"),
    [("10 Mbit/s", 10**7), ("1.5 kbit/s", 1500), ("1Gbit/s", 10**9), ("64 bit/s", 64), (9600, 9600)],
)
def test_rates(written, bits):
    assert parse_rate(written) == bits


@pytest.mark.parametrize("written", ["10 Mb/s", "0 bit/s", 0, -1, "1.0001 bit/s", True, None])
def test_no_rates(written):
    with pytest.raises(ValueError, match=r"rate such as|whole number of bits"):
        parse_rate(written)


@given(st.integers(1, 10**12))
def test_a_rate_survives_being_written(bits):
    assert parse_rate(rate_text(bits)) == bits


@pytest.mark.parametrize(
    ("written", "share"), [("5 %", 0.05), ("100%", 1.0), (0.05, 0.05), (1, 1.0), (0, 0.0)]
)
def test_shares(written, share):
    assert parse_share(written) == share


@pytest.mark.parametrize("written", ["101 %", 1.01, -0.1, "half", 5, True, None])
def test_no_shares(written):
    with pytest.raises(ValueError, match="probability such as '5 %'"):
        parse_share(written)


@pytest.mark.parametrize("written", [0, -1, 10**10, "100", True, float("nan")])
def test_no_frequencies(written):
    with pytest.raises(ValueError, match="times a second"):
        parse_frequency(written)


def test_frequencies():
    assert parse_frequency(Decimal("0.1")) == 0.1
    assert parse_frequency(1000) == 1000.0


@pytest.mark.parametrize("written", ["10.0.0.256", "10.0.0.0/24", 167772161, "", None, "localhost"])
def test_no_addresses(written):
    with pytest.raises(ValueError, match="IP address such as"):
        parse_address(written)


def test_addresses_have_one_form():
    assert parse_subnet("198.18.0.0/255.255.255.0") == "198.18.0.0/24"


def test_addresses_of_ipv6_have_one_form_too():
    assert parse_address("2001:DB8:0::1") == "2001:db8::1"
    assert parse_subnet("2001:db8:0::/64") == "2001:db8::/64"


@pytest.mark.parametrize("written", ["fe80::1", "ff02::1", "::ffff:192.0.2.1"])
def test_addresses_of_ipv6_that_no_host_has_are_refused(written):
    with pytest.raises(ValueError, match="an address that a host can have"):
        parse_address(written)


@pytest.mark.parametrize("written", ["10.0.0.1/24", "10.0.0.0/33", 5, None])
def test_no_subnets(written):
    with pytest.raises(ValueError, match="range of addresses"):
        parse_subnet(written)


@pytest.mark.parametrize("written", ["1st", "", "a b", "a.b", "a[0]", "x" * 41, 5])
def test_no_names(written):
    with pytest.raises(ValueError, match="a letter, then"):
        parse_name(written)


@pytest.mark.parametrize("written", ["SX", "sa", 2])
def test_no_flags(written):
    with pytest.raises(ValueError, match="letters of FSRPAUECN"):
        parse_flags(written)


@pytest.mark.parametrize("written", [True, 1.5, None, [1, 2]])
def test_no_settings(written):
    with pytest.raises(ValueError, match="whole number, or a text"):
        parse_setting(written)
