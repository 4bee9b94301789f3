"""The commands that do many runs.

sweep_command.py   every combination of settings, with many seeds · sweep_options.py: what the command is asked for ·
                   sweep_progress.py: how far it has got
advise_command.py  the smallest backlog that meets a target · advise_options.py: what the command is asked for
"""
