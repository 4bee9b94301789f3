"""Several runs side by side, and where they part.

- `comparison_lines.py`: everything that `tcpemu compare` prints
- `first_difference.py`: the first packet that is not the same in two runs, and why
- `digest_cells.py`: what became of the clients of each run, in cells of a table
- `transfer_cells.py`: what became of the data of each run, likewise
- `word_table.py`: a table of words, in several parts where it is too wide
- `number_table.py`: a table of numbers, a column for each run
"""
