"""Step traces: what is done to one host, step by step, and what it answered.

Where things are:

    step_trace.py   how a trace is written, and its answer by the emulator
    judge.py        whether two answers to one trace are the same, and which rule a difference looks like
    info_judge.py   the same for TCP_INFO that a step asked for
    phases.py       whether the emulator answers as a log says, at some phase of the kernel's clock
"""
