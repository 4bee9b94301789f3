"""A flood at a kernel that throws out half-open connections."""

FLOOD = """
title = "A flood at a kernel that makes room"
duration = "3 s"
[server]
backlog = 3
generation = "macos-15"
[[clients]]
name = "flood"
start = { rate = 50, until = "1 s" }
do = ["syn"]
spoof = "198.18.0.0/24"
[[clients]]
name = "two"
count = 2
start = "1 s"
do = ["connect", { send = "hello" }]
"""
