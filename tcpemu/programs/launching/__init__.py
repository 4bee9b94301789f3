"""A program is started: what it is, what it prints, what comes of it.

program_kinds.py    a file, a module or a function, as something to call
prefixed_output.py  what a program prints: each line under its name, and kept
program.py          a program that was started, to its end: its value, or what ended it
"""
