import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, from_text, load, to_document
from tcpemu.scenario.format.scenario_text import toml_of

VALUES = st.recursive(
    st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text(), inner, min_size=1, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_a_scenario_reads_back_as_the_same(name):
    scenario = load(name)
    assert from_text(toml_of(to_document(scenario))) == scenario


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=5))
def test_any_tables_read_back_as_the_same(document):
    assert tomllib.loads(toml_of(document)) == document


def test_a_long_list_has_a_line_for_each():
    text = toml_of(
        {"clients": [{"name": "c", "start": {"at": ["1 ms"]}}], "times": [f"{n} ms" for n in range(30)]}
    )
    assert max(map(len, text.splitlines())) < 100
