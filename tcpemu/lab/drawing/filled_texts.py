"""Values in texts: `{late}` in what is read, `@late@` in a scenario that is to be mended."""

import re
from collections.abc import Mapping
from decimal import Decimal

from tcpemu.lab.asking.fact_base import Value, exact
from tcpemu.scenario.format.problems import did_you_mean

_IN_WORDS, _IN_TOML = re.compile(r"\{([A-Za-z_]\w*)\}"), re.compile(r"@([A-Za-z_]\w*)@")


class UnknownNameError(ValueError):
    """A text names a value that there is not. Its text is what would be right."""


def filled(text: str, shown: Mapping[str, str]) -> str:
    """The text with its values. Raises UnknownNameError."""
    return _filled(_IN_WORDS, text, shown)


def names_in(text: str) -> list[str]:
    """The names of the values in a text, each once, in the order in which they first stand there."""
    return list(dict.fromkeys(_IN_WORDS.findall(text)))


def filled_scenario(text: str, shown: Mapping[str, str]) -> str:
    """The text of a scenario with its values. Raises UnknownNameError."""
    return _filled(_IN_TOML, text, shown)


def _filled(pattern: re.Pattern[str], text: str, shown: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in shown:
            raise UnknownNameError(f"{found[0]} is no draw and no value; {did_you_mean(found[1], shown)}")
        return shown[found[1]]

    return pattern.sub(value, text)


def number_text(number: Decimal) -> str:
    """A number as people write it: without zeros at its end."""
    text = format(number.normalize(), "f")
    return "0" if text == "-0" else text


def value_text(value: Value) -> str:
    """A value of a query in a text: of a time no more than microseconds."""
    if isinstance(value, float):
        return number_text(round(exact(value), 6))
    return str(value)
