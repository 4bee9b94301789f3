"""What a record says, without layout: all views are made of these.

- `record_steps.py`: what belongs together: the steps of hosts, and the life of each packet
- `changed_states.py`: how the states of sockets changed
- `foresight.py`: what has to be known of a whole record before its first row
- `flow_numbers.py`: sequence numbers counted from the start of each flow
- `flow_memory.py`: how long data, an ACK or unread octets of a flow have waited
- `rows.py`: one row for each packet, call or timer that is worth telling
- `row_notes.py`: what there is to say of a row in words: why it was dropped, lost, sent again
- `host_sides.py`: which host stands on the left, which on the right, and by what name
- `client_outcomes.py`: how each client fared
- `run_digest.py`: a run in short: whose connections, SYN|ACKs again, RSTs, how clients fared
- `queue_limits.py`: how long a listener's queues can get, by asking the rules of its kernel
- `listen_backlog.py`: why listen() gave another backlog than it was asked for
- `counter_meanings.py`: what each counter counts, and which of them always move
"""
