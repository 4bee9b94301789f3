"""Step traces: what is done to one host, step by step, and what it answered.

Where things are:

    step_trace.py   how a trace is written, and its answer by the emulator
    judge.py        whether two answers to one trace are the same
"""
