"""Tables with a row for each generation, and what their tests look at.

`each({"linux-2.4": 3, ...})` runs a test with (name, value) of each row. `differs` names the rows that do not
hold here yet, with the reason; such a test must fail, so a row that begins to hold is noticed.
"""

import pytest

from tcpemu.generations import GENERATIONS, generation
from tcpemu.stack import ConfigurationError
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.testing.bench import Bench
from tcpemu.testing.bench.expected_segments import option_words
from tcpemu.testing.bench.host_bench import Flow
from tcpemu.wire.options import Eol, Timestamps
from tcpemu.wire.segment import flag_letters

LINUX = [name for name in GENERATIONS if name.startswith("linux-")]
OTHERS = [name for name in GENERATIONS if name not in LINUX]
MODERN = LINUX[LINUX.index("linux-4.4") :]


def since(first, last="linux-7.3"):
    """The kernels of Linux from one to another."""
    return LINUX[LINUX.index(first) : LINUX.index(last) + 1]


def until(last):
    """The kernels of Linux up to this one."""
    return since("linux-1.2", last)


def rows(names, value):
    """The same value for several generations."""
    return dict.fromkeys(names, value)


def each(table, differs=None, *, only=None):
    """A test for each row. There must be one for each generation, or for each of `only`."""
    differs = differs or {}
    assert set(table) == set(GENERATIONS if only is None else only), "one row for each"
    assert set(differs) <= set(table)
    return pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param(
                name,
                value,
                id=name,
                marks=[
                    pytest.mark.xfail(strict=True, raises=(AssertionError, ConfigurationError), reason=why)
                ]
                if (why := differs.get(name))
                else [],
            )
            for name, value in table.items()
        ],
    )


def bench(name, **settings):
    return Bench(generation=generation(name), **settings)


def listener(name, backlog=5, **settings):
    """A host of this generation that listens."""
    host = bench(name, **settings)
    host.listener = host.listen(backlog)
    return host.fresh()


def kinds(segment):
    """The options of a segment in order, without the numbers of timestamps."""
    found = []
    for option in segment.options:
        if isinstance(option, Timestamps):
            found.append("TS")
        elif isinstance(option, Eol):
            found += ["eol"] * (1 + len(option.padding))
        else:
            found.append(option_words(option, 0, Flow(0).peer_isn))
    return ", ".join(found)


def only(segments):
    """The one segment that was sent."""
    [(_, segment)] = segments
    return segment


def flags(segments):
    """The flags of what was sent, one text each."""
    return [flag_letters(segment.flags) for _, segment in segments]


def soon(host):
    """A moment later than now."""
    return host.now + 10 * MS
