"""What happened in a run, told to people: every module here turns a record into something to read.

`steps` finds what belongs together in the record, `rows` makes of it one value for each thing worth telling
(a packet, a call, a timer), and `notes` says in words what is unusual about it. `ladder`, `table`, `summary`
and `capture` only lay that out; so will whatever else shows a run.
"""
