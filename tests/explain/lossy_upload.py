"""An upload over a link that loses packets."""

LOSSY = """
title = "An upload with losses"
duration = "20 s"
seed = 7
link = { delay = "20 ms", rate = "10 Mbit/s", loss = "1 %" }
server = { backlog = 5, then = "read_to_end" }
clients = [{ name = "up", do = ["connect", { send = 500000 }, "close"] }]
"""
