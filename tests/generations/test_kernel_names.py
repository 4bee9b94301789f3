"""What is said to a kernel's name that is none."""

import pytest

from tcpemu.generations import GENERATIONS, generation
from tcpemu.generations.distributions import RELEASES
from tcpemu.generations.kernel_names import by_family, family_and_version, instead_of
from tcpemu.stack.base.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("linux-2.3.99", "linux-2.2 is the nearest before it; "),
        ("Linux 3.9", "linux-3.0 is the nearest before it; "),
        ("4.5", "linux-4.4 is the nearest before it; "),
        ("linux-v4.18", "linux-4.15 is the nearest before it; "),
        ("linux-99", "linux-7.3 is the nearest before it; "),
        ("linux-0.99", "linux-1.2 is the nearest; "),
        ("linux-6.18.40", "linux-6.18.15 is the nearest before it; "),
        ("linux-6.12.200", "linux-6.12 is the nearest before it; "),
        ("linux-4.10.1-generic", "linux-4.10 is the nearest before it; "),
        ("freebsd-13", "freebsd-14 is the nearest; "),
        ("freebsd-15", "freebsd-14 is the nearest before it; "),
        ("windows-10", "windows-2003 is the nearest; "),
        ("solaris-11", "solaris is the nearest; "),
        ("linxu-6.18", "did you mean 'linux-6.18'? "),
        ("plan9", ""),
        ("", ""),
    ],
)
def test_the_nearest_that_is_not_newer_and_all_there_are(name, hint):
    assert instead_of(name) == f"{hint}known: {by_family(GENERATIONS)}"


def test_versions_are_numbers_and_not_texts():
    assert family_and_version("linux-3.10") > family_and_version("linux-3.2")


def test_a_family_is_named_once():
    assert by_family(["linux-2.2", "linux-2.4", "bsd-4.4", "solaris"]) == "linux-2.2, 2.4; bsd-4.4; solaris"


def test_a_name_that_is_right():
    assert generation("linux-3.10") is GENERATIONS["linux-3.10"]


@pytest.mark.parametrize("name", ["linux-6.18.44", "linux-6.12.117", "linux-6.1.192", "linux-5.10.262"])
def test_a_version_means_its_newest_release(name):
    version = name.rpartition(".")[0]
    assert generation(version).release == name.removeprefix("linux-")
    assert generation(name) is generation(version) is GENERATIONS[name]
    assert name in GENERATIONS
    assert name not in list(GENERATIONS)


@pytest.mark.parametrize("name", ["linux-5.10.218", "linux-6.18.15"])
def test_a_release_before_a_stable_update_is_a_kernel_of_its_own(name):
    assert generation(name).name == name
    assert generation(name) != generation(name.rpartition(".")[0])


def test_what_a_distribution_configures_stands_behind_the_kernel():
    """MAX_TCP_HEADER; since 6.3 the small heads of segments go with it (skb_small_head_cache)."""
    plain, debian = generation("linux-6.12"), generation("linux-6.12.117@debian")
    assert debian is generation("linux-6.12@debian")
    assert (plain.header_room, plain.windows.small_head) == (192, 576)
    assert (debian.header_room, debian.windows.small_head) == (320, 704)
    assert (
        generation("linux-6.1@debian").windows.small_head == generation("linux-6.1").windows.small_head == 512
    )
    assert "linux-6.12@debian" not in list(GENERATIONS)


@pytest.mark.parametrize("name", ["linux-6.12@plan9", "linux-6.12@", "freebsd-14@debian"])
def test_a_distribution_that_is_not_known(name):
    assert name not in GENERATIONS
    assert instead_of(name) == "known distributions of Linux: debian, ubuntu"


def test_a_name_that_is_wrong():
    with pytest.raises(
        ConfigurationError, match=r"there is no generation 'linux-3\.9'; linux-3\.0 is the nearest"
    ):
        generation("linux-3.9")


@pytest.mark.parametrize(("release", "kernel"), sorted(RELEASES.items()))
def test_a_release_of_a_distribution_is_the_kernel_that_it_came_with(release, kernel):
    assert generation(release) is generation(kernel)
    assert generation(release).hz == 250


def test_ticks_are_what_the_distribution_has_configured():
    """CONFIG_HZ of Ubuntu's 5.15 is 250, of its 6.8 it is 1000; Debian's is 250 in all that were read."""
    assert generation("linux-6.12@ubuntu").hz == 1000
    assert generation("linux-6.1@ubuntu").hz == generation("linux-7.3@debian").hz == 250


def test_a_release_of_a_distribution_that_is_not_known():
    with pytest.raises(ConfigurationError, match="known releases of distributions: debian-11, debian-12"):
        generation("ubuntu-24.04")


def test_a_release_that_answered_as_another_kernel_is_a_name_for_it():
    assert generation("linux-7.2.13") is generation("linux-7.2") is generation("linux-7.3")
