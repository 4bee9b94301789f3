"""What a stranger gives to a world: it is taken in whatever form it has, or refused in a sentence that mends it."""

from ipaddress import IPv4Address

import pytest

from tcpemu.generations import linux_counters
from tcpemu.stack import ConfigurationError
from tcpemu.testing import Conditions, World, lose


async def coroutine():
    return 3


def program():
    return 4


@pytest.mark.parametrize("address", ["10.0.0.9", b"\x0a\x00\x00\x09", IPv4Address("10.0.0.9")], ids=type)
def test_an_address_may_have_any_form(address):
    with World() as world:
        assert world.host("a", address).addresses == ("10.0.0.9",)


def test_a_delay_may_stand_wherever_conditions_do():
    with World() as world:
        server, client = world.host("server"), world.host("client")
        world.every_link("20 ms")
        assert world.network.unsaid == Conditions(delay=20_000_000)
        world.link(server, client, there="1 s", back=Conditions(delay=5))
        world.link("server", "client", Conditions(loss=0.5))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda world: World("linux-3.10"),
            "seed='linux-3.10': a whole number; the kernel is World(generation=",
        ),
        (lambda world: World(generation=6.18), "generation=6.18: the name of a kernel, as 'linux-6.18'"),
        (
            lambda world: world.host("c", generation="6.18"),
            "there is no generation '6.18'; linux-6.18 is the nearest before it",
        ),
        (lambda world: world.host(3), "name=3: the name of a host is text, as 'server'"),
        (lambda world: world.host("a"), "name 'a': give each node a name of its own"),
        (lambda world: world.host("c", "10.0.0.300"), "'10.0.0.300' is no IP address"),
        (lambda world: world.host("c", 5), "address=5 is no IP address"),
        (lambda world: world.host("c", routes="10.0.0.0/24"), "routes='10.0.0.0/24': a list of networks"),
        (lambda world: world.host("c", routes=[24]), "routes=[24]: a list of networks"),
        (lambda world: world.host("c", routes=["10.0.0.5/24"]), "'10.0.0.5/24' is no range of addresses"),
        (lambda world: world.host("c", sysctls=["x"]), "sysctls=['x']: names with values, as {'net.ipv4"),
        (
            lambda world: world.host("c", sysctls={"tcp_syncookies": 0}),
            "did you mean net.ipv4.tcp_syncookies?",
        ),
        (lambda world: world.link("a", "z"), "there is no host 'z'; there is a"),
        (lambda world: world.link("a", "a", "20"), "'20' is no duration; write it as '10 ms'"),
        (
            lambda world: world.link("a", "a", lost=1),
            "lost=1: a link has no such condition; did you mean loss?",
        ),
        (lambda world: world.link("a", "a", Conditions(), loss=1), "give Conditions alone, or a delay"),
        (lambda world: world.fault("lose syn"), "'lose syn' is no fault; make one, as lose('third-ack'"),
        (
            lambda world: world.fault([lose("syn")]),
            "several faults are given with a star: world.fault(*faults)",
        ),
        (lambda world: world.fault(lose("syn", of="zz")), "there is no host 'zz'"),
        (
            lambda world: world.run("a", coroutine),
            "coroutine is a coroutine, which runs by world.start(host, coro",
        ),
        (lambda world: world.run("a", None), "program=None: give the function itself, without calling it"),
        (lambda world: world.start("a", coroutine), "coroutine is a coroutine function: call it"),
        (lambda world: world.start("a", program), "program is no coroutine; a function or a script runs by"),
        (lambda world: world.until("soon"), "'soon' is no duration"),
        (
            lambda world: (world.wait(2), world.until("1 s")),
            "until='1 s': it is 2 s already; give a later time",
        ),
        (
            lambda world: world.counters("a")["ListenOverflow"],
            "no counter 'ListenOverflow'; did you mean ListenOve",
        ),
        (lambda world: world.counters("z"), "there is no host 'z'; there is a"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(call, sentence):
    with World() as world:
        world.host("a")
        with pytest.raises(ConfigurationError) as caught:
            call(world)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_counter_of_a_kernel_may_be_asked_for():
    names = {
        name for names in linux_counters._SINCE.values() for name in names.split()
    } | linux_counters.MIB_II
    with World() as world:
        counters = world.counters(world.host("a"))
        assert {counters[name] for name in names} == {0}
