"""What is kept of a network.

- `past_host.py`: a host as it stood, in a copy of its network
"""
