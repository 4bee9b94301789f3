"""A run as a capture file, and a capture file read again.

- `annotated_capture.py`: the file: its head, its packets with their comments, the names of addresses
- `chosen_sights.py`: which sights of packets go into it, in which order
- `figure_words.py`: how a sender's windows stood after a packet, for its comment
- `packet_comments.py`: the comment on a packet: why it was sent, and what became of it
- `seen_by.py`: from where packets are seen
- `captured_frame.py`: one packet of a capture, with what its comment says
"""
