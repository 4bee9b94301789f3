"""Times from outside a file: those set by their path have a unit, since 20 would silently be 20 s."""

import re
from decimal import Decimal
from typing import Any, get_args

from pydantic import BaseModel, BeforeValidator

from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import SettingError
from tcpemu.scenario.format.validation_errors import models_in
from tcpemu.scenario.format.written_values import parse_duration

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def time_of(text: str, option: str = "--until") -> int:
    """Nanoseconds of `10 s`, as an option gives it; a bare number counts seconds. Raises SettingError."""
    try:
        return parse_duration(Decimal(text) if _NUMBER.fullmatch(text) else text)
    except ValueError as error:
        raise SettingError(f"{option} {text!r}: it must be {error}") from None


def time_with_unit(text: str, option: str) -> int:
    """The same for a time that is as often milliseconds as seconds: a bare number is a mistake."""
    if _NUMBER.fullmatch(text) and Decimal(text):
        raise SettingError(_without_unit(f"{option} ", text))
    return time_of(text, option)


def check_unit(path: str, value: object) -> None:
    """Raises SettingError for a time without a unit, such as link.delay=20."""
    numbers = value if isinstance(value, list) else [value]
    bare = [
        each for each in numbers if isinstance(each, int | Decimal) and not isinstance(each, bool) and each
    ]
    if bare and ".sysctls." not in path and _is_time(path):
        raise SettingError(_without_unit(f"{path}=", bare[0]))


def _without_unit(before: str, number: object) -> str:
    """What is wrong with a bare number, and what would be right; `before` is written before it."""
    return f"{before}{number}: {number} of what? write {before}{number}ms or {before}{number}s"


def _is_time(path: str) -> bool:
    """Whether the path leads to a time. A name of a group, or a number in [ ], is a step to an entry of a list."""
    models: list[type[BaseModel]] = [Scenario]
    *steps, last = path.split(".")
    for step in steps:
        inner = [field for model in models for field in _fields(model, step.partition("[")[0])]
        if inner:
            models = [model for field in inner for model in models_in(field[0])]
    return any(_speaks_of_time(field) for model in models for field in _fields(model, last))


def _fields(model: type[BaseModel], key: str) -> list[Any]:
    return [
        (field.annotation, *field.metadata)
        for name, field in model.model_fields.items()
        if (field.alias or name) == key
    ]


def _speaks_of_time(annotation: Any) -> bool:
    """Whether `parse_duration` stands anywhere in it."""
    if isinstance(annotation, BeforeValidator):
        return annotation.func in (parse_duration,) or "Duration" in repr(annotation.json_schema_input_type)
    inner = annotation if isinstance(annotation, tuple) else get_args(annotation)
    metadata = getattr(annotation, "__metadata__", ())
    return any(map(_speaks_of_time, (*inner, *metadata)))
