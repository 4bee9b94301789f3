"""What is kept of a network.

- `entries.py`: what stands in a record: packets seen, events of hosts, calls
- `entry_forms.py`: what most entries repeat, each once
- `packed_entries.py`: entries in few octets, and back
- `outline.py`: what has to be known of a whole record before the first of it can be told
- `packed_store.py`: where these are put, in memory or on disk
- `transfers.py`: windows, round-trip times and recovery of connections, whenever they changed
- `past_host.py`: a host as it stood, in a copy of its network
"""
