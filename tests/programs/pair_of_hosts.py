"""Two hosts, 20 ms apart, and a function on each."""

from tcpemu.testing import World


def run_pair(serve, ask, *, seed=1, at="1 s", **more):
    """What `ask` gives on the client, while `serve` runs on the server since one second before."""
    with World(seed, **more) as world:
        server, client = world.host("server"), world.host("client")
        world.link(client, server, "20 ms")
        world.run(server, serve)
        return world.until(world.run(client, ask, at=at))


def run_alone(function, **more):
    """What a function gives on a host that is alone."""
    with World(**more) as world:
        return world.until(world.run(world.host("alone"), function))
