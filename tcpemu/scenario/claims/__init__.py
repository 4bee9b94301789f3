"""Claims of well-known texts, each with a scenario whose run decides it.

    claim_file.py   what a claim's file says
    load_claims.py  reads it, and tells all mistakes
    measure.py      a run in the numbers that claims are about
    expectations.py what a claim expects, held against the runs
    verdicts.py     whether it holds in a kernel

The claims that come with the program are in `builtin/`.
"""
