"""What is known of a piece under way: its tags, one bit each (tcp.h: TCPCB_SACKED_ACKED and the others)."""

SACKED, RETRANS, LOST, EVER = 1, 2, 4, 0x80
"""It has arrived out of order; its repeat is under way; it is taken for lost; it was ever sent again."""
SENT_AGAIN = RETRANS | EVER
TAGS = SACKED | RETRANS | LOST
