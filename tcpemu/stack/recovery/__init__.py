"""What is lost and may be sent again. Nothing is sent from here.

congestion_states.py  Open, Disorder, CWR, Recovery, Loss: what begins and ends each (tcp_fastretrans_alert)
loss_marks.py         a piece is marked lost; where the highest SACK ends
prr.py                proportional rate reduction: how the window comes down (RFC 6937)
rack.py               RACK: what was overtaken long enough is lost (RFC 8985)
reordering.py         how far segments overtake one another; duplicate ACKs counted without SACK
sack_blocks.py        which SACK blocks mean something, and what a D-SACK tells
sack_tagging.py       what a SACK block covers is tagged, piece by piece
undo.py               the reduction is taken back where nothing was lost: D-SACK, timestamps, F-RTO
write_timer.py        the one timer of a sender: set, cleared, set anew
"""
