"""A run as a capture file, and a capture file read again.

- `annotated_capture.py`: which packets are in the file, when, on which interface, and the names of addresses
- `packet_comments.py`: the comment on a packet: why it was sent, and what became of it
- `seen_by.py`: from where packets are seen
- `captured_frame.py`: one packet of a capture, with what its comment says
"""
