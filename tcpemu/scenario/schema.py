"""The JSON Schema of scenario files, for editors that complete and check TOML."""

from typing import Any

from tcpemu.scenario.model import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """A JSON Schema of every table and key, each with its description."""
    schema = Scenario.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, **_without_titles(schema)}


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
