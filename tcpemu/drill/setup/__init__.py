"""What a script is run with, and what can be wrong with it before it runs.

drill_flags.py      options: addresses, ports, tolerance
shell_commands.py   what its shell commands set, by reading them · unreadable_command.py: one that cannot be
network_commands.py the same of ip, tc and ethtool
checked_calls.py    calls: names, arguments, constants
constant_names.py   the constants of Linux · icmp_names.py: types and codes of ICMP
"""
