"""What is claimed of a capture, and how sure that is.

how sure        sureness.py: certain, likely, possible, cannot tell, and what speaks against certain
from where      vantage.py: at the server, at the client or between them
of a listener   listener_claims.py: drops, repeats, silences, RSTs, and the settings behind them
of an end       ending_claims.py: who reset a connection and what that RST is an answer to; closed windows, silence
of a speaker    speaking_claims.py: connect() in vain, data sent again to the end, a window that closes, by replay
all of one      listener_diagnosis.py: one server, from its handshakes to all that is claimed
"""
