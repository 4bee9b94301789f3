"""Claims of well-known texts, each with a scenario whose run decides it.

`model` is what a claim's file says, `load` reads it and tells all mistakes, `measure` is what a run came to,
`check` holds a run against what a claim expects, `judge` gives the verdicts. The claims that come with the
program are in `builtin`.
"""
