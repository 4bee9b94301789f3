"""What any text is made of; it knows no run.

- `style.py`: a line is a tuple of spans, each with a role; plain text and colours are made of them
- `wrapping.py`: how text is broken to a width, and what stays together on one line
- `heading.py`: what stands above a run and above a section
- `time_words.py`: spans and moments of time in words
- `segment_words.py`: flags, options, kind of a segment and states of a connection in words
- `count_words.py`: counts with their nouns, and ordinals
"""
