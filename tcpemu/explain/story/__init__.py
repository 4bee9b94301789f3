"""The story of a run: a paragraph for each turning point.

- `turning_points.py`: what is a turning point, and the paragraph about it; what happened again is summed up
- `turning_titles.py`: what each turning point is called
- `full_queues.py`: when a queue became full, and when it had room again
- `opening_and_closing.py`: turning points without trouble: handshakes that complete, who closes first
- `failed_calls.py`: calls that failed, what made them fail and what would change it
- `lone_ends.py`: ends that stay open though the other end is gone
- `crashes.py`: hosts that crash, and that start again
- `transfer_points.py`: turning points of transfers: slow start, recoveries, time-outs, probes, undo
- `awaited_acks.py`: ACKs that wait, where that holds the sender up
- `waits.py`: what a wait waits for, and until when
- `settings_advice.py`: which settings would have changed a turning point
- `story_paragraph.py`: what a paragraph is
- `story_lines.py`: the paragraphs laid out
"""
