"""What a transfer goes through, where its figures were followed: slow start, recoveries, time-outs, reductions.

- `flow_history.py`: what a record has of each sender of data: what was lost, sent again, answered twice
- `transfer_phases.py`: phases, found in the figures, with what began and ended each
- `bbr_phases.py`: those of a sender with BBR
- `followed_transfers.py`: all transfers of a run, each with its history and its phases
- `phase_words.py`: a phase in words, in a few and as a paragraph
- `phase_notes.py`: phases as notes on the packets at which they begin and end
"""
