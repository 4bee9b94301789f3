"""What is printed does not depend on the terminal that the tests run in."""

import pytest


@pytest.fixture(autouse=True)
def a_hundred_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
