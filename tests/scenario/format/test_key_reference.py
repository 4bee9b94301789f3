"""The reference of scenario files: nothing is missing, and its examples and defaults are right."""

import tomllib
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import TypeAdapter

from tcpemu.explain.catalogue.scenario_keys import reference_lines
from tcpemu.explain.lines.style import plain
from tcpemu.scenario.format import actions, load_scenario
from tcpemu.scenario.format.host_settings import HostTable
from tcpemu.scenario.format.key_reference import EXAMPLES, example_of, sections
from tcpemu.scenario.format.scenario_file import Scenario, SocketOptionsTable
from tcpemu.scenario.format.validation_errors import models_in
from tcpemu.stack.base.sysctls import SYSCTLS

TABLES = frozenset(
    (
        "link",
        "to_server",
        "to_client",
        "drop",
        "red",
        "server",
        "options",
        "accept",
        "slow",
        "pauses",
        "relisten",
        "clients",
        "faults",
        "variants",
    )
)
"""Keys that are tables and nothing else; they have sections."""


def every_model(model=Scenario):
    yield model
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            yield from every_model(inner)


MODELS = {model.__name__: model for model in every_model()}
KEYS = [
    pytest.param(model, field.alias or name, field, id=f"{model.__name__}.{field.alias or name}")
    for model in MODELS.values()
    for name, field in model.model_fields.items()
    if (field.alias or name) not in TABLES
]
TOLD = list(sections())
TEXT = [plain(each) for each in reference_lines()]


@pytest.mark.parametrize(("model", "key", "field"), KEYS)
def test_each_key_has_an_example_that_is_right(model, key, field):
    (found,) = tomllib.loads(example_of(model, key), parse_float=Decimal).items()
    assert found[0] == key
    kind = TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    kind.validate_python(found[1])


@pytest.mark.parametrize(("model", "key", "field"), KEYS)
def test_each_key_is_told(model, key, field):
    [entry] = {one for section in TOLD for one in section.keys if example_of(model, key) in _forms(one)} & {
        one for section in TOLD for one in section.keys if one.about == " ".join(field.description.split())
    }
    assert entry.kind
    assert entry.required == field.is_required()


def _forms(key):
    """An action stands in braces."""
    return key.example, key.example.removeprefix("{ ").removesuffix(" }")


def test_no_example_is_of_a_key_that_is_not_there():
    known = {**MODELS, "HostTable": HostTable, "SocketOptionsTable": SocketOptionsTable}
    for name, text in EXAMPLES.items():
        fields = {field.alias or key for key, field in known[name].model_fields.items()}
        assert set(tomllib.loads(text)) <= fields


def test_the_tables_have_sections():
    headings = {section.heading.strip("[]").rpartition(".")[2] for section in TOLD}
    assert headings >= TABLES | {"start", "answer"}


def test_every_action_and_every_sysctl_is_told():
    shown = [key.example for section in TOLD[-2:] for key in section.keys]
    assert [f'"{word}"' for word in actions.WORDS] == shown[: len(actions.WORDS)]
    assert set(actions.MEANINGS) == set(actions.WORDS)
    assert [f'"{name}"' for name in SYSCTLS] == shown[-len(SYSCTLS) :]


def test_synonyms_stand_for_actions():
    assert set(actions.SYNONYMS.values()) <= {*actions.WORDS, *actions.Act.model_fields}
    assert not actions.SYNONYMS.keys() & {*actions.WORDS, *actions.Act.model_fields}


def test_defaults_and_bounds_are_shown_as_a_file_has_them():
    shown = "\n".join(TEXT)
    assert 'delay = "20 ms"                 time; "5 ms" if not given' in shown
    assert "port = 8080                     whole number, 1 to 65535; 80 if not given" in shown
    assert 'to = "server"                   "server" or "client"; must be given' in shown
    assert 'start = "500 ms"                time or table' in shown


@pytest.mark.parametrize("width", [80, 100])
def test_it_fits(width):
    assert max(len(plain(each)) for each in reference_lines(width)) <= width


def test_a_file_of_examples_runs():
    """The keys of each table that do not exclude each other, together."""
    load_scenario.from_text(
        "\n".join(
            [
                *(example_of(Scenario, key) for key in ("title", "about", "look_at", "seed", "duration")),
                "[link]",
                EXAMPLES["Link"],
                "[[link.drop]]",
                EXAMPLES["Drop"].replace("every = 10\n", ""),
                "[server.options]",
                EXAMPLES["ListenOptions"],
                "[[clients]]",
                *(example_of(MODELS["ClientGroup"], key) for key in ("name", "count", "start", "do")),
                EXAMPLES["HostTable"],
                "[[variants]]",
                EXAMPLES["Variant"].replace('"net.ipv4.tcp_syncookies" = 0', '"seed" = 3'),
            ]
        )
    )
