"""A script out of packets that a host was seen to send and get.

seen_conversation.py    the packets of each connection, in numbers of its own
guessed_calls.py        what the host's application must have done, and when
shown_settings.py       what its SYNs show of its sysctls
script_writing.py       the script's lines
"""
