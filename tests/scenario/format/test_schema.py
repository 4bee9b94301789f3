"""The schema that editors use says something about every key, and knows what the built-in files use."""

import json
import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest

from tcpemu.scenario.format.actions import MEANINGS
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS
from tcpemu.scenario.format.schema import scenario_schema

SCHEMA = scenario_schema()


def tables(schema) -> Iterator[tuple[str, dict]]:
    yield "Scenario", schema
    yield from schema["$defs"].items()


def test_every_key_has_a_description():
    bare = [
        f"{name}.{key}"
        for name, table in tables(SCHEMA)
        for key, entry in table.get("properties", {}).items()
        if not entry.get("description", "").strip()
    ]
    assert bare == []


def test_no_table_takes_unknown_keys():
    open_ones = [name for name, table in tables(SCHEMA) if table.get("additionalProperties") is not False]
    assert open_ones == []


def test_it_is_json_and_has_no_titles_of_pydantic():
    text = json.dumps(SCHEMA)
    assert json.loads(text) == SCHEMA
    assert '"title": "Duration"' not in text
    assert SCHEMA["properties"]["title"]["type"] == "string"
    assert "title" not in SCHEMA


def test_it_speaks_of_the_keys_of_the_file():
    assert "from" in SCHEMA["$defs"]["Accept"]["properties"]
    assert "begin" not in json.dumps(SCHEMA)


def test_what_may_be_written_in_two_ways_says_so():
    delay = SCHEMA["$defs"]["Link"]["properties"]["delay"]
    assert {option["type"] for option in delay["anyOf"]} == {"string", "number"}
    assert "travels" in delay["description"]
    start = SCHEMA["$defs"]["ClientGroup"]["properties"]["start"]
    time, table = start["anyOf"]
    assert {option["type"] for option in time["anyOf"]} == {"string", "number"}
    assert table == {"$ref": "#/$defs/Start"}


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_the_built_in_files_use_no_other_keys(name):
    text = resources.files("tcpemu.scenario").joinpath("builtin", f"{name}.toml").read_text("utf-8")
    document = tomllib.loads(text)
    assert set(document) <= set(SCHEMA["properties"])
    assert set(SCHEMA["required"]) <= set(document)
    for group in document["clients"]:
        assert set(group) <= set(SCHEMA["$defs"]["ClientGroup"]["properties"])


def test_defaults_are_as_a_file_has_them():
    assert SCHEMA["$defs"]["Link"]["properties"]["delay"]["default"] == "5 ms"
    assert SCHEMA["properties"]["duration"]["default"] == "10 s"


def test_every_action_says_what_it_does():
    words, table = SCHEMA["$defs"]["ClientGroup"]["properties"]["do"]["items"]["oneOf"]
    assert {each["const"]: each["description"] for each in words["oneOf"]} == MEANINGS
    assert table == {"$ref": "#/$defs/Act"}
