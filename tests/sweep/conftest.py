import pytest

CROWD = """
title = "A crowd at a small queue"
duration = "4 s"

[server]
backlog = 2
answer = "time"
then = "close"
accept = { every = "5 ms" }

[[clients]]
name = "crowd"
count = 20
start = { rate = 400, poisson = true }
do = ["connect", "read_to_end", "close"]
"""


@pytest.fixture
def crowd(tmp_path):
    path = tmp_path / "crowd.toml"
    path.write_text(CROWD)
    return str(path)
