"""The JSON Schema of scenario files, for editors that complete and check TOML."""

import tomllib
from typing import Any

from pydantic import BaseModel

from tcpemu.scenario.format.key_reference import defaults_of, example_of
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.validation_errors import models_in

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """A JSON Schema of every table and key, each with its description."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    _as_in_a_file(Scenario, schema, schema["$defs"])
    return {"$schema": DIALECT, **_without_titles(schema)}


def _as_in_a_file(model: type[BaseModel], table: dict[str, Any], tables: dict[str, Any]) -> None:
    """Put defaults as a file has them, "5 ms" and not 5000000, and an example of each key."""
    defaults = defaults_of(model)
    for key, entry in table["properties"].items():
        if "default" in entry:
            entry["default"] = defaults[key]
        if example := example_of(model, key):
            entry["examples"] = [tomllib.loads(example)[key]]
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            _as_in_a_file(inner, tables[inner.__name__], tables)


def _without_titles(schema: Any, *, names: bool = False) -> Any:
    """Without the titles that pydantic makes of every name. `names`: the keys are names of fields."""
    if isinstance(schema, list):
        return [_without_titles(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value, names=not names and key in {"properties", "$defs"})
        for key, value in schema.items()
        if names or key != "title"
    }
