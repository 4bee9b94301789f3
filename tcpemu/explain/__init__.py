"""What happened in a run, told to people: most modules here turn a record into something to read.

`steps` finds what belongs together in the record, `rows` makes of it one value for each thing worth telling
(a packet, a call, a timer), and `notes` says in words what is unusual about it. The rest lays that out: `ladder`
with `fold`, `columns` and `cast`; `table`, `counters`, `fates` and `moment`; `capture` and `frame`; `turning` and
`paragraphs` for the story; `compared` and `side_by_side` for several runs; `as_json` and `text` for programs;
`plots` for pictures; `report` for a page to step through.

Without a record: `claims` and `claims_grid` tell of verdicts, `kernels` of generations, `reference` of scenario files.
"""
