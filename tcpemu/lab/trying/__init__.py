"""Runs of what is handed in, and of the scenarios of labs: what comes of them, within bounds.

lab_run.py      a scenario that is run to its end, and its facts
goals.py        what must be true of a run, and what is said where it is not
mended_run.py   a scenario that was mended: what was changed, and whether it does now what it should
program_run.py  a student's program on an emulated host, beside those of the lab
bounded_work.py all of this in a process of its own, which is ended when its time is over
"""
