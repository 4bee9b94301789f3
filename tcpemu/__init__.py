"""tcpemu: a user-space TCP that answers as a given Linux kernel would, in virtual time, and says why."""

__version__ = "0.1.0"
