"""What there is without a run: kernels, scenario files, claims.

- `kernel_list.py`: what each kernel's listen path does, in words
- `rule_history.py`: the rules of each kernel, and since which one they are as they are
- `scenario_keys.py`: every table and key of a scenario file: the reference
- `claim_verdicts.py`: one claim, and the kernels in which it holds, fails or says nothing
- `claim_grid.py`: all claims and all kernels at a glance
"""
