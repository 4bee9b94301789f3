"""Scenarios: what a file may say, the run that comes of it, and claims that runs decide; and step traces.

    format/         what a scenario file may say, and what is said of its mistakes
    running/        from a scenario to a network, what its programs do, what came of it
    claims/         claims of well-known texts, each decided by runs
    traces/         step traces, answered by the emulator and compared with an answer

The scenarios that come with the program are in `builtin/`.
"""
