"""A run as a ladder: hosts as columns, one line for each packet.

- `ladder_lines.py`: the ladder: arrows, states, notes, calls and timers, and how to read it
- `ladder_columns.py`: how wide its columns are
- `travel_times.py`: how long packets travel, and what the head may claim of it
- `fold.py`: which rows of a long run are shown, and which only counted
"""
