"""What all tables of a scenario file have in common."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of the file: no key but those that are known, and no number in place of a text."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
